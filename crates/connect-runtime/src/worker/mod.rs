//! Runs the connectors and tasks that its herder tells it to run (`Worker` in Java). It decides nothing: what runs where, and
//! what becomes of the news, is the herder's.

mod connector;
mod describe;
mod event;
pub(crate) mod guard;
mod offsets;
mod report;
mod task;

pub use event::{RunStatus, WorkerEvent};
pub use guard::Deadlines;

use crate::group::Work;
use crate::herder::{ConnectorOffset, HerderError, Retrying, TargetState, TaskId};
use crate::plugins::Plugins;
use crate::ports::{GroupOffsets, KafkaClients, OffsetStore};
use crate::worker_config::WorkerConfig;
use connect_api::ConfigMap;
use connector::RunningConnector;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use task::{RunningTask, TaskStart};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

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

/// A handle; cheap to clone. When the last one is dropped, whatever still runs is cut off.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Arc<WorkerParts>,
    events: mpsc::UnboundedSender<WorkerEvent>,
    runtime: Handle,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    connectors: BTreeMap<String, RunningConnector>,
    tasks: BTreeMap<TaskId, RunningTask>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        for task in running.tasks.values() {
            task.cut_off();
        }
    }
}

impl Worker {
    /// To be called on the runtime that serves the tasks' timers and sockets.
    pub fn new(parts: WorkerParts, events: mpsc::UnboundedSender<WorkerEvent>) -> Self {
        let runtime = Handle::current();
        let inner = Inner { parts: Arc::new(parts), events, runtime, running: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a connector (not its tasks). `config` is as it is stored: placeholders of config providers are resolved here and
    /// nowhere else. Tells its status, then, if it runs, the configurations of its tasks, in which the placeholders are back.
    ///
    /// `run` comes back in the events and has to grow from call to call, so that late news of an older run can be told apart. Starting
    /// what runs already replaces it.
    pub fn start_connector(&self, run: u64, name: &str, config: ConfigMap, target: TargetState) {
        let Inner { parts, events, runtime, .. } = &*self.inner;
        let mut running = self.lock();
        if let Some(older) = running.connectors.remove(name) {
            older.end();
        }
        let connector =
            RunningConnector::start(runtime, parts.clone(), events.clone(), run, name, config, target);
        running.connectors.insert(name.to_owned(), connector);
    }

    /// Starts a task. Both configurations are as they are stored. [`TargetState::Stopped`] counts as paused: a stopped
    /// connector has no tasks. Starting what runs already cuts that off first.
    pub fn start_task(
        &self,
        run: u64,
        id: &TaskId,
        connector_config: ConfigMap,
        task_config: ConfigMap,
        target: TargetState,
    ) {
        let mut running = self.lock();
        let after = running.tasks.remove(id).map(|older| older.cut_off());
        let (parts, events) = (self.inner.parts.clone(), self.inner.events.clone());
        let start =
            TaskStart { parts, events, run, id: id.clone(), connector_config, task_config, target, after };
        running.tasks.insert(id.clone(), RunningTask::start(&self.inner.runtime, start));
    }

    /// Pauses or resumes the connector and its tasks where they are, whichever of them run here; each tells its new status when it
    /// has got there. What has failed stays failed, but for a connector that is stopped. A connector that is told to be
    /// started tells the configurations of its tasks again, also if it was started before.
    pub fn set_target_state(&self, connector: &str, target: TargetState) {
        let running = self.lock();
        if let Some(connector) = running.connectors.get(connector) {
            connector.set_target(target);
        }
        for task in running.tasks_of(connector) {
            task.set_target(target);
        }
    }

    /// Asks the connector for its tasks' configurations again; nothing happens unless it runs here.
    pub fn reconfigure_tasks(&self, connector: &str) {
        if let Some(connector) = self.lock().connectors.get(connector) {
            connector.reconfigure();
        }
    }

    /// Stops all of `work` that is here, all together within `task.shutdown.graceful.timeout.ms`; what has not ended by then is cut
    /// off, which loses nothing: records whose offsets are not committed are read again. `Ended` has been told for
    /// each when this returns, also for what had failed, and nothing is told of them any more.
    pub async fn stop(&self, work: &Work) {
        let tasks: Vec<RunningTask> = {
            let mut running = self.lock();
            for connector in
                work.connectors.iter().filter_map(|name| running.connectors.remove(name)).collect::<Vec<_>>()
            {
                connector.end();
            }
            work.tasks.iter().filter_map(|id| running.tasks.remove(id)).collect()
        };
        for task in &tasks {
            task.tell_to_stop();
        }
        let deadline = Instant::now() + self.inner.parts.config.shutdown_timeout;
        // On its own, so that a caller who goes away leaves no task behind that nobody knows.
        let ended = self.inner.runtime.spawn(async move {
            join_all(tasks.iter().map(|task| task.end(deadline))).await;
        });
        if let Err(error) = ended.await {
            tracing::error!(error = %error, "tasks could not be waited for");
        }
    }

    /// What was started and not stopped, failed connectors and tasks included.
    pub fn running(&self) -> Work {
        let running = self.lock();
        Work {
            connectors: running.connectors.keys().cloned().collect(),
            tasks: running.tasks.keys().cloned().collect(),
        }
    }

    /// Whether the task repeats the same records again and again.
    pub fn retrying(&self, id: &TaskId) -> Option<Retrying> {
        self.lock().tasks.get(id)?.retrying()
    }

    /// Makes the tasks of the connector tell the topics they use once more: the list was reset.
    pub fn forget_topics(&self, connector: &str) {
        for task in self.lock().tasks_of(connector) {
            task.forget_topics();
        }
    }

    /// How far the connector has come; it need not run here. `config` is as it is stored.
    pub async fn connector_offsets(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<Vec<ConnectorOffset>, HerderError> {
        offsets::list(&self.inner.parts, name, config).await
    }

    /// Sets offsets, or with `None` removes all of them; the answer's sentence. The caller has made sure that the connector is stopped
    /// and has no tasks.
    pub async fn alter_offsets(
        &self,
        name: &str,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<String, HerderError> {
        offsets::alter(&self.inner.parts, name, config, offsets).await
    }
}

impl Running {
    fn tasks_of(&self, connector: &str) -> impl Iterator<Item = &RunningTask> {
        let first = TaskId { connector: connector.to_owned(), task: 0 };
        self.tasks.range(first..).take_while(move |(id, _)| id.connector == connector).map(|(_, task)| task)
    }
}

#[cfg(test)]
mod tests;
