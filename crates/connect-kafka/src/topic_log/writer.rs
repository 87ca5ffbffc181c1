//! One producer that writes all logs of a worker.

use crate::clients::creation_failed;
use crate::context::Reporter;
use connect_api::ConnectError;
use connect_runtime::ports::LogRecord;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// How soon to look again for room in the queue.
const NO_ROOM: Duration = Duration::from_millis(20);

type Client = FutureProducer<Reporter>;

pub(super) struct Writer {
    config: ClientConfig,
    client_id: String,
    servers: String,
    producer: Mutex<Option<Arc<Client>>>,
}

impl Writer {
    pub(super) fn new(config: ClientConfig, client_id: &str, servers: &str) -> Self {
        Self {
            config,
            client_id: client_id.to_owned(),
            servers: servers.to_owned(),
            producer: Mutex::default(),
        }
    }

    /// Makes the producer, which then fetches its id.
    pub(super) async fn prepare(&self) -> Result<(), ConnectError> {
        self.make(&mut *self.producer.lock().await).map(|_| ())
    }

    fn make(&self, slot: &mut Option<Arc<Client>>) -> Result<Arc<Client>, ConnectError> {
        // An idempotent producer that has lost its place stays useless; a new one begins afresh.
        let fit = |producer: &Arc<Client>| producer.client().fatal_error().is_none();
        if let Some(producer) = slot.as_ref().filter(|producer| fit(producer)) {
            return Ok(producer.clone());
        }
        if let Some((code, reason)) = slot.as_ref().and_then(|producer| producer.client().fatal_error()) {
            tracing::warn!(
                client = self.client_id,
                ?code,
                reason,
                "the producer cannot go on and is replaced"
            );
            discard(slot.take());
        }
        let producer: Client = self
            .config
            .create_with_context(Reporter::new(&self.client_id))
            .map_err(|error| creation_failed(&self.client_id, &error))?;
        Ok(slot.insert(Arc::new(producer)).clone())
    }

    /// Returns when all records are acknowledged.
    pub(super) async fn append(&self, topic: &str, records: Vec<LogRecord>) -> Result<(), ConnectError> {
        let mut deliveries = Vec::with_capacity(records.len());
        {
            // Held so that the records of two callers do not mix, and go in the order of the calls.
            let mut slot = self.producer.lock().await;
            let producer = self.make(&mut slot)?;
            for record in &records {
                let mut outgoing = FutureRecord::<[u8], [u8]>::to(topic).key(&record.key);
                if let Some(value) = &record.value {
                    outgoing = outgoing.payload(value);
                }
                let delivery = loop {
                    match producer.send_result(outgoing) {
                        Ok(delivery) => break delivery,
                        Err((KafkaError::MessageProduction(Code::QueueFull), back)) => outgoing = back,
                        Err((error, _)) => return Err(self.failed(topic, error)),
                    }
                    sleep(NO_ROOM).await;
                };
                deliveries.push(delivery);
            }
        }
        for delivery in deliveries {
            match delivery.await {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(self.failed(topic, error)),
                Err(_) => return Err(self.failed(topic, KafkaError::Canceled)),
            }
        }
        Ok(())
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

/// Closing waits for threads of librdkafka; not here.
fn discard(producer: Option<Arc<Client>>) {
    if let Some(producer) = producer {
        drop(std::thread::spawn(move || drop(producer)));
    }
}
