//! What the REST API may ask of a worker, standalone or (later) distributed.

use async_trait::async_trait;
use connect_api::ConfigMap;
use std::time::Duration;

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
    pub ty: ConnectorType,
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
    pub ty: ConnectorType,
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

#[async_trait]
pub trait Herder: Send + Sync {
    async fn server_info(&self) -> ServerInfo;
    async fn health(&self) -> Health;
    async fn plugins(&self, connectors_only: bool) -> Vec<PluginInfo>;

    async fn connectors(&self) -> Vec<String>;
    async fn connector(&self, name: &str) -> Result<ConnectorInfo, HerderError>;
    async fn connector_status(&self, name: &str) -> Result<ConnectorStatus, HerderError>;
    /// The configuration of each task, by task number; passwords are hidden.
    async fn task_configs(&self, name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError>;

    /// Refuses a name that is taken.
    async fn create_connector(&self, name: &str, config: ConfigMap) -> Result<ConnectorInfo, HerderError>;
    async fn put_connector_config(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError>;
    async fn delete_connector(&self, name: &str) -> Result<(), HerderError>;
}
