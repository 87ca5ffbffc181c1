//! Reads the registry topic and feeds the [`Directory`]: the I/O around the table.
//!
//! The partition is assigned, not subscribed to: every gateway reads all of it from the beginning, and none commits.
//! Once a second the reader asks the broker for the end of the partition; when everything before that end has been
//! taken in, this is the proof on which the leases run.

use super::{Directory, RawRecord};
use contracts::registry::SIGNATURE_HEADER;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use service_kit::health::Readiness;
use service_kit::secret::Secret;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

const PROBE_EVERY: Duration = Duration::from_secs(1);
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
const READINESS: &str = "registry";

pub struct Reader {
    pub bootstrap: String,
    pub topic: String,
    pub secret: Secret,
    pub directory: Arc<Directory>,
    pub readiness: Readiness,
}

struct Probe {
    began: Instant,
    /// The beginning and the end of the partition.
    watermarks: KafkaResult<(i64, i64)>,
}

impl Reader {
    /// Reads until it is dropped.
    pub async fn run(self) -> Result<(), KafkaError> {
        self.readiness.set(READINESS, Err(self.waiting()));
        self.directory.in_trouble(self.waiting());
        // librdkafka wants a group for any consumer, but a group without subscription and commits has no members.
        let consumer: StreamConsumer =
            service_kit::kafka::consumer_config(&self.bootstrap, "gateway-registry-reader")
                .set("enable.partition.eof", "true")
                .set("fetch.wait.max.ms", "250")
                .create()?;
        let consumer = Arc::new(consumer);
        self.wait_for_topic(&consumer).await;
        self.assign(&consumer)?;

        let mut position = Position::default();
        let mut probing = None;
        let mut ticks = tokio::time::interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = consumer.recv() => match received {
                    Ok(message) => {
                        self.take(&message);
                        position.read(message.offset());
                    }
                    Err(KafkaError::PartitionEOF(_)) => position.at_end(),
                    // These are single events, often of long ago: to pause for each would hold up the records
                    // behind them.
                    Err(error) => {
                        tracing::debug!(%error, "the registry topic cannot be read");
                        position.broken = true;
                    }
                },
                probe = finished(&mut probing) => {
                    probing = None;
                    self.judge(&consumer, probe, &mut position)?;
                }
                _ = ticks.tick(), if probing.is_none() => {
                    probing = Some(self.probe(&consumer));
                }
            }
        }
    }

    fn judge(
        &self,
        consumer: &StreamConsumer,
        probe: Probe,
        position: &mut Position,
    ) -> Result<(), KafkaError> {
        match probe.watermarks {
            // After a break the broker may be another one with another log, which begins at 0 again. What was read
            // already is known by its sequence, so reading it twice does no harm.
            Ok(_) if position.broken => {
                tracing::info!(topic = self.topic, "reading the registry from its beginning");
                self.assign(consumer)?;
                *position = Position::default();
            }
            Ok((low, high)) => {
                if position.proves(low, high) {
                    self.directory.caught_up(probe.began);
                    self.readiness.set(READINESS, Ok(()));
                }
            }
            Err(error) => {
                let trouble = format!("the topic {} cannot be read from Kafka", self.topic);
                if self.directory.in_trouble(trouble) {
                    tracing::warn!(%error, topic = self.topic, "the registry cannot be read, the instances known stay");
                }
                position.broken = true;
            }
        }
        Ok(())
    }

    fn take(&self, message: &BorrowedMessage<'_>) {
        let headers = message.headers();
        let signature = headers.and_then(|headers| {
            headers.iter().find(|header| header.key == SIGNATURE_HEADER).and_then(|header| header.value)
        });
        let record = RawRecord { key: message.key(), value: message.payload(), signature };
        self.directory.receive(&self.secret, record, Instant::now());
    }

    fn probe(&self, consumer: &Arc<StreamConsumer>) -> tokio::task::JoinHandle<Probe> {
        let (consumer, topic) = (consumer.clone(), self.topic.clone());
        // Asking for the end of a partition blocks its thread.
        tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            Probe { began, watermarks: consumer.fetch_watermarks(&topic, 0, PROBE_TIMEOUT) }
        })
    }

    async fn wait_for_topic(&self, consumer: &Arc<StreamConsumer>) {
        let mut told = false;
        loop {
            let (asked, topic) = (consumer.clone(), self.topic.clone());
            let exists = tokio::task::spawn_blocking(move || {
                let metadata = asked.fetch_metadata(Some(&topic), PROBE_TIMEOUT)?;
                let mut found = metadata.topics().iter();
                Ok::<_, KafkaError>(
                    found.any(|found| found.error().is_none() && !found.partitions().is_empty()),
                )
            });
            match exists.await {
                Ok(Ok(true)) => return,
                Ok(result) if !told => {
                    let reason =
                        result.err().map_or("it does not exist yet".into(), |error| error.to_string());
                    tracing::info!(reason, "{}", self.waiting());
                    told = true;
                }
                _ => {}
            }
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }

    fn assign(&self, consumer: &StreamConsumer) -> Result<(), KafkaError> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(&self.topic, 0, Offset::Beginning)?;
        consumer.assign(&partitions)
    }

    fn waiting(&self) -> String {
        format!("waiting for the topic {} at Kafka {}", self.topic, self.bootstrap)
    }
}

/// The probe under way, when it is done; pending while there is none.
async fn finished(probing: &mut Option<tokio::task::JoinHandle<Probe>>) -> Probe {
    match probing {
        Some(probe) => match probe.await {
            Ok(probe) => probe,
            // Only while the runtime stops.
            Err(_) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// How far the partition has been taken in.
#[derive(Debug, Default)]
struct Position {
    /// The offset behind the last record.
    next: i64,
    /// librdkafka said that there is nothing more to read, and no record came since.
    at_end: bool,
    /// The end that the first probe after that saw.
    end: Option<i64>,
    /// A connection broke or the broker did not answer since the partition was assigned.
    broken: bool,
}

impl Position {
    fn read(&mut self, offset: i64) {
        (self.next, self.at_end, self.end) = (offset + 1, false, None);
    }

    fn at_end(&mut self) {
        (self.at_end, self.end) = (true, None);
    }

    /// Whether everything before `high` has been taken in. Compaction may have removed the last records, in which case
    /// no record ever leads up to `high`; then it counts that librdkafka reached the end and that the end stays.
    fn proves(&mut self, low: i64, high: i64) -> bool {
        if high <= low || self.next >= high {
            return true;
        }
        self.at_end && *self.end.get_or_insert(high) == high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_proves_what_was_read() {
        let mut position = Position::default();
        assert!(position.proves(0, 0), "an empty topic");
        assert!(position.proves(5, 5), "a topic whose records are all gone");
        assert!(!position.proves(0, 3));
        position.read(1);
        assert!(!position.proves(0, 3));
        position.read(2);
        assert!(position.proves(0, 3));
        assert!(!position.proves(0, 4), "one more arrived");
    }

    #[test]
    fn the_end_of_a_compacted_partition_is_an_end_until_it_moves() {
        let mut position = Position::default();
        position.read(2);
        assert!(!position.proves(0, 9));
        position.at_end();
        assert!(position.proves(0, 9));
        assert!(!position.proves(0, 10));
        position.read(9);
        assert!(position.proves(0, 10));
    }
}
