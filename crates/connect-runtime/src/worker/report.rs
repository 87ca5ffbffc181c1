//! What is known of one connector or task that runs here, and telling it to the herder.

use super::{RunStatus, WorkerEvent};
use crate::herder::{Retrying, TaskId};
use crate::observer::TaskObserver;
use crate::secrets::Secrets;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

#[derive(Clone, Debug)]
pub(super) enum Subject {
    Connector(String),
    Task(TaskId),
}

/// Tells each status once, in order, and nothing any more after the end.
pub(super) struct Report {
    subject: Subject,
    run: u64,
    events: mpsc::UnboundedSender<WorkerEvent>,
    state: Mutex<State>,
}

struct State {
    told: Option<RunStatus>,
    secrets: Secrets,
}

impl Report {
    pub(super) fn new(
        subject: Subject,
        run: u64,
        secrets: Secrets,
        events: mpsc::UnboundedSender<WorkerEvent>,
    ) -> Self {
        Self { subject, run, events, state: Mutex::new(State { told: None, secrets }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on these are kept out of what is told.
    pub(super) fn set_secrets(&self, secrets: Secrets) {
        self.lock().secrets = secrets;
    }

    pub(super) fn scrub(&self, text: &str) -> String {
        let secrets = self.lock().secrets.clone();
        secrets.scrub(text)
    }

    pub(super) fn status(&self, status: RunStatus) {
        let mut state = self.lock();
        if state.told == Some(RunStatus::Ended) || state.told.as_ref() == Some(&status) {
            return;
        }
        self.log(&status);
        state.told = Some(status.clone());
        let run = self.run;
        // Sent under the lock, so that the order is that of `told`. Nobody listens any more at the very end of the process.
        let _ = self.events.send(match &self.subject {
            Subject::Connector(name) => WorkerEvent::Connector { run, name: name.clone(), status },
            Subject::Task(id) => WorkerEvent::Task { run, id: id.clone(), status },
        });
    }

    pub(super) fn failed(&self, trace: &str) {
        let trace = self.scrub(trace);
        self.status(RunStatus::Failed { trace });
    }

    /// Tells something that is no status, unless it is over.
    pub(super) fn tell(&self, event: impl FnOnce(u64) -> WorkerEvent) {
        let state = self.lock();
        if state.told != Some(RunStatus::Ended) {
            let _ = self.events.send(event(self.run));
        }
    }

    fn log(&self, status: &RunStatus) {
        let (connector, task) = match &self.subject {
            Subject::Connector(name) => (name, None),
            Subject::Task(id) => (&id.connector, Some(id.task)),
        };
        match (status, task) {
            (RunStatus::Failed { trace }, None) => {
                tracing::error!(connector, error = trace, "connector failed");
            }
            (RunStatus::Failed { trace }, Some(task)) => {
                tracing::error!(connector, task, error = trace, "task failed");
            }
            (status, None) => tracing::info!(connector, status = ?status, "connector changed its state"),
            (status, Some(task)) => {
                tracing::info!(connector, task, status = ?status, "task changed its state")
            }
        }
    }
}

/// A task's report, as its loop sees it.
pub(super) struct TaskReport {
    pub(super) report: Report,
    id: TaskId,
    retrying: Mutex<Option<(Instant, String)>>,
    topics: Mutex<HashSet<Arc<str>>>,
}

impl TaskReport {
    pub(super) fn new(
        id: TaskId,
        run: u64,
        secrets: Secrets,
        events: mpsc::UnboundedSender<WorkerEvent>,
    ) -> Self {
        let report = Report::new(Subject::Task(id.clone()), run, secrets, events);
        Self { report, id, retrying: Mutex::default(), topics: Mutex::default() }
    }

    pub(super) fn retrying(&self) -> Option<Retrying> {
        let retrying = self.retrying.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, why) = retrying.as_ref()?;
        Some(Retrying { for_how_long: since.elapsed(), why: why.clone() })
    }

    pub(super) fn forget_topics(&self) {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Nothing is repeated any more.
    pub(super) fn over(&self, status: RunStatus) {
        self.set_retrying(None);
        self.report.status(status);
    }

    fn set_retrying(&self, retrying: Option<(Instant, String)>) {
        *self.retrying.lock().unwrap_or_else(PoisonError::into_inner) = retrying;
    }
}

impl TaskObserver for TaskReport {
    fn on_running(&self) {
        self.over(RunStatus::Running);
    }

    fn on_paused(&self) {
        self.over(RunStatus::Paused);
    }

    fn on_retrying(&self, failing_for: Duration, why: &str) {
        let since = Instant::now().checked_sub(failing_for).unwrap_or_else(Instant::now);
        self.set_retrying(Some((since, self.report.scrub(why))));
    }

    fn on_bad_records(&self, skipped: u64, dead_lettered: u64) {
        let TaskId { connector, task } = &self.id;
        tracing::warn!(
            connector,
            task,
            skipped,
            dead_lettered,
            "records that cannot be converted were passed over"
        );
    }

    fn on_topic(&self, topic: &Arc<str>) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.contains(topic) {
            return;
        }
        topics.insert(topic.clone());
        let TaskId { connector, task } = self.id.clone();
        let topic = topic.to_string();
        self.report.tell(|_| WorkerEvent::TopicUsed { connector, task, topic });
    }
}
