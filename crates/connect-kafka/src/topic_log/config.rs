//! The settings of the clients behind the internal topics.

use crate::clients::{NO_METRICS_PUSH, client_config};
use crate::context::{RateLimit, Reporter};
use crate::properties::{Role, knows, translate};
use connect_api::{ConfigMap, ConnectError};
use rdkafka::ClientConfig;
use std::sync::Arc;

pub(super) struct Clients {
    pub(super) client_id: String,
    pub(super) consumer: ClientConfig,
    pub(super) producer: ClientConfig,
    complaints: Arc<RateLimit>,
}

/// Keys without a prefix that are the worker's own, or that these clients have their own idea of.
const NOT_FOR_CLIENTS: &[&str] = &[
    "client.id",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
    "partition.assignment.strategy",
    "auto.offset.reset",
    "isolation.level",
    "allow.auto.create.topics",
    "acks",
    "enable.idempotence",
    "max.in.flight.requests.per.connection",
    "retries",
    "delivery.timeout.ms",
    "transactional.id",
    "linger.ms",
];

const CONSUMER: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    // read_committed belongs here once sources can write exactly once
    ("isolation.level", "read_uncommitted"),
    ("allow.auto.create.topics", "false"),
    ("check.crcs", "true"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("fetch.max.bytes", "4194304"),
    ("fetch.message.max.bytes", "1048576"),
    ("queued.max.messages.kbytes", "4096"),
    ("queued.min.messages", "1000"),
    ("fetch.queue.backoff.ms", "50"),
    ("fetch.error.backoff.ms", "100"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    NO_METRICS_PUSH,
];

const PRODUCER: &[(&str, &str)] = &[
    // as Java's, since a key must stay in its partition when the one takes over from the other
    ("partitioner", "murmur2_random"),
    ("acks", "all"),
    ("enable.idempotence", "true"),
    // whoever waits for an acknowledgement decides how long
    ("delivery.timeout.ms", "2147483647"),
    ("retries", "2147483647"),
    // Java's max.request.size
    ("message.max.bytes", "1048576"),
    ("queue.buffering.max.kbytes", "8192"),
    ("queue.buffering.max.messages", "10000"),
    ("linger.ms", "0"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    NO_METRICS_PUSH,
];

impl Clients {
    pub(super) fn read(worker: &ConfigMap) -> Result<Self, ConnectError> {
        let set = |key: &str| worker.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        let group = set("group.id").unwrap_or("connect");
        let client_id = format!("{}-storage", set("client.id").unwrap_or(group));
        let settings = |role, defaults: &[(&str, &str)]| {
            let own =
                |(key, _): &(&String, &String)| knows(role, key) && !NOT_FOR_CLIENTS.contains(&key.as_str());
            let java: ConfigMap =
                worker.iter().filter(own).map(|(key, value)| (key.clone(), value.clone())).collect();
            let mut config = client_config(translate(role, &java)?, defaults);
            config.set("client.id", &client_id);
            Ok(config)
        };
        let mut consumer = settings(Role::Consumer, CONSUMER)?;
        // No member of a group, but librdkafka assigns nothing without a name for one.
        consumer.set("group.id", group);
        Ok(Self {
            consumer,
            producer: settings(Role::Producer, PRODUCER)?,
            client_id,
            complaints: Arc::default(),
        })
    }

    pub(super) fn reporter(&self) -> Reporter {
        Reporter::sharing(&self.client_id, self.complaints.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Clients, String> {
        let worker = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Clients::read(&worker).map_err(|error| error.to_string())
    }

    #[test]
    fn the_workers_own_keys_do_not_reach_the_clients() {
        let clients = read(&[
            ("bootstrap.servers", "h:1"),
            ("group.id", "workers"),
            ("session.timeout.ms", "6000"),
            ("rebalance.timeout.ms", "1"),
            ("request.timeout.ms", "7000"),
            ("acks", "0"),
            ("offset.storage.topic", "o"),
        ])
        .unwrap();
        for (config, key, value) in [
            (&clients.consumer, "bootstrap.servers", Some("h:1")),
            (&clients.consumer, "client.id", Some("workers-storage")),
            (&clients.consumer, "group.id", Some("workers")),
            (&clients.consumer, "session.timeout.ms", None),
            (&clients.consumer, "socket.timeout.ms", Some("7000")),
            (&clients.producer, "acks", Some("all")),
            (&clients.producer, "partitioner", Some("murmur2_random")),
            (&clients.producer, "offset.storage.topic", None),
        ] {
            assert_eq!(config.get(key), value, "{key}");
        }
        clients.consumer.create_native_config().unwrap();
        clients.producer.create_native_config().unwrap();
    }

    #[test]
    fn tls_is_refused() {
        let error = read(&[("bootstrap.servers", "h:1"), ("security.protocol", "SASL_SSL")]).err().unwrap();
        assert!(error.contains("cannot do TLS"), "{error}");
    }
}
