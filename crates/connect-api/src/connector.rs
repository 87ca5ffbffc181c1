//! What a sink connector has to be: `org.apache.kafka.connect.sink.{SinkConnector, SinkTask}`.

use crate::{ConfigDef, ConfigMap, ConnectError, SinkRecord, TopicPartition};
use async_trait::async_trait;
use std::time::Duration;

/// A kind of sink connector, found by its class name. Holds no state: an instance is its configuration.
#[async_trait]
pub trait SinkConnector: Send + Sync {
    /// The Java class names this connector answers to, the preferred one first.
    fn class_names(&self) -> &'static [&'static str];

    fn version(&self) -> &'static str;

    /// Every key of the connector itself (the framework's common keys are not among them).
    fn config_def(&self) -> &'static ConfigDef;

    /// What the table cannot say: rules between keys. `(key, message)` per fault. Called only when each value is
    /// valid on its own; does no I/O.
    fn validate(&self, config: &ConfigMap) -> Vec<(String, String)>;

    /// Faults that only the outside world can show (an unreachable database), checked after [`validate`] found none.
    /// Bounded in time by the caller.
    ///
    /// [`validate`]: SinkConnector::validate
    async fn validate_remote(&self, config: &ConfigMap) -> Vec<(String, String)>;

    /// One configuration per task, at most `max_tasks`.
    fn task_configs(&self, config: &ConfigMap, max_tasks: usize) -> Vec<ConfigMap> {
        vec![config.clone(); max_tasks]
    }

    /// The Java class of the tasks (`task.class`) when `class` is the connector's: with it in their configurations, a Java worker of
    /// the same cluster can run them.
    fn task_class(&self, class: &str) -> String {
        task_class(class)
    }

    /// Somebody sets the offsets of the stopped connector's consumer group by hand; `None` removes one, and a request to remove all
    /// names those there are. Refuse offsets that make no sense with an error, and change those that the connector
    /// keeps outside of Kafka. `false` says that the connector has not looked (Java: `alterOffsets`).
    async fn alter_offsets(
        &self,
        _config: &ConfigMap,
        _offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool, ConnectError> {
        Ok(false)
    }

    /// A task that is not started yet.
    fn new_task(&self) -> Box<dyn SinkTask>;
}

/// As Java's connectors mostly name their tasks: `XConnector` runs `XTask` of the same package.
pub(crate) fn task_class(connector: &str) -> String {
    format!("{}Task", connector.strip_suffix("Connector").unwrap_or(connector))
}

/// Where a task runs, for its logs and error texts, and what it may do with bad records.
#[derive(Clone, Debug)]
pub struct SinkTaskContext {
    pub connector: String,
    pub task: usize,
    /// `errors.tolerance=all`: a record that cannot be written is to be [`Rejected`] instead of failing the task.
    pub tolerates_errors: bool,
}

/// A record of the batch that cannot be written (Java: `ErrantRecordReporter`, KIP-610). The runtime logs and counts it and sends
/// it to the dead-letter topic, if there is one.
#[derive(Debug)]
pub struct Rejected {
    /// Its place in the batch that was given to `put`.
    pub index: usize,
    pub error: ConnectError,
    /// Further headers of the dead letter beside Connect's own, such as `("__connect.errors.sqlstate", "22001")`.
    pub headers: Vec<(String, String)>,
}

/// The work of one task. The runtime calls one method at a time.
#[async_trait]
pub trait SinkTask: Send {
    async fn start(&mut self, context: SinkTaskContext, config: &ConfigMap) -> Result<(), ConnectError>;

    /// These partitions are the task's from now on; none of their records has been read yet. A task that keeps its own positions
    /// answers where to begin in those it knows; the others begin where the consumer group has committed.
    async fn open(
        &mut self,
        _partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        Ok(Vec::new())
    }

    /// The most records that one `put` can make good use of; 0 leaves it to `max.poll.records`. While a `put` is under way the
    /// runtime collects the next batch up to this; when none is, it waits for nothing.
    fn batch_size(&self) -> usize {
        0
    }

    /// Writes all of `records`, in their order, or none that would not be written the same way again. When it
    /// returns `Ok`, every record is where it belongs, except for those it answers, and the runtime may commit the offsets once
    /// these are in the dead-letter topic or counted; see docs/specs/delivery.md. Only a task that
    /// [`tolerates_errors`](SinkTaskContext::tolerates_errors) may reject records, and only in the order of the batch.
    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError>;

    /// Lets go of connections. Called once, also after a failure.
    async fn stop(&mut self);
}

#[derive(Debug)]
pub enum PutError {
    /// Nothing of the batch counts as written; call `put` with the same records again after `backoff`
    /// (Java: `RetriableException`). The task counts its own attempts.
    Retriable { error: ConnectError, backoff: Duration },
    /// The task is to fail.
    Fatal(ConnectError),
    /// The task is to fail because of this record, and nothing of the batch is written. For a task that may not reject it: the runtime
    /// sends it to the dead-letter topic first, if there is one.
    BadRecord(Rejected),
    /// Nothing of the batch is written, and it is not to be put again: reading goes on at these positions, which the task keeps
    /// itself, and in the batch's other partitions at its own first record. `open` is not called for that.
    Seek { error: ConnectError, positions: Vec<(TopicPartition, i64)> },
    /// Nothing of the batch is written: these records are to be passed over first (dead-letter topic, log, count), then the others to be
    /// put again, also when none is left. For a task that keeps its own positions: once such a position has passed a record, nobody
    /// would read it again for the dead-letter topic. Only with [`tolerates_errors`](SinkTaskContext::tolerates_errors).
    RejectFirst(Vec<Rejected>),
}

impl From<ConnectError> for PutError {
    fn from(error: ConnectError) -> Self {
        PutError::Fatal(error)
    }
}
