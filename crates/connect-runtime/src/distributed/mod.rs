//! The herder of every worker: a pure step function over events ([`state`]) and a loop that performs its effects on the ports
//! ([`run`]). A standalone worker is a cluster of one ([`SoloGroup`]).

mod api;
mod changes;
mod effects;
mod run;
mod solo;
mod state;
mod views;
mod writer;

pub use solo::SoloGroup;

use crate::herder::{ConnectorInfo, Health, HerderError, TargetState};
use crate::plugins::Plugins;
use crate::ports::{GroupMembership, GroupOffsets, KafkaClients, LogLevels, OffsetStore, Peers, TopicLog};
use crate::store::StatusStore;
use crate::worker::{Deadlines, Worker, WorkerParts};
use crate::worker_config::WorkerConfig;
use connect_api::{ConfigMap, ConnectError};
use state::{Answer, Event, Request, Settings, State};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// What the worker tells its herder.
pub struct HerderParts {
    pub worker_config: WorkerConfig,
    pub plugins: Plugins,
    pub clients: Arc<dyn KafkaClients>,
    /// Where sources keep their offsets.
    pub offsets: Arc<dyn OffsetStore>,
    /// The committed offsets of sinks.
    pub group_offsets: Arc<dyn GroupOffsets>,
    /// Not started yet.
    pub config_log: Arc<dyn TopicLog>,
    /// Not started yet.
    pub status_log: Arc<dyn TopicLog>,
    pub group: Arc<dyn GroupMembership>,
    pub peers: Arc<dyn Peers>,
    pub log_levels: Arc<dyn LogLevels>,
    /// Where other workers reach the REST API of this one, with a slash at the end.
    pub url: String,
    /// `host:port` as others reach it.
    pub worker_id: String,
    /// The Kafka version this worker behaves like; clients switch features on it.
    pub version: String,
    pub commit: String,
    pub deadlines: Deadlines,
    /// How long a change waits for a rebalance or another change to be over before it is answered 409.
    pub patience: Duration,
}

/// Cheap to clone: a handle.
#[derive(Clone)]
pub struct ConnectHerder {
    inner: Arc<Inner>,
}

struct Inner {
    parts: HerderParts,
    /// Where connectors, tasks and changes run, never on the thread that serves a request.
    runtime: Handle,
    /// Written by the loop alone, for the moment of a step; read by whoever asks.
    state: RwLock<State>,
    statuses: Arc<StatusStore>,
    worker: Worker,
    events: mpsc::UnboundedSender<Event>,
    /// Who waits for the answer to which request.
    answers: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    last_request: AtomicU64,
    /// What `/health` says before the worker is ready, whatever the state thinks of itself.
    starting: watch::Sender<Option<String>>,
    /// What the state thinks of itself; changes with it.
    health: watch::Sender<Health>,
    finished: watch::Sender<bool>,
    cluster_id: RwLock<Option<String>>,
    /// Which logs have been read, so that a failed start can be tried again.
    logs: tokio::sync::Mutex<Logs>,
}

#[derive(Default)]
struct Logs {
    statuses: bool,
    configs: bool,
}

impl ConnectHerder {
    /// To be called on the runtime that is to run connectors and tasks. Nothing happens before [`start`], but every
    /// request is answered.
    ///
    /// [`start`]: ConnectHerder::start
    pub fn new(parts: HerderParts) -> Self {
        let (events, receiver) = mpsc::unbounded_channel();
        let (worker_events, worker_receiver) = mpsc::unbounded_channel();
        let worker_parts = WorkerParts {
            config: parts.worker_config.clone(),
            plugins: parts.plugins.clone(),
            clients: parts.clients.clone(),
            offsets: parts.offsets.clone(),
            group_offsets: parts.group_offsets.clone(),
            deadlines: parts.deadlines,
        };
        let worker = Worker::new(worker_parts, worker_events);
        let statuses = StatusStore::new(parts.status_log.clone());
        let telling = worker.clone();
        statuses.on_topic_removed(move |connector| telling.forget_topics(connector));
        let state = State::new(Settings::of(&parts));
        let inner = Arc::new(Inner {
            runtime: Handle::current(),
            health: watch::Sender::new(state.health()),
            state: RwLock::new(state),
            statuses: Arc::new(statuses),
            worker,
            events,
            answers: Mutex::default(),
            last_request: AtomicU64::new(0),
            starting: watch::Sender::new(Some("It has just begun.".into())),
            finished: watch::Sender::new(false),
            cluster_id: RwLock::default(),
            logs: tokio::sync::Mutex::default(),
            parts,
        });
        tokio::spawn(run::run(inner.clone(), receiver, worker_receiver));
        Self { inner }
    }

    /// Reads the logs, joins the group, and returns when the first work has been assigned. To be tried again after an
    /// error.
    pub async fn start(&self) -> Result<(), ConnectError> {
        let inner = &self.inner;
        let mut logs = inner.logs.lock().await;
        if !(logs.statuses && logs.configs) {
            // Both at once: each takes a consumer a moment to get going.
            let (statuses, configs) =
                tokio::join!(inner.read_statuses(logs.statuses), inner.read_configs(logs.configs));
            (logs.statuses, logs.configs) = (statuses.is_ok(), configs.is_ok());
            statuses.and(configs)?;
            inner.tell(Event::Started);
        }
        let mut health = inner.health.subscribe();
        let mut finished = inner.finished.subscribe();
        tokio::select! {
            _ = health.wait_for(|health| *health == Health::Healthy) => Ok(()),
            _ = finished.wait_for(|finished| *finished) => {
                Err(ConnectError::failed("the worker was told to stop before it had started"))
            }
        }
    }

    /// What `/health` says until [`ready`](ConnectHerder::ready) is called; changes wait meanwhile.
    pub fn starting(&self, what: impl Into<String>) {
        self.inner.starting.send_replace(Some(what.into()));
    }

    /// From here on `/health` says what the herder thinks of itself, and changes are made.
    pub fn ready(&self) {
        self.inner.starting.send_replace(None);
    }

    /// For `GET /`.
    pub fn set_cluster_id(&self, id: Option<String>) {
        *self.inner.cluster_id.write().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// Creates a connector of the command line; these come before the worker is [`ready`](ConnectHerder::ready).
    pub async fn start_connector(
        &self,
        name: &str,
        config: ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError> {
        let (inner, name) = (self.inner.clone(), name.trim().to_owned());
        self.detached(async move { inner.create(&name, config, initial_state).await }).await
    }

    /// Stops all work, says so in the status topic, then leaves the group. Nothing can be changed afterwards.
    pub async fn shutdown(&self) {
        self.starting("The worker is shutting down.");
        self.inner.tell(Event::Shutdown);
        // It may have finished already, or never have started: then the channel is closed.
        let _ = self.inner.finished.subscribe().wait_for(|finished| *finished).await;
    }
}

impl Inner {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_statuses(&self, done: bool) -> Result<(), ConnectError> {
        if done { Ok(()) } else { self.statuses.start().await }
    }

    async fn read_configs(&self, done: bool) -> Result<(), ConnectError> {
        if done {
            return Ok(());
        }
        let events = self.events.clone();
        // Nobody is interested any more when the herder has finished.
        let reader = move |entry| drop(events.send(Event::ConfigRecord(entry)));
        self.parts.config_log.start(Box::new(reader)).await
    }

    fn tell(&self, event: Event) {
        // The loop has ended when nobody receives: nothing is done any more.
        let _ = self.events.send(event);
    }

    /// Hands a request to the loop and waits for its answer.
    async fn ask(&self, request: Request) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let id = self.last_request.fetch_add(1, Ordering::Relaxed) + 1;
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        if self.events.send(Event::Request(id, request)).is_err() {
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        let closed = "Cannot complete request: the worker is shutting down";
        receiver.await.unwrap_or_else(|_| Err(HerderError::Conflict(closed.into())))
    }
}

#[cfg(test)]
mod tests;
