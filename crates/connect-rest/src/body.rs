//! Request bodies. Where the reference answers 500 with the text of a Java exception, the answer here is a 400 with a
//! sentence.

use crate::answer::Refusal;
use crate::json::{self, CreateRequest, JsonFault};
use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Buf, BytesMut};
use connect_api::ConfigMap;
use futures::StreamExt;

/// The largest body; real configurations are a thousand times smaller.
const LIMIT: usize = 1 << 20;

pub(crate) async fn create_request(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<CreateRequest, Refusal> {
    Ok(json::parse_create_request(&read(request, payload).await?)?)
}

pub(crate) async fn config(request: &HttpRequest, payload: web::Payload) -> Result<ConfigMap, Refusal> {
    let text = read(request, payload).await?;
    Ok(json::parse_config(&text, "the body")?)
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
    // No guess where nothing is said: a page in a browser can send such a request to a worker on the same machine without
    // being asked, and JSON it cannot.
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::of_http(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

impl From<JsonFault> for Refusal {
    fn from(fault: JsonFault) -> Self {
        Refusal::bad_request(fault.0)
    }
}
