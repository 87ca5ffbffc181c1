//! docs/reference/connector-config.md

use crate::table;
use connect_api::ConfigDef;
use connect_runtime::connector_config::{COMMON_CONFIG, SINK_CONFIG, SOURCE_CONFIG};
use connect_runtime::errors::{DEAD_LETTER_CONFIG, ERRORS_CONFIG};
use connect_worker::plugins::plugins;

pub(crate) fn tables() -> Vec<(String, &'static ConfigDef)> {
    let mut tables: Vec<(String, &ConfigDef)> = vec![
        ("Every connector".into(), &COMMON_CONFIG),
        ("Error handling".into(), &ERRORS_CONFIG),
        ("Every sink".into(), &SINK_CONFIG),
        ("Dead letters of a sink".into(), &DEAD_LETTER_CONFIG),
        ("Every source".into(), &SOURCE_CONFIG),
    ];
    for (class, plugin) in plugins().connector_classes() {
        tables.push((format!("`{class}`, a {}", plugin.ty().as_str()), plugin.config_def()));
    }
    tables.push(("`org.apache.kafka.connect.json.JsonConverter`".into(), &connect_converters::json::CONFIG));
    tables.push((
        "`org.apache.kafka.connect.storage.StringConverter`".into(),
        &connect_converters::string::CONFIG,
    ));
    tables
}

pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "# Connector configuration

Generated from the tables of the framework and of each plugin; do not edit.

A connector is named by its class, by the class's simple name, or by that name without `Connector`. Keys of a converter stand behind
`key.converter.` or `value.converter.`, in a connector's configuration or in the worker's. `consumer.override.*`, `producer.override.*`
and `admin.override.*` are settings of the connector's Kafka clients.
",
    );
    for (title, def) in tables() {
        text.push_str(&format!("\n## {title}\n\n{}", table::markdown(def)));
    }
    text
}
