//! A sink's offsets are those of its consumer group.

use super::{PATIENCE, ask, late, within};
use crate::herder::{ConnectorOffset, HerderError};
use crate::plugins::with_prefix;
use crate::ports::{GroupOffsets, GroupOffsetsError};
use crate::secrets::Secrets;
use crate::worker::WorkerParts;
use crate::worker::describe::Described;
use connect_api::{ConfigMap, OffsetMap, SinkConnector, TopicPartition};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

pub(super) struct SinkOffsets<'a> {
    name: &'a str,
    group: String,
    /// `admin.override.*`, prefix removed.
    overrides: ConfigMap,
    offsets: &'a dyn GroupOffsets,
    secrets: &'a Secrets,
    deadline: Duration,
}

impl<'a> SinkOffsets<'a> {
    pub(super) fn of(parts: &'a WorkerParts, name: &'a str, described: &'a Described) -> Self {
        let settings = described.settings.sink.as_ref();
        let group = settings.and_then(|sink| sink.consumer_overrides.get("group.id"));
        Self {
            name,
            // The group of the tasks' consumers, see `KafkaClients::sink_consumer`.
            group: group
                .or_else(|| parts.config.clients.consumer.get("group.id"))
                .cloned()
                .unwrap_or_else(|| format!("connect-{name}")),
            overrides: with_prefix(&described.config, "admin.override."),
            offsets: &*parts.group_offsets,
            secrets: &described.secrets,
            deadline: parts.deadlines.remote,
        }
    }

    async fn committed(&self, what: &str) -> Result<Vec<(TopicPartition, i64)>, HerderError> {
        let what = format!("{what} for sink connector {}", self.name);
        within(&what, self.secrets, self.offsets.list(&self.group, &self.overrides)).await
    }

    pub(super) async fn list(&self) -> Result<Vec<ConnectorOffset>, HerderError> {
        let mut committed = self.committed("Failed to retrieve consumer group offsets").await?;
        committed.sort();
        Ok(committed.into_iter().map(|(partition, offset)| shown(&partition, offset)).collect())
    }

    pub(super) async fn alter(
        &self,
        plugin: &Arc<dyn SinkConnector>,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<bool, HerderError> {
        let reset = offsets.is_none();
        let changes: Vec<(TopicPartition, Option<i64>)> = match offsets {
            Some(offsets) => parse(offsets).map_err(HerderError::BadRequest)?,
            None => {
                let committed = self.committed("Failed to list offsets prior to resetting offsets").await?;
                committed.into_iter().map(|(partition, _)| (partition, None)).collect()
            }
        };
        let (asked, config, said) = (plugin.clone(), config.clone(), changes.clone());
        let call = async move { asked.alter_offsets(&config, &said).await };
        let agrees = ask(self.deadline, self.name, self.secrets, call).await?;
        let verb = if reset { "reset" } else { "alter" };
        let done = if reset {
            timeout(PATIENCE, self.offsets.delete(&self.group, &self.overrides)).await
        } else {
            timeout(PATIENCE, self.offsets.alter(&self.group, changes, &self.overrides)).await
        };
        match done {
            Ok(Ok(())) => Ok(agrees),
            Ok(Err(error)) => Err(self.refusal(verb, error)),
            Err(_) => Err(late(&self.failed(verb))),
        }
    }

    fn failed(&self, verb: &str) -> String {
        format!("Failed to {verb} consumer group offsets for connector {}", self.name)
    }

    fn refusal(&self, verb: &str, error: GroupOffsetsError) -> HerderError {
        let failed = self.failed(verb);
        match error {
            // A 409, which clients try again, and that is the remedy.
            GroupOffsetsError::NotEmpty(_) => HerderError::Conflict(format!(
                "{failed} either because its tasks haven't stopped completely yet or the connector was resumed before the request \
                 to {verb} its offsets could be successfully completed. If the connector is in a stopped state, this operation can \
                 be safely retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of \
                 the zombie sink tasks."
            )),
            GroupOffsetsError::UnknownPartition(TopicPartition { topic, partition }) => {
                HerderError::BadRequest(format!(
                    "{failed}: there is no partition {partition} of topic {topic}: correct {TOPIC} and {PARTITION}, or create the \
                     topic first"
                ))
            }
            GroupOffsetsError::Other(error) => {
                HerderError::Unavailable(format!("{failed}: {}", self.secrets.scrub(&error.chain())))
            }
        }
    }
}

fn shown(partition: &TopicPartition, offset: i64) -> ConnectorOffset {
    let pairs = [(TOPIC, Json::from(&*partition.topic)), (PARTITION, Json::from(partition.partition))];
    ConnectorOffset {
        partition: pairs.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
        offset: Some(OffsetMap::from_iter([(OFFSET.to_owned(), Json::from(offset))])),
    }
}

/// Each partition once; of two that are the same the later one counts, as in Java's map.
fn parse(offsets: Vec<ConnectorOffset>) -> Result<Vec<(TopicPartition, Option<i64>)>, String> {
    let mut parsed = BTreeMap::new();
    for ConnectorOffset { partition, offset } in offsets {
        let partition = parse_partition(&partition)?;
        parsed.insert(partition, offset.as_ref().map(parse_offset).transpose()?);
    }
    Ok(parsed.into_iter().collect())
}

fn parse_partition(map: &OffsetMap) -> Result<TopicPartition, String> {
    let (Some(topic), Some(partition)) = (map.get(TOPIC), map.get(PARTITION)) else {
        return Err(format!(
            "The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'"
        ));
    };
    let topic = match topic {
        Json::Null => return Err("Kafka topic names must be valid strings and may not be null".into()),
        topic => text(topic),
    };
    let partition = match partition {
        Json::Null => return Err("Kafka partitions must be valid numbers and may not be null".into()),
        partition => text(partition),
    };
    match partition.parse() {
        Ok(partition @ 0..) => Ok(TopicPartition { topic: topic.into(), partition }),
        Ok(negative) => Err(format!("Kafka partitions cannot be negative, and {PARTITION} is {negative}")),
        Err(_) => Err(format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{partition}'. Partition values for sink \
             connectors need to be integers."
        )),
    }
}

fn parse_offset(map: &OffsetMap) -> Result<i64, String> {
    let Some(offset) = map.get(OFFSET) else {
        return Err(format!(
            "The offset for a sink connector should either be null or contain the key '{OFFSET}'"
        ));
    };
    let offset = text(offset);
    match offset.parse() {
        Ok(offset @ 0..) => Ok(offset),
        Ok(negative) => Err(format!("Kafka offsets cannot be negative, and {OFFSET} is {negative}")),
        Err(_) => Err(format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{offset}'. Offset values for sink connectors \
             need to be integers."
        )),
    }
}

/// Numbers may come as text.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
