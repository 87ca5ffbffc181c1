//! Where a consumer begins in partitions for which its group has committed nothing yet.

use crate::rebalance::TaskContext;
use connect_api::TopicPartition;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::time::Duration;

/// For each of the two questions. The group waits meanwhile, and so does whoever stops the task.
const PATIENCE: Duration = Duration::from_secs(5);

/// What `auto.offset.reset`, in librdkafka's words, leads to; `None` where nothing committed is an error.
pub(crate) fn reset_target(auto_offset_reset: Option<&str>) -> Option<Offset> {
    match auto_offset_reset {
        Some("earliest") => Some(Offset::Beginning),
        Some("latest") => Some(Offset::End),
        _ => None,
    }
}

/// Looks up where `reset` is in those of the partitions that have no committed offset, so that the
/// consumer can be told to begin exactly there. Left to itself librdkafka would look `reset` up at another
/// moment, and say where it has begun only once there is a record.
pub(crate) fn settle(
    consumer: &impl Consumer<TaskContext>,
    given: TopicPartitionList,
    reset: Offset,
) -> KafkaResult<HashMap<TopicPartition, i64>> {
    let committed = consumer.committed_offsets(given, PATIENCE)?;
    let mut open = TopicPartitionList::new();
    for element in committed.elements() {
        element.error()?;
        if element.offset() == Offset::Invalid {
            open.add_partition_offset(element.topic(), element.partition(), reset)?;
        }
    }
    if open.count() == 0 {
        return Ok(HashMap::new());
    }
    // Kafka's ListOffsets takes the two ends as times, under the numbers that librdkafka has for them.
    let found = consumer.offsets_for_times(open, PATIENCE)?;
    let mut starts = HashMap::new();
    for element in found.elements() {
        element.error()?;
        if let Offset::Offset(start) = element.offset() {
            starts.insert(partition(element.topic(), element.partition()), start);
        }
    }
    Ok(starts)
}

fn partition(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition }
}
