//! What a worker of a cluster reads beyond the common keys.

use super::keys::DISTRIBUTED_CONFIG;
use crate::group::Protocol;
use crate::plugins::with_prefix;
use crate::signature::ALGORITHMS;
use connect_api::config::ConfigFault;
use connect_api::{ConfigMap, ParsedConfig};
use std::time::Duration;

/// One internal topic: `config.storage.*`, `offset.storage.*`, `status.storage.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageTopic {
    pub name: String,
    /// -1 leaves it to the broker.
    pub partitions: i32,
    /// -1 leaves it to the broker.
    pub replication_factor: i32,
    /// Further settings for its creation, prefix removed; cleanup.policy is always compact.
    pub settings: ConfigMap,
}

/// What a member of a cluster of workers needs beyond the common keys.
#[derive(Clone, Debug)]
pub struct DistributedConfig {
    pub group_id: String,
    /// `connect.protocol`
    pub protocol: Protocol,
    pub config_topic: StorageTopic,
    pub offset_topic: StorageTopic,
    pub status_topic: StorageTopic,
    pub session_timeout: Duration,
    pub heartbeat_interval: Duration,
    pub rebalance_timeout: Duration,
    pub scheduled_rebalance_max_delay: Duration,
    /// How long a worker that is behind on the config topic tries to catch up before it leaves the group ...
    pub worker_sync_timeout: Duration,
    /// ... and how long it then stays away.
    pub worker_unsync_backoff: Duration,
    pub inter_worker_keys: InterWorkerKeys,
}

/// `inter.worker.*` (KIP-507).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterWorkerKeys {
    pub generation_algorithm: String,
    /// In bytes.
    pub size: usize,
    pub ttl: Duration,
    pub signature_algorithm: String,
    pub verification_algorithms: Vec<String>,
}

impl DistributedConfig {
    /// `parsed` has been read with [`DISTRIBUTED_CONFIG`].
    pub(super) fn read(parsed: &ParsedConfig, values: &ConfigMap) -> Result<Self, Vec<ConfigFault>> {
        let faults = contradictions(parsed);
        if !faults.is_empty() {
            return Err(faults);
        }
        let millis = |key: &str| Duration::from_millis(parsed.integer(key).unsigned_abs());
        Ok(Self {
            group_id: parsed.text("group.id").to_owned(),
            protocol: match parsed.text("connect.protocol").to_ascii_lowercase().as_str() {
                "eager" => Protocol::Eager,
                "compatible" => Protocol::Compatible,
                _ => Protocol::Sessioned,
            },
            config_topic: storage_topic("config.storage.", parsed, values),
            offset_topic: storage_topic("offset.storage.", parsed, values),
            status_topic: storage_topic("status.storage.", parsed, values),
            session_timeout: millis("session.timeout.ms"),
            heartbeat_interval: millis("heartbeat.interval.ms"),
            rebalance_timeout: millis("rebalance.timeout.ms"),
            scheduled_rebalance_max_delay: millis("scheduled.rebalance.max.delay.ms"),
            worker_sync_timeout: millis("worker.sync.timeout.ms"),
            worker_unsync_backoff: millis("worker.unsync.backoff.ms"),
            inter_worker_keys: inter_worker_keys(parsed),
        })
    }
}

fn storage_topic(prefix: &str, parsed: &ParsedConfig, values: &ConfigMap) -> StorageTopic {
    let partitions = format!("{prefix}partitions");
    // The order of configurations counts, so theirs is one partition and no key says otherwise.
    let has_partitions = DISTRIBUTED_CONFIG.key(&partitions).is_some();
    let mut settings = with_prefix(values, prefix);
    let own = ["topic", "partitions", "replication.factor", "cleanup.policy", "file.filename"];
    settings.retain(|key, _| !own.contains(&key.as_str()));
    let number = |key: &str| i32::try_from(parsed.integer(key)).unwrap_or(-1);
    StorageTopic {
        name: parsed.text(&format!("{prefix}topic")).to_owned(),
        partitions: if has_partitions { number(&partitions) } else { 1 },
        replication_factor: number(&format!("{prefix}replication.factor")),
        settings,
    }
}

fn inter_worker_keys(parsed: &ParsedConfig) -> InterWorkerKeys {
    let algorithm = parsed.text("inter.worker.key.generation.algorithm");
    let default = ALGORITHMS.iter().find(|(name, _)| *name == algorithm).map_or(32, |(_, size)| *size);
    let bits = parsed.optional_integer("inter.worker.key.size");
    InterWorkerKeys {
        generation_algorithm: algorithm.to_owned(),
        size: bits.map_or(default, |bits| bits.unsigned_abs().div_ceil(8) as usize),
        ttl: Duration::from_millis(parsed.integer("inter.worker.key.ttl.ms").unsigned_abs()),
        signature_algorithm: parsed.text("inter.worker.signature.algorithm").to_owned(),
        verification_algorithms: parsed.list("inter.worker.verification.algorithms").to_vec(),
    }
}

/// Values that are fine by themselves and not together.
fn contradictions(parsed: &ParsedConfig) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut fault = |key: &str, value: &dyn std::fmt::Display, what: String| {
        let message = format!("Invalid value {value} for configuration {key}: {what}");
        faults.push(ConfigFault { key: key.into(), message });
    };
    let (heartbeat, session) =
        (parsed.integer("heartbeat.interval.ms"), parsed.integer("session.timeout.ms"));
    if heartbeat >= session {
        let what = format!("it must be lower than session.timeout.ms, which is {session}");
        fault("heartbeat.interval.ms", &heartbeat, what);
    }
    let signature = parsed.text("inter.worker.signature.algorithm");
    if !parsed.list("inter.worker.verification.algorithms").iter().any(|known| known == signature) {
        let what = "Signature algorithm must be present in inter.worker.verification.algorithms list";
        fault("inter.worker.signature.algorithm", &signature, what.into());
    }
    let topics = ["config.storage.topic", "offset.storage.topic", "status.storage.topic"];
    for (index, key) in topics.iter().enumerate().skip(1) {
        let name = parsed.text(key);
        if let Some(other) = topics[..index].iter().find(|other| parsed.text(other) == name) {
            fault(key, &name, format!("{other} has the same value; each needs a topic of its own"));
        }
    }
    faults
}
