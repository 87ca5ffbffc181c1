//! The producer of a source task: waits for Kafka as long as it takes, and for room in its queue.

use crate::sender::Sender;
use async_trait::async_trait;
use connect_api::ConnectError;
use connect_runtime::ports::{Delivery, ProduceError, ProducerRecord, SourceProducer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::sync::Arc;
use std::time::Duration;

/// How soon to look again for room in the queue.
const NO_ROOM: Duration = Duration::from_millis(20);

pub(crate) struct QueueingProducer {
    pub(crate) inner: Sender,
    pub(crate) bootstrap: Arc<str>,
}

#[async_trait]
impl SourceProducer for QueueingProducer {
    async fn send(&self, record: ProducerRecord) -> Result<Delivery, ProduceError> {
        let topic = record.topic.clone();
        let (mut outgoing, receipt) = Sender::record(&record.topic);
        if let Some(key) = &record.key {
            outgoing = outgoing.key(key);
        }
        if let Some(value) = &record.value {
            outgoing = outgoing.payload(value);
        }
        if let Some(partition) = record.partition {
            outgoing = outgoing.partition(partition);
        }
        if let Some(timestamp) = record.timestamp {
            outgoing = outgoing.timestamp(timestamp);
        }
        while let Err((error, back)) = self.inner.send(outgoing) {
            let KafkaError::MessageProduction(Code::QueueFull) = error else {
                return Err(judge(&topic, &self.bootstrap, error));
            };
            outgoing = back;
            tokio::time::sleep(NO_ROOM).await;
        }
        let bootstrap = self.bootstrap.clone();
        Ok(Box::pin(async move {
            match receipt.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(judge(&topic, &bootstrap, error)),
                // The client is gone before it knew.
                Err(_) => Err(judge(&topic, &bootstrap, KafkaError::Canceled)),
            }
        }))
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
