//! Requests of clients, passed on to an instance, and its answer passed back.

mod body;
pub mod forward;
mod headers;
mod location;
pub mod retry;

use crate::connect_probe::ConnectWorkers;
use crate::discovery::Directory;
use crate::upstream::{InFlight, Target};
use actix_web::body::{BodyStream, SizedStream};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use body::{BodyError, RequestBody};
use bytes::Bytes;
use forward::{Answer, ForwardError, Forwarder, Outgoing};
use futures::Stream;
use hyper::body::{Body, Incoming};
use service_kit::operator::OperatorToken;
use service_kit::problem::{Problem, ProblemResult};
use service_kit::trace::TraceContext;
use std::pin::Pin;
use std::sync::Arc;

/// When a client may come back if there is no instance: about as long as a service takes to start.
const RETRY_AFTER_S: u64 = 2;

/// Everything that the routes share.
#[derive(Debug)]
pub struct Gateway {
    pub directory: Arc<Directory>,
    pub workers: Arc<ConnectWorkers>,
    pub forwarder: Forwarder,
    pub operator_token: OperatorToken,
}

/// What stands behind a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Instances that announce themselves.
    Service { name: &'static str, prefix: &'static str },
    /// The connect workers, for operators only.
    Connect,
}

const ROUTES: &[Route] = &[
    Route::Service { name: "order-service", prefix: "/order-service" },
    Route::Service { name: "catalog-service", prefix: "/catalog-service" },
    Route::Connect,
];

impl Route {
    fn prefix(self) -> &'static str {
        match self {
            Self::Service { prefix, .. } => prefix,
            Self::Connect => "/connect",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Service { name, .. } => name,
            Self::Connect => "connect-worker",
        }
    }

    /// The route for a path, and the path behind its prefix.
    fn of(path: &str) -> Option<(Self, &str)> {
        ROUTES.iter().find_map(|route| match path.strip_prefix(route.prefix()) {
            Some("") => Some((*route, "/")),
            Some(rest) if rest.starts_with('/') => Some((*route, rest)),
            _ => None,
        })
    }
}

impl Gateway {
    fn candidates(&self, route: Route) -> Arc<[Arc<Target>]> {
        match route {
            Route::Service { name, .. } => self.directory.candidates(name),
            Route::Connect => self.workers.candidates(),
        }
    }
}

/// Serves every path that no other route takes.
pub async fn handle(
    req: HttpRequest,
    payload: web::Payload,
    gateway: web::Data<Gateway>,
) -> ProblemResult<HttpResponse> {
    // Not `req.path()`: what is encoded has to stay so.
    let Some((route, path)) = Route::of(req.uri().path()) else {
        return service_kit::problem::not_found_handler(req).await;
    };
    if route == Route::Connect {
        gateway.operator_token.check(&req)?;
    }
    let outgoing = outgoing(&req, payload, route, path).await?;
    let candidates = gateway.candidates(route);
    match gateway.forwarder.send(&candidates, &outgoing).await {
        Ok(answer) => Ok(passed_on(answer, req.method() == Method::HEAD, route, &candidates)),
        Err(error) => Err(problem(&error, route, &outgoing)),
    }
}

async fn outgoing(
    req: &HttpRequest,
    payload: web::Payload,
    route: Route,
    path: &str,
) -> ProblemResult<Outgoing> {
    let length = req.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body =
        RequestBody::receive(payload.into_inner(), length).await.map_err(|error| body_problem(&error))?;
    let trace = TraceContext::from_request(req);
    let hop = headers::Hop {
        peer: req.peer_addr().map(|peer| peer.ip().to_string()),
        scheme: req.uri().scheme_str().unwrap_or("http"),
        prefix: route.prefix(),
        trace: &trace,
        drop_authorization: route == Route::Connect,
    };
    let path_and_query = match req.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // Two HTTP libraries, one grammar: what the first took as a method the second takes too.
    let method = hyper::Method::from_bytes(req.method().as_str().as_bytes())
        .map_err(|_| Problem::bad_request("the method is not valid"))?;
    Ok(Outgoing {
        method,
        path_and_query,
        headers: headers::for_upstream(req.headers(), &hop),
        body,
        repeatable: retry::is_repeatable(req.method(), req.headers()),
        our_own: false,
    })
}

/// A GET that the gateway itself asks.
pub(crate) fn request_of_our_own(path_and_query: &str) -> Outgoing {
    let trace = TraceContext::from_texts(None, None);
    let hop =
        headers::Hop { peer: None, scheme: "http", prefix: "", trace: &trace, drop_authorization: true };
    Outgoing {
        method: hyper::Method::GET,
        path_and_query: path_and_query.to_owned(),
        headers: headers::for_upstream(&Default::default(), &hop),
        body: RequestBody::empty(),
        repeatable: true,
        our_own: true,
    }
}

fn passed_on(answer: Answer, head: bool, route: Route, candidates: &[Arc<Target>]) -> HttpResponse {
    let Answer { response, in_flight } = answer;
    let (parts, body) = response.into_parts();
    let Ok(status) = StatusCode::from_u16(parts.status.as_u16()) else {
        return HttpResponse::BadGateway().finish();
    };
    let mut builder = HttpResponse::build(status);
    let ours = |authority: &hyper::http::uri::Authority| {
        candidates.iter().any(|candidate| candidate.url.authority() == authority)
    };
    for (name, value) in headers::for_client(&parts.headers, route.prefix(), ours) {
        builder.append_header((name.as_str(), value.as_bytes()));
    }
    // The length as the instance stated it: an answer to HEAD has one without having a body.
    let stated = parts.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let length = if head { stated } else { body.size_hint().exact() };
    let stream = pieces(body, in_flight);
    match length {
        Some(length) => builder.body(SizedStream::new(length, stream)),
        None => builder.body(BodyStream::new(stream)),
    }
}

/// The pieces of an answer as they arrive; the request is in flight until the last one.
fn pieces(body: Incoming, in_flight: InFlight) -> impl Stream<Item = Result<Bytes, hyper::Error>> {
    futures::stream::unfold((body, in_flight), |(mut body, in_flight)| async move {
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await?;
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => return Some((Ok(data), (body, in_flight))),
                // Trailers are not passed on.
                Ok(Err(_)) => {}
                Err(error) => return Some((Err(error), (body, in_flight))),
            }
        }
    })
}

fn body_problem(error: &BodyError) -> Problem {
    match error {
        BodyError::TooLarge => Problem::payload_too_large(format!(
            "the body is larger than {} bytes, which is as much as the gateway passes on",
            body::BODY_MAX
        )),
        BodyError::Broken => Problem::bad_request("the body ended before it was complete; send it again"),
    }
}

fn problem(error: &ForwardError, route: Route, request: &Outgoing) -> Problem {
    if let Some(failure) = request.body.failure() {
        return body_problem(&failure);
    }
    let name = route.name();
    let unknown_outcome = if request.repeatable {
        "the same request can safely be sent again"
    } else {
        "it may have been carried out: look before you repeat it, or send an Idempotency-Key the next time"
    };
    match error {
        ForwardError::NoInstance => {
            let remedy = match route {
                Route::Service { name, .. } => {
                    format!("no instance of {name} is registered: start one, or wait until it has started")
                }
                Route::Connect => "no connect worker is configured: name one in CONNECT_URLS".to_owned(),
            };
            Problem::unavailable(remedy, RETRY_AFTER_S).with("service", name)
        }
        ForwardError::NotSent(_) => Problem::unavailable(
            format!(
                "no instance of {name} could be reached, and nothing was sent: try again, or start an instance"
            ),
            RETRY_AFTER_S,
        )
        .with("service", name),
        ForwardError::Broken(_) => Problem::bad_gateway(format!(
            "the connection to {name} broke before it had answered; {unknown_outcome}"
        ))
        .with("service", name),
        ForwardError::Timeout => {
            Problem::gateway_timeout(format!("{name} did not answer in time; {unknown_outcome}"))
                .with("service", name)
        }
        ForwardError::BadPath(_) => {
            Problem::bad_request("the path holds characters that have to be percent-encoded")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_whole_segments_and_what_follows_is_untouched() {
        for (path, wanted) in [
            ("/order-service", Some(("order-service", "/"))),
            ("/order-service/", Some(("order-service", "/"))),
            ("/order-service//a%2Fb/../c", Some(("order-service", "//a%2Fb/../c"))),
            ("/catalog-service/products", Some(("catalog-service", "/products"))),
            ("/connect/connectors", Some(("connect-worker", "/connectors"))),
            ("/connectors", None),
            ("/order-service2/x", None),
            ("/order%2Dservice/x", None),
            ("//order-service/x", None),
            ("/", None),
        ] {
            assert_eq!(Route::of(path).map(|(route, rest)| (route.name(), rest)), wanted, "{path}");
        }
    }
}
