//! The standalone worker's own configuration (`worker.properties`).

mod keys;
mod listener;

pub use keys::STANDALONE_CONFIG;
pub use listener::{Advertised, Listener};

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
    /// `offset.storage.file.filename`
    pub offset_file: PathBuf,
    /// Also the interval at which sinks commit.
    pub offset_flush_interval: Duration,
    /// For all tasks together.
    pub shutdown_timeout: Duration,
    pub override_policy: OverridePolicy,
    pub clients: ClientSettings,
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
            offset_file: parsed.text("offset.storage.file.filename").into(),
            offset_flush_interval: millis("offset.flush.interval.ms"),
            shutdown_timeout: millis("task.shutdown.graceful.timeout.ms"),
            override_policy: match parsed.text("connector.client.config.override.policy") {
                "None" => OverridePolicy::None,
                _ => OverridePolicy::All,
            },
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
