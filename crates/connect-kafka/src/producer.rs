//! The producer of the dead-letter topic.

use crate::context::Reporter;
use async_trait::async_trait;
use connect_api::ConnectError;
use connect_runtime::ports::{OutgoingRecord, RecordProducer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::time::Duration;

/// How long a record may wait for a place in the queue of the client.
const QUEUE_PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Producer {
    pub(crate) inner: FutureProducer<Reporter>,
    pub(crate) bootstrap: String,
}

#[async_trait]
impl RecordProducer for Producer {
    async fn send(&self, topic: &str, record: OutgoingRecord) -> Result<(), ConnectError> {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let mut outgoing = FutureRecord::<[u8], [u8]>::to(topic).headers(headers);
        if let Some(key) = &record.key {
            outgoing = outgoing.key(key);
        }
        if let Some(value) = &record.value {
            outgoing = outgoing.payload(value);
        }
        if let Some(timestamp) = record.timestamp {
            outgoing = outgoing.timestamp(timestamp);
        }
        match self.inner.send(outgoing, QUEUE_PATIENCE).await {
            Ok(_) => Ok(()),
            Err((error, _)) => {
                let message = format!("topic {topic} at {} did not acknowledge a record", self.bootstrap);
                Err(ConnectError::caused(message, error))
            }
        }
    }
}
