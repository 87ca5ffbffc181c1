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
const CLIENT_ID: &str = "order-service";

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
    /// Behind a lock only because a producer that failed is replaced.
    producer: Mutex<Current>,
}

/// Clones share one client.
#[derive(Clone)]
struct Current {
    producer: FutureProducer,
    /// Tells whether another request has replaced the producer already.
    generation: u64,
}

impl KafkaPublisher {
    /// Needs no broker yet.
    pub fn new(bootstrap: &str, topic: &str) -> Result<Self, KafkaError> {
        let producer = Current { producer: kafka::producer(bootstrap, CLIENT_ID)?, generation: 0 };
        Ok(Self { bootstrap: bootstrap.to_owned(), topic: topic.to_owned(), producer: Mutex::new(producer) })
    }

    /// Waits until nothing is on its way any more, or some seconds.
    pub async fn flush(&self) {
        let producer = self.producer().producer;
        let flushed = tokio::task::spawn_blocking(move || producer.flush(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("some records were not acknowledged before the end");
        }
    }

    fn producer(&self) -> Current {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a new producer in the place of one that failed, unless another request was faster.
    fn replace(&self, failed: Current) {
        let mut current = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if current.generation == failed.generation {
            match kafka::producer(&self.bootstrap, CLIENT_ID) {
                Ok(producer) => *current = Current { producer, generation: failed.generation + 1 },
                Err(error) => tracing::error!(%error, "no new kafka producer could be made"),
            }
        }
        // The last one to drop a producer waits for its thread.
        tokio::task::spawn_blocking(move || drop(failed));
    }

    async fn send(
        &self,
        producer: &FutureProducer,
        order: &Order,
        trace: &TraceContext,
    ) -> Result<(), KafkaError> {
        // The key decides the partition: all that is ever said about an order stays in sequence.
        let key = order.order_id.to_string();
        let value = contracts::encode(order);
        let headers = kafka::trace_headers(trace);
        let record = FutureRecord::to(&self.topic).key(&key).payload(&value).headers(headers);
        let delivery =
            producer.send(record, Timeout::After(QUEUE_TIMEOUT)).await.map_err(|(error, _)| error)?;
        tracing::debug!(
            order_id = key,
            partition = delivery.partition,
            offset = delivery.offset,
            "order published"
        );
        Ok(())
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    async fn publish(&self, order: &Order, trace: &TraceContext) -> Result<(), PublishError> {
        let current = self.producer();
        let mut result = self.send(&current.producer, order, trace).await;
        if let Err(error) = &result {
            // After a mere timeout too: a broker that came back empty is not believed by a client that remembers more.
            let again = kafka::is_spent(&current.producer, error);
            self.replace(current);
            if again {
                // Even if the first record is in the topic: it is the same order.
                result = self.send(&self.producer().producer, order, trace).await;
            }
        }
        result.map_err(|error| PublishError(Box::new(error)))
    }
}
