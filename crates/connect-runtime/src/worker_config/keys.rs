//! The table of the worker's keys, and what becomes of the keys that are not in it.

use crate::nearest::nearest;
use connect_api::config::{ConfigFault, ConfigKey, ConfigValueType as Ty, Importance, Validator};
use connect_api::{ConfigDef, ConfigMap};

pub static STANDALONE_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("bootstrap.servers", Ty::String, "Brokers to begin with: host:port, several separated by commas.")
        .required()
        .valid(Validator::Check(bootstrap_servers))
        .importance(Importance::High),
    ConfigKey::new("key.converter", Ty::Class, "The converter of record keys, unless a connector names its own.")
        .required()
        .importance(Importance::High),
    ConfigKey::new("value.converter", Ty::Class, "The converter of record values, unless a connector names its own.")
        .required()
        .importance(Importance::High),
    ConfigKey::new("header.converter", Ty::Class, "The converter of record headers; only SimpleHeaderConverter yet.")
        .default("org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    ConfigKey::new(
        "listeners",
        Ty::List,
        "Where the REST API listens. The default is this machine only, unlike Java's: name http://0.0.0.0:8083 to open it.",
    )
    .default("http://127.0.0.1:8083"),
    ConfigKey::new("rest.advertised.host.name", Ty::String, "The host others reach this worker at; part of worker_id.")
        .valid(Validator::NonEmpty),
    ConfigKey::new("rest.advertised.port", Ty::Int, "The port others reach this worker at; part of worker_id.")
        .valid(Validator::Check(optional_port)),
    ConfigKey::new(
        "offset.storage.file.filename",
        Ty::String,
        "The file with the offsets of source connectors, in the form of Java's worker. Sinks keep theirs in Kafka.",
    )
    .required()
    .valid(Validator::Check(no_trailing_comment))
    .importance(Importance::High),
    ConfigKey::new("offset.flush.interval.ms", Ty::Long, "How often offsets are committed, those of sources and of sinks.")
        .default("60000")
        .valid(Validator::AtLeast(1)),
    ConfigKey::new("offset.flush.timeout.ms", Ty::Long, "Accepted; how long a sink's commit may take is up to the Kafka client.")
        .default("5000")
        .valid(Validator::AtLeast(1)),
    ConfigKey::new(
        "task.shutdown.graceful.timeout.ms",
        Ty::Long,
        "How long tasks may take to finish when they are stopped, all of them together.",
    )
    .default("5000")
    .valid(Validator::AtLeast(0)),
    ConfigKey::new("plugin.path", Ty::String, "Accepted so that copied files work; plugins are linked in."),
    ConfigKey::new(
        "connector.client.config.override.policy",
        Ty::String,
        "Whether connectors may set consumer.override.*, producer.override.* and admin.override.*.",
    )
    .default("All")
    .valid(Validator::Check(override_policy)),
]);

/// Java's keys that a standalone worker may carry and that change nothing here; each is noted at the start.
const WITHOUT_EFFECT: [&str; 28] = [
    "offset.flush.timeout.ms",
    "plugin.path",
    "plugin.discovery",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "topic.creation.enable",
    "topic.tracking.enable",
    "topic.tracking.allow.reset",
    "rest.advertised.listener",
    "admin.listeners",
    "internal.key.converter",
    "internal.value.converter",
    "internal.key.converter.schemas.enable",
    "internal.value.converter.schemas.enable",
    "rest.host.name",
    "rest.port",
    "group.id",
    "config.storage.topic",
    "offset.storage.topic",
    "status.storage.topic",
    "config.storage.replication.factor",
    "offset.storage.replication.factor",
    "offset.storage.partitions",
    "status.storage.replication.factor",
    "status.storage.partitions",
    "client.id",
];

/// Keys that promise something this worker cannot do yet; going on without it would surprise, or open a door.
const REFUSED: [(&str, &str); 6] = [
    (
        "config.providers",
        "config providers are not supported yet: write the values themselves or remove the key",
    ),
    (
        "rest.extension.classes",
        "REST extensions (such as basic authentication) are not supported: remove the key and put a proxy in front",
    ),
    ("access.control.allow.origin", "cross-origin requests are not supported yet: remove the key"),
    ("access.control.allow.methods", "cross-origin requests are not supported yet: remove the key"),
    ("response.http.headers.config", "extra response headers are not supported yet: remove the key"),
    (
        "ssl.client.auth",
        "TLS on the REST listener is not supported yet: remove the key and put a proxy in front",
    ),
];

/// Client settings that Kafka users put into a worker file without a prefix.
const CLIENT_KEYS: [&str; 16] = [
    "security.protocol",
    "client.dns.lookup",
    "request.timeout.ms",
    "connections.max.idle.ms",
    "send.buffer.bytes",
    "receive.buffer.bytes",
    "reconnect.backoff.ms",
    "reconnect.backoff.max.ms",
    "retry.backoff.ms",
    "retry.backoff.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
    "metadata.max.age.ms",
    "metadata.recovery.strategy",
    "metadata.recovery.rebootstrap.trigger.ms",
    "default.api.timeout.ms",
];

pub(super) fn is_client_key(key: &str) -> bool {
    CLIENT_KEYS.contains(&key) || key.starts_with("ssl.") || key.starts_with("sasl.")
}

const PREFIXES: [&str; 7] = [
    "consumer.",
    "producer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "metrics.context.",
];

pub(super) fn unsupported(values: &ConfigMap) -> Vec<ConfigFault> {
    REFUSED
        .iter()
        .filter(|(key, _)| values.get(*key).is_some_and(|value| !value.trim().is_empty()))
        .map(|(key, why)| ConfigFault { key: (*key).into(), message: format!("{key} is set: {why}") })
        .collect()
}

/// A remark for each key that does nothing.
pub(super) fn notes(values: &ConfigMap) -> Vec<String> {
    let known: Vec<&str> = STANDALONE_CONFIG.keys.iter().map(|key| key.name).collect();
    let mut notes = Vec::new();
    for key in values.keys() {
        if WITHOUT_EFFECT.contains(&key.as_str()) {
            notes.push(match key.as_str() {
                "plugin.path" => {
                    "plugin.path is ignored: the plugins of this worker are part of its binary".to_owned()
                }
                "rest.host.name" | "rest.port" => {
                    format!("{key} is ignored, as in Kafka since 3.0: use listeners")
                }
                _ => format!("{key} has no effect in this worker"),
            });
        } else if !known.contains(&key.as_str())
            && !is_client_key(key)
            && !REFUSED.iter().any(|(refused, _)| refused == key)
            && !PREFIXES.iter().any(|prefix| key.starts_with(prefix))
        {
            let meant =
                nearest(key, &known).map(|known| format!(": did you mean {known}?")).unwrap_or_default();
            notes.push(format!("{key} is not a key of the worker and is ignored{meant}"));
        }
    }
    notes
}

fn bootstrap_servers(text: &str) -> Result<(), String> {
    for server in text.split(',').map(str::trim) {
        let port = server.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            return Err(format!("'{server}' is not host:port"));
        }
    }
    Ok(())
}

fn optional_port(text: &str) -> Result<(), String> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(()),
        _ => Err("a port is a number from 1 to 65535".into()),
    }
}

fn no_trailing_comment(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("String must be non-empty".into());
    }
    if text.contains(" #") { Err("it holds ' #'".into()) } else { Ok(()) }
}

fn override_policy(text: &str) -> Result<(), String> {
    match text {
        "All" | "None" => Ok(()),
        "Principal" | "Allowlist" => Err("this policy is not supported yet: use All or None".into()),
        _ => Err("it must be All or None".into()),
    }
}
