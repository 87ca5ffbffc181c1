//! What the runtime needs from the outside, as traits: Kafka is behind these, so that the task loop is tested without one.

use crate::herder::LoggerLevel;
use crate::signature::RequestSignature;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError, OffsetMap, TopicPartition};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A record as it came from, or goes to, a topic: nothing interpreted yet.
#[derive(Clone, Debug, PartialEq)]
pub struct RawRecord {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// A change of the partitions that a consumer has. It waits to be completed, and with it the group, but for no longer than
/// `max.poll.interval.ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebalance {
    /// To be completed by [`SinkConsumer::assign`].
    Assigned(Vec<TopicPartition>),
    /// To be completed by [`SinkConsumer::revoke`].
    Revoked(Vec<TopicPartition>),
}

/// A commit on its way, which goes on whether it is waited for or not.
pub type Commit = BoxFuture<'static, Result<(), ConnectError>>;

/// A sink task's consumer. It never commits by itself except in [`commit`] and, when partitions are taken away, what was
/// marked by [`mark_done`] before. Where it begins in a partition that has no committed offset counts as marked.
///
/// [`commit`]: SinkConsumer::commit
/// [`mark_done`]: SinkConsumer::mark_done
#[async_trait]
pub trait SinkConsumer: Send {
    /// Waits up to `timeout` for a first record, then takes what is there, at most `max_records`. An empty answer is
    /// normal. Must be called often enough (`max.poll.interval.ms`) even while nothing is wanted: then after [`pause`]. Returns at
    /// once when a rebalance has come, with what it had, and is not called before that is completed. No record
    /// is lost when the future is dropped.
    ///
    /// [`pause`]: SinkConsumer::pause
    async fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<RawRecord>, ConnectError>;

    /// The rebalance that waits to be completed. Until then the partitions of a [`Rebalance::Revoked`] are still the task's, and
    /// nobody else reads them: the time to finish what is being written, since a row that is written later could put an old state over a
    /// newer one.
    fn rebalance(&self) -> Option<Rebalance>;

    /// The given partitions are the task's now. Reading begins at `positions`, which count as marked, and in the others where the
    /// group has committed.
    async fn assign(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError>;

    /// Commits what is marked done of the partitions that are to be taken away, and lets go of them. The caller has to forget every
    /// record of them that it still holds.
    async fn revoke(&mut self) -> Result<(), ConnectError>;

    /// Goes on reading at these positions; those of partitions that are not the task's are ignored. Marks nothing. The caller has to
    /// forget every record of these partitions that it still holds.
    async fn seek(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError>;

    /// Everything of the partition below `next_offset` is where it belongs. Purely local; a partition that has been
    /// taken away meanwhile is ignored.
    fn mark_done(&mut self, partition: &TopicPartition, next_offset: i64);

    /// Commits what is marked done now and not yet committed. Only one at a time may be on its way.
    fn commit(&mut self) -> Commit;

    /// Stops fetching for all partitions of the task; [`poll`](SinkConsumer::poll) then returns nothing but keeps the
    /// membership alive.
    fn pause(&mut self) -> Result<(), ConnectError>;

    fn resume(&mut self) -> Result<(), ConnectError>;

    /// Leaves the group, after a last commit of what is marked done.
    async fn close(&mut self);
}

/// Writes records to the dead-letter topic.
#[async_trait]
pub trait RecordProducer: Send + Sync {
    /// Returns when the record is acknowledged by all in-sync replicas.
    async fn send(&self, topic: &str, record: OutgoingRecord) -> Result<(), ConnectError>;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutgoingRecord {
    pub timestamp: Option<i64>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// A converted record of a source task on its way to its topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProducerRecord<'a> {
    pub topic: &'a str,
    /// `None` leaves the choice to the producer.
    pub partition: Option<i32>,
    pub timestamp: Option<i64>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// Why Kafka did not take a record.
#[derive(Debug)]
pub enum ProduceError {
    /// It is the record's own fault (it is too large): others may go through.
    Record(ConnectError),
    /// No record of this task would go through.
    Fatal(ConnectError),
}

/// Why a record is not on its way.
#[derive(Debug)]
pub enum NotSent {
    /// The queue is full: there may be room when [`settled`](SourceProducer::settled) returns next.
    NoRoom,
    Refused(ProduceError),
}

/// Whose fate is known, by the numbers that they were sent with.
#[derive(Debug, Default)]
pub struct Settled {
    /// All in-sync replicas have them.
    pub acknowledged: Vec<usize>,
    pub refused: Vec<(usize, ProduceError)>,
}

/// A source task's producer. Records of one topic partition arrive in the order of the calls. One list tells what became of them:
/// nothing is kept or waited for per record, since a task sends hundreds of thousands in a second.
#[async_trait]
pub trait SourceProducer: Send {
    /// Copies the record into the queue. `number` is the caller's name for it until it is settled.
    fn send(&mut self, record: ProducerRecord<'_>, number: usize) -> Result<(), NotSent>;

    /// Waits for news, and adds them to `settled`; there may be none after all. Trouble that passes is waited out. To be called also
    /// while nothing is under way: the client says what troubles it meanwhile. Nothing is lost when the future is dropped.
    async fn settled(&mut self, settled: &mut Settled);
}

/// Where the offsets of sources are kept.
#[async_trait]
pub trait OffsetStore: Send + Sync {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError>;

    /// Returns when the offsets would survive a crash; `None` removes the partition.
    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError>;

    /// Every partition of the connector that has an offset, after reading what others have written.
    async fn all(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError>;
}

/// One record for a compacted topic; no value removes the key.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    pub key: Bytes,
    pub value: Option<Bytes>,
}

/// One record out of a compacted topic.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    pub partition: i32,
    pub offset: i64,
    /// Absent only in records that do not belong here.
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
}

/// Gets every record of a log, in the order of each partition; must not block.
pub type LogReader = Box<dyn FnMut(LogEntry) + Send>;

/// A compacted topic that every worker reads from its start and some write: configs, offsets, statuses
/// (`KafkaBasedLog` in Java). Dropping it ends the reading.
#[async_trait]
pub trait TopicLog: Send + Sync {
    /// Begins to read and returns when everything up to the end, as it was at the call, has gone to `reader`. The topic
    /// is created before when it is missing. Called once, before all others.
    async fn start(&self, reader: LogReader) -> Result<(), ConnectError>;

    /// Returns when the records are acknowledged by all in-sync replicas; they are appended in their order. The writer's own reader
    /// sees them as all others do.
    async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError>;

    /// Returns when everything up to the end, as it was at the call, has gone to the reader. The caller bounds it in time.
    async fn read_to_end(&self) -> Result<(), ConnectError>;

    /// Returns when what the last [`append`](TopicLog::append) here wrote has gone to the reader. A log that knows where that is need not
    /// ask where the end is. The caller bounds it in time.
    async fn read_back(&self) -> Result<(), ConnectError> {
        self.read_to_end().await
    }
}

/// One protocol a member offers, the preferred one first, with its metadata (see `group`).
pub type OfferedProtocols = Vec<(String, Bytes)>;

/// What a member of the workers' group tells its herder.
#[derive(Debug)]
pub enum GroupEvent {
    /// A JoinGroup request is to be sent and waits for what this worker offers. Answered late when work has to stop first
    /// (eager protocol), but before the rebalance timeout.
    Joining { answer: oneshot::Sender<OfferedProtocols> },
    /// This member leads and is to assign work to all: one assignment per member id.
    Leading {
        protocol: String,
        leader_id: String,
        /// The one that is being formed (JoinGroup's answer names it); it is complete with [`GroupEvent::Joined`].
        generation: i32,
        /// (member id, metadata)
        members: Vec<(String, Bytes)>,
        answer: oneshot::Sender<Vec<(String, Bytes)>>,
    },
    /// SyncGroup has answered: this worker is a member of a stable generation.
    Joined { protocol: String, generation: i32, member_id: String, assignment: Bytes },
    /// The coordinator has not been heard of for the session timeout: others will get this worker's work, so it must
    /// stop. The member goes on trying to join.
    Lost { why: String },
}

/// The membership of a worker in the group of workers: join, heartbeats, leave (`WorkerGroupMember` in Java). Runs by itself once
/// started; rejoins when the coordinator says so.
#[async_trait]
pub trait GroupMembership: Send + Sync {
    /// Begins to join. Called again after [`leave`](GroupMembership::leave) to come back.
    fn join(&self, events: mpsc::UnboundedSender<GroupEvent>);

    /// Makes the group rebalance. While this member is joining already, the request may be forgotten: who asks knows
    /// from [`Joined`](GroupEvent::Joined) what the new assignment takes into account.
    fn request_rejoin(&self);

    /// Tells the coordinator, so that nobody waits for this worker. No event comes after it has returned.
    async fn leave(&self);
}

/// Why offsets of a consumer group could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupOffsetsError {
    #[error("the consumer group {0} still has members")]
    NotEmpty(String),
    #[error("the topic partition {0:?} does not exist")]
    UnknownPartition(TopicPartition),
    #[error("the offsets of the consumer group could not be changed")]
    Other(#[source] ConnectError),
}

/// The committed offsets of sinks' consumer groups (`connect-<connector>`, or `consumer.override.group.id`). `overrides` are
/// the connector's `admin.override.*`, prefix removed.
#[async_trait]
pub trait GroupOffsets: Send + Sync {
    async fn list(
        &self,
        group: &str,
        overrides: &ConfigMap,
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError>;

    /// `None` deletes the offset of that partition.
    async fn alter(
        &self,
        group: &str,
        offsets: Vec<(TopicPartition, Option<i64>)>,
        overrides: &ConfigMap,
    ) -> Result<(), GroupOffsetsError>;

    /// Deletes the group with all its offsets; a group that does not exist is as good as deleted.
    async fn delete(&self, group: &str, overrides: &ConfigMap) -> Result<(), GroupOffsetsError>;
}

/// Why another worker did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It answered with this status and message.
    #[error("the worker at {url} answered {status}: {message}")]
    Refused { url: String, status: u16, message: String },
    #[error("the worker at {url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
}

/// Requests to other workers of the group.
#[async_trait]
pub trait Peers: Send + Sync {
    /// `POST {leader_url}connectors/{connector}/tasks`; `body` is what was signed.
    async fn put_task_configs(
        &self,
        leader_url: &str,
        connector: &str,
        body: Bytes,
        signature: Option<&RequestSignature>,
    ) -> Result<(), PeerError>;
}

/// The levels of this process's loggers. Names are Java's (`org.apache.kafka.connect.runtime`) or ours (`connect_runtime`).
pub trait LogLevels: Send + Sync {
    /// The loggers that have a level of their own, and `root`; by name.
    fn all(&self) -> Vec<LoggerLevel>;
    /// A logger without a level of its own has that of its nearest parent. `None` for a logger nobody writes to.
    fn get(&self, name: &str) -> Option<LoggerLevel>;
    /// Sets the logger and all below it; the names whose level changed. `level` is one of `LEVELS`.
    fn set(&self, name: &str, level: &str) -> Vec<String>;
}

/// The names of log levels, as Java's REST API takes them.
pub const LEVELS: [&str; 7] = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// Which topics a sink reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    Topics(Vec<String>),
    /// The whole name must match.
    Pattern(String),
}

/// Makes the clients of one worker. `overrides` are the connector's `consumer.override.*` (or `producer.override.*`) keys
/// with the prefix removed.
#[async_trait]
pub trait KafkaClients: Send + Sync {
    /// The consumer of sink task `task`: group `connect-<connector>`, from the earliest offset where none is committed.
    async fn sink_consumer(
        &self,
        connector: &str,
        task: usize,
        subscription: &Subscription,
        overrides: &ConfigMap,
    ) -> Result<Box<dyn SinkConsumer>, ConnectError>;

    /// The producer of source task `task`: waits without end for acknowledgements, one request at a time.
    async fn source_producer(
        &self,
        connector: &str,
        task: usize,
        overrides: &ConfigMap,
    ) -> Result<Box<dyn SourceProducer>, ConnectError>;

    /// The producer for the dead-letter topic of sink task `task`.
    async fn dead_letter_producer(
        &self,
        connector: &str,
        task: usize,
        overrides: &ConfigMap,
    ) -> Result<Arc<dyn RecordProducer>, ConnectError>;

    /// Creates `topic` unless it exists.
    async fn ensure_topic(
        &self,
        topic: &str,
        partitions: i32,
        replication_factor: i32,
    ) -> Result<(), ConnectError>;

    /// The cluster's id, for `GET /`; an error when the brokers cannot be reached.
    async fn cluster_id(&self) -> Result<Option<String>, ConnectError>;
}
