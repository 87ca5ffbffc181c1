//! What `validate` and the keys of plugins answer, held against a Java worker 4.3.0 with the same connectors.
//!
//! `tests/golden/java-4.3.0/validate.jsonl`: request and answer, one per line; `plugin-config.jsonl`: the keys of a plugin. Sentences
//! of the documentation and the lists of converters are left out. A key is the list name, type, required, default, importance,
//! group, order, width, display name, and where values were sent: value, recommended, errors, visible.

use connect_api::ConfigMap;
use connect_runtime::herder::{ConfigKeyInfo, HerderError};
use connect_runtime::plugins::{ConverterClass, Plugins};
use connect_runtime::validation::{Validation, key_infos};
use connect_runtime::worker::Deadlines;
use connect_runtime::worker_config::WorkerConfig;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const VALIDATE: &str = include_str!("../golden/java-4.3.0/validate.jsonl");
const PLUGIN_CONFIG: &str = include_str!("../golden/java-4.3.0/plugin-config.jsonl");

fn plugins() -> Plugins {
    let converters = connect_converters::CONVERTERS.iter().map(|plugin| ConverterClass {
        class: plugin.class,
        version: plugin.version,
        config_def: plugin.config_def,
    });
    Plugins::new()
        .with_source(Arc::new(connect_file::FileStreamSourceConnector))
        .with_sink(Arc::new(connect_file::FileStreamSinkConnector))
        .with_converters(converters, connect_converters::create)
}

fn worker(plugins: &Plugins) -> WorkerConfig {
    let values = [
        ("bootstrap.servers", "localhost:9092"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("offset.storage.file.filename", "/tmp/offsets"),
    ];
    let values = values.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    WorkerConfig::standalone(&values, plugins)
        .map(|read| read.config)
        .unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn map(value: &Value) -> ConfigMap {
    let pairs = value.as_object().unwrap().iter();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn described(info: &ConfigKeyInfo) -> Vec<Value> {
    assert!(!info.documentation.is_empty(), "{} has no documentation", info.name);
    let ConfigKeyInfo { name, ty, required, default_value, importance, group, order_in_group, .. } = info;
    vec![
        json!(name),
        json!(ty),
        json!(required),
        json!(default_value),
        json!(importance),
        json!(group),
        json!(order_in_group),
        json!(info.width),
        json!(info.display_name),
    ]
}

/// What is not as in Java, by case and key, with our errors; each is more helpful, or refuses what would not work here.
fn ours(case: &str, key: &str) -> Option<&'static [&'static str]> {
    Some(match (case, key) {
        // Names the converters there are, and the whole key.
        ("source-bad", "key.converter") => &[
            "Invalid value nope for configuration key.converter: Class nope could not be found. Available converters: \
             org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter",
        ],
        ("source-bad", "value.converter.schemas.enable") => &[
            "Invalid value maybe for configuration value.converter.schemas.enable: Expected value to be either true or false",
        ],
        // A batch of no lines reads nothing.
        ("source-bad", "batch.size") => {
            &["Invalid value 0 for configuration batch.size: Value must be at least 1"]
        }
        // Without the remark that the connector could not be asked because of its other errors.
        ("source-bad", "exactly.once.support") => {
            &["This worker does not have exactly-once source support enabled."]
        }
        ("alias", "errors.retry.timeout") => {
            &["Invalid value -2 for configuration errors.retry.timeout: Value must be at least -1"]
        }
        ("alias", "errors.retry.delay.max.ms") => &[
            "Invalid value x for configuration errors.retry.delay.max.ms: Not a number of type LONG",
            "Invalid value null for configuration errors.retry.delay.max.ms: Value must be non-null",
        ],
        // A topic named twice is read once, an empty name is none.
        ("alias", "topics") => {
            &["Invalid value  for configuration topics: a topic name is empty: remove the extra comma"]
        }
        // Told once: that the pattern takes in the topic is no second mistake while it is one too many.
        ("sink-bad", "topics" | "topics.regex") => {
            &["topics and topics.regex are mutually exclusive options, but both are set."]
        }
        _ => return None,
    })
}

#[tokio::test]
async fn validate_answers_what_java_answers() {
    let plugins = plugins();
    let worker = worker(&plugins);
    let validation = Validation { plugins: &plugins, worker: &worker, deadlines: Deadlines::default() };
    let mut cases = 0;
    for line in VALIDATE.lines() {
        let java: Value = serde_json::from_str(line).unwrap();
        let (case, config) = (java["case"].as_str().unwrap(), map(&java["config"]));
        let answer = validation.config_infos(java["plugin"].as_str().unwrap(), &config, None).await;
        cases += 1;
        if java["status"] == 400 {
            let message = java["message"].as_str().unwrap().to_owned();
            assert_eq!(answer, Err(HerderError::BadRequest(message)), "{case}");
            continue;
        }
        let answer = answer.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(java["name"], answer.name, "{case}");
        let as_rows = |rows: Vec<Vec<Value>>| -> BTreeMap<String, Vec<Value>> {
            rows.into_iter().map(|row| (row[0].as_str().unwrap().to_owned(), row)).collect()
        };
        let mut expected = as_rows(serde_json::from_value(java["keys"].clone()).unwrap());
        let count_differs = expected.keys().any(|key| ours(case, key).is_some());
        for (key, row) in &mut expected {
            if let Some(errors) = ours(case, key) {
                row[11] = json!(errors);
            }
            // A client's setting has a default and a type of the client's, which the runtime does not know.
            if case == "override" && key.starts_with("producer.override.") {
                row[3] = Value::Null;
            }
        }
        let actual: Vec<Vec<Value>> =
            answer.configs.iter().map(|(info, _)| actual_row(&answer.configs, &info.name)).collect();
        let errors: usize = answer.configs.iter().map(|(_, value)| value.errors.len()).sum();
        assert_eq!(answer.error_count, errors, "{case}");
        if !count_differs {
            assert_eq!(java["error_count"], errors, "{case}");
        }
        // The keys of the framework and the connector stand in Java's order; those of converters do not have one there.
        let order = |rows: &[Vec<Value>]| -> Vec<Value> {
            rows.iter()
                .map(|row| row[0].clone())
                .filter(|name| !name.as_str().unwrap().contains(".converter."))
                .collect()
        };
        let expected_rows: Vec<Vec<Value>> = serde_json::from_value(java["keys"].clone()).unwrap();
        assert_eq!(order(&actual), order(&expected_rows), "{case}");
        for (key, row) in as_rows(actual) {
            assert_eq!(Some(&row), expected.get(&key), "{case}");
            expected.remove(&key);
        }
        assert!(expected.is_empty(), "{case}: {:?}", expected.keys());
        let mut groups: Vec<String> = serde_json::from_value(java["groups"].clone()).unwrap();
        let mut own = answer.groups;
        // Which of a converter's groups comes first is chance in Java.
        groups.sort();
        own.sort();
        assert_eq!(own, groups, "{case}");
    }
    assert_eq!(cases, 12);
}

fn actual_row(
    configs: &[(ConfigKeyInfo, connect_runtime::herder::ConfigValueInfo)],
    key: &str,
) -> Vec<Value> {
    let (info, value) =
        configs.iter().find(|(info, _)| info.name == key).unwrap_or_else(|| panic!("no {key}"));
    assert_eq!(value.name, info.name);
    let recommended = if key.ends_with("version") { value.recommended_values.clone() } else { Vec::new() };
    let mut row = described(info);
    row.extend([json!(value.value), json!(recommended), json!(value.errors), json!(value.visible)]);
    row
}

#[test]
fn the_keys_of_plugins_are_javas() {
    let plugins = plugins();
    for line in PLUGIN_CONFIG.lines() {
        let java: Value = serde_json::from_str(line).unwrap();
        let plugin = java["plugin"].as_str().unwrap();
        let infos = key_infos(&plugins, plugin, None).unwrap();
        let expected = java["keys"].as_array().unwrap();
        assert_eq!(infos.len(), expected.len(), "{plugin}");
        for (info, expected) in infos.iter().zip(expected) {
            assert_eq!(json!(described(info)), *expected, "{plugin}");
        }
    }
}

#[test]
fn a_plugin_of_another_version_is_not_there() {
    let plugins = plugins();
    let keys =
        |plugin: &str, version: &str| key_infos(&plugins, plugin, Some(version)).map(|keys| keys.len());
    let message = "Plugin org.apache.kafka.connect.file.FileStreamSourceConnector not found that matches the version \
                   range [9.9,9.9], available versions: [4.3.0]";
    assert_eq!(keys("FileStreamSource", "9.9"), Err(HerderError::BadRequest(message.into())));
    assert!(keys("FileStreamSource", "[4.0,5)").is_ok() && keys("Json", "latest").is_ok());
    assert!(matches!(keys("FileStreamSource", "[4"), Err(HerderError::BadRequest(_))));
    assert_eq!(keys("Nope", "1"), Err(HerderError::NotFound("Unknown plugin Nope.".into())));
}
