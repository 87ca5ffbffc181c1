//! What happens to a record that cannot be converted: the `errors.*` keys of a connector.

use connect_api::config::{ConfigFault, Validator};
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Width};
use connect_api::{ConfigDef, ConfigMap};

/// The error-handling keys that every connector has. They stand beside the connector's own table.
///
/// `errors.retry.*` are checked and kept, and change nothing here: Connect retries only failures of converters and transforms that
/// these call retriable (`RetriableException`), which no converter of this worker does; a sink's `put` that fails so is repeated as
/// long as its task asks for it, whatever these keys say, in Java as here.
pub static ERRORS_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new(
        "errors.retry.timeout",
        Ty::Long,
        "How long, in milliseconds, a failed operation is tried again; 0 is never, -1 is without end.",
    )
    .default("0")
    .valid(Validator::AtLeast(-1))
    .importance(Importance::Medium)
    .group("Error Handling", "Retry Timeout for Errors", Width::Medium),
    ConfigKey::new(
        "errors.retry.delay.max.ms",
        Ty::Long,
        "The longest pause, in milliseconds, between two tries of a failed operation.",
    )
    .default("60000")
    .valid(Validator::AtLeast(1))
    .importance(Importance::Medium)
    .group("Error Handling", "Maximum Delay Between Retries for Errors", Width::Medium),
    ConfigKey::new(
        "errors.tolerance",
        Ty::String,
        "What a record that cannot be read or written does to its task: 'none' fails the task, 'all' passes the record over.",
    )
    .default("none")
    .valid(Validator::OneOf(&["none", "all"]))
    .importance(Importance::Medium)
    .group("Error Handling", "Error Tolerance", Width::Short),
    ConfigKey::new("errors.log.enable", Ty::Boolean, "Whether each failed record is logged, also when it is tolerated.")
        .default("false")
        .importance(Importance::Medium)
        .group("Error Handling", "Log Errors", Width::Short),
    ConfigKey::new(
        "errors.log.include.messages",
        Ty::Boolean,
        "Whether the log of a failed record names its topic, partition, offset and timestamp.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group("Error Handling", "Log Error Details", Width::Short),
]);

/// The keys that only sinks have: a source's bad record has no bytes that could be kept.
pub static DEAD_LETTER_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new(
        "errors.deadletterqueue.topic.name",
        Ty::String,
        "The topic that takes the records which cannot be read or written; empty for none.",
    )
    .default("")
    .importance(Importance::Medium)
    .group("Error Handling", "Dead Letter Queue Topic Name", Width::Medium)
    .order(6),
    ConfigKey::new(
        "errors.deadletterqueue.topic.replication.factor",
        Ty::Short,
        "The replication factor of the dead-letter topic when the worker has to create it; -1 for the broker's default.",
    )
    .default("3")
    .importance(Importance::Medium)
    .group("Error Handling", "Dead Letter Queue Topic Replication Factor", Width::Medium)
    .order(7),
    ConfigKey::new(
        "errors.deadletterqueue.context.headers.enable",
        Ty::Boolean,
        "Whether a record in the dead-letter topic carries headers that say where it comes from and what failed.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group("Error Handling", "Enable Error Context Headers", Width::Medium)
    .order(8),
]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    None,
    All,
}

/// The dead-letter topic of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterTopic {
    pub name: String,
    pub replication_factor: i32,
    pub context_headers: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPolicy {
    pub tolerance: Tolerance,
    pub log: bool,
    /// Whether the log says which record it was.
    pub log_messages: bool,
    pub dead_letter: Option<DeadLetterTopic>,
}

impl ErrorPolicy {
    /// Reads the policy from a sink connector's configuration.
    pub fn from_config(config: &ConfigMap) -> Result<Self, Vec<ConfigFault>> {
        let (policy, parsed) = (Self::of_source(config), DEAD_LETTER_CONFIG.parse(config));
        let (mut policy, parsed) = match (policy, parsed) {
            (Ok(policy), Ok(parsed)) => (policy, parsed),
            (policy, parsed) => {
                let faults = policy.err().into_iter().chain(parsed.err());
                return Err(faults.flatten().collect());
            }
        };
        let topic = parsed.text("errors.deadletterqueue.topic.name");
        policy.dead_letter = (!topic.is_empty()).then(|| DeadLetterTopic {
            name: topic.to_owned(),
            replication_factor: parsed.integer("errors.deadletterqueue.topic.replication.factor") as i32,
            context_headers: parsed.boolean("errors.deadletterqueue.context.headers.enable"),
        });
        Ok(policy)
    }

    /// Reads the policy from a source connector's configuration: without a dead-letter topic.
    pub fn of_source(config: &ConfigMap) -> Result<Self, Vec<ConfigFault>> {
        let parsed = ERRORS_CONFIG.parse(config)?;
        Ok(Self {
            tolerance: if parsed.text("errors.tolerance") == "all" {
                Tolerance::All
            } else {
                Tolerance::None
            },
            log: parsed.boolean("errors.log.enable"),
            log_messages: parsed.boolean("errors.log.include.messages"),
            dead_letter: None,
        })
    }
}

/// Where a record failed (Java: `Stage`); goes into dead-letter headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    KeyConverter,
    ValueConverter,
    TaskPut,
    KafkaProduce,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::KeyConverter => "KEY_CONVERTER",
            Stage::ValueConverter => "VALUE_CONVERTER",
            Stage::TaskPut => "TASK_PUT",
            Stage::KafkaProduce => "KAFKA_PRODUCE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(pairs: &[(&str, &str)]) -> Result<ErrorPolicy, Vec<ConfigFault>> {
        ErrorPolicy::from_config(&pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
    }

    #[test]
    fn nothing_said_is_fail_fast_without_a_dead_letter_topic() {
        let expected =
            ErrorPolicy { tolerance: Tolerance::None, log: false, log_messages: false, dead_letter: None };
        assert_eq!(policy(&[]), Ok(expected));
    }

    #[test]
    fn the_dead_letter_topic_has_the_references_defaults() {
        let policy =
            policy(&[("errors.tolerance", "all"), ("errors.deadletterqueue.topic.name", "o.dlq")]).unwrap();
        assert_eq!(policy.tolerance, Tolerance::All);
        let expected =
            DeadLetterTopic { name: "o.dlq".into(), replication_factor: 3, context_headers: false };
        assert_eq!(policy.dead_letter, Some(expected));
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let faults = policy(&[("errors.tolerance", "some"), ("errors.log.enable", "1")]).unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(keys, ["errors.tolerance", "errors.log.enable"]);
    }
}
