//! A producer whose acknowledgements are taken by a task of the runtime, one receipt per record: for records that are few.
//!
//! The producers that `rdkafka` offers for this have a thread each, which looks every 100 ms and spins for the last of them: with
//! hundreds of connectors that is a processor for nothing.

use crate::context::Reporter;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

/// Resolves when Kafka has acknowledged the record, or will not. An error of the channel: the producer is gone.
pub(crate) type Receipt = oneshot::Receiver<Result<(), KafkaError>>;

pub(crate) type Outgoing<'a> = BaseRecord<'a, [u8], [u8], Box<oneshot::Sender<Result<(), KafkaError>>>>;

/// How often an idle client is asked whether it has something to tell, such as a broker that is away.
pub(crate) const IDLE: Duration = Duration::from_secs(1);

/// Between two looks while records are under way: the first when something has just come, the last when nothing does.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);
pub(crate) const LONGEST: Duration = Duration::from_millis(16);

pub(crate) struct Sender {
    producer: Arc<BaseProducer<Acks>>,
    /// A record is under way, or there will be none any more.
    news: Arc<Notify>,
}

impl Sender {
    /// To be called on a runtime. When the value is dropped, what is not acknowledged by then is given up.
    pub(crate) fn create(config: &ClientConfig, client_id: &str) -> Result<Self, KafkaError> {
        let producer: BaseProducer<Acks> = config.create_with_context(Acks(Reporter::new(client_id)))?;
        let (producer, news) = (Arc::new(producer), Arc::<Notify>::default());
        tokio::spawn(attend(Arc::downgrade(&producer), news.clone()));
        Ok(Self { producer, news })
    }

    /// A record and what will tell its fate, once [`send`](Self::send) has taken it.
    pub(crate) fn record(topic: &str) -> (Outgoing<'_>, Receipt) {
        let (sender, receipt) = oneshot::channel();
        (BaseRecord::with_opaque_to(topic, Box::new(sender)), receipt)
    }

    /// Puts the record into the queue, or gives it back.
    #[allow(clippy::result_large_err, reason = "whoever waits for room needs the record again")]
    pub(crate) fn send<'a>(&self, record: Outgoing<'a>) -> Result<(), (KafkaError, Outgoing<'a>)> {
        self.producer.send(record)?;
        self.news.notify_one();
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.news.notify_one();
    }
}

/// Takes acknowledgements until the producer is gone.
async fn attend(producer: Weak<BaseProducer<Acks>>, news: Arc<Notify>) {
    loop {
        // Either way there may be something to take.
        let _ = timeout(IDLE, news.notified()).await;
        let mut pause = SHORTEST;
        loop {
            let Some(alive) = producer.upgrade() else { return };
            let some = take(&alive);
            let under_way = alive.in_flight_count() > 0;
            let_go(alive);
            if !under_way {
                break;
            }
            pause = if some { SHORTEST } else { (pause * 2).min(LONGEST) };
            sleep(pause).await;
        }
    }
}

/// Takes what there is, without waiting; whether that was anything.
pub(crate) fn take<C: ProducerContext>(producer: &BaseProducer<C>) -> bool {
    let mut some = false;
    loop {
        // One poll takes one event, and an event may be thousands of acknowledgements.
        let before = producer.in_flight_count();
        producer.poll(Duration::ZERO);
        if producer.in_flight_count() >= before {
            return some;
        }
        some = true;
    }
}

/// Closing a client waits for its threads; not here.
fn let_go(producer: Arc<BaseProducer<Acks>>) {
    if let Some(last) = Arc::into_inner(producer) {
        drop(std::thread::spawn(move || drop(last)));
    }
}

struct Acks(Reporter);

impl ClientContext for Acks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.0.log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.trouble(&error, reason);
    }
}

impl ProducerContext for Acks {
    type DeliveryOpaque = Box<oneshot::Sender<Result<(), KafkaError>>>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Self::DeliveryOpaque) {
        let outcome = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        // Nobody waits when the task has been stopped.
        let _ = waiting.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::RDKafkaErrorCode as Code;

    fn config(pairs: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        // nobody listens there
        config.set("bootstrap.servers", "127.0.0.1:1");
        for (key, value) in pairs {
            config.set(*key, *value);
        }
        config
    }

    #[tokio::test]
    async fn the_fate_of_a_record_is_told() {
        let sender = Sender::create(&config(&[("message.timeout.ms", "100")]), "test").unwrap();
        let (record, receipt) = Sender::record("t");
        assert!(sender.send(record.payload(b"x")).is_ok());
        let fate = receipt.await.unwrap().unwrap_err();
        assert_eq!(fate.rdkafka_error_code(), Some(Code::MessageTimedOut));
    }

    #[tokio::test]
    async fn a_full_queue_gives_the_record_back() {
        let sender = Sender::create(&config(&[("queue.buffering.max.messages", "1")]), "test").unwrap();
        let (first, _receipt) = Sender::record("t");
        assert!(sender.send(first.payload(b"1")).is_ok());
        let (second, mut receipt) = Sender::record("t");
        let (error, back) = sender.send(second.payload(b"2")).err().unwrap();
        assert_eq!(error.rdkafka_error_code(), Some(Code::QueueFull));
        assert_eq!(back.payload, Some(&b"2"[..]));
        assert!(receipt.try_recv().is_err(), "its fate is open");
    }

    #[tokio::test]
    async fn what_waits_is_given_up_with_the_producer() {
        let sender = Sender::create(&config(&[]), "test").unwrap();
        let (record, receipt) = Sender::record("t");
        assert!(sender.send(record.payload(b"x")).is_ok());
        drop(sender);
        let fate = timeout(Duration::from_secs(20), receipt).await.unwrap();
        assert!(!matches!(fate, Ok(Ok(()))), "{fate:?}");
    }
}
