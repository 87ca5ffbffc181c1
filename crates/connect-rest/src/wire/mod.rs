//! The JSON of Kafka Connect's REST API, field by field in its order. These types belong to the wire; the herder has its
//! own, and the conversion is written out here.

mod plugins;

pub(crate) use plugins::{ConfigInfos, ConfigKeyInfo, PluginInfo};

use connect_api::{ConfigMap, OffsetMap};
use connect_runtime::herder::{self, Health};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
pub(crate) struct ErrorMessage {
    pub(crate) error_code: u16,
    pub(crate) message: String,
}

#[derive(Serialize)]
pub(crate) struct ServerInfo {
    version: String,
    commit: String,
    kafka_cluster_id: Option<String>,
}

impl From<herder::ServerInfo> for ServerInfo {
    fn from(info: herder::ServerInfo) -> Self {
        Self { version: info.version, commit: info.commit, kafka_cluster_id: info.kafka_cluster_id }
    }
}

#[derive(Serialize)]
pub(crate) struct WorkerStatus {
    status: &'static str,
    message: String,
}

impl From<Health> for WorkerStatus {
    fn from(health: Health) -> Self {
        match health {
            Health::Healthy => Self {
                status: "healthy",
                message: "Worker has completed startup and is ready to handle requests.".into(),
            },
            Health::Starting(what) => {
                Self { status: "starting", message: format!("Worker is still starting up. {what}") }
            }
            Health::Unhealthy(why) => Self {
                status: "unhealthy",
                message: format!(
                    "Worker was unable to handle this request and may be unable to handle other requests. {why}"
                ),
            },
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ConnectorTaskId {
    pub(crate) connector: String,
    pub(crate) task: usize,
}

#[derive(Serialize)]
pub(crate) struct TaskInfo {
    pub(crate) id: ConnectorTaskId,
    pub(crate) config: ConfigMap,
}

#[derive(Serialize)]
pub(crate) struct ConnectorInfo {
    name: String,
    config: ConfigMap,
    tasks: Vec<ConnectorTaskId>,
    #[serde(rename = "type")]
    ty: &'static str,
}

impl From<herder::ConnectorInfo> for ConnectorInfo {
    fn from(info: herder::ConnectorInfo) -> Self {
        let id = |task| ConnectorTaskId { connector: info.name.clone(), task };
        Self {
            tasks: info.tasks.iter().copied().map(id).collect(),
            config: info.config,
            ty: info.ty.map_or("unknown", herder::ConnectorType::as_str),
            name: info.name,
        }
    }
}

#[derive(Serialize)]
struct ConnectorState {
    state: &'static str,
    worker_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct TaskState {
    id: usize,
    state: &'static str,
    worker_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retrying: Option<Retrying>,
}

/// Ours alone, and only there while it is true: since when a RUNNING task gets nowhere, and why.
#[derive(Serialize)]
struct Retrying {
    for_ms: u64,
    reason: String,
}

impl From<(usize, herder::StateInfo)> for TaskState {
    fn from((id, info): (usize, herder::StateInfo)) -> Self {
        Self {
            id,
            state: info.state.as_str(),
            worker_id: info.worker_id,
            trace: info.trace,
            version: info.version,
            retrying: info.retrying.map(|retrying| Retrying {
                for_ms: u64::try_from(retrying.for_how_long.as_millis()).unwrap_or(u64::MAX),
                reason: retrying.why,
            }),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ConnectorStateInfo {
    name: String,
    connector: ConnectorState,
    tasks: Vec<TaskState>,
    #[serde(rename = "type")]
    ty: &'static str,
}

impl From<herder::ConnectorStatus> for ConnectorStateInfo {
    fn from(status: herder::ConnectorStatus) -> Self {
        let connector = status.connector;
        Self {
            name: status.name,
            connector: ConnectorState {
                state: connector.state.as_str(),
                worker_id: connector.worker_id,
                trace: connector.trace,
                version: connector.version,
            },
            tasks: status.tasks.into_iter().map(TaskState::from).collect(),
            ty: status.ty.map_or("unknown", herder::ConnectorType::as_str),
        }
    }
}

/// One connector of `GET /connectors?expand=...`.
#[derive(Default, Serialize)]
pub(crate) struct Expanded {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<ConnectorStateInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) info: Option<ConnectorInfo>,
}

pub(crate) type ExpandedConnectors = IndexMap<String, Expanded>;

/// `{"a": {"topics": [...]}}`
pub(crate) type ActiveTopics = IndexMap<String, Topics>;

#[derive(Serialize)]
pub(crate) struct Topics {
    pub(crate) topics: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct ConnectorOffsets {
    offsets: Vec<ConnectorOffset>,
}

#[derive(Serialize)]
struct ConnectorOffset {
    partition: OffsetMap,
    offset: Option<OffsetMap>,
}

impl From<Vec<herder::ConnectorOffset>> for ConnectorOffsets {
    fn from(offsets: Vec<herder::ConnectorOffset>) -> Self {
        let offset =
            |one: herder::ConnectorOffset| ConnectorOffset { partition: one.partition, offset: one.offset };
        Self { offsets: offsets.into_iter().map(offset).collect() }
    }
}

#[derive(Serialize)]
pub(crate) struct Message {
    pub(crate) message: String,
}

#[derive(Serialize)]
pub(crate) struct LoggerLevel {
    level: String,
    last_modified: Option<i64>,
}

impl From<herder::LoggerLevel> for LoggerLevel {
    fn from(logger: herder::LoggerLevel) -> Self {
        Self { level: logger.level, last_modified: logger.last_modified }
    }
}
