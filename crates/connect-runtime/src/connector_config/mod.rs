//! A connector's configuration as the framework sees it. Pure: the connector's own keys are checked by the connector
//! (see `validation`).

mod keys;
mod source;
mod topics;
mod versions;

pub use keys::{COMMON_CONFIG, SINK_CONFIG, SOURCE_CONFIG};
pub(crate) use topics::topic_name;
pub(crate) use topics::{NO_TOPICS, TOPICS_TWICE, whole_name};
pub(crate) use versions::check as check_version;

use crate::errors::{DEAD_LETTER_CONFIG, ERRORS_CONFIG, ErrorPolicy};
use crate::herder::ConnectorType;
use crate::nearest::nearest;
use crate::plugins::{ConverterSpec, Plugins, with_prefix};
use crate::ports::Subscription;
use crate::sink_task::max_poll_records;
use crate::worker_config::{OverridePolicy, WorkerConfig};
use connect_api::config::ConfigFault;
use connect_api::{ConfigDef, ConfigMap, ParsedConfig};

/// What the framework needs to know to run a connector of either direction.
#[derive(Clone, Debug, PartialEq)]
pub struct CommonSettings {
    pub name: String,
    pub tasks_max: usize,
    pub enforce_tasks_max: bool,
    pub key_converter: ConverterSpec,
    pub value_converter: ConverterSpec,
    pub producer_overrides: ConfigMap,
    pub errors: ErrorPolicy,
}

/// What it needs besides, to run a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkSettings {
    pub subscription: Subscription,
    pub consumer_overrides: ConfigMap,
    pub max_poll_records: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub common: CommonSettings,
    /// Nothing for a source.
    pub sink: Option<SinkSettings>,
}

const OVERRIDES: [&str; 3] = ["consumer.override.", "producer.override.", "admin.override."];

/// The framework's tables for a connector of that direction, in the order of the reference.
pub fn framework_tables(ty: ConnectorType) -> &'static [&'static ConfigDef] {
    static SINK: [&ConfigDef; 4] = [&COMMON_CONFIG, &ERRORS_CONFIG, &SINK_CONFIG, &DEAD_LETTER_CONFIG];
    static SOURCE: [&ConfigDef; 3] = [&COMMON_CONFIG, &ERRORS_CONFIG, &SOURCE_CONFIG];
    match ty {
        ConnectorType::Sink => &SINK,
        ConnectorType::Source => &SOURCE,
    }
}

impl Settings {
    /// Reads the framework's keys of `config`; all faults at once, in the order of the reference's tables.
    pub fn read(
        ty: ConnectorType,
        config: &ConfigMap,
        worker: &WorkerConfig,
        plugins: &Plugins,
    ) -> Result<Self, Vec<ConfigFault>> {
        let mut faults = Vec::new();
        let common = keep(COMMON_CONFIG.parse(config), &mut faults);
        let sink_keys = match ty {
            ConnectorType::Sink => keep(SINK_CONFIG.parse(config), &mut faults),
            ConnectorType::Source => None,
        };
        let errors = match ty {
            ConnectorType::Sink => ErrorPolicy::from_config(config),
            ConnectorType::Source => ErrorPolicy::of_source(config),
        };
        let errors = keep(errors, &mut faults);
        faults.extend(unsupported(config, plugins));
        faults.extend(versions::faults(config, plugins));
        let key_converter =
            converter(config, "key.converter", true, &worker.key_converter, plugins, &mut faults);
        let value_converter =
            converter(config, "value.converter", false, &worker.value_converter, plugins, &mut faults);
        let sink = match ty {
            ConnectorType::Sink => {
                sink_keys.and_then(|keys| sink_settings(&keys, config, worker, errors.as_ref(), &mut faults))
            }
            ConnectorType::Source => {
                faults.extend(source::faults(config));
                None
            }
        };
        faults.extend(forbidden_overrides(config, worker.override_policy));
        let (Some(common), Some(errors), true) = (common, errors, faults.is_empty()) else {
            return Err(faults);
        };
        let common = CommonSettings {
            name: common.text("name").to_owned(),
            tasks_max: common.integer("tasks.max") as usize,
            enforce_tasks_max: common.boolean("tasks.max.enforce"),
            key_converter,
            value_converter,
            producer_overrides: with_prefix(config, "producer.override."),
            errors,
        };
        Ok(Self { common, sink })
    }
}

fn sink_settings(
    keys: &ParsedConfig,
    config: &ConfigMap,
    worker: &WorkerConfig,
    errors: Option<&ErrorPolicy>,
    faults: &mut Vec<ConfigFault>,
) -> Option<SinkSettings> {
    let subscription = keep(topics::subscription(keys), faults);
    if let (Some(subscription), Some(topic)) =
        (&subscription, errors.and_then(|errors| errors.dead_letter.as_ref()))
    {
        faults.extend(topics::dead_letter_fault(subscription, &topic.name));
    }
    let consumer_overrides = with_prefix(config, "consumer.override.");
    let max_poll_records = max_poll_records(&consumer_overrides, &worker.clients.consumer).map_err(|error| {
        let key = "consumer.override.max.poll.records".to_owned();
        vec![ConfigFault { key, message: error.to_string() }]
    });
    let max_poll_records = keep(max_poll_records, faults)?;
    Some(SinkSettings { subscription: subscription?, consumer_overrides, max_poll_records })
}

/// Keys that neither the framework nor the connector knows, each with a guess what was meant. Java passes them over
/// in silence; they are worth a line in the log.
pub fn unknown_keys(
    ty: ConnectorType,
    config: &ConfigMap,
    connector: &ConfigDef,
) -> Vec<(String, Option<&'static str>)> {
    let tables = framework_tables(ty).iter().copied().chain([connector]);
    let known: Vec<&'static str> = tables.flat_map(|table| table.keys.iter().map(|key| key.name)).collect();
    let prefixes = ["key.converter.", "value.converter.", "header.converter.", "transforms.", "predicates."];
    let is_known = |key: &str| {
        known.contains(&key) || prefixes.iter().chain(&OVERRIDES).any(|prefix| key.starts_with(prefix))
    };
    config.keys().filter(|key| !is_known(key)).map(|key| (key.clone(), nearest(key, &known))).collect()
}

fn keep<T>(result: Result<T, Vec<ConfigFault>>, faults: &mut Vec<ConfigFault>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(more) => {
            faults.extend(more);
            None
        }
    }
}

fn unsupported(config: &ConfigMap, plugins: &Plugins) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut fault = |key: &str, message: String| faults.push(ConfigFault { key: key.into(), message });
    for key in ["transforms", "predicates"] {
        if config.get(key).is_some_and(|aliases| !aliases.trim().is_empty()) {
            fault(
                key,
                format!("{key} is set: {key} are not supported yet: remove {key} and the {key}.* keys"),
            );
        }
    }
    if let Some(message) =
        config.get("header.converter").and_then(|class| plugins.header_converter_fault(class))
    {
        fault("header.converter", message);
    }
    faults
}

/// The connector's own converter, or the worker's. Keys below `key.converter.` count only together with the class, as
/// in Java.
fn converter(
    config: &ConfigMap,
    key: &str,
    is_key: bool,
    default: &ConverterSpec,
    plugins: &Plugins,
    faults: &mut Vec<ConfigFault>,
) -> ConverterSpec {
    let Some(spec) = ConverterSpec::read(config, key) else { return default.clone() };
    let fault = plugins.converter_fault(key, &spec, is_key);
    faults.extend(fault.map(|message| ConfigFault { key: key.into(), message }));
    spec
}

fn forbidden_overrides(config: &ConfigMap, policy: OverridePolicy) -> Vec<ConfigFault> {
    if policy == OverridePolicy::All {
        return Vec::new();
    }
    config
        .keys()
        .filter(|key| OVERRIDES.iter().any(|prefix| key.starts_with(prefix)))
        .map(|key| ConfigFault {
            key: key.clone(),
            message: format!(
                "The 'None' policy does not allow '{key}' to be overridden in the connector configuration: remove the key, \
                 or set connector.client.config.override.policy=All in the worker's file"
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests;
