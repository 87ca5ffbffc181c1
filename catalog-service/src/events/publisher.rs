//! Records out, with patience: everything is acknowledged by Kafka, or the service stops.

use super::backoff::{Backoff, Stopped};
use contracts::{Decision, encode};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use service_kit::health::Readiness;
use service_kit::kafka;
use service_kit::trace::TraceContext;
use tokio_util::sync::CancellationToken;

/// A record to be written.
#[derive(Clone, Debug)]
pub struct Outbound {
    pub topic: String,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: OwnedHeaders,
    /// What to write (headers alone) if Kafka finds the record too large. Without it such a record is retried, which
    /// only a change of the broker's limit ends.
    pub if_too_large: Option<OwnedHeaders>,
}

/// The record that tells the world about a decision.
pub fn decision_record(topic: &str, decision: &Decision, trace: &TraceContext) -> Outbound {
    Outbound {
        topic: topic.to_owned(),
        key: Some(decision.order_id.to_string().into_bytes()),
        value: Some(encode(decision)),
        headers: kafka::trace_headers(trace),
        if_too_large: None,
    }
}

pub struct Publisher {
    bootstrap: String,
    producer: FutureProducer,
    readiness: Readiness,
}

impl Publisher {
    const CHECK: &'static str = "publisher";

    pub fn new(bootstrap: &str, readiness: Readiness) -> Result<Self, KafkaError> {
        let producer = kafka::producer(bootstrap, "catalog-service")?;
        Ok(Self { bootstrap: bootstrap.to_owned(), producer, readiness })
    }

    /// Returns when each record is acknowledged. What fails is sent again, forever: after a time-out it may then be
    /// there twice, and readers take a repetition for what it is.
    pub async fn publish(
        &mut self,
        mut records: Vec<Outbound>,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let mut backoff = Backoff::new();
        loop {
            let error = match self.attempt(&mut records).await {
                Ok(()) => break,
                Err(error) => error,
            };
            if backoff.attempts() == 1 {
                tracing::warn!(%error, records = records.len(), "kafka does not take records, retrying until it does");
                self.readiness.set(Self::CHECK, Err(format!("kafka does not take records: {error}")));
            }
            self.renew_after_fatal_error();
            backoff.pause(stop).await?;
        }
        if backoff.attempts() > 1 {
            tracing::info!(attempts = backoff.attempts(), "kafka takes records again");
            self.readiness.set(Self::CHECK, Ok(()));
        }
        Ok(())
    }

    /// Sends all and keeps those that were not acknowledged.
    async fn attempt(&self, records: &mut Vec<Outbound>) -> Result<(), KafkaError> {
        let mut sent = Vec::with_capacity(records.len());
        for record in records.iter() {
            let future = FutureRecord {
                topic: &record.topic,
                partition: None,
                payload: record.value.as_ref(),
                key: record.key.as_ref(),
                timestamp: None,
                headers: Some(record.headers.clone()),
            };
            sent.push(self.producer.send_result(future).map_err(|(error, _)| error));
        }
        let mut left = Vec::new();
        let mut first_error = None;
        for (record, sent) in records.drain(..).zip(sent) {
            let result = match sent {
                Ok(delivery) => match delivery.await {
                    Ok(result) => result.map(|_| ()).map_err(|(error, _)| error),
                    Err(_) => Err(KafkaError::MessageProduction(RDKafkaErrorCode::PurgeInflight)),
                },
                Err(error) => Err(error),
            };
            let Err(error) = result else { continue };
            left.push(after(record, &error));
            first_error.get_or_insert(error);
        }
        *records = left;
        first_error.map_or(Ok(()), Err)
    }

    /// An idempotent producer that lost its place refuses everything from then on; a new one starts a new sequence.
    fn renew_after_fatal_error(&mut self) {
        let Some((code, reason)) = self.producer.client().fatal_error() else { return };
        tracing::warn!(%code, reason, "the producer cannot go on, taking a new one");
        match kafka::producer(&self.bootstrap, "catalog-service") {
            Ok(producer) => {
                let old = std::mem::replace(&mut self.producer, producer);
                // closing a producer blocks
                tokio::task::spawn_blocking(move || drop(old));
            }
            Err(error) => tracing::warn!(%error, "no new producer"),
        }
    }
}

/// What to send instead of `record` after `error`.
fn after(record: Outbound, error: &KafkaError) -> Outbound {
    let too_large = matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize)
    );
    match record.if_too_large {
        Some(headers) if too_large => {
            Outbound { topic: record.topic, key: None, value: None, headers, if_too_large: None }
        }
        _ => record,
    }
}
