//! JSON request bodies: everything that can be wrong with one becomes a 4xx that says what, and where it can, which field.

use crate::problem::{Problem, ProblemResult, shortened};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::time::Duration;

pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// How much of a body that is too long is still read and dropped, so that a client which is busy sending gets to read
/// the answer instead of a reset connection.
const DRAIN_BYTES: usize = 1024 * 1024;

/// A client that sends more slowly than this is not worth a connection.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Reads a request's body as `T`. `T` should be a struct that denies unknown fields.
pub async fn body<T: DeserializeOwned>(req: &HttpRequest, payload: web::Payload) -> ProblemResult<T> {
    check_content_type(req)?;
    let bytes = tokio::time::timeout(BODY_DEADLINE, read(req, payload)).await.map_err(|_| {
        Problem::request_timeout(format!("the body did not arrive within {} s", BODY_DEADLINE.as_secs()))
            .with_field("body")
    })??;
    parse(&bytes)
}

fn check_content_type(req: &HttpRequest) -> ProblemResult<()> {
    let refuse = |field: &str, detail: String| Err(Problem::unsupported_media_type(detail).with_field(field));
    let header = req.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(header) = header else {
        return refuse("Content-Type", "Content-Type is missing; send application/json".into());
    };
    let mut parts = header.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case("application/json") {
        return refuse(
            "Content-Type",
            format!("Content-Type is {:?}; send application/json", shortened(essence)),
        );
    }
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    if let Some((_, charset)) = charset
        && !charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    {
        return refuse(
            "Content-Type",
            format!("Content-Type has the charset {:?}; JSON is sent as utf-8", shortened(charset)),
        );
    }
    let encoding = req.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return refuse(
            "Content-Encoding",
            "Content-Encoding is not supported; send the body uncompressed".into(),
        );
    }
    Ok(())
}

async fn read(req: &HttpRequest, mut payload: web::Payload) -> ProblemResult<Vec<u8>> {
    let announced =
        req.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0).min(MAX_BODY_BYTES));
    // A chunked body announces no length, so the limit is enforced while reading.
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk
            .map_err(|_| Problem::bad_request("the body ended before it was complete").with_field("body"))?;
        length += chunk.len();
        if length <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&chunk);
        } else if length > DRAIN_BYTES {
            break;
        }
    }
    if length > MAX_BODY_BYTES {
        let detail = format!("the body has more than {MAX_BODY_BYTES} bytes; send a smaller one");
        return Err(Problem::payload_too_large(detail).with_field("body"));
    }
    Ok(bytes)
}

/// Reads a body that has arrived.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> ProblemResult<T> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::invalid_field("body", format_args!("is not valid UTF-8 (byte {})", error.valid_up_to()))
    })?;
    if text.trim().is_empty() {
        return Err(Problem::invalid_field("body", "is empty; send a JSON object"));
    }
    // serde would also take an array of the values in the order of the fields.
    if !text.trim_start().starts_with('{') {
        return Err(Problem::invalid_field("body", "is not a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        explain(&path, error.inner())
    })?;
    json.end().map_err(|error| explain(".", &error))?;
    Ok(value)
}

fn explain(path: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return Problem::invalid_field("body", format_args!("is not valid JSON: {text}"));
    }
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match named_in(text) {
        // The path may or may not end in the field the message names.
        Some((field, rule)) => {
            let parent = path.strip_suffix(field.as_str()).unwrap_or(path).trim_end_matches('.');
            let field = if parent.is_empty() { field } else { format!("{parent}.{field}") };
            Problem::invalid_field(field, rule)
        }
        None if path == "." => Problem::invalid_field("body", format_args!("is not as expected: {text}")),
        None => Problem::invalid_field(shortened(path), format_args!("is not as expected: {text}")),
    }
}

/// The field that a message of serde's derive names, and the rule it breaks.
pub(crate) fn named_in(text: &str) -> Option<(String, String)> {
    let quoted = |prefix: &str| {
        let rest = text.strip_prefix(prefix)?;
        // The name itself may hold back ticks; what follows it may not.
        let end = rest.find("`, expected").or_else(|| rest.rfind('`'))?;
        Some((shortened(&rest[..end]), rest[end + 1..].trim_start_matches(", ").to_owned()))
    };
    if let Some((field, _)) = quoted("missing field `") {
        return Some((field, "is missing".into()));
    }
    if let Some((field, _)) = quoted("duplicate field `") {
        return Some((field, "is given twice".into()));
    }
    quoted("unknown field `").map(|(field, expected)| (field, format!("is not a known field; {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code)]
        qty: i32,
        #[allow(dead_code)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        name: String,
    }

    fn field(body: &[u8]) -> String {
        let problem = parse::<Outer>(body).unwrap_err();
        assert_eq!(problem.status(), 400);
        let field = problem.field().unwrap_or_default().to_owned();
        assert!(problem.to_string().contains(&field), "{problem} does not name {field}");
        field
    }

    #[test]
    fn the_field_is_named() {
        assert_eq!(field(b"{}"), "qty");
        assert_eq!(field(br#"{"qty":"1"}"#), "qty");
        assert_eq!(field(br#"{"qty":1.5}"#), "qty");
        assert_eq!(field(br#"{"qty":null}"#), "qty");
        assert_eq!(field(br#"{"qty":99999999999}"#), "qty");
        assert_eq!(field(br#"{"qty":99999999999999999999999}"#), "qty");
        assert_eq!(field(br#"{"qty":1,"qty":2}"#), "qty");
        assert_eq!(field(br#"{"qty":1,"colour":2}"#), "colour");
        assert_eq!(field(br#"{"qty":1,"a`b, c":2}"#), "a`b, c");
        assert_eq!(field(br#"{"qty":1,"inner":{}}"#), "inner.name");
        assert_eq!(field(br#"{"qty":1,"inner":{"name":1}}"#), "inner.name");
        assert_eq!(field(br#"{"qty":1,"inner":{"name":"a","b":1}}"#), "inner.b");
    }

    #[test]
    fn a_body_that_is_no_object_is_refused_as_a_whole() {
        for body in [
            "",
            "  ",
            "null",
            "1",
            "[1,null]",
            "{",
            "{}x",
            r#"{"qty":1}{"qty":1}"#,
            r#"{"qty":1e999}"#,
            "{qty:1}",
        ] {
            let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.status(), 400, "{body}");
            assert!(matches!(problem.field(), Some("body" | "qty")), "{body}: {problem}");
        }
        assert_eq!(parse::<Outer>(b"{\"qty\":\"\xff\"}").unwrap_err().field(), Some("body"));
    }
}
