//! Which headers pass, in either direction, and which the gateway adds.

use super::location;
use actix_web::http::header::HeaderMap as ClientHeaders;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::Authority;
use service_kit::trace::{REQUEST_ID, TRACEPARENT, TraceContext};

/// Meant for the next hop alone (RFC 9110, 7.6.1). `Trailer` is among them since trailers are not passed on, `Expect`
/// since the gateway has already answered it, `Content-Length` since it comes from the body.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the gateway knows of a request beside its headers.
#[derive(Clone, Debug)]
pub(super) struct Hop<'a> {
    /// The address of who is connected.
    pub(super) peer: Option<String>,
    pub(super) scheme: &'a str,
    pub(super) prefix: &'a str,
    pub(super) trace: &'a TraceContext,
    /// The operator token opens the gateway and is nothing to the upstream.
    pub(super) drop_authorization: bool,
}

/// The headers of the request to the instance.
pub(super) fn for_upstream(client: &ClientHeaders, hop: &Hop<'_>) -> HeaderMap {
    let named = named_by_connection(client.get_all("connection").map(|value| value.as_bytes()));
    let mut headers = HeaderMap::with_capacity(client.len() + 6);
    for (name, value) in client {
        let name = name.as_str();
        let dropped = is_hop_by_hop(name, &named)
            || matches!(name, "host" | TRACEPARENT | REQUEST_ID)
            || (hop.drop_authorization && name == "authorization");
        if !dropped {
            append(&mut headers, name, value.as_bytes());
        }
    }
    let host = client.get("host").map(|host| host.as_bytes().to_vec());
    forwarded(&mut headers, hop, host.as_deref());
    set(&mut headers, TRACEPARENT, hop.trace.traceparent.as_bytes());
    set(&mut headers, REQUEST_ID, hop.trace.request_id.as_bytes());
    headers
}

/// Extends what proxies before this one said of the client, or begins it.
fn forwarded(headers: &mut HeaderMap, hop: &Hop<'_>, host: Option<&[u8]>) {
    if let Some(peer) = &hop.peer {
        extend(headers, "x-forwarded-for", peer);
        // Nobody here reads `Forwarded`, but where it is used it has to stay true.
        if headers.contains_key("forwarded") {
            let peer = if peer.contains(':') { format!("\"[{peer}]\"") } else { peer.clone() };
            extend(headers, "forwarded", &format!("for={peer};proto={}", hop.scheme));
        }
    }
    if !headers.contains_key("x-forwarded-proto") {
        set(headers, "x-forwarded-proto", hop.scheme.as_bytes());
    }
    if let (Some(host), false) = (host, headers.contains_key("x-forwarded-host")) {
        set(headers, "x-forwarded-host", host);
    }
    extend_prefix(headers, hop.prefix);
}

/// Prefixes add up: a proxy before this one may have stripped one too.
fn extend_prefix(headers: &mut HeaderMap, prefix: &str) {
    let before = headers.get("x-forwarded-prefix").and_then(|value| value.to_str().ok()).unwrap_or("");
    let whole = format!("{}{prefix}", before.trim_end_matches('/'));
    if whole.is_empty() {
        return;
    }
    set(headers, "x-forwarded-prefix", whole.as_bytes());
}

fn extend(headers: &mut HeaderMap, name: &'static str, element: &str) {
    let before: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let whole = before.into_iter().chain([element]).collect::<Vec<_>>().join(", ");
    set(headers, name, whole.as_bytes());
}

/// The headers of the answer to the client. `ours` knows the instances of the service.
pub(super) fn for_client(
    upstream: &HeaderMap,
    prefix: &str,
    ours: impl Fn(&Authority) -> bool,
) -> Vec<(HeaderName, HeaderValue)> {
    let named = named_by_connection(upstream.get_all("connection").iter().map(HeaderValue::as_bytes));
    upstream
        .iter()
        // The request id is put on the answer by the gateway's own trace middleware.
        .filter(|(name, _)| !is_hop_by_hop(name.as_str(), &named) && name.as_str() != REQUEST_ID)
        .map(|(name, value)| {
            let rewritten = match name.as_str() {
                "location" | "content-location" => value
                    .to_str()
                    .ok()
                    .and_then(|text| location::rewrite(text, prefix, &ours))
                    .and_then(|text| HeaderValue::try_from(text).ok()),
                _ => None,
            };
            (name.clone(), rewritten.unwrap_or_else(|| value.clone()))
        })
        .collect()
}

/// The names in the `Connection` headers, lower case.
fn named_by_connection<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    values
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

fn is_hop_by_hop(name: &str, named: &[String]) -> bool {
    HOP_BY_HOP.contains(&name) || named.iter().any(|named| named == name)
}

/// Names and values that one HTTP library took are taken by the other; should they ever differ, the header is left
/// out.
fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
        headers.append(name, value);
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
