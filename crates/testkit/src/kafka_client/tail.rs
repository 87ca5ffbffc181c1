//! Reading on in a topic that grows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::consume::{Message, consumer, partitions, read_to_end};
use super::{TIMEOUT, blocking};

/// As `tail -f`, but asked: every call returns what has come since the last one.
pub struct Tail {
    consumer: Arc<BaseConsumer>,
    topic: String,
    next: BTreeMap<i32, i64>,
}

impl Tail {
    /// From the topic's beginning. It joins no group, and the topic need not exist yet.
    pub fn new(bootstrap: &str, topic: &str) -> anyhow::Result<Tail> {
        Ok(Tail {
            consumer: Arc::new(consumer(bootstrap, "testkit-tail")?),
            topic: topic.to_owned(),
            next: BTreeMap::new(),
        })
    }

    /// Up to the present end, sorted by partition and offset; an error while the topic does not exist.
    pub async fn more(&mut self) -> anyhow::Result<Vec<Message>> {
        let (consumer, topic, next) = (self.consumer.clone(), self.topic.clone(), self.next.clone());
        let messages = blocking(move || {
            let found = partitions(&consumer, &topic)?;
            let (mut assignment, mut open) = (TopicPartitionList::new(), HashMap::new());
            for partition in found {
                let from = next.get(&partition).map_or(Offset::Beginning, |next| Offset::Offset(*next));
                assignment.add_partition_offset(&topic, partition, from)?;
                open.insert(partition, consumer.fetch_watermarks(&topic, partition, TIMEOUT)?.1);
            }
            // Assigned anew, so that the end of a partition is told each time, also when nothing has come.
            consumer.assign(&assignment)?;
            let messages = read_to_end(&consumer, &topic, open);
            consumer.unassign()?;
            messages
        })
        .await?;
        for message in &messages {
            self.next.insert(message.partition, message.offset + 1);
        }
        Ok(messages)
    }
}
