//! The records of the config topic, as Java's workers write them.

use crate::herder::{RestartRequest, TargetState};
use crate::ports::LogRecord;
use crate::signature::SessionKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use connect_api::ConfigMap;
use connect_api::json::push_string;

pub(super) const TARGET_STATE: &str = "target-state-";
pub(super) const CONNECTOR: &str = "connector-";
pub(super) const TASK: &str = "task-";
pub(super) const COMMIT: &str = "commit-";
pub(super) const FENCING: &str = "tasks-fencing-";
pub(super) const RESTART: &str = "restart-connector-";
pub(super) const LOGGER: &str = "logger-cluster-";
pub(super) const SESSION_KEY: &str = "session-key";

/// A connector's configuration, new or changed. For a new one that is not to run at first, its target state goes before it.
pub fn connector(name: &str, config: &ConfigMap) -> LogRecord {
    record(format!("{CONNECTOR}{name}"), properties(config))
}

/// What removes a connector; its tasks need no records of their own.
pub fn remove_connector(name: &str) -> Vec<LogRecord> {
    [CONNECTOR, TARGET_STATE]
        .map(|prefix| LogRecord { key: Bytes::from(format!("{prefix}{name}")), value: None })
        .into()
}

/// All tasks of a connector and, last, the commit that makes them count. To be appended together, in this order.
pub fn tasks(name: &str, configs: &[ConfigMap]) -> Vec<LogRecord> {
    let tasks = configs.iter().enumerate();
    let mut records: Vec<LogRecord> =
        tasks.map(|(task, config)| record(format!("{TASK}{name}-{task}"), properties(config))).collect();
    records.push(record(format!("{COMMIT}{name}"), format!("{{\"tasks\":{}}}", configs.len()).into()));
    records
}

pub fn target_state(name: &str, state: TargetState) -> LogRecord {
    // Workers before 3.5 know no STOPPED and read the first field only.
    let (old, new) = match state {
        TargetState::Started => ("STARTED", "STARTED"),
        TargetState::Paused => ("PAUSED", "PAUSED"),
        TargetState::Stopped => ("PAUSED", "STOPPED"),
    };
    record(format!("{TARGET_STATE}{name}"), format!("{{\"state\":\"{old}\",\"state.v2\":\"{new}\"}}").into())
}

/// How many producers of the connector's tasks have to be fenced before other tasks of it may start (KIP-618).
pub fn task_count(name: &str, count: usize) -> LogRecord {
    record(format!("{FENCING}{name}"), format!("{{\"task-count\":{count}}}").into())
}

pub fn session_key(key: &SessionKey) -> LogRecord {
    let mut value = b"{\"key\":".to_vec();
    push_string(&mut value, &BASE64.encode(&key.key));
    value.extend_from_slice(b",\"algorithm\":");
    push_string(&mut value, &key.algorithm);
    value.extend_from_slice(format!(",\"creation-timestamp\":{}}}", key.created).as_bytes());
    record(SESSION_KEY.into(), value)
}

pub fn restart(name: &str, request: RestartRequest) -> LogRecord {
    let RestartRequest { include_tasks, only_failed } = request;
    record(
        format!("{RESTART}{name}"),
        format!("{{\"include-tasks\":{include_tasks},\"only-failed\":{only_failed}}}").into(),
    )
}

/// A logger's level for every worker (KIP-976).
pub fn logger_level(logger: &str, level: &str) -> LogRecord {
    let mut value = b"{\"level\":".to_vec();
    push_string(&mut value, level);
    value.push(b'}');
    record(format!("{LOGGER}{logger}"), value)
}

fn record(key: String, value: Vec<u8>) -> LogRecord {
    LogRecord { key: key.into(), value: Some(value.into()) }
}

fn properties(config: &ConfigMap) -> Vec<u8> {
    let mut out = b"{\"properties\":{".to_vec();
    for (index, (key, value)) in config.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(&mut out, key);
        out.push(b':');
        push_string(&mut out, value);
    }
    out.extend_from_slice(b"}}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(record: &LogRecord) -> (String, Option<String>) {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&record.key), record.value.as_ref().map(text))
    }

    /// What no golden file of Java's worker shows.
    #[test]
    fn rare_records() {
        let config = ConfigMap::from([("a\"b".to_owned(), "😀\n".to_owned())]);
        assert_eq!(text(&connector("x", &config)).1.unwrap(), r#"{"properties":{"a\"b":"\uD83D\uDE00\n"}}"#);
        assert_eq!(text(&task_count("x", 3)), ("tasks-fencing-x".into(), Some("{\"task-count\":3}".into())));
        let removed: Vec<_> = remove_connector("x").iter().map(text).collect();
        assert_eq!(removed, [("connector-x".into(), None), ("target-state-x".into(), None)]);
    }
}
