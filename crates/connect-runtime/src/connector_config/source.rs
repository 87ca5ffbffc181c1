//! The framework's keys of a source: what of Java's is not there yet is refused, not passed over.

use super::keys::SOURCE_CONFIG;
use connect_api::ConfigMap;
use connect_api::config::ConfigFault;

pub(super) fn faults(config: &ConfigMap) -> Vec<ConfigFault> {
    let mut faults = SOURCE_CONFIG.parse(config).err().unwrap_or_default();
    let given = |key: &str| config.get(key).map(|value| value.trim()).unwrap_or_default();
    let mut fault = |key: &str, message: String| faults.push(ConfigFault { key: key.into(), message });
    for key in config.keys().filter(|key| key.starts_with("topic.creation.")) {
        if key != "topic.creation.groups" || !given(key).is_empty() {
            fault(
                key,
                format!(
                    "{key} is set: topic.creation.* is not supported yet: remove these keys; the broker makes the topic by \
                     itself (auto.create.topics.enable), or create it beforehand"
                ),
            );
        }
    }
    if given("exactly.once.support").eq_ignore_ascii_case("required") {
        let message = "This worker does not have exactly-once source support enabled.";
        fault("exactly.once.support", message.into());
    }
    // `interval` means nothing without transactions, as in Java.
    if given("transaction.boundary").eq_ignore_ascii_case("connector") {
        let message = "The connector does not support connector-defined transaction boundaries with the given \
                       configuration. Please reconfigure it to use a different transaction boundary definition.";
        fault("transaction.boundary", message.into());
    }
    if !given("offsets.storage.topic").is_empty() {
        let message = "offsets.storage.topic is set: an offsets topic of a connector's own is not supported yet: leave \
                       the key out";
        fault("offsets.storage.topic", message.into());
    }
    faults
}
