//! Publishing an order and knowing that Kafka has it.

use async_trait::async_trait;
use contracts::Order;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;
use service_kit::kafka;
use service_kit::trace::TraceContext;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a full queue may hold an order up before it is refused.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(1);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The record was not acknowledged. It may be in the topic all the same.
#[derive(Debug, thiserror::Error)]
#[error("the order was not acknowledged")]
pub struct PublishError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where orders go. `Ok` means that they are there for good.
#[async_trait]
pub trait Publisher: Send + Sync {
    async fn publish(&self, order: &Order, trace: &TraceContext) -> Result<(), PublishError>;
}

pub struct KafkaPublisher {
    bootstrap: String,
    topic: String,
    /// Behind a lock only because a producer that met a fatal error has to be replaced; clones share one client.
    producer: Mutex<FutureProducer>,
}

impl KafkaPublisher {
    /// Needs no broker yet.
    pub fn new(bootstrap: &str, topic: &str) -> Result<Self, KafkaError> {
        let producer = Mutex::new(kafka::producer(bootstrap, "order-service")?);
        Ok(Self { bootstrap: bootstrap.to_owned(), topic: topic.to_owned(), producer })
    }

    /// Waits until nothing is on its way any more, or some seconds.
    pub async fn flush(&self) {
        let producer = self.producer();
        let flushed = tokio::task::spawn_blocking(move || producer.flush(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("some records were not acknowledged before the end");
        }
    }

    fn producer(&self) -> FutureProducer {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An idempotent producer gives up for good when the broker has forgotten it (a broker that came back empty, for
    /// one). What it had sent was answered with an error; the next order gets a new producer.
    fn replace_if_dead(&self, used: &FutureProducer) {
        let Some((code, reason)) = used.client().fatal_error() else { return };
        let mut current = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        // Another request may have been faster.
        if current.client().fatal_error().is_none() {
            return;
        }
        tracing::warn!(%code, reason, "the kafka producer met a fatal error and is replaced");
        match kafka::producer(&self.bootstrap, "order-service") {
            Ok(fresh) => *current = fresh,
            Err(error) => tracing::error!(%error, "no new kafka producer could be made"),
        }
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    async fn publish(&self, order: &Order, trace: &TraceContext) -> Result<(), PublishError> {
        let producer = self.producer();
        // The key decides the partition: all that is ever said about an order stays in sequence.
        let key = order.order_id.to_string();
        let value = contracts::encode(order);
        let record =
            FutureRecord::to(&self.topic).key(&key).payload(&value).headers(kafka::trace_headers(trace));
        match producer.send(record, Timeout::After(QUEUE_TIMEOUT)).await {
            Ok(delivery) => {
                tracing::debug!(
                    order_id = key,
                    partition = delivery.partition,
                    offset = delivery.offset,
                    "order published"
                );
                Ok(())
            }
            Err((error, _)) => {
                self.replace_if_dead(&producer);
                Err(PublishError(Box::new(error)))
            }
        }
    }
}
