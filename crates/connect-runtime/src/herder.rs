//! What the REST API may ask of a worker, standalone or distributed.

use crate::signature::RequestSignature;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{ConfigMap, OffsetMap};
use indexmap::IndexMap;
use std::time::Duration;

/// One task of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    pub connector: String,
    pub task: usize,
}

/// `connector-0`, as topics, logs and answers write it.
impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// What the user wants a connector to be (KIP-52, KIP-875).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    #[default]
    Started,
    Paused,
    Stopped,
}

/// The states of connectors and tasks, in Connect's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Unassigned,
    Running,
    Paused,
    Failed,
    Restarting,
    Stopped,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Unassigned => "UNASSIGNED",
            State::Running => "RUNNING",
            State::Paused => "PAUSED",
            State::Failed => "FAILED",
            State::Restarting => "RESTARTING",
            State::Stopped => "STOPPED",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorType {
    Source,
    Sink,
}

impl ConnectorType {
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectorType::Source => "source",
            ConnectorType::Sink => "sink",
        }
    }
}

/// A connector as `GET /connectors/{c}` shows it. Passwords in `config` are already hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorInfo {
    pub name: String,
    pub config: ConfigMap,
    pub tasks: Vec<usize>,
    /// `None` when its class is not among this worker's plugins.
    pub ty: Option<ConnectorType>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StateInfo {
    pub state: State,
    pub worker_id: String,
    /// Why it failed.
    pub trace: Option<String>,
    pub version: Option<String>,
    /// A running task that writes the same records again and again. Not in the reference, which calls this RUNNING and
    /// says no more.
    pub retrying: Option<Retrying>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Retrying {
    pub for_how_long: Duration,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorStatus {
    pub name: String,
    pub connector: StateInfo,
    /// By task number.
    pub tasks: Vec<(usize, StateInfo)>,
    /// `None` when its class is not among this worker's plugins.
    pub ty: Option<ConnectorType>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PluginInfo {
    pub class: String,
    /// `source`, `sink`, `converter`, `header_converter`, `transformation`, `predicate`.
    pub ty: &'static str,
    pub version: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ServerInfo {
    pub version: String,
    pub commit: String,
    pub kafka_cluster_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Health {
    Healthy,
    Starting(String),
    Unhealthy(String),
}

/// `POST /connectors/{c}/restart` (KIP-745).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestartRequest {
    pub include_tasks: bool,
    pub only_failed: bool,
}

/// One source partition (or topic partition of a sink) and how far it has come; `None` only in a request: reset it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorOffset {
    pub partition: OffsetMap,
    pub offset: Option<OffsetMap>,
}

/// `ConfigKeyInfo`: one key of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigKeyInfo {
    pub name: String,
    /// `STRING`, `INT`, ...
    pub ty: &'static str,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: &'static str,
    pub documentation: String,
    pub group: Option<String>,
    /// From 1 on, within the group; -1 without a group.
    pub order_in_group: i32,
    pub width: &'static str,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// `ConfigValueInfo`: what a configuration says for one key. Secrets are hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigValueInfo {
    pub name: String,
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

/// `ConfigInfos`: the answer of `validate`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigInfos {
    /// The class as the request wrote it.
    pub name: String,
    pub error_count: usize,
    pub groups: Vec<String>,
    pub configs: Vec<(ConfigKeyInfo, ConfigValueInfo)>,
}

/// A logger of `/admin/loggers`.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggerLevel {
    pub name: String,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG`, `TRACE`, `OFF`.
    pub level: String,
    /// Milliseconds since the epoch; `None` when it was never changed.
    pub last_modified: Option<i64>,
}

/// Why a request was refused; each kind is one HTTP status.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HerderError {
    /// 404
    #[error("{0}")]
    NotFound(String),
    /// 409
    #[error("{0}")]
    Conflict(String),
    /// 400
    #[error("{0}")]
    BadRequest(String),
    /// 403
    #[error("{0}")]
    Forbidden(String),
    /// 503
    #[error("{0}")]
    Unavailable(String),
    /// The request belongs to another worker, the leader or the owner, at this URL: to be forwarded there.
    #[error("the request belongs to the worker at {url}")]
    Elsewhere { url: String },
    /// 500: a fault of the worker, never of the request.
    #[error("{0}")]
    Internal(String),
}

/// Whether `PUT config` made the connector or changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Created,
    Updated,
}

/// Every answer shows configurations with their secrets hidden.
#[async_trait]
pub trait Herder: Send + Sync {
    async fn server_info(&self) -> ServerInfo;
    async fn health(&self) -> Health;

    async fn plugins(&self, connectors_only: bool) -> Vec<PluginInfo>;
    /// `plugin` is a class or alias of any kind of plugin; `version` a version range as in Maven.
    async fn plugin_config(
        &self,
        plugin: &str,
        version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>, HerderError>;
    /// Errors of the configuration are in the answer.
    async fn validate_config(&self, plugin: &str, config: ConfigMap) -> Result<ConfigInfos, HerderError>;

    async fn connectors(&self) -> Vec<String>;
    async fn connector(&self, name: &str) -> Result<ConnectorInfo, HerderError>;
    async fn connector_config(&self, name: &str) -> Result<ConfigMap, HerderError>;
    async fn connector_status(&self, name: &str) -> Result<ConnectorStatus, HerderError>;
    async fn task_status(&self, id: &TaskId) -> Result<StateInfo, HerderError>;
    /// The configuration of each task, by task number.
    async fn task_configs(&self, name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError>;

    /// Refuses a name that is taken.
    async fn create_connector(
        &self,
        name: &str,
        config: ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError>;
    async fn put_connector_config(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError>;
    /// `None` removes a key (KIP-477).
    async fn patch_connector_config(
        &self,
        name: &str,
        patch: IndexMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, HerderError>;
    async fn delete_connector(&self, name: &str) -> Result<(), HerderError>;

    /// Pause, resume or stop.
    async fn set_target_state(&self, name: &str, target: TargetState) -> Result<(), HerderError>;
    /// The plan of what restarts; `None` when only the connector itself does (both flags off).
    async fn restart_connector(
        &self,
        name: &str,
        request: RestartRequest,
    ) -> Result<Option<ConnectorStatus>, HerderError>;
    async fn restart_task(&self, id: &TaskId) -> Result<(), HerderError>;

    /// The topics the connector has used since it was made or since the last reset (KIP-558).
    async fn connector_topics(&self, name: &str) -> Result<Vec<String>, HerderError>;
    async fn reset_connector_topics(&self, name: &str) -> Result<(), HerderError>;

    async fn connector_offsets(&self, name: &str) -> Result<Vec<ConnectorOffset>, HerderError>;
    /// Returns the sentence of the answer (KIP-875).
    async fn alter_connector_offsets(
        &self,
        name: &str,
        offsets: Vec<ConnectorOffset>,
    ) -> Result<String, HerderError>;
    async fn reset_connector_offsets(&self, name: &str) -> Result<String, HerderError>;

    async fn loggers(&self) -> Vec<LoggerLevel>;
    async fn logger(&self, name: &str) -> Result<LoggerLevel, HerderError>;
    /// The names of the loggers whose level changed. `level` is checked here.
    async fn set_logger(&self, name: &str, level: &str) -> Result<Vec<String>, HerderError>;
    /// Through the config topic, on every worker (KIP-976).
    async fn set_cluster_logger(&self, name: &str, level: &str) -> Result<(), HerderError>;

    /// `POST /connectors/{c}/tasks`: a worker hands the leader what its connector wants its tasks to be. `body` is the JSON
    /// list of configurations, as it was signed (KIP-507).
    async fn put_task_configs(
        &self,
        name: &str,
        body: Bytes,
        signature: Option<RequestSignature>,
    ) -> Result<(), HerderError>;
    /// `PUT /connectors/{c}/fence` (KIP-618).
    async fn fence_zombies(
        &self,
        name: &str,
        body: Bytes,
        signature: Option<RequestSignature>,
    ) -> Result<(), HerderError>;
}
