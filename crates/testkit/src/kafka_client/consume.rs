//! Reading records and committed offsets.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::{TIMEOUT, blocking, config, while_coordinator_moves};

/// A record as it lies in the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
}

impl Message {
    /// The key as text; `None` when there is none or it is not UTF-8.
    pub fn key_str(&self) -> Option<&str> {
        std::str::from_utf8(self.key.as_deref()?).ok()
    }

    pub fn value_str(&self) -> Option<&str> {
        std::str::from_utf8(self.value.as_deref()?).ok()
    }

    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        let value = self.value.as_deref().context("the record has no value")?;
        serde_json::from_slice(value).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(value)))
    }

    /// The last header of that name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().rev().find(|(key, _)| key == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }

    fn of(message: &BorrowedMessage<'_>) -> Message {
        let headers = message.headers().map(|headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
        });
        Message {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
            timestamp: message.timestamp().to_millis(),
        }
    }
}

/// Every record of the topic from its beginning to its end, sorted by partition and offset. It joins no group.
pub async fn consume_all(bootstrap: &str, topic: &str) -> anyhow::Result<Vec<Message>> {
    let (bootstrap, topic) = (bootstrap.to_owned(), topic.to_owned());
    blocking(move || {
        let consumer = consumer(&bootstrap, "testkit-reader")?;
        let partitions = partitions(&consumer, &topic)?;
        let mut assignment = TopicPartitionList::new();
        for partition in &partitions {
            assignment.add_partition_offset(&topic, *partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        read_to_end(
            &consumer,
            &topic,
            partitions.into_iter().map(|partition| (partition, i64::MAX)).collect(),
        )
    })
    .await
}

/// `open` are the partitions, each with the offset from which on its records may be left to the next time: while records keep
/// coming, the end that the broker tells is never reached.
pub(super) fn read_to_end(
    consumer: &BaseConsumer,
    topic: &str,
    mut open: HashMap<i32, i64>,
) -> anyhow::Result<Vec<Message>> {
    let mut messages = Vec::new();
    let mut progress = Instant::now();
    while !open.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                if open.get(&message.partition()).is_some_and(|end| message.offset() + 1 >= *end) {
                    open.remove(&message.partition());
                }
                messages.push(Message::of(&message));
                progress = Instant::now();
            }
            // The broker says where the end is. Counting offsets up to the watermark would not do: compaction and
            // transaction markers leave holes.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
                progress = Instant::now();
            }
            Some(Err(error)) => return Err(error).with_context(|| format!("cannot read {topic}")),
            None if progress.elapsed() > TIMEOUT => {
                bail!("no record of {topic} for {TIMEOUT:?}, partitions {:?}", open.keys())
            }
            None => {}
        }
    }
    messages.sort_by_key(|message| (message.partition, message.offset));
    Ok(messages)
}

/// What a consumer group has committed for a topic, by partition; partitions without a commit are absent. It does not join
/// the group, so it may be asked while the group's members work.
pub async fn committed(bootstrap: &str, group: &str, topic: &str) -> anyhow::Result<HashMap<i32, i64>> {
    let (bootstrap, group, topic) = (bootstrap.to_owned(), group.to_owned(), topic.to_owned());
    blocking(move || {
        let consumer = consumer(&bootstrap, &group)?;
        let mut wanted = TopicPartitionList::new();
        for partition in partitions(&consumer, &topic)? {
            wanted.add_partition(&topic, partition);
        }
        let offsets = while_coordinator_moves(|| consumer.committed_offsets(wanted.clone(), TIMEOUT))
            .with_context(|| format!("cannot read the offsets of group {group}"))?;
        let mut committed = HashMap::new();
        for element in offsets.elements() {
            element
                .error()
                .with_context(|| format!("cannot read the offset of partition {}", element.partition()))?;
            if let Offset::Offset(offset) = element.offset() {
                committed.insert(element.partition(), offset);
            }
        }
        Ok(committed)
    })
    .await
}

pub(super) fn consumer(bootstrap: &str, group: &str) -> anyhow::Result<BaseConsumer> {
    config(bootstrap)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_uncommitted")
        .create()
        .context("cannot create a consumer")
}

pub(super) fn partitions(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).context("cannot reach Kafka")?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions: Vec<i32> = found
        .map(|topic| topic.partitions().iter().map(|partition| partition.id()).collect())
        .unwrap_or_default();
    ensure!(!partitions.is_empty(), "topic {topic} does not exist");
    Ok(partitions)
}
