//! What a source connector has to be: `org.apache.kafka.connect.source.{SourceConnector, SourceTask}`.

use crate::{ConfigDef, ConfigMap, ConnectError, OffsetMap, SourceRecord};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// A kind of source connector, found by its class name. Holds no state: an instance is its configuration.
#[async_trait]
pub trait SourceConnector: Send + Sync {
    /// The Java class names this connector answers to, the preferred one first.
    fn class_names(&self) -> &'static [&'static str];

    fn version(&self) -> &'static str;

    /// Every key of the connector itself (the framework's common keys are not among them).
    fn config_def(&self) -> &'static ConfigDef;

    /// What the table cannot say: rules between keys. `(key, message)` per fault. Called only when each value is
    /// valid on its own; does no I/O.
    fn validate(&self, config: &ConfigMap) -> Vec<(String, String)>;

    /// Faults that only the outside world can show, checked after [`validate`] found none. Bounded in time by the caller.
    ///
    /// [`validate`]: SourceConnector::validate
    async fn validate_remote(&self, config: &ConfigMap) -> Vec<(String, String)>;

    /// One configuration per task, at most `max_tasks`: together the tasks read each source partition once. May ask the other
    /// system and wait for it; bounded in time by the caller. An error fails the connector.
    async fn task_configs(
        &self,
        config: &ConfigMap,
        max_tasks: usize,
    ) -> Result<Vec<ConfigMap>, ConnectError>;

    /// Returns when the tasks should be configured anew (Java: `requestTaskReconfiguration`); `current` is what [`task_configs`]
    /// last said. The runtime waits for it while the connector is running, drops it when that ends, and then asks for task
    /// configurations. It must not block its thread. What has always the same tasks never returns.
    ///
    /// [`task_configs`]: SourceConnector::task_configs
    async fn watch(&self, _config: &ConfigMap, _max_tasks: usize, _current: &[ConfigMap]) {
        std::future::pending().await
    }

    /// The Java class of the tasks (`task.class`) when `class` is the connector's: with it in their configurations, a Java worker of
    /// the same cluster can run them.
    fn task_class(&self, class: &str) -> String {
        crate::connector::task_class(class)
    }

    /// Somebody sets offsets of the stopped connector by hand, as (partition, offset); `None` removes one, and a request to remove
    /// all names those there are. Refuse what no task could go on from with an error, and change offsets that the
    /// connector keeps elsewhere. `false` says that the connector has not looked (Java: `alterOffsets`).
    async fn alter_offsets(
        &self,
        _config: &ConfigMap,
        _offsets: &[(OffsetMap, Option<OffsetMap>)],
    ) -> Result<bool, ConnectError> {
        Ok(false)
    }

    /// A task that is not started yet.
    fn new_task(&self) -> Box<dyn SourceTask>;
}

/// The offsets committed for the connector of this task.
#[async_trait]
pub trait OffsetReader: Send + Sync {
    /// Where the last committed record of `partition` ended; `None` when there is none.
    async fn offset(&self, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError>;
}

/// Where a task runs, and where it was.
#[derive(Clone)]
pub struct SourceTaskContext {
    pub connector: String,
    pub task: usize,
    pub offsets: Arc<dyn OffsetReader>,
}

/// The work of one task. The runtime calls one method at a time.
#[async_trait]
pub trait SourceTask: Send {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<(), ConnectError>;

    /// Waits for records and returns them, bounded in number and bytes. An empty answer is normal: return one after a second or
    /// so without news, and never at once, or the task spins. While the runtime waits for Kafka it does not call.
    ///
    /// The task has a thread of its own, in which acknowledgements are taken as well: a short blocking read is no harm, a long one belongs
    /// into another thread.
    ///
    /// The future is dropped when the task is to stop and otherwise runs to its end, so records it already holds may be
    /// lost only when the task ends: their offsets are not committed and they are read again.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError>;

    /// Lets go of files and connections. Called once, also after a failure.
    async fn stop(&mut self);
}

#[derive(Debug)]
pub enum PollError {
    /// Call `poll` again after `backoff` (Java: `RetriableException`). The task counts its own attempts.
    Retriable { error: ConnectError, backoff: Duration },
    /// The task is to fail.
    Fatal(ConnectError),
}

impl From<ConnectError> for PollError {
    fn from(error: ConnectError) -> Self {
        PollError::Fatal(error)
    }
}
