//! The records of the status topic: `KafkaStatusBackingStore`.

use crate::herder::{State, TaskId};
use crate::ports::LogRecord;
use bytes::Bytes;
use connect_api::json::push_string;
use serde_json::{Map, Value};

const CONNECTOR: &str = "status-connector-";
const TASK: &str = "status-task-";
const TOPIC: &str = "status-topic-";
/// Between the topic and the connector in a key; topics hold no colon.
const TOPIC_SEPARATOR: &str = ":connector-";

/// The longest trace that is stored, in bytes: a record too large for the topic would never be written at all.
const LONGEST_TRACE: usize = 64 * 1024;

/// What a connector or task was when its worker last said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub state: State,
    /// Why it failed.
    pub trace: Option<String>,
    /// `host:port`.
    pub worker_id: String,
    /// The generation of the workers' group in which this was said.
    pub generation: i32,
    /// Of the plugin.
    pub version: Option<String>,
}

/// A topic that a connector has used (KIP-558).
#[derive(Clone, Debug, PartialEq)]
pub struct TopicStatus {
    pub topic: String,
    pub connector: String,
    /// The task that was the first to use it.
    pub task: usize,
    /// Milliseconds since the epoch.
    pub discovered: i64,
}

#[derive(Debug, PartialEq)]
pub(super) enum StatusRecord {
    Connector(String, Option<Status>),
    Task(TaskId, Option<Status>),
    Topic { topic: String, connector: String, status: Option<TopicStatus> },
}

pub(super) fn connector_key(name: &str) -> Bytes {
    format!("{CONNECTOR}{name}").into()
}

pub(super) fn task_key(id: &TaskId) -> Bytes {
    format!("{TASK}{id}").into()
}

pub(super) fn topic_key(topic: &str, connector: &str) -> Bytes {
    format!("{TOPIC}{topic}{TOPIC_SEPARATOR}{connector}").into()
}

pub(super) fn status_value(status: &Status) -> Bytes {
    let mut out = format!("{{\"state\":\"{}\",\"trace\":", status.state.as_str()).into_bytes();
    push_nullable(&mut out, status.trace.as_deref().map(shortened));
    out.extend_from_slice(b",\"worker_id\":");
    push_string(&mut out, &status.worker_id);
    out.extend_from_slice(format!(",\"generation\":{}", status.generation).as_bytes());
    out.extend_from_slice(b",\"version\":");
    push_nullable(&mut out, status.version.as_deref());
    out.push(b'}');
    out.into()
}

fn push_nullable(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

fn shortened(trace: &str) -> &str {
    let mut end = trace.len().min(LONGEST_TRACE);
    while !trace.is_char_boundary(end) {
        end -= 1;
    }
    &trace[..end]
}

pub(super) fn topic_record(status: &TopicStatus) -> LogRecord {
    let mut out = b"{\"topic\":{\"name\":".to_vec();
    push_string(&mut out, &status.topic);
    out.extend_from_slice(b",\"connector\":");
    push_string(&mut out, &status.connector);
    let rest = format!(",\"task\":{},\"discoverTimestamp\":{}}}}}", status.task, status.discovered);
    out.extend_from_slice(rest.as_bytes());
    LogRecord { key: topic_key(&status.topic, &status.connector), value: Some(out.into()) }
}

/// The error says what is wrong, for the log.
pub(super) fn parse(key: &str, value: Option<&[u8]>) -> Result<StatusRecord, String> {
    let value: Option<Map<String, Value>> = match value {
        None => None,
        Some(bytes) => Some(serde_json::from_slice(bytes).map_err(|_| "its value is no JSON object")?),
    };
    if let Some(name) = key.strip_prefix(CONNECTOR) {
        if name.is_empty() {
            return Err("its key names no connector".into());
        }
        Ok(StatusRecord::Connector(name.to_owned(), value.as_ref().map(status).transpose()?))
    } else if let Some(rest) = key.strip_prefix(TASK) {
        let id = rest.rsplit_once('-').and_then(|(connector, task)| {
            Some(TaskId { connector: connector.to_owned(), task: task.parse().ok()? })
        });
        let id = id.ok_or("its key names no task")?;
        Ok(StatusRecord::Task(id, value.as_ref().map(status).transpose()?))
    } else if let Some(rest) = key.strip_prefix(TOPIC) {
        let names = rest.split_once(TOPIC_SEPARATOR);
        let (topic, connector) = names
            .filter(|(topic, connector)| !topic.is_empty() && !connector.is_empty())
            .ok_or("its key names no topic and connector")?;
        let status = value.as_ref().map(topic_status).transpose()?;
        Ok(StatusRecord::Topic { topic: topic.to_owned(), connector: connector.to_owned(), status })
    } else {
        Err("its key is of no known form".into())
    }
}

fn text(object: &Map<String, Value>, field: &str) -> Result<String, String> {
    optional_text(object, field).ok_or_else(|| format!("its field {field} is no text"))
}

fn optional_text(object: &Map<String, Value>, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn integer(object: &Map<String, Value>, field: &str) -> Result<i64, String> {
    object.get(field).and_then(Value::as_i64).ok_or_else(|| format!("its field {field} is no number"))
}

fn status(object: &Map<String, Value>) -> Result<Status, String> {
    let state = text(object, "state")?;
    Ok(Status {
        state: state_named(&state).ok_or("its state is none that is known")?,
        trace: optional_text(object, "trace"),
        worker_id: text(object, "worker_id")?,
        generation: i32::try_from(integer(object, "generation")?)
            .map_err(|_| "its field generation is no number")?,
        // Absent in the records of workers before 4.1.
        version: optional_text(object, "version"),
    })
}

fn state_named(name: &str) -> Option<State> {
    let all =
        [State::Unassigned, State::Running, State::Paused, State::Failed, State::Restarting, State::Stopped];
    all.into_iter().find(|state| state.as_str() == name)
}

fn topic_status(object: &Map<String, Value>) -> Result<TopicStatus, String> {
    let topic = object.get("topic").and_then(Value::as_object).ok_or("its field topic is no JSON object")?;
    Ok(TopicStatus {
        topic: text(topic, "name")?,
        connector: text(topic, "connector")?,
        task: usize::try_from(integer(topic, "task")?).map_err(|_| "its field task is no number")?,
        discovered: integer(topic, "discoverTimestamp")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_malformed_is_named() {
        let good = r#"{"state":"RUNNING","trace":null,"worker_id":"w","generation":1}"#;
        for (key, value, why) in [
            ("status-connector-", good, "its key names no connector"),
            ("status-connector-x", "[]", "its value is no JSON object"),
            ("status-connector-x", "{}", "its field state is no text"),
            ("status-connector-x", r#"{"state":"BUSY"}"#, "its state is none that is known"),
            ("status-connector-x", r#"{"state":"RUNNING"}"#, "its field worker_id is no text"),
            (
                "status-connector-x",
                r#"{"state":"RUNNING","worker_id":"w","generation":1e99}"#,
                "its field generation is no number",
            ),
            ("status-task-x", good, "its key names no task"),
            ("status-topic-x", "{}", "its key names no topic and connector"),
            ("status-topic-:connector-x", "{}", "its key names no topic and connector"),
            ("status-topic-t:connector-x", "{}", "its field topic is no JSON object"),
            ("status-topic-t:connector-x", r#"{"topic":{}}"#, "its field name is no text"),
            ("x", good, "its key is of no known form"),
        ] {
            assert_eq!(parse(key, Some(value.as_bytes())), Err(why.to_owned()), "{key} {value}");
        }
    }

    #[test]
    fn a_trace_is_cut_between_characters() {
        let status = Status {
            state: State::Failed,
            trace: Some("ü".repeat(LONGEST_TRACE)),
            worker_id: "w".into(),
            generation: 1,
            version: None,
        };
        let value = status_value(&status);
        let Ok(StatusRecord::Connector(_, Some(read))) = parse("status-connector-x", Some(&value)) else {
            panic!("{value:?}");
        };
        assert_eq!(read.trace.map(|trace| trace.len()), Some(LONGEST_TRACE));
    }
}
