//! The herder of every worker: a pure step function over events and a loop that performs its effects on the
//! ports. A standalone worker is a cluster of one ([`SoloGroup`]).

mod api;
mod solo;

pub use solo::SoloGroup;

use crate::herder::{ConnectorInfo, HerderError};
use crate::plugins::Plugins;
use crate::ports::{GroupMembership, GroupOffsets, KafkaClients, LogLevels, OffsetStore, Peers, TopicLog};
use crate::worker::Deadlines;
use crate::worker_config::WorkerConfig;
use connect_api::{ConfigMap, ConnectError};
use std::sync::Arc;
use std::time::Duration;

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
}

impl ConnectHerder {
    /// To be called on the runtime that is to run connectors and tasks. Nothing happens before [`start`], but every
    /// request is answered.
    ///
    /// [`start`]: ConnectHerder::start
    pub fn new(parts: HerderParts) -> Self {
        Self { inner: Arc::new(Inner { parts }) }
    }

    /// Reads the logs, joins the group, and returns when the first work has been assigned. To be tried again after an
    /// error.
    pub async fn start(&self) -> Result<(), ConnectError> {
        Err(ConnectError::failed(format!("{} cannot start yet", self.inner.parts.worker_id)))
    }

    /// What `/health` says until [`ready`](ConnectHerder::ready) is called; changes wait meanwhile.
    pub fn starting(&self, _what: impl Into<String>) {}

    /// From here on `/health` says what the herder finds itself.
    pub fn ready(&self) {}

    /// For `GET /`.
    pub fn set_cluster_id(&self, _id: Option<String>) {}

    /// Creates or replaces a connector of the command line; these come before the worker is [`ready`](ConnectHerder::ready).
    pub async fn start_connector(
        &self,
        name: &str,
        _config: ConfigMap,
    ) -> Result<ConnectorInfo, HerderError> {
        Err(HerderError::Unavailable(format!("{name} cannot be started yet")))
    }

    /// Stops all work, says so in the status topic, then leaves the group. Nothing can be changed afterwards.
    pub async fn shutdown(&self) {}
}
