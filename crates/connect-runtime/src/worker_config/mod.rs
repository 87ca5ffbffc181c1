//! The worker's own configuration (`worker.properties`).

mod cluster;
mod keys;
mod listener;

pub use cluster::{DistributedConfig, InterWorkerKeys, StorageTopic};
pub use keys::{
    CLIENT_CONFIG, COMMON_CONFIG, DISTRIBUTED_CONFIG, DISTRIBUTED_ONLY_CONFIG, REFUSED, STANDALONE_CONFIG,
    STANDALONE_ONLY_CONFIG, WITHOUT_EFFECT,
};
pub use listener::{AdminListeners, Advertised, Listener};

use crate::config_providers::{ConfigProviders, Resolved};
use crate::plugins::{ConverterSpec, Plugins, with_prefix};
use connect_api::config::{ConfigFault, HIDDEN};
use connect_api::{ConfigDef, ConfigMap, ConnectError, ParsedConfig};
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
    pub admin_listeners: AdminListeners,
    pub advertised: Advertised,
    pub access_control: AccessControl,
    /// `response.http.headers.config`, which the REST server reads.
    pub response_headers: String,
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
    /// `config.providers`: what placeholders in the configurations of connectors stand for.
    pub providers: ConfigProviders,
}

/// `access.control.*`: which web pages may use the REST API from a browser. The REST server reads these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessControl {
    pub allow_origin: String,
    pub allow_methods: String,
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

/// A remark about a key; never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub key: String,
    pub message: String,
}

/// A configuration that can be used, and remarks about keys that have no effect.
#[derive(Debug)]
pub struct Read {
    pub config: WorkerConfig,
    /// What it was read from, with the placeholders of config providers replaced.
    pub values: ConfigMap,
    pub notes: Vec<Note>,
}

impl WorkerConfig {
    /// Reads the keys of a worker by itself; all faults at once.
    pub fn standalone(values: &ConfigMap, plugins: &Plugins) -> Result<Read, Vec<ConfigFault>> {
        Self::read_as(&STANDALONE_CONFIG, values, plugins, |parsed, _| {
            Ok(Mode::Standalone { offset_file: parsed.text("offset.storage.file.filename").into() })
        })
    }

    /// Reads the keys of a worker of a cluster; all faults at once.
    pub fn distributed(values: &ConfigMap, plugins: &Plugins) -> Result<Read, Vec<ConfigFault>> {
        Self::read_as(&DISTRIBUTED_CONFIG, values, plugins, |parsed, values| {
            DistributedConfig::read(parsed, values).map(|config| Mode::Distributed(Box::new(config)))
        })
    }

    fn read_as(
        table: &ConfigDef,
        values: &ConfigMap,
        plugins: &Plugins,
        mode: impl FnOnce(&ParsedConfig, &ConfigMap) -> Result<Mode, Vec<ConfigFault>>,
    ) -> Result<Read, Vec<ConfigFault>> {
        let providers = ConfigProviders::read(values)?;
        // A placeholder without a value would make faults of its own everywhere else.
        let Resolved { config: values, secrets } =
            providers.resolve(values).map_err(|error| vec![fault_of_providers(&error)])?;
        let mut faults = keys::unsupported(&values);
        let parsed = table.parse(&values).map_err(|more| faults.extend(more)).ok();
        faults.extend(converter_faults(&values, plugins));
        let mode =
            parsed.as_ref().and_then(|parsed| mode(parsed, &values).map_err(|more| faults.extend(more)).ok());
        let (Some(parsed), Some(mode), true) = (parsed, mode, faults.is_empty()) else {
            return Err(without_secrets(faults, &secrets));
        };
        let config = Self::assemble(&parsed, &values, mode, providers);
        let notes = keys::notes(table, &values);
        Ok(Read { config, values, notes })
    }

    fn assemble(parsed: &ParsedConfig, values: &ConfigMap, mode: Mode, providers: ConfigProviders) -> Self {
        let millis = |key: &str| Duration::from_millis(parsed.integer(key).unsigned_abs());
        let spec =
            |key: &str| ConverterSpec::read(values, key).unwrap_or_else(|| unreachable!("{key} is required"));
        let checked = "checked by the table";
        Self {
            bootstrap_servers: parsed.text("bootstrap.servers").to_owned(),
            key_converter: spec("key.converter"),
            value_converter: spec("value.converter"),
            listeners: Listener::list(&parsed.list("listeners").join(",")).expect(checked),
            admin_listeners: admin_listeners(values),
            advertised: Advertised {
                host: parsed
                    .optional_text("rest.advertised.host.name")
                    .filter(|host| !host.is_empty())
                    .map(str::to_owned),
                port: parsed
                    .optional_integer("rest.advertised.port")
                    .and_then(|port| u16::try_from(port).ok()),
            },
            access_control: AccessControl {
                allow_origin: parsed.text("access.control.allow.origin").to_owned(),
                allow_methods: parsed.text("access.control.allow.methods").to_owned(),
            },
            response_headers: parsed.text("response.http.headers.config").to_owned(),
            mode,
            offset_flush_interval: millis("offset.flush.interval.ms"),
            shutdown_timeout: millis("task.shutdown.graceful.timeout.ms"),
            override_policy: match parsed.text("connector.client.config.override.policy") {
                "None" => OverridePolicy::None,
                _ => OverridePolicy::All,
            },
            topic_tracking: TopicTracking {
                enable: parsed.boolean("topic.tracking.enable"),
                allow_reset: parsed.boolean("topic.tracking.allow.reset"),
            },
            auto_restart: parsed.boolean("errors.auto.restart.enable").then(|| AutoRestart {
                first_backoff: millis("errors.auto.restart.backoff.initial.ms"),
                max_backoff: millis("errors.auto.restart.backoff.max.ms"),
            }),
            clients: ClientSettings {
                common: values
                    .iter()
                    .filter(|(key, _)| keys::is_client_key(key))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
                consumer: with_prefix(values, "consumer."),
                producer: with_prefix(values, "producer."),
                admin: client_settings_of_admin(values),
            },
            providers,
        }
    }
}

fn fault_of_providers(error: &ConnectError) -> ConfigFault {
    ConfigFault { key: "config.providers".into(), message: error.chain() }
}

/// A fault quotes the value it is about, and that may have come from a provider.
fn without_secrets(mut faults: Vec<ConfigFault>, secrets: &[String]) -> Vec<ConfigFault> {
    for fault in &mut faults {
        for secret in secrets {
            fault.message = fault.message.replace(secret, HIDDEN);
        }
    }
    faults
}

/// `admin.listeners` is about the REST API, everything else below `admin.` about clients.
fn client_settings_of_admin(values: &ConfigMap) -> ConfigMap {
    let mut settings = with_prefix(values, "admin.");
    settings.retain(|key, _| key != "listeners" && !key.starts_with("listeners."));
    settings
}

fn admin_listeners(values: &ConfigMap) -> AdminListeners {
    match values.get("admin.listeners").map(|text| text.trim()) {
        None => AdminListeners::Same,
        Some("") => AdminListeners::Off,
        Some(uris) => AdminListeners::Own(Listener::list(uris).expect("checked by the table")),
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
