//! What becomes of keys that change nothing here, and of keys that promise what is not there.

use super::{DISTRIBUTED_ONLY_CONFIG, is_client_key, of_the_other_mode};
use crate::nearest::nearest;
use crate::worker_config::Note;
use connect_api::config::ConfigFault;
use connect_api::{ConfigDef, ConfigMap};

/// Keys that a worker's file may carry and that change nothing here, each with the reason; noted at the start. The key may end in
/// `*`.
pub const WITHOUT_EFFECT: [(&str, &str); 22] = [
    ("plugin.path", "the plugins of this worker are part of its binary"),
    ("plugin.discovery", "the plugins of this worker are part of its binary"),
    ("key.converter.plugin.version", "this worker has one version of each plugin"),
    ("value.converter.plugin.version", "this worker has one version of each plugin"),
    ("header.converter.plugin.version", "this worker has one version of each plugin"),
    ("offset.flush.timeout.ms", "how long a commit may take is up to the Kafka client"),
    ("socket.connection.setup.timeout.max.ms", "the Kafka client of this worker has no such limit"),
    ("default.api.timeout.ms", "each kind of request has its own limit in this worker"),
    ("metric.reporters", "there is no JMX without a JVM"),
    ("metrics.num.samples", "there is no JMX without a JVM"),
    ("metrics.recording.level", "there is no JMX without a JVM"),
    ("metrics.sample.window.ms", "there is no JMX without a JVM"),
    ("metrics.context.*", "there is no JMX without a JVM"),
    ("auto.include.jmx.reporter", "there is no JMX without a JVM"),
    ("topic.creation.enable", "topic.creation.* of connectors is not supported yet"),
    ("internal.key.converter*", "it is gone from Kafka since 3.0"),
    ("internal.value.converter*", "it is gone from Kafka since 3.0"),
    ("rest.host.name", "it is gone from Kafka since 3.0: use listeners"),
    ("rest.port", "it is gone from Kafka since 3.0: use listeners"),
    ("config.storage.partitions", "the config topic always has one partition"),
    ("listeners.https.*", "TLS on the REST listener is not supported yet"),
    ("admin.listeners.https.*", "TLS on the REST listener is not supported yet"),
];

/// Keys that promise something this worker cannot do yet, each with the remedy; going on without it would surprise, or open a
/// door.
pub const REFUSED: [(&str, &str); 3] = [
    (
        "rest.extension.classes",
        "REST extensions (such as basic authentication) are not supported: remove the key and put a proxy in front",
    ),
    (
        "ssl.client.auth",
        "TLS on the REST listener is not supported yet: remove the key and put a proxy in front",
    ),
    (
        "connector.client.config.override.allowlist",
        "the policy Allowlist is not supported yet: remove the key, and use All or None as the policy",
    ),
];

/// Keys below these are somebody else's: converters', clients', providers'.
const PREFIXES: [&str; 7] = [
    "consumer.",
    "producer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.providers.",
];

/// Settings of the internal topics, for their creation.
const STORAGE_PREFIXES: [&str; 3] = ["config.storage.", "offset.storage.", "status.storage."];

fn matches(pattern: &str, key: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => pattern == key,
    }
}

pub(in crate::worker_config) fn unsupported(values: &ConfigMap) -> Vec<ConfigFault> {
    REFUSED
        .iter()
        .filter(|(key, _)| values.get(*key).is_some_and(|value| !value.trim().is_empty()))
        // Java asks no client for a certificate by default either.
        .filter(|(key, _)| *key != "ssl.client.auth" || !values[*key].trim().eq_ignore_ascii_case("none"))
        .map(|(key, why)| ConfigFault { key: (*key).into(), message: format!("{key} is set: {why}") })
        .collect()
}

/// A remark for each key that does nothing in a worker with that table.
pub(in crate::worker_config) fn notes(table: &ConfigDef, values: &ConfigMap) -> Vec<Note> {
    let known: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
    let distributed = known.contains(&DISTRIBUTED_ONLY_CONFIG.keys[0].name);
    let note = |key: &String| {
        let why = why_without_effect(table, &known, distributed, key)?;
        Some(Note { key: key.clone(), message: format!("{key} {why}") })
    };
    values.keys().filter_map(note).collect()
}

fn why_without_effect(table: &ConfigDef, known: &[&str], distributed: bool, key: &str) -> Option<String> {
    if let Some((_, why)) = WITHOUT_EFFECT.iter().find(|(pattern, _)| matches(pattern, key)) {
        return Some(format!("has no effect: {why}"));
    }
    if let Some(why) = of_the_other_mode(table, key) {
        return Some(format!("has no effect: {why}"));
    }
    if let Some(prefix) = STORAGE_PREFIXES.iter().find(|prefix| key.starts_with(**prefix)) {
        return match key.strip_prefix(prefix) {
            _ if known.contains(&key) => None,
            _ if !distributed => Some("has no effect: only a distributed worker reads it".into()),
            Some("cleanup.policy") => Some("has no effect: the internal topics are always compacted".into()),
            _ => None,
        };
    }
    if key.starts_with("ssl.") || key.starts_with("sasl.") {
        let refused = REFUSED.iter().any(|(refused, _)| *refused == key);
        return (!refused)
            .then(|| "has no effect without TLS or SASL, which this worker cannot do yet".into());
    }
    if known.contains(&key)
        || is_client_key(key)
        || REFUSED.iter().any(|(refused, _)| *refused == key)
        || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
    {
        return None;
    }
    let meant = nearest(key, known).map(|known| format!(": did you mean {known}?")).unwrap_or_default();
    Some(format!("is not a key of the worker and is ignored{meant}"))
}
