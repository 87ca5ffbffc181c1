//! The keys every connector has, beside its own and those of error handling (`errors.rs`).

use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

/// Each task is a Kafka client with threads of its own; a slip of a few digits must not take the worker down.
const MOST_TASKS: i64 = 1000;

pub static COMMON_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("name", Ty::String, "The connector's name, unique in the cluster.")
        .required()
        .valid(Validator::Check(connector_name))
        .importance(Importance::High)
        .group("Common", "Connector name", Width::Medium),
    ConfigKey::new("connector.class", Ty::String, "The connector's class: full name, simple name, or alias.")
        .required()
        .valid(Validator::NonEmpty)
        .importance(Importance::High)
        .group("Common", "Connector class", Width::Long),
    ConfigKey::new(
        "connector.plugin.version",
        Ty::String,
        "Not supported: there is one version of each plugin.",
    )
    .importance(Importance::Medium)
    .group("Common", "Connector version", Width::Medium),
    ConfigKey::new("tasks.max", Ty::Int, "The most tasks the connector may have.")
        .default("1")
        .valid(Validator::Between(1, MOST_TASKS))
        .importance(Importance::High)
        .group("Common", "Tasks max", Width::Short),
    ConfigKey::new(
        "tasks.max.enforce",
        Ty::Boolean,
        "Whether a connector with more tasks than tasks.max fails.",
    )
    .default("true")
    .group("Common", "Enforce tasks max", Width::Short),
    ConfigKey::new("key.converter", Ty::Class, "The converter of record keys; the worker's when not set.")
        .group("Common", "Key converter class", Width::Short),
    ConfigKey::new(
        "value.converter",
        Ty::Class,
        "The converter of record values; the worker's when not set.",
    )
    .group("Common", "Value converter class", Width::Short),
    ConfigKey::new(
        "header.converter",
        Ty::Class,
        "The converter of record headers; only SimpleHeaderConverter yet.",
    )
    .group("Common", "Header converter class", Width::Short),
    ConfigKey::new("transforms", Ty::List, "Not supported yet.").default("").group(
        "Transforms",
        "Transforms",
        Width::Long,
    ),
    ConfigKey::new("predicates", Ty::List, "Not supported yet.").default("").group(
        "Predicates",
        "Predicates",
        Width::Long,
    ),
    ConfigKey::new(
        "config.action.reload",
        Ty::String,
        "What follows when a config provider has a new value.",
    )
    .default("restart")
    .valid(Validator::OneOfIgnoreCase(&["none", "restart"]))
    .group("Common", "Reload Action", Width::Medium),
]);

pub static SINK_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("topics", Ty::List, "The topics to read, separated by commas.")
        .default("")
        .importance(Importance::High)
        .group("Common", "Topics", Width::Long),
    ConfigKey::new("topics.regex", Ty::String, "A pattern; topics whose whole name matches are read.")
        .default("")
        .valid(Validator::Check(pattern))
        .importance(Importance::High)
        .group("Common", "Topics regex", Width::Long),
]);

pub static SOURCE_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("topic.creation.groups", Ty::List, "Not supported yet: the broker makes topics.")
        .default("")
        .group("Topic Creation", "Topic Creation Groups", Width::Long),
    ConfigKey::new(
        "exactly.once.support",
        Ty::String,
        "Only requested, which lets a source be at least once.",
    )
    .default("requested")
    .valid(Validator::OneOfIgnoreCase(&["requested", "required"]))
    .importance(Importance::Medium)
    .group("Exactly Once Support", "Exactly once support", Width::Short),
    ConfigKey::new("transaction.boundary", Ty::String, "Not supported yet.")
        .default("poll")
        .valid(Validator::OneOfIgnoreCase(&["poll", "interval", "connector"]))
        .importance(Importance::Medium)
        .group("Exactly Once Support", "Transaction Boundary", Width::Short),
    ConfigKey::new("transaction.boundary.interval.ms", Ty::Long, "Not supported yet.").group(
        "Exactly Once Support",
        "Transaction boundary interval",
        Width::Short,
    ),
    ConfigKey::new("offsets.storage.topic", Ty::String, "Not supported yet.")
        .valid(Validator::NonEmpty)
        .group("Offsets Topic", "Offsets topic", Width::Long),
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
