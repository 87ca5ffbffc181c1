//! The records that a Java worker 4.3.0 wrote into its topics while it made, paused, changed, restarted, stopped and deleted
//! connectors; read with Kafka's console consumer. One JSON object per line: offset, key, value.

use crate::ports::LogEntry;
use bytes::Bytes;
use serde_json::Value;

pub(super) const CONFIGS: &str = include_str!("../../tests/golden/java-4.3.0/configs.jsonl");
pub(super) const STATUS: &str = include_str!("../../tests/golden/java-4.3.0/status.jsonl");

pub(super) fn entries(lines: &str) -> Vec<LogEntry> {
    let entry = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let bytes = |field: &str| line[field].as_str().map(|text| Bytes::copy_from_slice(text.as_bytes()));
        LogEntry {
            partition: 0,
            offset: line["offset"].as_i64().unwrap(),
            key: bytes("key"),
            value: bytes("value"),
        }
    };
    lines.lines().map(entry).collect()
}
