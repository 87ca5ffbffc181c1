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
    if parsed.text("exactly.once.support").eq_ignore_ascii_case("required") {
        fault(
            "exactly.once.support",
            "exactly-once sources are not supported yet: leave the key out; delivery is at least once",
        );
    }
    if !parsed.text("transaction.boundary").eq_ignore_ascii_case("poll") {
        fault("transaction.boundary", "transactions are not supported yet: leave the key out");
    }
    if parsed.optional_text("offsets.storage.topic").is_some() {
        fault(
            "offsets.storage.topic",
            "an offsets topic of a connector's own is not supported yet: leave the key out",
        );
    }
    faults
}
