//! What only a worker of a cluster has.

use super::checks::{any_partitions, any_replication, mac_algorithm, mac_algorithms, not_empty, topic};
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator};

pub(super) const DISTRIBUTED: [ConfigKey; 21] = [
    ConfigKey::new("group.id", Ty::String, "The cluster's name. Workers with one name share connectors; no consumer group may have it.")
        .required()
        .valid(Validator::Check(not_empty))
        .importance(Importance::High),
    ConfigKey::new("config.storage.topic", Ty::String, "The compacted topic that holds connectors; created with one partition when missing.")
        .required()
        .valid(Validator::Check(topic))
        .importance(Importance::High),
    ConfigKey::new("config.storage.replication.factor", Ty::Short, "How many copies it gets when it is created; -1 leaves it to the broker.")
        .default("3")
        .valid(Validator::Check(any_replication)),
    ConfigKey::new("offset.storage.topic", Ty::String, "The compacted topic that holds the offsets of source connectors; created when missing.")
        .required()
        .valid(Validator::Check(topic))
        .importance(Importance::High),
    ConfigKey::new("offset.storage.partitions", Ty::Int, "How many partitions it gets when it is created; -1 leaves it to the broker.")
        .default("25")
        .valid(Validator::Check(any_partitions)),
    ConfigKey::new("offset.storage.replication.factor", Ty::Short, "How many copies it gets when it is created; -1 leaves it to the broker.")
        .default("3")
        .valid(Validator::Check(any_replication)),
    ConfigKey::new("status.storage.topic", Ty::String, "The compacted topic that holds the states of connectors and tasks; created when missing.")
        .required()
        .valid(Validator::Check(topic))
        .importance(Importance::High),
    ConfigKey::new("status.storage.partitions", Ty::Int, "How many partitions it gets when it is created; -1 leaves it to the broker.")
        .default("5")
        .valid(Validator::Check(any_partitions)),
    ConfigKey::new("status.storage.replication.factor", Ty::Short, "How many copies it gets when it is created; -1 leaves it to the broker.")
        .default("3")
        .valid(Validator::Check(any_replication)),
    ConfigKey::new("session.timeout.ms", Ty::Int, "After this long without a heartbeat a worker counts as gone.")
        .default("10000")
        .valid(Validator::AtLeast(1))
        .importance(Importance::High),
    // With each heartbeat a worker also learns that others came or went, so this is how long the work of one that went is at rest.
    ConfigKey::new(
        "heartbeat.interval.ms",
        Ty::Int,
        "How often the worker says that it is there, and learns that others came or went (Java: 3000); lower than session.timeout.ms.",
    )
    .default("1000")
    .valid(Validator::AtLeast(1))
    .importance(Importance::High),
    ConfigKey::new("rebalance.timeout.ms", Ty::Int, "How long a worker may take to stop what it gives away and join again.")
        .default("60000")
        .valid(Validator::AtLeast(1))
        .importance(Importance::High),
    ConfigKey::new(
        "scheduled.rebalance.max.delay.ms",
        Ty::Int,
        "How long the work of a worker that died waits for it to come back before others take it (Java: 300000). A worker \
         that stops properly is not waited for.",
    )
    .default("10000")
    .valid(Validator::AtLeast(0)),
    ConfigKey::new("connect.protocol", Ty::String, "The group's protocol: eager, compatible or sessioned; all workers agree on the best all know.")
        .default("sessioned")
        .valid(Validator::OneOfIgnoreCase(&["eager", "compatible", "sessioned"])),
    ConfigKey::new("worker.sync.timeout.ms", Ty::Int, "How long a worker that is behind on the config topic tries to catch up.")
        .default("3000")
        .valid(Validator::AtLeast(0))
        .importance(Importance::Medium),
    ConfigKey::new("worker.unsync.backoff.ms", Ty::Int, "How long it then stays out of the group.")
        .default("300000")
        .valid(Validator::AtLeast(0))
        .importance(Importance::Medium),
    ConfigKey::new("inter.worker.key.generation.algorithm", Ty::String, "For which algorithm the key of requests between workers is made.")
        .default("HmacSHA256")
        .valid(Validator::Check(mac_algorithm)),
    ConfigKey::new("inter.worker.key.size", Ty::Int, "The key's size in bits; the algorithm's own when not set.")
        .valid(Validator::Between(40, 8192)),
    ConfigKey::new("inter.worker.key.ttl.ms", Ty::Int, "How long a key is used.")
        .default("3600000")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new("inter.worker.signature.algorithm", Ty::String, "How this worker signs its requests to others.")
        .default("HmacSHA256")
        .valid(Validator::Check(mac_algorithm)),
    ConfigKey::new("inter.worker.verification.algorithms", Ty::List, "Which signatures it accepts; its own has to be one.")
        .default("HmacSHA256")
        .valid(Validator::Check(mac_algorithms)),
];
