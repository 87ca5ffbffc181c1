//! The keys every connector has, beside its own and those of error handling (`errors.rs`).

use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

/// Each task is a Kafka client with threads of its own; a slip of a few digits must not take the worker down.
const MOST_TASKS: i64 = 1000;

const COMMON: &str = "Common";
const EXACTLY_ONCE: &str = "Exactly Once Support";

/// Groups and places within them are those that a Java worker 4.3.0 tells, since forms are laid out by them.
pub static COMMON_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("name", Ty::String, "The connector's name, unique in the cluster.")
        .required()
        .valid(Validator::Check(connector_name))
        .importance(Importance::High)
        .group(COMMON, "Connector name", Width::Medium)
        .order(1),
    ConfigKey::new("connector.class", Ty::String, "The connector's class: full name, simple name, or alias.")
        .required()
        .valid(Validator::NonEmpty)
        .importance(Importance::High)
        .group(COMMON, "Connector class", Width::Long)
        .order(2),
    ConfigKey::new(
        "connector.plugin.version",
        Ty::String,
        "A range of versions, as in Maven, that the connector's must be in. There is one version of each plugin.",
    )
    .importance(Importance::Medium)
    .group(COMMON, "Connector version", Width::Medium)
    .order(3),
    ConfigKey::new("tasks.max", Ty::Int, "The most tasks the connector may have.")
        .default("1")
        .valid(Validator::Between(1, MOST_TASKS))
        .importance(Importance::High)
        .group(COMMON, "Tasks max", Width::Short)
        .order(4),
    ConfigKey::new(
        "tasks.max.enforce",
        Ty::Boolean,
        "Whether a connector with more tasks than tasks.max fails.",
    )
    .default("true")
    .group(COMMON, "Enforce tasks max", Width::Short)
    .order(5),
    ConfigKey::new("key.converter", Ty::Class, "The converter of record keys; the worker's when not set.")
        .group(COMMON, "Key converter class", Width::Short)
        .order(6),
    ConfigKey::new("key.converter.plugin.version", Ty::String, "A range that key.converter's version must be in.")
        .group(COMMON, "Key converter version", Width::Short)
        .order(7),
    ConfigKey::new(
        "value.converter",
        Ty::Class,
        "The converter of record values; the worker's when not set.",
    )
    .group(COMMON, "Value converter class", Width::Short)
    .order(8),
    ConfigKey::new("value.converter.plugin.version", Ty::String, "A range that value.converter's version must be in.")
        .group(COMMON, "Value converter version", Width::Short)
        .order(9),
    ConfigKey::new(
        "header.converter",
        Ty::Class,
        "The converter of record headers; only SimpleHeaderConverter yet.",
    )
    .group(COMMON, "Header converter class", Width::Short)
    .order(10),
    ConfigKey::new("header.converter.plugin.version", Ty::String, "A range that header.converter's version must be in.")
        .group(COMMON, "Header converter version", Width::Short)
        .order(11),
    ConfigKey::new("transforms", Ty::List, "Not supported yet.")
        .default("")
        .group("Transforms", "Transforms", Width::Long)
        .order(12),
    ConfigKey::new("predicates", Ty::List, "Not supported yet.")
        .default("")
        .group("Predicates", "Predicates", Width::Long)
        .order(13),
    ConfigKey::new(
        "config.action.reload",
        Ty::String,
        "What follows when a config provider has a new value: the providers here never tell of one.",
    )
    .default("restart")
    .valid(Validator::OneOf(&["none", "restart"]))
    .group(COMMON, "Reload Action", Width::Medium)
    .order(14),
]);

pub static SINK_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("topics", Ty::List, "The topics to read, separated by commas.")
        .default("")
        .importance(Importance::High)
        .group(COMMON, "Topics", Width::Long)
        .order(4),
    ConfigKey::new("topics.regex", Ty::String, "A pattern; topics whose whole name matches are read.")
        .default("")
        .valid(Validator::Check(pattern))
        .importance(Importance::High)
        .group(COMMON, "Topics regex", Width::Long)
        .order(4),
]);

pub static SOURCE_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("topic.creation.groups", Ty::List, "Not supported yet: the broker makes topics.")
        .default("")
        .group("Topic Creation", "Topic Creation Groups", Width::Long)
        .order(1),
    ConfigKey::new(
        "exactly.once.support",
        Ty::String,
        "Only requested, which lets a source be at least once.",
    )
    .default("requested")
    .valid(Validator::OneOfIgnoreCase(&["REQUIRED", "REQUESTED"]))
    .importance(Importance::Medium)
    .group(EXACTLY_ONCE, "Exactly once support", Width::Short)
    .order(2),
    ConfigKey::new("transaction.boundary", Ty::String, "Not supported yet.")
        .default("poll")
        .valid(Validator::OneOfIgnoreCase(&["INTERVAL", "POLL", "CONNECTOR"]))
        .importance(Importance::Medium)
        .group(EXACTLY_ONCE, "Transaction Boundary", Width::Short)
        .order(3),
    ConfigKey::new("transaction.boundary.interval.ms", Ty::Long, "Not supported yet.")
        .valid(Validator::AtLeast(0))
        .group(EXACTLY_ONCE, "Transaction boundary interval", Width::Short)
        .order(4),
    ConfigKey::new("offsets.storage.topic", Ty::String, "Not supported yet.")
        .valid(Validator::NonEmpty)
        .group("offsets.topic", "Offsets topic", Width::Long)
        .order(1),
]);

fn connector_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("String may not be empty".into());
    }
    if name.chars().any(char::is_control) {
        return Err("it may not contain control characters".into());
    }
    // Legal in Java; but whoever copies a line with its comment wants to be told.
    if name.contains(" #") {
        return Err("it holds ' #'".into());
    }
    Ok(())
}

fn pattern(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    super::topics::whole_name(text).map(drop)
}
