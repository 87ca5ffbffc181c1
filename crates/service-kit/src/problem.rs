//! Errors as clients see them: RFC 9457 problem documents, with a sentence that names field, rule and remedy.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError, Route, error, web};
use serde_json::{Map, Value};
use std::fmt;

pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

pub type ProblemResult<T> = Result<T, Problem>;

/// An answer with a status of 400 or above. What it says is meant for the client; the reason behind a 500 belongs in
/// the log, not here.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    field: Option<String>,
    extensions: Vec<(String, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), field: None, extensions: Vec::new(), headers: Vec::new() }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 400 with the member `field`; the detail reads "FIELD RULE".
    pub fn invalid_field(field: impl Into<String>, rule: impl fmt::Display) -> Self {
        let field = field.into();
        Self::bad_request(format!("{field} {rule}")).with_field(field)
    }

    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub fn payload_too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// 503: it would work later, and the client may try then.
    pub fn unavailable(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_retry_after(retry_after_s)
    }

    pub fn bad_gateway(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, detail)
    }

    pub fn gateway_timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail)
    }

    /// 500. Log the reason before; the client learns only that it is not to blame.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the service failed; its log tells why, under the X-Request-Id of this answer",
        )
    }

    /// An extension member of the document.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extensions.push((member.to_owned(), value.into()));
        self
    }

    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    fn document(&self) -> Value {
        let mut document = Map::new();
        document.insert("type".into(), "about:blank".into());
        document.insert("title".into(), self.status.canonical_reason().unwrap_or("Error").into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("detail".into(), self.detail.clone().into());
        if let Some(field) = &self.field {
            document.insert("field".into(), field.clone().into());
        }
        document.extend(self.extensions.clone());
        Value::Object(document)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name, value));
        }
        response.insert_header((CONTENT_TYPE, CONTENT_TYPE_PROBLEM));
        response.body(self.document().to_string())
    }
}

/// For `App::default_service(web::to(problem::not_found_handler))`.
pub async fn not_found_handler(req: HttpRequest) -> ProblemResult<HttpResponse> {
    Err(Problem::not_found(format!("there is nothing at {}", shortened(req.path()))))
}

/// For `web::resource(..).default_service(problem::method_not_allowed("GET, POST"))`: actix's own 405 has no body.
pub fn method_not_allowed(allow: &'static str) -> Route {
    web::route().to(move |req: HttpRequest| async move {
        let detail = format!("{} is not possible here; allowed: {allow}", shortened(req.method().as_str()));
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
            .with_header(ALLOW, HeaderValue::from_static(allow));
        Err::<HttpResponse, Problem>(problem)
    })
}

/// Makes the extractors of actix answer with problem documents: `App::configure(problem::configure)`.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.app_data(web::QueryConfig::default().error_handler(|error, _| query_problem(&error).into()))
        .app_data(web::PathConfig::default().error_handler(|error, _| path_problem(&error).into()));
}

fn query_problem(error: &error::QueryPayloadError) -> Problem {
    // `serde_urlencoded` names a field only in the errors of serde's derive.
    let text = match error {
        error::QueryPayloadError::Deserialize(error) => error.to_string(),
        _ => "the query cannot be read".into(),
    };
    match crate::json::named_in(&text) {
        Some((field, rule)) => Problem::invalid_field(field, rule),
        None => Problem::bad_request(format!("the query is not valid: {text}")).with_field("query"),
    }
}

fn path_problem(error: &error::PathError) -> Problem {
    Problem::bad_request(format!("the path is not valid: {error}")).with_field("path")
}

/// What a client sent, short enough to be repeated to it.
pub fn shortened(text: &str) -> String {
    const MAX: usize = 80;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
