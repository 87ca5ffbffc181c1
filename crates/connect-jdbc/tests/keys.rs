//! The tables of keys held against those of the Java connectors, which `golden/keys/Print.java` has printed.

use connect_api::config::{ConfigKey, Default};
use connect_api::{ConfigDef, ConfigMap, SinkConnector, SourceConnector};
use connect_jdbc::{JdbcSinkConnector, JdbcSourceConnector};
use serde_json::{Value, json};

/// Ours are in a group of their own, after all others, so that forms show the same as before.
const OURS: &str = "Extensions";

fn described(def: &ConfigDef, index: usize) -> Value {
    let key: &ConfigKey = &def.keys[index];
    let before = def.keys[..index].iter().filter(|other| other.group == key.group).count();
    let order = key.order.unwrap_or(if key.group.is_empty() { -1 } else { before as i32 + 1 });
    let default = match key.default {
        // A password's default is hidden there too.
        Default::Value(_) if key.ty.name() == "PASSWORD" => Some("[hidden]"),
        Default::Value(value) => Some(value),
        Default::Null | Default::Required => None,
    };
    assert!(!key.doc.is_empty(), "{} has no documentation", key.name);
    json!([
        key.name,
        key.ty.name(),
        matches!(key.default, Default::Required),
        default,
        key.importance.name(),
        key.group,
        order,
        key.width.name(),
        key.display_name,
        key.dependents,
        key.recommended(&ConfigMap::new()),
    ])
}

#[track_caller]
fn check(def: &ConfigDef, golden: &str) {
    let java: Vec<Value> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (ours, others): (Vec<_>, Vec<_>) =
        (0..def.keys.len()).partition(|index| def.keys[*index].group == OURS);
    assert!(ours.iter().min() > others.iter().max(), "ours come last");
    let listed: Vec<Value> = others.into_iter().map(|index| described(def, index)).collect();
    for (listed, java) in listed.iter().zip(&java) {
        assert_eq!(listed, java);
    }
    assert_eq!(listed.len(), java.len());
}

#[test]
fn the_sources_keys_are_confluents() {
    let connector = JdbcSourceConnector::confluent();
    check(connector.config_def(), include_str!("golden/keys/confluent-source.jsonl"));
}

#[test]
fn the_sources_keys_are_aivens() {
    check(JdbcSourceConnector::aiven().config_def(), include_str!("golden/keys/aiven-source.jsonl"));
}

#[test]
fn the_sinks_keys_are_confluents() {
    let connector = JdbcSinkConnector::confluent();
    check(connector.config_def(), include_str!("golden/keys/confluent-sink.jsonl"));
}

#[test]
fn the_sinks_keys_are_aivens() {
    check(JdbcSinkConnector::aiven().config_def(), include_str!("golden/keys/aiven-sink.jsonl"));
}

/// The keys given; what pk.mode and delete.enabled offer, and whether the latter is shown.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], &'static [&'static str], bool);

/// As `DeleteEnabledRecommender` and `PrimaryKeyModeRecommender` have it: each key offers what the other allows, and deletes are
/// hidden where no key could say what to delete. Aiven's connector recommends neither.
#[test]
fn key_modes_and_deletes_are_recommended_beside_each_other() {
    const MODES: &[&str] = &["none", "kafka", "record_key", "record_value"];
    let cases: [Case; 6] = [
        (&[], MODES, &["false"], false),
        (&[("pk.mode", "kafka")], MODES, &["false"], false),
        (&[("pk.mode", "record_key")], MODES, &["true", "false"], true),
        (
            &[("pk.mode", " RECORD_KEY "), ("delete.enabled", "True")],
            &["record_key"],
            &["true", "false"],
            true,
        ),
        (&[("delete.enabled", "true")], &["record_key"], &["false"], false),
        (&[("delete.enabled", "maybe")], MODES, &["false"], false),
    ];
    let offered = |def: &ConfigDef, config: &ConfigMap, key: &str| def.key(key).unwrap().recommended(config);
    for (pairs, modes, deletes, visible) in cases {
        let config: ConfigMap =
            pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let confluent = JdbcSinkConnector::confluent();
        let def = confluent.config_def();
        assert_eq!(offered(def, &config, "pk.mode"), modes, "{pairs:?}");
        assert_eq!(offered(def, &config, "delete.enabled"), deletes, "{pairs:?}");
        let shown = def.key("delete.enabled").unwrap().visible.is_none_or(|visible| visible(&config));
        assert_eq!(shown, visible, "{pairs:?}");
        let aiven = JdbcSinkConnector::aiven();
        for key in ["pk.mode", "delete.enabled"] {
            assert_eq!(offered(aiven.config_def(), &config, key), [""; 0], "{key}");
        }
    }
}
