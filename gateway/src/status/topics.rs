//! How many records the platform's topics hold, by their watermarks.

use super::model::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For all topics together.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Counts the records of a fixed list of topics.
#[derive(Clone)]
pub struct TopicCounter {
    source: Option<Arc<BaseConsumer>>,
    names: Arc<[String]>,
}

impl fmt::Debug for TopicCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicCounter").field("names", &self.names).finish_non_exhaustive()
    }
}

impl TopicCounter {
    pub fn new(bootstrap: &str, names: Vec<String>) -> Result<Self, KafkaError> {
        // It subscribes to nothing: the group is a formality of librdkafka.
        let consumer = service_kit::kafka::consumer_config(bootstrap, "gateway-topic-counter").create()?;
        Ok(Self { source: Some(Arc::new(consumer)), names: names.into() })
    }

    /// A counter of nothing, for a gateway without Kafka.
    pub fn none() -> Self {
        Self { source: None, names: Arc::new([]) }
    }

    pub(super) async fn count(&self) -> Vec<Topic> {
        let Some(consumer) = self.source.clone() else { return Vec::new() };
        let names = self.names.clone();
        // librdkafka's questions block.
        tokio::task::spawn_blocking(move || count_all(&consumer, &names)).await.unwrap_or_default()
    }
}

fn count_all(consumer: &BaseConsumer, names: &[String]) -> Vec<Topic> {
    // Nothing is consumed; this takes away the events that librdkafka would pile up.
    while consumer.poll(Duration::ZERO).is_some() {}
    let deadline = Instant::now() + TIME_LIMIT;
    names
        .iter()
        .map(|name| match count(consumer, name, deadline) {
            Ok((partitions, records)) => {
                Topic { name: name.clone(), partitions: Some(partitions), records: Some(records), problem: None }
            }
            Err(problem) => {
                Topic { name: name.clone(), partitions: None, records: None, problem: Some(problem) }
            }
        })
        .collect()
}

fn count(consumer: &BaseConsumer, name: &str, deadline: Instant) -> Result<(usize, i64), String> {
    let time_left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        // librdkafka takes whole milliseconds, and 0 for "do not wait".
        if left < Duration::from_millis(1) { Err("Kafka does not answer in time".to_owned()) } else { Ok(left) }
    };
    let why = |error: KafkaError| match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            "the topic does not exist yet".to_owned()
        }
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut,
        ) => "Kafka does not answer".to_owned(),
        Some(code) => format!("Kafka answers: {code}"),
        None => "Kafka cannot be asked".to_owned(),
    };
    let metadata = consumer.fetch_metadata(Some(name), time_left()?).map_err(why)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == name);
    let topic = topic.filter(|topic| topic.error().is_none() && !topic.partitions().is_empty());
    let topic = topic.ok_or("the topic does not exist yet")?;
    let mut records = 0;
    for partition in topic.partitions() {
        let (low, high) = consumer.fetch_watermarks(name, partition.id(), time_left()?).map_err(why)?;
        records += high.saturating_sub(low).max(0);
    }
    Ok((topic.partitions().len(), records))
}
