//! The JSON that describes connectors, read with care: each fault is a sentence that says what to write instead.
//!
//! Shared with the command line, where the same JSON comes from files.

mod offsets;

pub(crate) use offsets::parse_offsets;

use connect_api::ConfigMap;
use connect_runtime::herder::TargetState;
use indexmap::IndexMap;
use serde_json::value::RawValue;

/// What is wrong with a text. Never quotes a value of the configuration: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonFault(pub String);

/// The body of `POST /connectors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    pub name: String,
    pub config: ConfigMap,
    /// What it is to be at first (KIP-980); running when nothing is said.
    pub initial_state: Option<TargetState>,
}

/// A JSON object with each value left as text, so that a number keeps the form the user gave it.
type RawObject = IndexMap<String, Box<RawValue>>;

fn object(text: &str, what: &str) -> Result<RawObject, JsonFault> {
    if text.trim().is_empty() {
        return Err(JsonFault(format!("{what} is empty: send a JSON object")));
    }
    serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            return JsonFault(format!("{what} is {}: it must be a JSON object", kind(text)));
        }
        let comment =
            if text.contains('#') { " (JSON knows no comments: remove the text from '#' on)" } else { "" };
        JsonFault(format!("{what} is not valid JSON: {error}{comment}"))
    })
}

fn kind(text: &str) -> &'static str {
    match text.trim_start().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

pub fn parse_create_request(text: &str) -> Result<CreateRequest, JsonFault> {
    let fields = object(text, "the body")?;
    const KNOWN: [&str; 3] = ["name", "config", "initial_state"];
    if let Some(unknown) = fields.keys().find(|field| !KNOWN.contains(&field.as_str())) {
        return Err(JsonFault(format!(
            "Unrecognized field \"{unknown}\": the body has the fields name, config and initial_state; the connector's \
             own keys belong inside config"
        )));
    }
    let name = match fields.get("name").map(|value| value.get()) {
        None | Some("null") => String::new(),
        Some(raw) => {
            text_value(raw).ok_or_else(|| JsonFault(format!("name is {}: it must be a string", kind(raw))))?
        }
    };
    let config = match fields.get("config").map(|value| value.get()) {
        None | Some("null") => {
            let shape = "{\"name\": ..., \"config\": {\"connector.class\": ..., ...}}";
            return Err(JsonFault(format!("config is missing: the body is {shape}")));
        }
        Some(raw) => parse_config(raw, "config")?,
    };
    let initial_state = match fields.get("initial_state").map(|value| value.get()) {
        None | Some("null") => None,
        Some(raw) => Some(parse_initial_state(raw)?),
    };
    Ok(CreateRequest { name: name.trim().to_owned(), config, initial_state })
}

fn parse_initial_state(raw: &str) -> Result<TargetState, JsonFault> {
    let state = text_value(raw).unwrap_or_else(|| kind(raw).to_owned());
    match state.to_uppercase().as_str() {
        "RUNNING" => Ok(TargetState::Started),
        "PAUSED" => Ok(TargetState::Paused),
        "STOPPED" => Ok(TargetState::Stopped),
        _ => Err(JsonFault(format!("initial_state is {state}: it must be RUNNING, PAUSED or STOPPED"))),
    }
}

/// A flat object of settings; numbers and booleans become the text they were written as.
pub fn parse_config(text: &str, what: &str) -> Result<ConfigMap, JsonFault> {
    let mut config = ConfigMap::new();
    for (key, value) in parse_patch(text, what)? {
        match value {
            Some(value) => {
                config.insert(key, value);
            }
            // As good as not given: the name is in the path or beside the configuration.
            None if key == "name" => {}
            None => return Err(JsonFault(format!("the value of \"{key}\" is null: leave the key out"))),
        }
    }
    Ok(config)
}

/// A flat object of settings in which a value may be null, too.
pub(crate) fn parse_patch(text: &str, what: &str) -> Result<IndexMap<String, Option<String>>, JsonFault> {
    let mut settings = IndexMap::new();
    for (key, value) in object(text, what)? {
        let raw = value.get();
        let value = match text_value(raw) {
            None if raw != "null" => {
                let remedy = match kind(raw) {
                    "a string" => "a \\u escape in it is half a character",
                    _ => {
                        "every value of a connector's configuration is a string, such as \"a,b,c\" for a list"
                    }
                };
                return Err(JsonFault(format!("the value of \"{key}\" is {}: {remedy}", kind(raw))));
            }
            value => value,
        };
        settings.insert(key, value);
    }
    Ok(settings)
}

/// The text of a JSON scalar; nothing for null, objects and arrays, and for a string that is no text (half a surrogate
/// pair).
fn text_value(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(raw.to_owned()),
    }
}
