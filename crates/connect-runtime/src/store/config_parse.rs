//! Reading the records of the config topic: whatever Java's workers, old ones too, have written.

use super::config_records::{COMMIT, CONNECTOR, FENCING, LOGGER, RESTART, SESSION_KEY, TARGET_STATE, TASK};
use crate::herder::{RestartRequest, TargetState, TaskId};
use crate::signature::SessionKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use connect_api::ConfigMap;
use serde_json::{Map, Value};

/// One record, understood. `None` stands for a tombstone where one has a meaning.
#[derive(Debug, PartialEq)]
pub(super) enum ConfigRecord {
    Connector(String, Option<ConfigMap>),
    Task(TaskId, ConfigMap),
    Commit(String, usize),
    TargetState(String, Option<TargetState>),
    TaskCount(String, usize),
    SessionKey(SessionKey),
    Restart(String, RestartRequest),
    LoggerLevel { logger: String, level: String },
}

/// Why a record is passed over. Never quotes a value, which may be a secret.
#[derive(Debug, PartialEq)]
pub(super) enum Malformed {
    /// Not even JSON. Java's worker counts such a record as not read, so the offset a worker tells the group must stay where it
    /// was, or two workers would never agree on it.
    NoJson,
    Other(String),
}

fn other(what: impl Into<String>) -> Malformed {
    Malformed::Other(what.into())
}

pub(super) fn parse(key: &str, value: Option<&[u8]>) -> Result<ConfigRecord, Malformed> {
    let value: Value = match value {
        None => Value::Null,
        Some(bytes) => serde_json::from_slice(bytes).map_err(|_| Malformed::NoJson)?,
    };
    let name = |prefix| key.strip_prefix(prefix).map(str::to_owned);
    // In the order of Java's worker: no prefix begins another one.
    if let Some(name) = name(TARGET_STATE) {
        let state = if value.is_null() { None } else { Some(target_state(object(value)?)?) };
        Ok(ConfigRecord::TargetState(name, state))
    } else if let Some(name) = name(CONNECTOR) {
        let config = if value.is_null() { None } else { Some(properties(object(value)?)?) };
        Ok(ConfigRecord::Connector(name, config))
    } else if let Some(rest) = key.strip_prefix(TASK) {
        let id = rest.rsplit_once('-').and_then(|(connector, task)| {
            Some(TaskId { connector: connector.to_owned(), task: task.parse().ok()? })
        });
        let id = id.ok_or_else(|| other("its key names no task"))?;
        Ok(ConfigRecord::Task(id, properties(object(value)?)?))
    } else if let Some(name) = name(COMMIT) {
        Ok(ConfigRecord::Commit(name, count(&object(value)?, "tasks")?))
    } else if let Some(name) = name(RESTART) {
        let value = object(value)?;
        let flag = |field| value.get(field).and_then(Value::as_bool).unwrap_or_default();
        let request =
            RestartRequest { include_tasks: flag("include-tasks"), only_failed: flag("only-failed") };
        Ok(ConfigRecord::Restart(name, request))
    } else if let Some(name) = name(FENCING) {
        Ok(ConfigRecord::TaskCount(name, count(&object(value)?, "task-count")?))
    } else if key == SESSION_KEY {
        Ok(ConfigRecord::SessionKey(session_key(&object(value)?)?))
    } else if let Some(logger) = name(LOGGER) {
        let level = text(&object(value)?, "level")?;
        Ok(ConfigRecord::LoggerLevel { logger, level })
    } else {
        Err(other("its key is of no known form"))
    }
}

fn object(value: Value) -> Result<Map<String, Value>, Malformed> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Null => Err(other("it has no value")),
        _ => Err(other("its value is no JSON object")),
    }
}

fn text(object: &Map<String, Value>, field: &str) -> Result<String, Malformed> {
    let text = object.get(field).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| other(format!("its field {field} is no text")))
}

fn count(object: &Map<String, Value>, field: &str) -> Result<usize, Malformed> {
    let number = object.get(field).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| other(format!("its field {field} is no count")))
}

fn target_state(object: Map<String, Value>) -> Result<TargetState, Malformed> {
    // `state.v2` is absent in the records of workers before 3.5.
    let state = match object.get("state.v2").and_then(Value::as_str) {
        Some(state) => state.to_owned(),
        None => text(&object, "state")?,
    };
    match state.as_str() {
        "STARTED" => Ok(TargetState::Started),
        "PAUSED" => Ok(TargetState::Paused),
        "STOPPED" => Ok(TargetState::Stopped),
        _ => Err(other("its state is none of STARTED, PAUSED, STOPPED")),
    }
}

/// A key without a value (Java's REST API lets one through) is as good as absent.
fn properties(mut object: Map<String, Value>) -> Result<ConfigMap, Malformed> {
    let Some(Value::Object(properties)) = object.remove("properties") else {
        return Err(other("its field properties is no JSON object"));
    };
    let mut config = ConfigMap::with_capacity(properties.len());
    for (key, value) in properties {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(other(format!("the value of its property {key} is no text")));
            }
        };
        config.insert(key, text);
    }
    Ok(config)
}

fn session_key(object: &Map<String, Value>) -> Result<SessionKey, Malformed> {
    let key = BASE64.decode(text(object, "key")?).map_err(|_| other("its field key is no base64"))?;
    let created = object.get("creation-timestamp").and_then(Value::as_i64);
    Ok(SessionKey {
        key,
        algorithm: text(object, "algorithm")?,
        created: created.ok_or_else(|| other("its field creation-timestamp is no number"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(key: &str, value: Option<&str>, why: &str) {
        assert_eq!(parse(key, value.map(str::as_bytes)), Err(other(why)), "{key} {value:?}");
    }

    #[test]
    fn what_is_malformed_is_named() {
        refused("connector-x", Some("[]"), "its value is no JSON object");
        refused("connector-x", Some("{}"), "its field properties is no JSON object");
        refused("connector-x", Some(r#"{"properties":{"a":[]}}"#), "the value of its property a is no text");
        refused("task-x", Some("{}"), "its key names no task");
        refused("task-x-a", Some("{}"), "its key names no task");
        refused("task-x-99999999999999999999", Some("{}"), "its key names no task");
        refused("task-x-0", None, "it has no value");
        refused("commit-x", Some(r#"{"tasks":1.5}"#), "its field tasks is no count");
        refused("commit-x", Some(r#"{"tasks":-1}"#), "its field tasks is no count");
        refused("commit-x", Some(r#"{"tasks":4294967297}"#), "its field tasks is no count");
        refused(
            "target-state-x",
            Some(r#"{"state":"GONE"}"#),
            "its state is none of STARTED, PAUSED, STOPPED",
        );
        refused("target-state-x", Some(r#"{"state":1}"#), "its field state is no text");
        refused(
            "session-key",
            Some(r#"{"key":"?","algorithm":"A","creation-timestamp":1}"#),
            "its field key is no base64",
        );
        refused("session-key", None, "it has no value");
        refused("logger-cluster-a", Some("{}"), "its field level is no text");
        refused("who-knows", Some("{}"), "its key is of no known form");
        assert_eq!(parse("connector-x", Some(b"{")), Err(Malformed::NoJson));
        assert_eq!(parse("connector-x", Some(b"")), Err(Malformed::NoJson));
    }

    #[test]
    fn old_and_loose_records_are_read() {
        let state = |value: &str| match parse("target-state-a-1", Some(value.as_bytes())) {
            Ok(ConfigRecord::TargetState(name, state)) if name == "a-1" => state,
            other => panic!("{other:?}"),
        };
        assert_eq!(state(r#"{"state":"PAUSED"}"#), Some(TargetState::Paused));
        assert_eq!(state(r#"{"state":"PAUSED","state.v2":null}"#), Some(TargetState::Paused));
        assert_eq!(state(r#"{"state":"STARTED","state.v2":7}"#), Some(TargetState::Started));
        assert_eq!(state("null"), None);
        let config = parse("connector-x", Some(br#"{"properties":{"a":null,"b":1,"c":true},"more":1}"#));
        let expected = ConfigMap::from([("b".to_owned(), "1".to_owned()), ("c".into(), "true".into())]);
        assert_eq!(config, Ok(ConfigRecord::Connector("x".into(), Some(expected))));
        let task = parse("task-my-sink-12", Some(br#"{"properties":{}}"#));
        let id = TaskId { connector: "my-sink".into(), task: 12 };
        assert_eq!(task, Ok(ConfigRecord::Task(id, ConfigMap::new())));
        let restart = parse("restart-connector-x", Some(br#"{"include-tasks":true,"only-failed":"yes"}"#));
        let request = RestartRequest { include_tasks: true, only_failed: false };
        assert_eq!(restart, Ok(ConfigRecord::Restart("x".into(), request)));
    }
}
