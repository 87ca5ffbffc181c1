//! What a worker tells its herder.

use crate::herder::TaskId;
use connect_api::ConfigMap;

/// `run` is that of the call that started the connector or task.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkerEvent {
    Connector {
        run: u64,
        name: String,
        status: RunStatus,
    },
    Task {
        run: u64,
        id: TaskId,
        status: RunStatus,
    },
    /// What the connector wants its tasks to be, by task number; fit to be stored: it holds placeholders, not what they stand for.
    TaskConfigs {
        run: u64,
        connector: String,
        configs: Vec<ConfigMap>,
    },
    /// Told once per task and topic, and again after `forget_topics`.
    TopicUsed {
        connector: String,
        task: usize,
        topic: String,
    },
}

/// What a connector or task has become.
#[derive(Clone, Debug, PartialEq)]
pub enum RunStatus {
    Running,
    Paused,
    /// Connectors only.
    Stopped,
    /// It stays failed until it is started again. `trace` holds no secret.
    Failed {
        trace: String,
    },
    /// It was stopped and is gone from this worker (UNASSIGNED).
    Ended,
}
