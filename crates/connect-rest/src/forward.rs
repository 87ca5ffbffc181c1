//! Requests that another worker has to answer: the leader, or the one that runs the task.

use crate::answer::{Refusal, relayed};
use crate::call::queries;
use crate::client::{self, Incoming, Outgoing, SendError};
use crate::peers::{ALGORITHM_HEADER, SIGNATURE_HEADER};
use crate::wire::ErrorMessage;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use std::time::Duration;

/// What goes along. The signature of an internal request still holds, since its body goes along as it came.
const COPIED: [&str; 3] = ["Authorization", SIGNATURE_HEADER, ALGORITHM_HEADER];

/// Why there is no answer of the other worker to relay.
pub(crate) struct NotForwarded {
    pub(crate) refusal: Refusal,
    /// Nothing has been sent, since nobody listens there: the worker has ended, and the group has not missed it yet.
    pub(crate) nobody_there: bool,
}

impl From<Refusal> for NotForwarded {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, nobody_there: false }
    }
}

/// Sends the request to the worker at `url` and returns its answer. Two hops find the right worker unless the group is just
/// rebalancing, so there is no third.
pub(crate) async fn forward(
    request: &HttpRequest,
    body: Bytes,
    url: &str,
    timeout: Duration,
) -> Result<HttpResponse, NotForwarded> {
    let hop = queries(request).into_iter().find(|(key, _)| key == "forward").map(|(_, value)| value);
    let next_hop = match hop {
        None => true,
        Some(value) if value.eq_ignore_ascii_case("true") => false,
        Some(_) => {
            return Err(Refusal::conflict(
                "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
            )
            .into());
        }
    };
    if url.is_empty() {
        return Err(Refusal::conflict(
            "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.",
        )
        .into());
    }
    let headers = COPIED.into_iter().filter_map(|name| {
        let value = request.headers().get(name)?;
        Some((name, Bytes::copy_from_slice(value.as_bytes())))
    });
    let outgoing = Outgoing {
        method: request.method().as_str(),
        base: url,
        path_and_query: target(request, next_hop),
        headers: headers.collect(),
        body,
    };
    tracing::debug!(worker = url, method = outgoing.method, path = request.uri().path(), "forwarding");
    let answer = client::send(outgoing, timeout).await.map_err(|SendError { error, nobody_there }| {
        tracing::warn!(worker = url, %error, "a request could not be forwarded");
        let refusal = Refusal::internal(format!("IO Error trying to forward REST request: {error}"));
        NotForwarded { refusal, nobody_there }
    })?;
    Ok(relay(answer, url)?)
}

/// Path and query as they came, with the number of the hop in the query.
fn target(request: &HttpRequest, next_hop: bool) -> String {
    let uri = request.uri();
    let mut target = format!("{}?forward={next_hop}", uri.path());
    let others = uri.query().unwrap_or_default().split('&');
    for pair in others.filter(|pair| !pair.is_empty() && *pair != "forward" && !pair.starts_with("forward="))
    {
        target.push('&');
        target.push_str(pair);
    }
    target
}

fn relay(answer: Incoming, url: &str) -> Result<HttpResponse, Refusal> {
    let unexpected = || {
        Refusal::internal(format!(
            "Unexpected status code when handling forwarded request: {} from the worker at {url}",
            answer.status
        ))
    };
    let status = StatusCode::from_u16(answer.status).map_err(|_| unexpected())?;
    if status.is_client_error() || status.is_server_error() {
        // The reference's HTTP layer answers some requests with a page.
        let error: ErrorMessage = serde_json::from_slice(&answer.body).unwrap_or_else(|_| ErrorMessage {
            error_code: answer.status,
            message: format!(
                "{} from the worker at {url}, without a message",
                Refusal::of_http(status).message
            ),
        });
        return Ok(HttpResponse::build(status).json(error));
    }
    if !status.is_success() {
        return Err(unexpected());
    }
    let mut response = relayed(status, answer.body.clone());
    let location = answer.headers.get(hyper::header::LOCATION).and_then(|value| value.to_str().ok());
    if let Some(location) = location {
        response.insert_header((header::LOCATION, without_host(location)));
    }
    Ok(response.body(answer.body))
}

/// The reference names its own host in `Location`; the client came by another way.
fn without_host(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_query_goes_along_with_the_hop() {
        for (uri, expected) in [
            ("/connectors/%2E%2E/config", "/connectors/%2E%2E/config?forward=true"),
            ("/c?includeTasks=true&onlyFailed=%74rue", "/c?forward=true&includeTasks=true&onlyFailed=%74rue"),
            ("/c/?forward=true&forward&forwards=1", "/c/?forward=true&forwards=1"),
        ] {
            let request = TestRequest::with_uri(uri).to_http_request();
            assert_eq!(target(&request, true), expected);
        }
    }

    #[test]
    fn locations_lose_their_host() {
        assert_eq!(without_host("http://worker-1:8083/connectors/a%2Fb"), "/connectors/a%2Fb");
        assert_eq!(without_host("/connectors/a"), "/connectors/a");
        assert_eq!(without_host("http://worker-1:8083"), "/");
    }
}
