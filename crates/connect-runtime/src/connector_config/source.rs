//! The framework's keys of a source: what of Java's is not there yet is refused, not passed over.

use super::keys::SOURCE_CONFIG;
use connect_api::ConfigMap;
use connect_api::config::ConfigFault;

pub(super) fn faults(config: &ConfigMap) -> Vec<ConfigFault> {
    let parsed = match SOURCE_CONFIG.parse(config) {
        Ok(parsed) => parsed,
        Err(faults) => return faults,
    };
    let mut faults = Vec::new();
    let mut fault = |key: &str, why: &str| {
        faults.push(ConfigFault { key: key.into(), message: format!("{key} is set: {why}") });
    };
    for key in config.keys().filter(|key| key.starts_with("topic.creation.")) {
        if key != "topic.creation.groups" || !parsed.list("topic.creation.groups").is_empty() {
            fault(
                key,
                "topic.creation.* is not supported yet: remove these keys; the broker makes the topic by itself \
                 (auto.create.topics.enable), or create it beforehand",
            );
        }
    }
    let mut told = |key: &str, message: &str| {
        faults.push(ConfigFault { key: key.into(), message: message.into() });
    };
    if parsed.text("exactly.once.support").eq_ignore_ascii_case("required") {
        told("exactly.once.support", "This worker does not have exactly-once source support enabled.");
    }
    // `interval` means nothing without transactions, as in Java.
    if parsed.text("transaction.boundary").eq_ignore_ascii_case("connector") {
        told(
            "transaction.boundary",
            "The connector does not support connector-defined transaction boundaries with the given configuration. \
             Please reconfigure it to use a different transaction boundary definition.",
        );
    }
    if parsed.optional_text("offsets.storage.topic").is_some() {
        told(
            "offsets.storage.topic",
            "offsets.storage.topic is set: an offsets topic of a connector's own is not supported yet: leave the key out",
        );
    }
    faults
}
