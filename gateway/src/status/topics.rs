//! How many records the platform's topics hold, by the beginning and the end of their partitions.

use super::model::{Problem, Topic};
use contracts::TopicSpec;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For all topics together.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// For finding the ends of one topic by reading; what is not found in time is looked for the next time.
const READ_LIMIT: Duration = Duration::from_millis(500);

/// Counts the records of a fixed list of topics.
#[derive(Clone)]
pub struct TopicCounter(Option<Arc<Counter>>);

struct Counter {
    consumer: BaseConsumer,
    names: Vec<String>,
    ends: Mutex<Ends>,
}

/// By topic and partition: the end that the broker told, and the end that reading from there led to.
type Ends = HashMap<(String, i32), (i64, i64)>;

#[derive(Clone, Copy)]
struct Partition {
    id: i32,
    beginning: i64,
    end: i64,
}

impl fmt::Debug for TopicCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TopicCounter").field(&self.0.as_ref().map(|counter| &counter.names)).finish()
    }
}

impl TopicCounter {
    pub fn new(bootstrap: &str, names: Vec<String>) -> Result<Self, KafkaError> {
        // It subscribes to nothing: the group is a formality of librdkafka.
        let consumer = service_kit::kafka::consumer_config(bootstrap, "gateway-topic-counter")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "50")
            .create()?;
        Ok(Self(Some(Arc::new(Counter { consumer, names, ends: Mutex::default() }))))
    }

    /// A counter of nothing, for a gateway without Kafka.
    pub fn none() -> Self {
        Self(None)
    }

    pub(super) async fn count(&self) -> Vec<Topic> {
        let Some(counter) = self.0.clone() else { return Vec::new() };
        // librdkafka's questions block.
        tokio::task::spawn_blocking(move || counter.count_all()).await.unwrap_or_default()
    }
}

impl Counter {
    fn count_all(&self) -> Vec<Topic> {
        // Takes away the events that librdkafka piled up meanwhile.
        while self.consumer.poll(Duration::ZERO).is_some() {}
        let deadline = Instant::now() + TIME_LIMIT;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        self.names
            .iter()
            .map(|name| {
                let counted = self.partitions(name, deadline).map(|partitions| {
                    if let Err(error) = self.find_ends(name, &partitions, &mut ends, deadline) {
                        tracing::debug!(%error, topic = name, "the end of the topic cannot be found by reading");
                    }
                    (partitions.len(), records(name, &partitions, &ends))
                });
                let (partitions, records) = counted.as_ref().map_or((None, None), |(p, r)| (Some(*p), Some(*r)));
                let dead_letters = is_dead_letters(name);
                Topic { name: name.clone(), dead_letters, partitions, records, problem: counted.err() }
            })
            .collect()
    }

    /// A topic's partitions as the broker tells them.
    fn partitions(&self, name: &str, deadline: Instant) -> Result<Vec<Partition>, Problem> {
        let metadata = self.consumer.fetch_metadata(Some(name), time_left(deadline)?).map_err(why)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == name);
        let topic = topic.filter(|topic| topic.error().is_none() && !topic.partitions().is_empty());
        let topic = topic.ok_or_else(no_topic)?;
        let ids = topic.partitions().iter().map(|partition| partition.id());
        ids.map(|id| {
            let (beginning, end) =
                self.consumer.fetch_watermarks(name, id, time_left(deadline)?).map_err(why)?;
            Ok(Partition { id, beginning, end })
        })
        .collect()
    }

    /// The embedded broker tells the end too low: as the offset behind the first record of the last batch. So each end
    /// that has moved is checked by reading from the record before it on; on a real broker that is the last one.
    fn find_ends(
        &self,
        name: &str,
        partitions: &[Partition],
        ends: &mut Ends,
        deadline: Instant,
    ) -> KafkaResult<()> {
        let key = |id| (name.to_owned(), id);
        let mut open: HashMap<i32, (i64, i64)> = HashMap::new();
        let mut list = TopicPartitionList::new();
        for Partition { id, beginning, end } in partitions {
            if ends.get(&key(*id)).is_none_or(|(told, _)| told != end) {
                let start = (end - 1).max(*beginning);
                list.add_partition_offset(name, *id, Offset::Offset(start))?;
                open.insert(*id, (*end, *end));
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let deadline = deadline.min(Instant::now() + READ_LIMIT);
        self.consumer.assign(&list)?;
        while !open.is_empty() && Instant::now() < deadline {
            match self.consumer.poll(Duration::from_millis(50)) {
                Some(Ok(message)) => {
                    if let Some((_, end)) = open.get_mut(&message.partition()) {
                        *end = (*end).max(message.offset() + 1);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(id))) => {
                    if let Some(found) = open.remove(&id) {
                        ends.insert(key(id), found);
                    }
                }
                Some(Err(error)) => return self.consumer.unassign().and(Err(error)),
                None => {}
            }
        }
        self.consumer.unassign()
    }
}

fn records(name: &str, partitions: &[Partition], ends: &Ends) -> i64 {
    let of_partition = |partition: &Partition| {
        let found = ends.get(&(name.to_owned(), partition.id)).filter(|(told, _)| *told == partition.end);
        let end = found.map_or(partition.end, |(_, end)| *end);
        (end - partition.beginning).max(0)
    };
    partitions.iter().map(of_partition).sum()
}

/// The house names such topics after the one they belong to, and so does Kafka Connect's documentation.
fn is_dead_letters(name: &str) -> bool {
    name.ends_with(&TopicSpec::dead_letters("").name)
}

fn time_left(deadline: Instant) -> Result<Duration, Problem> {
    let left = deadline.saturating_duration_since(Instant::now());
    // librdkafka takes whole milliseconds, and 0 for "do not wait".
    if left < Duration::from_millis(1) { Err(no_answer()) } else { Ok(left) }
}

fn no_answer() -> Problem {
    Problem::new("NO_KAFKA", "Kafka does not answer")
}

fn no_topic() -> Problem {
    Problem::new("NO_TOPIC", "the topic does not exist yet")
}

fn why(error: KafkaError) -> Problem {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => no_topic(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut,
        ) => no_answer(),
        Some(code) => Problem::new("KAFKA", format!("Kafka answers: {code}")),
        None => Problem::new("KAFKA", "Kafka cannot be asked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_up_to_the_end_that_was_found() {
        let partitions =
            [(0, 0, 5), (1, 2, 2), (2, 10, 12)].map(|(id, beginning, end)| Partition { id, beginning, end });
        assert_eq!(records("t", &partitions, &Ends::new()), 7);
        let found = |partition, told, end| (("t".to_owned(), partition), (told, end));
        let ends = Ends::from([found(0, 5, 8), found(2, 11, 99)]);
        assert_eq!(records("t", &partitions, &ends), 10, "what was found behind an older end does not count");
    }

    #[test]
    fn dead_letters_are_known_by_their_name() {
        assert!(is_dead_letters("connect-orders-sink.dlq") && is_dead_letters("orders.dlq"));
        assert!(!is_dead_letters("orders") && !is_dead_letters("dlq"));
    }
}
