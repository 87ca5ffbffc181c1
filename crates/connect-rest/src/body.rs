//! Request bodies: what they may be, how large, and that they are text. Where the reference answers 500 with the text of a
//! Java exception, the answer here is a 400 with a sentence.

use crate::answer::Refusal;
use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Buf, Payload};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

/// The largest body of users' requests; real configurations are a thousand times smaller, and Kafka takes no larger record
/// unless told so.
pub(crate) const LIMIT: usize = 1 << 20;

/// The largest list of task configurations that one worker may send another.
pub(crate) const INTERNAL_LIMIT: usize = 16 << 20;

/// Reads a body whose content type has been checked.
pub(crate) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes, which no configuration needs"),
        )
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Refusal::bad_request(format!("the body could not be read: {error}")))?;
        if body.len() + chunk.remaining() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if !body.is_empty() && !request.headers().contains_key(header::CONTENT_TYPE) {
        // No guess where nothing is said: a page in a browser can send such a request to a worker on the same machine without
        // being asked, and JSON it cannot.
        return Err(Refusal::of_http(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Ok(body.freeze())
}

/// A content type other than JSON is refused, whatever the method.
pub(crate) fn check_content_type(request: &HttpRequest) -> Result<(), Refusal> {
    let Some(content_type) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = content_type.to_str().ok().and_then(|value| value.split(';').next()).unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::of_http(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// The body as text, without a byte order mark.
pub(crate) fn text(body: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Refusal::bad_request(format!(
            "the body is not UTF-8 text: the byte at position {at} does not belong there"
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
