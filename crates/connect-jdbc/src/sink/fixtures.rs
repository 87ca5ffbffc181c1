//! Records and configurations for the tests of the sink's parts.

use super::config::{Flavor, SinkConfig};
use connect_api::{ConfigMap, Schema, SchemaRef, SinkRecord, Type, Value};
use std::sync::Arc;

pub(super) fn config_map(pairs: &[(&str, &str)]) -> ConfigMap {
    let mut config = ConfigMap::new();
    config.insert("connection.url".into(), "jdbc:sqlite:/tmp/unused.db".into());
    config.extend(pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    config
}

pub(super) fn config(pairs: &[(&str, &str)]) -> SinkConfig {
    SinkConfig::read(Flavor::Confluent, &config_map(pairs)).unwrap()
}

/// id, name (optional), qty (default 1)
pub(super) fn item_schema() -> SchemaRef {
    Arc::new(Schema::structure([
        ("id", Schema::new(Type::Int32)),
        ("name", Schema::new(Type::String).optional()),
        ("qty", Schema::new(Type::Int32).with_default(Value::Int32(1))),
    ]))
}

pub(super) fn item(id: i32, name: &str) -> Value {
    Value::Struct(vec![Value::Int32(id), name.into(), Value::Null])
}

pub(super) fn record(topic: &str, offset: i64, schema: &SchemaRef, value: Value) -> SinkRecord {
    SinkRecord {
        topic: topic.into(),
        partition: 0,
        offset,
        timestamp: Some(1000),
        key_schema: Some(Arc::new(Schema::new(Type::String).optional())),
        key: Value::from("key"),
        value_schema: Some(schema.clone()),
        value,
    }
}
