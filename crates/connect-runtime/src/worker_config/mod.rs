//! The worker's own configuration (`worker.properties`).

mod keys;
mod listener;

pub use keys::STANDALONE_CONFIG;
pub use listener::{Advertised, Listener};

use crate::group::Protocol;
use crate::plugins::{ConverterSpec, Plugins, with_prefix};
use connect_api::ConfigMap;
use connect_api::config::ConfigFault;
use std::path::PathBuf;
use std::time::Duration;

/// `connector.client.config.override.policy`: whether connectors may set `consumer.override.*` and its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    All,
    None,
}

/// Settings for Kafka clients, as users write them for the Java clients; prefixes are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientSettings {
    /// Keys without a prefix that concern every client of the worker (`security.protocol`, `ssl.*`, `sasl.*`, ...).
    pub common: ConfigMap,
    pub consumer: ConfigMap,
    pub producer: ConfigMap,
    pub admin: ConfigMap,
}

#[derive(Clone, Debug)]
pub struct WorkerConfig {
    pub bootstrap_servers: String,
    pub key_converter: ConverterSpec,
    pub value_converter: ConverterSpec,
    pub listeners: Vec<Listener>,
    pub advertised: Advertised,
    pub mode: Mode,
    /// Also the interval at which sinks commit.
    pub offset_flush_interval: Duration,
    /// For all tasks together.
    pub shutdown_timeout: Duration,
    pub override_policy: OverridePolicy,
    pub topic_tracking: TopicTracking,
    /// `None`: off.
    pub auto_restart: Option<AutoRestart>,
    pub clients: ClientSettings,
}

/// How the worker keeps what it knows, and with whom it works.
#[derive(Clone, Debug)]
pub enum Mode {
    Standalone {
        /// `offset.storage.file.filename`
        offset_file: PathBuf,
    },
    Distributed(Box<DistributedConfig>),
}

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

/// `topic.tracking.*` (KIP-558).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicTracking {
    pub enable: bool,
    pub allow_reset: bool,
}

/// `errors.auto.restart.*`: tasks and connectors that have failed are started again, not in the reference (off by default).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoRestart {
    /// Doubles with each attempt ...
    pub first_backoff: Duration,
    /// ... up to this.
    pub max_backoff: Duration,
}

/// A configuration that can be used, and remarks about keys that have no effect. A remark never holds a value.
pub struct Read {
    pub config: WorkerConfig,
    pub notes: Vec<String>,
}

impl WorkerConfig {
    /// Reads the file's keys; all faults at once.
    pub fn read(values: &ConfigMap, plugins: &Plugins) -> Result<Read, Vec<ConfigFault>> {
        let mut faults = keys::unsupported(values);
        let parsed = match STANDALONE_CONFIG.parse(values) {
            Ok(parsed) => parsed,
            Err(more) => {
                faults.extend(more);
                faults.extend(converter_faults(values, plugins));
                return Err(faults);
            }
        };
        faults.extend(converter_faults(values, plugins));
        let listeners = match Listener::list(parsed.list("listeners")) {
            Ok(listeners) => listeners,
            Err(message) => {
                faults.push(ConfigFault { key: "listeners".into(), message });
                Vec::new()
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let millis = |key: &str| Duration::from_millis(parsed.integer(key).unsigned_abs());
        let spec =
            |key: &str| ConverterSpec::read(values, key).unwrap_or_else(|| unreachable!("{key} is required"));
        let config = WorkerConfig {
            bootstrap_servers: parsed.text("bootstrap.servers").to_owned(),
            key_converter: spec("key.converter"),
            value_converter: spec("value.converter"),
            listeners,
            advertised: Advertised {
                host: parsed.optional_text("rest.advertised.host.name").map(str::to_owned),
                port: parsed
                    .optional_integer("rest.advertised.port")
                    .and_then(|port| u16::try_from(port).ok()),
            },
            mode: Mode::Standalone { offset_file: parsed.text("offset.storage.file.filename").into() },
            offset_flush_interval: millis("offset.flush.interval.ms"),
            shutdown_timeout: millis("task.shutdown.graceful.timeout.ms"),
            override_policy: match parsed.text("connector.client.config.override.policy") {
                "None" => OverridePolicy::None,
                _ => OverridePolicy::All,
            },
            topic_tracking: TopicTracking { enable: true, allow_reset: true },
            auto_restart: None,
            clients: ClientSettings {
                common: values
                    .iter()
                    .filter(|(key, _)| keys::is_client_key(key))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
                consumer: with_prefix(values, "consumer."),
                producer: with_prefix(values, "producer."),
                admin: with_prefix(values, "admin."),
            },
        };
        Ok(Read { config, notes: keys::notes(values) })
    }
}

fn converter_faults(values: &ConfigMap, plugins: &Plugins) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    for (key, is_key) in [("key.converter", true), ("value.converter", false)] {
        let fault =
            ConverterSpec::read(values, key).and_then(|spec| plugins.converter_fault(key, &spec, is_key));
        faults.extend(fault.map(|message| ConfigFault { key: key.into(), message }));
    }
    let header = values.get("header.converter").and_then(|class| plugins.header_converter_fault(class));
    faults.extend(header.map(|message| ConfigFault { key: "header.converter".into(), message }));
    faults
}

#[cfg(test)]
mod tests;
