//! The tables of keys held against those of the Java connectors, which `golden/keys/Print.java` has printed.

use connect_api::config::{ConfigKey, Default};
use connect_api::{ConfigDef, SinkConnector, SourceConnector};
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
        key.recommended,
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
