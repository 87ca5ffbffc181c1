//! A task that runs, and what is known about it.

use super::guard::panic_text;
use crate::control::TaskControl;
use crate::herder::{Retrying, State, StateInfo};
use crate::observer::TaskObserver;
use crate::secrets::Masker;
use crate::sink_task::{self, SinkTaskSpec};
use crate::source_task::{self, SourceTaskSpec};
use connect_api::{ConfigMap, ConnectError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

/// What a task may need beyond the grace of its `put`, to commit and to leave its group.
const LEAVING: Duration = Duration::from_secs(3);

/// A task that is ready to run.
pub(super) enum TaskSpec {
    Sink(SinkTaskSpec),
    Source(SourceTaskSpec),
}

impl TaskSpec {
    fn identity(&self) -> (String, usize, ConfigMap) {
        match self {
            Self::Sink(spec) => (spec.connector.clone(), spec.task, spec.config.clone()),
            Self::Source(spec) => (spec.connector.clone(), spec.task, spec.config.clone()),
        }
    }

    async fn run(self, stop: CancellationToken, observer: Arc<dyn TaskObserver>) -> Result<(), ConnectError> {
        match self {
            Self::Sink(spec) => sink_task::run(spec, TaskControl::never_paused(stop), observer).await,
            Self::Source(spec) => source_task::run(spec, TaskControl::never_paused(stop), observer).await,
        }
    }
}

pub(super) struct RunningTask {
    pub(super) id: usize,
    pub(super) config: ConfigMap,
    status: Arc<Status>,
    stop: CancellationToken,
    work: AbortHandle,
    /// Ends when the work has ended and the status says how.
    watcher: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

#[derive(Clone)]
enum Phase {
    Starting,
    Running,
    Retrying { since: Instant, why: String },
    Failed { trace: String },
    Ended,
}

struct Status {
    connector: String,
    task: usize,
    phase: Mutex<Phase>,
    secrets: Secrets,
}

/// Removes a connector's secrets from texts about it.
#[derive(Clone)]
pub(super) struct Secrets {
    pub(super) masker: Masker,
    pub(super) config: Arc<ConfigMap>,
}

impl Secrets {
    pub(super) fn scrub(&self, text: &str) -> String {
        self.masker.scrub(text, &self.config)
    }
}

/// A failure as `trace` shows it: the exception class first, as tools expect.
pub(super) fn trace(error: &ConnectError) -> String {
    format!("{}: {}", error.java_class(), error.chain())
}

impl Status {
    fn set(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    fn fail(&self, trace: &str) {
        let trace = self.secrets.scrub(trace);
        tracing::error!(connector = %self.connector, task = self.task, error = trace, "task failed");
        self.set(Phase::Failed { trace });
    }
}

impl TaskObserver for Status {
    fn on_paused(&self) {}

    fn on_topic(&self, _: &Arc<str>) {}

    fn on_running(&self) {
        self.set(Phase::Running);
    }

    fn on_retrying(&self, failing_for: Duration, why: &str) {
        let since = Instant::now().checked_sub(failing_for).unwrap_or_else(Instant::now);
        self.set(Phase::Retrying { since, why: self.secrets.scrub(why) });
    }

    fn on_bad_records(&self, skipped: u64, dead_lettered: u64) {
        tracing::warn!(connector = %self.connector, task = self.task, skipped, dead_lettered, "records that cannot be converted were passed over");
    }
}

impl RunningTask {
    pub(super) fn start(runtime: &Handle, spec: TaskSpec, secrets: Secrets, stop: CancellationToken) -> Self {
        let (connector, id, config) = spec.identity();
        let status = Arc::new(Status { connector, task: id, phase: Mutex::new(Phase::Starting), secrets });
        let work = runtime.spawn(spec.run(stop.clone(), status.clone()));
        let abort = work.abort_handle();
        let (watched, told_to_stop) = (status.clone(), stop.clone());
        let watcher = runtime.spawn(async move {
            match work.await {
                Ok(Ok(())) if told_to_stop.is_cancelled() => watched.set(Phase::Ended),
                Ok(Ok(())) => watched.fail("the task ended by itself"),
                Ok(Err(error)) => watched.fail(&trace(&error)),
                Err(error) if error.is_cancelled() => watched.set(Phase::Ended),
                Err(error) => watched.fail(&format!("the task panicked: {}", panic_text(error))),
            }
        });
        Self { id, config, status, stop, work: abort, watcher: tokio::sync::Mutex::new(Some(watcher)) }
    }

    pub(super) fn state(&self, worker_id: &str, version: &str) -> StateInfo {
        let phase = self.status.phase.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (state, trace, retrying) = match phase {
            Phase::Starting | Phase::Ended => (State::Unassigned, None, None),
            Phase::Running => (State::Running, None, None),
            Phase::Retrying { since, why } => {
                (State::Running, None, Some(Retrying { for_how_long: since.elapsed(), why }))
            }
            Phase::Failed { trace } => (State::Failed, Some(trace), None),
        };
        StateInfo { state, worker_id: worker_id.into(), trace, version: Some(version.into()), retrying }
    }
}

/// Tells all tasks to stop, then waits for all of them together; what is not done in time is cut off, which loses nothing:
/// offsets that are not committed are read again.
pub(super) async fn stop_all(tasks: impl Iterator<Item = &RunningTask>, grace: Duration) {
    let tasks: Vec<&RunningTask> = tasks.collect();
    for task in &tasks {
        task.stop.cancel();
    }
    let deadline = tokio::time::Instant::now() + grace + LEAVING;
    for task in tasks {
        let mut watcher = task.watcher.lock().await;
        let Some(handle) = watcher.as_mut() else { continue };
        if tokio::time::timeout_at(deadline, &mut *handle).await.is_err() {
            tracing::error!(connector = %task.status.connector, task = task.id, "task did not stop in time and is cut off");
            task.work.abort();
            // Abortion takes hold when the task next waits; one that computes without end is left behind.
            let _ = tokio::time::timeout(Duration::from_secs(1), &mut *handle).await;
        }
        *watcher = None;
    }
}
