//! The consumer of a sink task.

use crate::assignment::Assignment;
use crate::context::Reporter;
use crate::starts;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use connect_api::{ConnectError, TopicPartition};
use connect_runtime::ports::{RawRecord, SinkConsumer};
use futures::{FutureExt, StreamExt};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance, StreamConsumer,
};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A batch is closed when it holds as many bytes, whatever the number of records.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// How long a commit, or leaving the group, may take. librdkafka's own bounds are longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What librdkafka calls back.
pub(crate) struct TaskContext {
    reporter: Reporter,
    assignment: Assignment,
    /// Where to begin in a partition that has no committed offset; `None` where that is an error.
    reset: Option<Offset>,
}

impl TaskContext {
    pub(crate) fn new(client: &str, reset: Option<Offset>) -> Self {
        Self { reporter: Reporter::new(client), assignment: Assignment::default(), reset }
    }

    /// Where the consumer will begin in those of the partitions that have no committed offset.
    fn settle_starts(
        &self,
        consumer: &BaseConsumer<Self>,
        given: &TopicPartitionList,
    ) -> HashMap<TopicPartition, i64> {
        let Some(reset) = self.reset.filter(|_| given.count() > 0) else { return HashMap::new() };
        blocking(|| starts::settle(consumer, given, reset)).unwrap_or_else(|error| {
            tracing::warn!(
                client = self.reporter.client,
                error = error.to_string(),
                "where to begin could not be asked for; a partition without a committed offset gets one with its first \
                 record only"
            );
            HashMap::new()
        })
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: Vec<TopicPartition>) {
        let done = self.assignment.uncommitted(|partition| partitions.contains(partition));
        // Once the membership itself is lost the coordinator takes no commit any more.
        if !done.is_empty() && !consumer.assignment_lost() {
            match blocking(|| commit(consumer, &done)) {
                Ok(()) => self.assignment.committed(&done),
                Err(error) => {
                    let (client, error) = (&*self.reporter.client, error.to_string());
                    tracing::warn!(client, error, "offsets of revoked partitions could not be committed");
                }
            }
        }
        tracing::info!(client = self.reporter.client, partitions = names(&partitions), "partitions revoked");
        // In librdkafka a pause outlives the assignment: were the partition to come back after the task's resume, which
        // knows only of what is ours by then, it would stay silent.
        if self.assignment.is_paused()
            && let Err(error) = consumer.resume(&list(partitions.clone()))
        {
            self.reporter.trouble(&error, "resume of revoked partitions");
        }
        self.assignment.taken(partitions);
    }
}

impl ClientContext for TaskContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.reporter.log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reporter.trouble(&error, reason);
    }
}

impl ConsumerContext for TaskContext {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(given) => {
                let starts = self.settle_starts(consumer, given);
                let given = partitions(given);
                tracing::info!(
                    client = self.reporter.client,
                    partitions = names(&given),
                    "partitions assigned"
                );
                self.assignment.given(given, &starts);
            }
            Rebalance::Revoke(taken) => self.revoke(consumer, partitions(taken)),
            Rebalance::Error(error) => self.reporter.trouble(error, "rebalance"),
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(given) = rebalance
            && self.assignment.is_paused()
            && let Err(error) = consumer.pause(given)
        {
            self.reporter.trouble(&error, "pause after a rebalance");
        }
    }
}

pub(crate) struct Consumer {
    /// `None` once it is closed.
    inner: Option<Arc<StreamConsumer<TaskContext>>>,
    bootstrap: String,
    /// The names of the topics seen, so that records share them.
    topics: Vec<Arc<str>>,
}

impl Consumer {
    pub(crate) fn new(inner: StreamConsumer<TaskContext>, bootstrap: String) -> Self {
        Self { inner: Some(Arc::new(inner)), bootstrap, topics: Vec::new() }
    }

    fn inner(&self) -> Result<&Arc<StreamConsumer<TaskContext>>, ConnectError> {
        self.inner.as_ref().ok_or_else(|| ConnectError::failed("the consumer is closed"))
    }

    async fn commit_done(&self) -> Result<(), ConnectError> {
        let consumer = self.inner()?.clone();
        let done = consumer.context().assignment.uncommitted(|_| true);
        if done.is_empty() {
            return Ok(());
        }
        let committing = tokio::task::spawn_blocking(move || {
            let result = commit(&*consumer, &done);
            if result.is_ok() {
                consumer.context().assignment.committed(&done);
            }
            result
        });
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            ConnectError::caused(
                format!("offsets could not be committed to Kafka at {}", self.bootstrap),
                source,
            )
        };
        match timeout(PATIENCE, committing).await {
            Ok(Ok(result)) => result.map_err(|error| failed(error.into())),
            Ok(Err(join)) => Err(failed(join.into())),
            Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()).into())),
        }
    }

    /// Whether the consumer goes on by itself after `error`.
    fn judge(&self, error: KafkaError) -> Result<(), ConnectError> {
        let fatal = match &error {
            KafkaError::MessageConsumption(code) => matches!(
                code,
                Code::TopicAuthorizationFailed
                    | Code::GroupAuthorizationFailed
                    | Code::ClusterAuthorizationFailed
                    | Code::SaslAuthenticationFailed
                    | Code::InconsistentGroupProtocol
                    | Code::InvalidGroupId
                    | Code::AutoOffsetReset
            ),
            KafkaError::PartitionEOF(_) => return Ok(()),
            KafkaError::MessageConsumptionFatal(_) => true,
            _ => false,
        };
        if fatal {
            let message = format!("the consumer cannot go on reading from Kafka at {}", self.bootstrap);
            return Err(ConnectError::caused(message, error));
        }
        if let Some(inner) = &self.inner {
            inner.context().reporter.trouble(&error, "poll");
        }
        Ok(())
    }
}

#[async_trait]
impl SinkConsumer for Consumer {
    async fn poll(&mut self, max_records: usize, wait: Duration) -> Result<Vec<RawRecord>, ConnectError> {
        let deadline = Instant::now() + wait;
        let consumer = self.inner()?.clone();
        let assignment = &consumer.context().assignment;
        let mut known_lost = assignment.lost_count();
        let mut records: Vec<RawRecord> = Vec::new();
        let mut bytes = 0;
        let mut messages = consumer.stream();
        while records.len() < max_records && bytes < MAX_BATCH_BYTES {
            let next = if records.is_empty() {
                timeout_at(deadline, messages.next()).await.ok()
            } else {
                messages.next().now_or_never()
            };
            // A rebalance happens inside of `next`; what was collected of a lost partition is another member's now.
            let lost = assignment.lost_since(known_lost);
            if !lost.is_empty() {
                known_lost += lost.len();
                records.retain(|record| {
                    !lost.iter().any(|lost| lost.partition == record.partition && lost.topic == record.topic)
                });
            }
            match next {
                None | Some(None) => break,
                Some(Some(Ok(message))) => {
                    bytes += message.key_len() + message.payload_len();
                    records.push(raw_record(&message, &mut self.topics));
                }
                Some(Some(Err(error))) => self.judge(error)?,
            }
        }
        Ok(records)
    }

    fn take_revoked(&mut self) -> Vec<TopicPartition> {
        self.inner.as_ref().map(|consumer| consumer.context().assignment.take_lost()).unwrap_or_default()
    }

    fn mark_done(&mut self, partition: &TopicPartition, next_offset: i64) {
        if let Some(consumer) = &self.inner {
            consumer.context().assignment.mark_done(partition, next_offset);
        }
    }

    async fn commit(&mut self) -> Result<(), ConnectError> {
        self.commit_done().await
    }

    fn pause(&mut self) -> Result<(), ConnectError> {
        let consumer = self.inner()?;
        let assignment = &consumer.context().assignment;
        assignment.set_paused(true);
        consumer
            .pause(&list(assignment.owned()))
            .map_err(|error| ConnectError::caused("the consumer could not be paused", error))
    }

    fn resume(&mut self) -> Result<(), ConnectError> {
        let consumer = self.inner()?;
        let assignment = &consumer.context().assignment;
        assignment.set_paused(false);
        consumer
            .resume(&list(assignment.owned()))
            .map_err(|error| ConnectError::caused("the consumer could not be resumed", error))
    }

    async fn close(&mut self) {
        if let Err(error) = self.commit_done().await {
            tracing::warn!(error = error.chain(), "last commit failed");
        }
        if let Some(consumer) = self.inner.take() {
            // Leaving the group waits for the broker.
            let closing = tokio::task::spawn_blocking(move || drop(consumer));
            if timeout(PATIENCE, closing).await.is_err() {
                tracing::warn!("consumer has not left its group in time and is left behind");
            }
        }
    }
}

/// After a panic of its task nobody calls `close`; leaving the group must not hold up a thread of the runtime.
impl Drop for Consumer {
    fn drop(&mut self) {
        if let Some(consumer) = self.inner.take() {
            std::thread::spawn(move || drop(consumer));
        }
    }
}

fn raw_record(message: &BorrowedMessage<'_>, topics: &mut Vec<Arc<str>>) -> RawRecord {
    // One copy, and one allocation, for both.
    let mut buffer = BytesMut::with_capacity(message.key_len() + message.payload_len());
    buffer.extend_from_slice(message.key().unwrap_or_default());
    buffer.extend_from_slice(message.payload().unwrap_or_default());
    let buffer = buffer.freeze();
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        let copy = |value: &[u8]| Bytes::copy_from_slice(value);
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(copy))).collect()
    });
    RawRecord {
        topic: shared_name(message.topic(), topics),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(|key| buffer.slice(..key.len())),
        value: message.payload().map(|_| buffer.slice(message.key_len()..)),
        headers,
    }
}

fn shared_name(name: &str, topics: &mut Vec<Arc<str>>) -> Arc<str> {
    if let Some(topic) = topics.iter().find(|topic| &***topic == name) {
        return topic.clone();
    }
    let topic: Arc<str> = name.into();
    topics.push(topic.clone());
    topic
}

fn commit<C: rdkafka::consumer::Consumer<TaskContext>>(
    consumer: &C,
    done: &[(TopicPartition, i64)],
) -> KafkaResult<()> {
    let mut offsets = TopicPartitionList::with_capacity(done.len());
    for (partition, next_offset) in done {
        offsets.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*next_offset))?;
    }
    match consumer.commit(&offsets, CommitMode::Sync) {
        Err(KafkaError::ConsumerCommit(Code::NoOffset)) => Ok(()),
        other => other,
    }
}

/// Runs what waits for the broker inside of a callback, without holding up other tasks of the runtime.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let partition = |topic: &str, partition| TopicPartition { topic: topic.into(), partition };
    list.elements().iter().map(|element| partition(element.topic(), element.partition())).collect()
}

fn list(partitions: Vec<TopicPartition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition);
    }
    list
}

fn names(partitions: &[TopicPartition]) -> String {
    let mut names: Vec<_> = partitions.iter().map(ToString::to_string).collect();
    names.sort();
    names.join(",")
}
