//! The producer of the dead-letter topic.

use crate::sender::Sender;
use async_trait::async_trait;
use connect_api::ConnectError;
use connect_runtime::ports::{OutgoingRecord, RecordProducer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a record may wait for a place in the queue of the client.
const QUEUE_PATIENCE: Duration = Duration::from_secs(60);

/// How soon to look again for one.
const NO_ROOM: Duration = Duration::from_millis(20);

pub(crate) struct Producer {
    pub(crate) inner: Sender,
    pub(crate) bootstrap: String,
}

#[async_trait]
impl RecordProducer for Producer {
    async fn send(&self, topic: &str, record: OutgoingRecord) -> Result<(), ConnectError> {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let (outgoing, receipt) = Sender::record(topic);
        let mut outgoing = outgoing.headers(headers);
        if let Some(key) = &record.key {
            outgoing = outgoing.key(key);
        }
        if let Some(value) = &record.value {
            outgoing = outgoing.payload(value);
        }
        if let Some(timestamp) = record.timestamp {
            outgoing = outgoing.timestamp(timestamp);
        }
        let failed = |error| {
            let message = format!("topic {topic} at {} did not acknowledge a record", self.bootstrap);
            ConnectError::caused(message, error)
        };
        let deadline = Instant::now() + QUEUE_PATIENCE;
        while let Err((error, back)) = self.inner.send(outgoing) {
            let full = matches!(error, KafkaError::MessageProduction(Code::QueueFull));
            if !full || Instant::now() >= deadline {
                return Err(failed(error));
            }
            outgoing = back;
            sleep(NO_ROOM).await;
        }
        receipt.await.unwrap_or(Err(KafkaError::Canceled)).map_err(failed)
    }
}
