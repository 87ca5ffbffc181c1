//! Trace context: the W3C `traceparent` and the `X-Request-Id` of a request, from its first hop to the last record.

use crate::problem::Problem;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage, HttpRequest};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Ready, ready};
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use uuid::Uuid;

pub const TRACEPARENT: &str = "traceparent";
pub const REQUEST_ID: &str = "x-request-id";

const REQUEST_ID_MAX: usize = 128;

/// What identifies a request across processes. Both texts are valid: they came in so, or were created here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub traceparent: String,
    pub request_id: String,
}

impl TraceContext {
    /// The context of this request: what [`Propagate`] found or, without it, what the headers say.
    pub fn from_request(req: &HttpRequest) -> Self {
        if let Some(known) = req.extensions().get::<TraceContext>() {
            return known.clone();
        }
        Self::from_headers(req.headers())
    }

    fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self::from_texts(text(TRACEPARENT), text(REQUEST_ID))
    }

    /// Keeps what is valid, creates the rest.
    pub fn from_texts(traceparent: Option<&str>, request_id: Option<&str>) -> Self {
        Self {
            traceparent: traceparent.and_then(valid_traceparent).unwrap_or_else(new_traceparent),
            request_id: request_id
                .filter(|id| valid_request_id(id))
                .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
        }
    }
}

fn valid_request_id(id: &str) -> bool {
    (1..=REQUEST_ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A `traceparent` in the form of version 00. A later version may append fields, which are dropped; what cannot be
/// read is none.
fn valid_traceparent(text: &str) -> Option<String> {
    let known = text.get(..55)?;
    let rest = &text[55..];
    let mut parts = known.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zeros = |part: &str| part.bytes().all(|byte| byte == b'0');
    let well_formed =
        parts.next().is_none() && hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let rest_fits = if version == "00" { rest.is_empty() } else { rest.is_empty() || rest.starts_with('-') };
    (well_formed && version != "ff" && !zeros(trace) && !zeros(parent) && rest_fits)
        .then(|| format!("00-{trace}-{parent}-{flags}"))
}

fn new_traceparent() -> String {
    // Random UUIDs are 32 hex digits, and their fixed bits keep either half from being all zeros.
    let parent = Uuid::new_v4().simple().to_string();
    format!("00-{}-{}-01", Uuid::new_v4().simple(), &parent[16..])
}

/// Middleware for every service: finds or creates the [`TraceContext`], answers with its `X-Request-Id`, logs one line
/// per request, and turns a panic of a handler into a 500 that shows nothing of it.
#[derive(Clone, Copy, Debug)]
pub struct Propagate;

impl<S, B> Transform<S, ServiceRequest> for Propagate
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = PropagateService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(PropagateService { service }))
    }
}

#[derive(Debug)]
pub struct PropagateService<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for PropagateService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let started = Instant::now();
        let context = TraceContext::from_headers(req.headers());
        let method = req.method().clone();
        let path = req.path().to_owned();
        req.extensions_mut().insert(context.clone());
        let answer = AssertUnwindSafe(self.service.call(req)).catch_unwind();
        Box::pin(async move {
            let id = HeaderValue::from_str(&context.request_id).expect("a request id is visible ASCII");
            let name = HeaderName::from_static(REQUEST_ID);
            let answer = match answer.await {
                Ok(answer) => answer,
                // The panic hook has already written message and place to stderr.
                Err(_) => Err(Problem::internal().with_header(name.clone(), id.clone()).into()),
            };
            let ms = started.elapsed().as_millis() as u64;
            let status = match &answer {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            }
            .as_u16();
            let request_id = context.request_id.as_str();
            if path.starts_with("/health") {
                tracing::debug!(%method, path, status, ms, request_id, "request");
            } else {
                tracing::info!(%method, path, status, ms, request_id, "request");
            }
            answer.map(|mut response| {
                response.headers_mut().insert(name, id);
                response
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn traceparent_follows_the_w3c_rules() {
        assert_eq!(valid_traceparent(GOOD).as_deref(), Some(GOOD));
        let later = GOOD.replacen("00", "01", 1);
        assert_eq!(valid_traceparent(&later).as_deref(), Some(GOOD));
        assert_eq!(valid_traceparent(&format!("{later}-more")).as_deref(), Some(GOOD));
        let refused = [
            String::new(),
            format!("{GOOD}-more"),
            format!("{later}more"),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            GOOD[..54].to_owned(),
            "é".repeat(40),
        ];
        for text in refused {
            assert_eq!(valid_traceparent(&text), None, "{text}");
        }
        assert!(valid_traceparent(&new_traceparent()).is_some());
    }

    #[test]
    fn what_is_invalid_is_replaced_and_what_is_valid_kept() {
        let kept = TraceContext::from_texts(Some(GOOD), Some("abc"));
        assert_eq!((kept.traceparent.as_str(), kept.request_id.as_str()), (GOOD, "abc"));
        for bad in ["", "a b", "a\nb", "ä", &"x".repeat(129)] {
            assert_ne!(TraceContext::from_texts(None, Some(bad)).request_id, bad);
        }
    }
}
