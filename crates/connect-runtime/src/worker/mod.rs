//! Runs the connectors and tasks that its herder tells it to run (`Worker` in Java). It decides nothing: what runs where, and
//! what becomes of the news, is the herder's.

mod event;
pub(crate) mod guard;

pub use event::{RunStatus, WorkerEvent};
pub use guard::Deadlines;

use crate::group::Work;
use crate::herder::{ConnectorOffset, HerderError, Retrying, TargetState, TaskId};
use crate::plugins::Plugins;
use crate::ports::{GroupOffsets, KafkaClients, OffsetStore};
use crate::worker_config::WorkerConfig;
use connect_api::ConfigMap;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// What a worker needs.
pub struct WorkerParts {
    pub config: WorkerConfig,
    pub plugins: Plugins,
    pub clients: Arc<dyn KafkaClients>,
    /// Of sources.
    pub offsets: Arc<dyn OffsetStore>,
    /// Of sinks.
    pub group_offsets: Arc<dyn GroupOffsets>,
    pub deadlines: Deadlines,
}

/// A handle; cheap to clone. What runs goes on when the last one is dropped: call [`stop`](Worker::stop).
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    parts: WorkerParts,
    events: mpsc::UnboundedSender<WorkerEvent>,
    runtime: Handle,
}

impl Worker {
    /// To be called on the runtime that serves the tasks' timers and sockets.
    pub fn new(parts: WorkerParts, events: mpsc::UnboundedSender<WorkerEvent>) -> Self {
        Self { inner: Arc::new(Inner { parts, events, runtime: Handle::current() }) }
    }

    /// Starts a connector (not its tasks). `config` is as it is stored: placeholders of config providers are resolved here and
    /// nowhere else. Tells its status, then, if it runs, the configurations of its tasks, in which the placeholders are back.
    ///
    /// `run` comes back in the events and has to grow from call to call, so that late news of an older run can be told apart. Starting
    /// what runs already replaces it.
    pub fn start_connector(&self, run: u64, name: &str, config: ConfigMap, target: TargetState) {
        let _ = (config, target);
        self.not_there_yet(WorkerEvent::Connector { run, name: name.to_owned(), status: failed() });
    }

    /// Starts a task. Both configurations are as they are stored. [`TargetState::Stopped`] counts as paused: a stopped
    /// connector has no tasks.
    pub fn start_task(
        &self,
        run: u64,
        id: &TaskId,
        connector_config: ConfigMap,
        task_config: ConfigMap,
        target: TargetState,
    ) {
        let _ = (connector_config, task_config, target);
        self.not_there_yet(WorkerEvent::Task { run, id: id.clone(), status: failed() });
    }

    fn not_there_yet(&self, event: WorkerEvent) {
        let _ = self.inner.events.send(event);
    }

    /// Pauses or resumes the connector and its tasks where they are, whichever of them run here; each tells its new status when it
    /// has got there. What has failed stays failed, but for a connector that is stopped. A connector that is told to be
    /// started tells the configurations of its tasks again, also if it was started before.
    pub fn set_target_state(&self, connector: &str, target: TargetState) {
        let _ = (connector, target);
    }

    /// Asks the connector for its tasks' configurations again; nothing happens unless it runs here.
    pub fn reconfigure_tasks(&self, connector: &str) {
        let _ = connector;
    }

    /// Stops all of `work` that is here, all together within `task.shutdown.graceful.timeout.ms`; what has not ended by then is cut
    /// off, which loses nothing: records whose offsets are not committed are read again. `Ended` has been told for
    /// each when this returns, also for what had failed, and nothing is told of them any more.
    pub async fn stop(&self, work: &Work) {
        let _ = work;
    }

    /// What was started and not stopped, failed connectors and tasks included.
    pub fn running(&self) -> Work {
        Work::default()
    }

    /// Whether the task repeats the same records again and again.
    pub fn retrying(&self, id: &TaskId) -> Option<Retrying> {
        let _ = id;
        None
    }

    /// Makes the tasks of the connector tell the topics they use once more: the list was reset.
    pub fn forget_topics(&self, connector: &str) {
        let _ = connector;
    }

    /// How far the connector has come; it need not run here. `config` is as it is stored.
    pub async fn connector_offsets(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<Vec<ConnectorOffset>, HerderError> {
        let _ = (name, config);
        Err(HerderError::Internal("offsets are not there yet".into()))
    }

    /// Sets offsets, or with `None` removes all of them; the answer's sentence. The caller has made sure that the connector is stopped
    /// and has no tasks.
    pub async fn alter_offsets(
        &self,
        name: &str,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<String, HerderError> {
        let _ = (name, config, offsets);
        Err(HerderError::Internal("offsets are not there yet".into()))
    }
}

fn failed() -> RunStatus {
    RunStatus::Failed { trace: "the worker is not there yet".into() }
}
