//! A task that runs here. It has a thread of its own, as in Java: a plugin that blocks holds up nobody else.

use super::describe::{TaskSpec, first_secrets, trace};
use super::guard::panic_text;
use super::report::TaskReport;
use super::{RunStatus, WorkerEvent, WorkerParts};
use crate::control::TaskControl;
use crate::herder::{Retrying, TargetState, TaskId};
use crate::{sink_task, source_task};
use connect_api::{ConfigMap, ConnectError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// What a task is started with.
pub(super) struct TaskStart {
    pub(super) parts: Arc<WorkerParts>,
    pub(super) events: mpsc::UnboundedSender<WorkerEvent>,
    pub(super) run: u64,
    pub(super) id: TaskId,
    pub(super) connector_config: ConfigMap,
    pub(super) task_config: ConfigMap,
    pub(super) target: TargetState,
    /// An older run of the same task, which has to be gone before.
    pub(super) after: Option<CancellationToken>,
}

pub(super) struct RunningTask {
    id: TaskId,
    report: Arc<TaskReport>,
    paused: watch::Sender<bool>,
    stop: CancellationToken,
    /// Cancelled when the task is to be dropped wherever it stands.
    cut: CancellationToken,
    /// Cancelled when its thread has ended.
    gone: CancellationToken,
}

impl RunningTask {
    pub(super) fn start(runtime: &Handle, start: TaskStart) -> Self {
        let secrets = first_secrets(&start.connector_config);
        let report = Arc::new(TaskReport::new(start.id.clone(), start.run, secrets, start.events.clone()));
        let (control, paused) = TaskControl::new(CancellationToken::new(), is_pause(start.target));
        let (stop, cut, gone) = (control.stop.clone(), CancellationToken::new(), CancellationToken::new());
        let task = Self {
            id: start.id.clone(),
            report: report.clone(),
            paused,
            stop,
            cut: cut.clone(),
            gone: gone.clone(),
        };
        let runtime = runtime.clone();
        let body = move || {
            // Also after a panic that nobody has thought of.
            let _gone = gone.drop_guard();
            run(&runtime, start, control, &cut, &report);
        };
        // Java's name for it; the system cuts it to 15 bytes.
        let thread = std::thread::Builder::new().name(format!("task-{}", task.id));
        if let Err(error) = thread.spawn(body) {
            task.report.report.failed(&format!("there is no thread for the task: {error}"));
        }
        task
    }

    pub(super) fn set_target(&self, target: TargetState) {
        self.paused.send_replace(is_pause(target));
    }

    pub(super) fn retrying(&self) -> Option<Retrying> {
        self.report.retrying()
    }

    pub(super) fn forget_topics(&self) {
        self.report.forget_topics();
    }

    pub(super) fn tell_to_stop(&self) {
        self.stop.cancel();
    }

    /// Waits for the end until `deadline`; what is not done then is dropped where it stands, and a thread that does not come back
    /// is left behind.
    pub(super) async fn end(&self, deadline: Instant) {
        if timeout_at(deadline, self.gone.cancelled()).await.is_err() {
            let TaskId { connector, task } = &self.id;
            tracing::error!(connector, task, "task did not stop in time and is cut off");
        }
        self.cut_off();
    }

    /// Ends it at once; a token that is cancelled when it is gone.
    pub(super) fn cut_off(&self) -> CancellationToken {
        self.stop.cancel();
        self.cut.cancel();
        self.report.over(RunStatus::Ended);
        self.gone.clone()
    }
}

fn is_pause(target: TargetState) -> bool {
    target != TargetState::Started
}

fn run(
    runtime: &Handle,
    start: TaskStart,
    control: TaskControl,
    cut: &CancellationToken,
    report: &Arc<TaskReport>,
) {
    let stop = control.stop.clone();
    let until_cut = async {
        tokio::select! {
            biased;
            () = cut.cancelled() => None,
            outcome = work(start, control, report.clone()) => Some(outcome),
        }
    };
    let why = match catch_unwind(AssertUnwindSafe(|| runtime.block_on(until_cut))) {
        Ok(None) => return,
        Ok(Some(Ok(()))) if stop.is_cancelled() => return,
        Ok(Some(Ok(()))) => "the task ended by itself".to_owned(),
        Ok(Some(Err(error))) => trace(&error),
        Err(payload) => format!("the task panicked: {}", panic_text(payload.as_ref())),
    };
    if stop.is_cancelled() {
        // Whoever stops it tells its end; that it did not end well is for the log.
        tracing::warn!(error = report.report.scrub(&why), "task failed while it was stopped");
    } else {
        let trace = report.report.scrub(&why);
        report.over(RunStatus::Failed { trace });
    }
}

async fn work(start: TaskStart, control: TaskControl, report: Arc<TaskReport>) -> Result<(), ConnectError> {
    let TaskStart { parts, id, connector_config, task_config, after, .. } = start;
    if let Some(after) = after {
        // One that never goes must not keep the new one from starting for ever.
        let _ = tokio::time::timeout(parts.config.shutdown_timeout, after.cancelled()).await;
    }
    let learn = |secrets: &crate::secrets::Secrets| report.report.set_secrets(secrets.clone());
    match TaskSpec::read(&parts, &id, &connector_config, &task_config, learn)? {
        TaskSpec::Sink(spec) => sink_task::run(spec, control, report).await,
        TaskSpec::Source(spec) => source_task::run(spec, control, report).await,
    }
}
