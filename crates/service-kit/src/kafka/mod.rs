//! How this platform talks to Kafka: one set of client settings, topics made from their specs, trace context in headers.

mod bootstrap;
mod headers;
mod topics;
mod watch;

pub use bootstrap::{BootstrapError, bootstrap};
pub use headers::{trace_headers, trace_of};
pub use topics::{KafkaSetupError, ensure_topic};
pub use watch::watch;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, Producer};
use std::time::Duration;

/// How long a producer tries to get a record acknowledged: about as long as a client waits for an answer.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// What every client shares. A broker that comes late is found within a second.
fn client_config(bootstrap: &str, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", client_id)
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "1000")
        // Topics are made by their writers from a spec, never by accident with one partition.
        .set("allow.auto.create.topics", "false");
    config
}

/// A producer whose acknowledgement means "written on all replicas in sync, once". Records of one key go to the
/// partition that Java's producers would choose.
pub fn producer(bootstrap: &str, client_id: &str) -> Result<FutureProducer, KafkaError> {
    client_config(bootstrap, client_id)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("message.timeout.ms", MESSAGE_TIMEOUT.as_millis().to_string())
        .set("linger.ms", "1")
        .create()
}

/// Whether this producer will never get a record through again and has to be replaced: it met a fatal error, or the
/// broker does not know it any more (one that came back empty, as the embedded broker does, has forgotten everybody).
pub fn is_spent(producer: &FutureProducer, error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        Fatal, Fenced, InvalidProducerEpoch, InvalidProducerIdMapping, OutOfOrderSequenceNumber,
        ProducerFenced, UnknownProducerId,
    };
    let forgotten = matches!(
        error.rdkafka_error_code(),
        Some(
            Fatal
                | Fenced
                | InvalidProducerEpoch
                | InvalidProducerIdMapping
                | OutOfOrderSequenceNumber
                | ProducerFenced
                | UnknownProducerId
        )
    );
    forgotten || producer.client().fatal_error().is_some()
}

/// Settings of a group member: offsets are committed by hand, a dead member is missed after 6 s, and however long the
/// backlog, only a few megabytes of it wait in memory.
pub fn consumer_config(bootstrap: &str, group: &str) -> ClientConfig {
    let mut config = client_config(bootstrap, group);
    config
        .set("group.id", group)
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "2000")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("queued.min.messages", "1000")
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.message.max.bytes", "1048576")
        // A topic made after the subscription is seen soon, not after the default of five minutes.
        .set("topic.metadata.refresh.interval.ms", "5000");
    config
}
