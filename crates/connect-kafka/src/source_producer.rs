//! The producer of a source task: waits for Kafka as long as it takes. The task itself takes the acknowledgements, all of a response
//! at once: each record carries a number there and back, and nothing else is kept for it.

use crate::context::Reporter;
use crate::sender::{IDLE, LONGEST, SHORTEST, take};
use async_trait::async_trait;
use connect_api::ConnectError;
use connect_runtime::ports::{NotSent, ProduceError, ProducerRecord, Settled, SourceProducer};
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// When it is dropped, what is not acknowledged by then is given up.
pub(crate) struct QueueingProducer {
    inner: BaseProducer<Fates>,
    bootstrap: Arc<str>,
    /// Records whose fate is not told yet. The client's own count has its complaints in it as well.
    under_way: usize,
    /// Until the next look for acknowledgements.
    pause: Duration,
}

impl QueueingProducer {
    pub(crate) fn create(
        config: &ClientConfig,
        client_id: &str,
        bootstrap: &str,
    ) -> Result<Self, KafkaError> {
        let fates = Fates {
            reporter: Reporter::new(client_id),
            settled: Mutex::default(),
            bootstrap: bootstrap.into(),
        };
        let inner = config.create_with_context(fates)?;
        Ok(Self { inner, bootstrap: bootstrap.into(), under_way: 0, pause: SHORTEST })
    }
}

#[async_trait]
impl SourceProducer for QueueingProducer {
    fn send(&mut self, record: ProducerRecord<'_>, number: usize) -> Result<(), NotSent> {
        let outgoing = BaseRecord {
            topic: record.topic,
            partition: record.partition,
            payload: record.value,
            key: record.key,
            timestamp: record.timestamp,
            headers: None,
            delivery_opaque: number,
        };
        let Err((error, _)) = self.inner.send(outgoing) else {
            self.under_way += 1;
            self.pause = SHORTEST;
            return Ok(());
        };
        match error {
            KafkaError::MessageProduction(Code::QueueFull) if self.under_way > 0 => Err(NotSent::NoRoom),
            error => Err(NotSent::Refused(judge(record.topic, &self.bootstrap, error))),
        }
    }

    async fn settled(&mut self, settled: &mut Settled) {
        loop {
            take(&self.inner);
            let told = self.inner.context().tell(settled);
            if told > 0 {
                self.under_way = self.under_way.saturating_sub(told);
                self.pause = SHORTEST;
                return;
            }
            if self.under_way == 0 {
                sleep(IDLE).await;
            } else {
                let pause = self.pause;
                self.pause = (pause * 2).min(LONGEST);
                sleep(pause).await;
            }
        }
    }
}

/// What has become of records, until the task asks.
struct Fates {
    reporter: Reporter,
    settled: Mutex<Settled>,
    bootstrap: Arc<str>,
}

impl Fates {
    fn lock(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of how many records there was something to tell.
    fn tell(&self, settled: &mut Settled) -> usize {
        let mut known = self.lock();
        let count = known.acknowledged.len() + known.refused.len();
        settled.acknowledged.append(&mut known.acknowledged);
        settled.refused.append(&mut known.refused);
        count
    }
}

impl ClientContext for Fates {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.reporter.log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reporter.trouble(&error, reason);
    }
}

impl ProducerContext for Fates {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        match result {
            Ok(_) => self.lock().acknowledged.push(number),
            Err((error, message)) => {
                let judged = judge(message.topic(), &self.bootstrap, error.clone());
                self.lock().refused.push((number, judged));
            }
        }
    }
}

/// Whose fault it is, and what to do about it. What passes by itself never comes here: the client waits it out.
fn judge(topic: &str, bootstrap: &str, error: KafkaError) -> ProduceError {
    let (own_fault, remedy) = match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge) => (
            true,
            "the record is larger than the producer or the topic allows: raise producer.override.max.request.size and the \
             topic's max.message.bytes",
        ),
        // Of an empty queue.
        Some(Code::QueueFull) => {
            (true, "the record is larger than the producer's memory: raise producer.override.buffer.memory")
        }
        Some(Code::InvalidMessage | Code::InvalidMessageSize | Code::InvalidTimestamp) => {
            (true, "the broker does not accept this record")
        }
        Some(Code::InvalidRecord) => {
            (true, "the topic does not accept this record (a compacted topic wants keys)")
        }
        Some(Code::UnknownPartition) => (true, "the topic has no such partition"),
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition) => (
            false,
            "the topic does not exist and the broker did not make it (auto.create.topics.enable): create it, then start the connector again",
        ),
        Some(Code::InvalidTopic) => (false, "this is no legal name of a topic"),
        Some(Code::TopicAuthorizationFailed) => (false, "the worker may not write to this topic"),
        _ => (false, "the topic did not acknowledge a record"),
    };
    let error = ConnectError::caused(format!("topic {topic} at {bootstrap}: {remedy}"), error);
    if own_fault { ProduceError::Record(error) } else { ProduceError::Fatal(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn producer(pairs: &[(&str, &str)]) -> QueueingProducer {
        let mut config = ClientConfig::new();
        // nobody listens there
        config.set("bootstrap.servers", "127.0.0.1:1");
        for (key, value) in pairs {
            config.set(*key, *value);
        }
        QueueingProducer::create(&config, "test", "127.0.0.1:1").unwrap()
    }

    fn record(value: &[u8]) -> ProducerRecord<'_> {
        ProducerRecord { topic: "t", partition: None, timestamp: None, key: None, value: Some(value) }
    }

    #[tokio::test]
    async fn the_fates_of_records_are_told_by_their_numbers() {
        let mut producer = producer(&[("message.timeout.ms", "100")]);
        for number in [usize::MAX, 0] {
            producer.send(record(b"x"), number).unwrap();
        }
        let mut settled = Settled::default();
        while settled.refused.len() < 2 {
            producer.settled(&mut settled).await;
        }
        let mut numbers: Vec<usize> = settled.refused.iter().map(|(number, _)| *number).collect();
        numbers.sort();
        assert_eq!((numbers, settled.acknowledged), (vec![0, usize::MAX], vec![]));
    }

    #[tokio::test]
    async fn a_full_queue_has_room_again_when_something_is_settled() {
        let settings = [("queue.buffering.max.messages", "1"), ("message.timeout.ms", "100")];
        let mut producer = producer(&settings);
        producer.send(record(b"1"), 1).unwrap();
        assert!(matches!(producer.send(record(b"2"), 2), Err(NotSent::NoRoom)));
        let mut settled = Settled::default();
        let asked_too_early = timeout(Duration::ZERO, producer.settled(&mut settled)).await;
        assert!(asked_too_early.is_err() && settled.refused.is_empty());
        producer.settled(&mut settled).await;
        assert_eq!(settled.refused.len(), 1);
        producer.send(record(b"2"), 2).unwrap();
    }

    #[tokio::test]
    async fn a_record_that_no_queue_has_room_for_is_refused() {
        let mut producer = producer(&[("queue.buffering.max.kbytes", "1")]);
        let refused = producer.send(record(&[0; 2000]), 1);
        assert!(matches!(refused, Err(NotSent::Refused(ProduceError::Record(_)))), "{refused:?}");
    }

    #[test]
    fn only_the_records_own_faults_can_be_tolerated() {
        for (code, own) in [
            (Code::MessageSizeTooLarge, true),
            (Code::InvalidRecord, true),
            (Code::UnknownTopic, false),
            (Code::TopicAuthorizationFailed, false),
            (Code::Fatal, false),
        ] {
            let judged = judge("t", "b:1", KafkaError::MessageProduction(code));
            assert_eq!(matches!(judged, ProduceError::Record(_)), own, "{code:?}");
        }
    }
}
