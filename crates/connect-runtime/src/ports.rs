//! What the runtime needs from the outside, as traits: Kafka is behind these, so that the task loop is tested without one.

use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError, OffsetMap, TopicPartition};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

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

/// A sink task's consumer. It never commits by itself except in [`commit`] and, when partitions are taken away, what was
/// marked by [`mark_done`] before.
///
/// [`commit`]: SinkConsumer::commit
/// [`mark_done`]: SinkConsumer::mark_done
#[async_trait]
pub trait SinkConsumer: Send {
    /// Waits up to `timeout` for a first record, then takes what is there, at most `max_records`. An empty answer is
    /// normal. Must be called often enough (`max.poll.interval.ms`) even while nothing is wanted: then after [`pause`].
    ///
    /// [`pause`]: SinkConsumer::pause
    async fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<RawRecord>, ConnectError>;

    /// The partitions that were taken away since the last call, even if they came back meanwhile. The caller has to forget
    /// every record of them that it still holds: another member may have gone on from there, and writing the record
    /// late would put an old state over a newer one. Records that [`poll`](SinkConsumer::poll) returns are never of a
    /// partition that was lost before the call returned.
    fn take_revoked(&mut self) -> Vec<TopicPartition>;

    /// Everything of the partition below `next_offset` is where it belongs. Purely local; a partition that has been
    /// taken away meanwhile is ignored.
    fn mark_done(&mut self, partition: &TopicPartition, next_offset: i64);

    /// Commits what is marked done and not yet committed.
    async fn commit(&mut self) -> Result<(), ConnectError>;

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
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerRecord {
    pub topic: Arc<str>,
    /// `None` leaves the choice to the producer.
    pub partition: Option<i32>,
    pub timestamp: Option<i64>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
}

/// Why Kafka did not take a record.
#[derive(Debug)]
pub enum ProduceError {
    /// It is the record's own fault (it is too large): others may go through.
    Record(ConnectError),
    /// No record of this task would go through.
    Fatal(ConnectError),
}

/// Resolves when the record is acknowledged by all in-sync replicas, or will never be. Trouble that passes is waited out.
pub type Delivery = BoxFuture<'static, Result<(), ProduceError>>;

/// A source task's producer. Records of one topic partition arrive in the order of the calls.
#[async_trait]
pub trait SourceProducer: Send + Sync {
    /// Puts the record into the queue, after waiting for room in it.
    async fn send(&self, record: ProducerRecord) -> Result<Delivery, ProduceError>;
}

/// Where the offsets of sources are kept.
#[async_trait]
pub trait OffsetStore: Send + Sync {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError>;

    /// Returns when the offsets would survive a crash.
    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, OffsetMap)>,
    ) -> Result<(), ConnectError>;
}

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
    ) -> Result<Arc<dyn SourceProducer>, ConnectError>;

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
