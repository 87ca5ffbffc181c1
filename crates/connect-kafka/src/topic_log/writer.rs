//! One producer that writes all logs of a worker.

use super::config::Clients;
use crate::clients::creation_failed;
use crate::context::Reporter;
use connect_api::ConnectError;
use connect_runtime::ports::LogRecord;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::future_producer::Delivery;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// How soon to look again for room in the queue.
const NO_ROOM: Duration = Duration::from_millis(20);

/// Partition, and the offset after the last record.
pub(super) type Ends = BTreeMap<i32, i64>;

type Client = FutureProducer<Reporter>;

pub(super) struct Writer {
    clients: Arc<Clients>,
    servers: String,
    producer: Mutex<Option<Arc<Client>>>,
}

impl Writer {
    pub(super) fn new(clients: Arc<Clients>, servers: &str) -> Self {
        Self { clients, servers: servers.to_owned(), producer: Mutex::default() }
    }

    /// Makes the producer, which then fetches its id.
    pub(super) async fn prepare(&self) -> Result<(), ConnectError> {
        let made = self.make(&mut *self.producer.lock().await);
        made.map(drop).map_err(|error| creation_failed(&self.clients.client_id, &error))
    }

    fn make(&self, slot: &mut Option<Arc<Client>>) -> Result<Arc<Client>, KafkaError> {
        // An idempotent producer that has lost its place stays useless; a new one begins afresh.
        let fit = |producer: &Arc<Client>| producer.client().fatal_error().is_none();
        if let Some(producer) = slot.as_ref().filter(|producer| fit(producer)) {
            return Ok(producer.clone());
        }
        if let Some((code, reason)) = slot.as_ref().and_then(|producer| producer.client().fatal_error()) {
            tracing::warn!(
                client = self.clients.client_id,
                ?code,
                reason,
                "the producer cannot go on and is replaced"
            );
            discard(slot.take());
        }
        let producer: Client = self.clients.producer.create_with_context(self.clients.reporter())?;
        Ok(slot.insert(Arc::new(producer)).clone())
    }

    /// Returns when all records are acknowledged, with the ends that their partitions have had since then; `None` if the broker did
    /// not say where a record is, as for one that it had already.
    pub(super) async fn append(
        &self,
        topic: &str,
        records: Vec<LogRecord>,
    ) -> Result<Option<Ends>, ConnectError> {
        loop {
            let error = match self.send(topic, &records).await {
                Ok(deliveries) => match acknowledged(deliveries).await {
                    Ok(ends) => return Ok(ends),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            // A compacted topic takes no harm from what is written twice.
            if self.is_lost().await {
                tracing::debug!(topic, error = error.to_string(), "writing again with another producer");
                continue;
            }
            return Err(self.failed(topic, error));
        }
    }

    async fn is_lost(&self) -> bool {
        self.producer.lock().await.as_ref().is_some_and(|producer| producer.client().fatal_error().is_some())
    }

    async fn send(&self, topic: &str, records: &[LogRecord]) -> Result<Vec<DeliveryFuture>, KafkaError> {
        // Held so that the records of two callers do not mix, and go in the order of the calls.
        let mut slot = self.producer.lock().await;
        let producer = self.make(&mut slot)?;
        let mut deliveries = Vec::with_capacity(records.len());
        for record in records {
            let mut outgoing = FutureRecord::<[u8], [u8]>::to(topic).key(&record.key);
            if let Some(value) = &record.value {
                outgoing = outgoing.payload(value);
            }
            let delivery = loop {
                match producer.send_result(outgoing) {
                    Ok(delivery) => break delivery,
                    Err((KafkaError::MessageProduction(Code::QueueFull), back)) => outgoing = back,
                    Err((error, _)) => return Err(error),
                }
                sleep(NO_ROOM).await;
            };
            deliveries.push(delivery);
        }
        Ok(deliveries)
    }

    fn failed(&self, topic: &str, error: KafkaError) -> ConnectError {
        let what = match error.rdkafka_error_code() {
            Some(Code::MessageSizeTooLarge) => {
                "the record is too large: raise max.request.size of the worker and max.message.bytes of the topic"
            }
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition) => "the topic is gone",
            Some(Code::TopicAuthorizationFailed) => "the worker may not write to it",
            _ => "it did not acknowledge a record",
        };
        ConnectError::caused(format!("internal topic {topic} at {}: {what}", self.servers), error)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        discard(self.producer.get_mut().take());
    }
}

async fn acknowledged(deliveries: Vec<DeliveryFuture>) -> Result<Option<Ends>, KafkaError> {
    let mut ends = Some(Ends::new());
    for delivery in deliveries {
        match delivery.await {
            Ok(Ok(Delivery { partition, offset, .. })) if offset >= 0 => {
                if let Some(end) = ends.as_mut().map(|ends| ends.entry(partition).or_default()) {
                    *end = (offset + 1).max(*end);
                }
            }
            Ok(Ok(_)) => ends = None,
            Ok(Err((error, _))) => return Err(error),
            Err(_) => return Err(KafkaError::Canceled),
        }
    }
    Ok(ends)
}

/// Closing waits for threads of librdkafka; not here.
fn discard(producer: Option<Arc<Client>>) {
    if let Some(producer) = producer {
        drop(std::thread::spawn(move || drop(producer)));
    }
}
