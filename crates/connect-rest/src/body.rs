//! Request bodies. Where the reference answers 500 with the text of a Java exception, the answer here is a 400 with a
//! sentence that says what to write instead.

use crate::answer::Refusal;
use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Buf, BytesMut};
use connect_api::ConfigMap;
use futures::StreamExt;
use indexmap::IndexMap;
use serde_json::value::RawValue;

/// The largest body; real configurations are a thousand times smaller.
const LIMIT: usize = 1 << 20;

/// The body of `POST /connectors`.
#[derive(Debug)]
pub(crate) struct CreateRequest {
    pub(crate) name: String,
    pub(crate) config: ConfigMap,
}

pub(crate) async fn create_request(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<CreateRequest, Refusal> {
    parse_create_request(&read(request, payload).await?)
}

pub(crate) async fn config(request: &HttpRequest, payload: web::Payload) -> Result<ConfigMap, Refusal> {
    let text = read(request, payload).await?;
    parse_config(&text, "the body")
}

async fn read(request: &HttpRequest, mut payload: web::Payload) -> Result<String, Refusal> {
    check_content_type(request)?;
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {LIMIT} bytes, which no configuration needs"),
        )
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > LIMIT as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Refusal::bad_request(format!("the body could not be read: {error}")))?;
        if body.len() + chunk.remaining() > LIMIT {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body.to_vec()).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Refusal::bad_request(format!(
            "the body is not UTF-8 text: the byte at position {at} does not belong there"
        ))
    })
}

fn check_content_type(request: &HttpRequest) -> Result<(), Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // Nothing said is taken as JSON: there is nothing else it could be.
    let essence = content_type.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") || essence == "*/*" {
        return Ok(());
    }
    Err(Refusal::of_http(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// A JSON object with each value left as text, so that a number keeps the form the user gave it.
type RawObject = IndexMap<String, Box<RawValue>>;

fn object(text: &str, what: &str) -> Result<RawObject, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::bad_request(format!("{what} is empty: send a JSON object")));
    }
    serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            return Refusal::bad_request(format!("{what} is {}: it must be a JSON object", kind(text)));
        }
        Refusal::bad_request(format!("{what} is not valid JSON: {error}"))
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

fn parse_create_request(text: &str) -> Result<CreateRequest, Refusal> {
    let fields = object(text, "the body")?;
    const KNOWN: [&str; 3] = ["name", "config", "initial_state"];
    if let Some(unknown) = fields.keys().find(|field| !KNOWN.contains(&field.as_str())) {
        return Err(Refusal::bad_request(format!(
            "Unrecognized field \"{unknown}\": the body has the fields name, config and initial_state; the connector's \
             own keys belong inside config"
        )));
    }
    let name = match fields.get("name").map(|value| value.get()) {
        None | Some("null") => String::new(),
        Some(raw) => text_value(raw)
            .ok_or_else(|| Refusal::bad_request(format!("name is {}: it must be a string", kind(raw))))?,
    };
    let config = match fields.get("config").map(|value| value.get()) {
        None | Some("null") => {
            return Err(Refusal::bad_request(
                "config is missing: the body is {\"name\": ..., \"config\": {\"connector.class\": ..., ...}}",
            ));
        }
        Some(raw) => parse_config(raw, "config")?,
    };
    match fields.get("initial_state").map(|value| value.get()) {
        None | Some("null") => {}
        Some(raw) => check_initial_state(raw)?,
    }
    Ok(CreateRequest { name: name.trim().to_owned(), config })
}

fn check_initial_state(raw: &str) -> Result<(), Refusal> {
    let state = text_value(raw).unwrap_or_else(|| raw.to_owned());
    match state.to_ascii_uppercase().as_str() {
        "RUNNING" => Ok(()),
        "PAUSED" | "STOPPED" => Err(Refusal::bad_request(format!(
            "initial_state {state} is not supported yet: leave it out, and the connector starts RUNNING"
        ))),
        _ => Err(Refusal::bad_request(format!(
            "initial_state is {state}: it must be RUNNING, PAUSED or STOPPED"
        ))),
    }
}

/// A flat object of settings; numbers and booleans become the text they were written as.
fn parse_config(text: &str, what: &str) -> Result<ConfigMap, Refusal> {
    let mut config = ConfigMap::new();
    for (key, value) in object(text, what)? {
        let raw = value.get();
        let value = text_value(raw).ok_or_else(|| {
            let remedy = match kind(raw) {
                "null" => "leave the key out",
                _ => "every value of a connector's configuration is a string, such as \"a,b,c\" for a list",
            };
            Refusal::bad_request(format!("the value of \"{key}\" is {}: {remedy}", kind(raw)))
        })?;
        config.insert(key, value);
    }
    Ok(config)
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
