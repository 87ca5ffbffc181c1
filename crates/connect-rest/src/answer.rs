//! Answers: JSON in every case, errors in Connect's form.

use crate::json::JsonFault;
use crate::wire::ErrorMessage;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use connect_runtime::herder::HerderError;

/// What became of a request at this worker.
pub(crate) type Answer = Result<HttpResponse, Failure>;

/// Why a request got no answer of its own.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    /// Another worker has to answer.
    Elsewhere {
        url: String,
    },
}

/// A refusal: its status and the sentence for the user.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// What the reference's HTTP layer says where no resource speaks: `HTTP 404 Not Found`.
    pub(crate) fn of_http(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        Self::new(status, format!("HTTP {} {reason}", status.as_u16()))
    }

    pub(crate) fn response(&self) -> HttpResponse {
        let body = ErrorMessage { error_code: self.status.as_u16(), message: self.message.clone() };
        HttpResponse::build(self.status).json(body)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<JsonFault> for Failure {
    fn from(fault: JsonFault) -> Self {
        Failure::Refused(Refusal::bad_request(fault.0))
    }
}

impl From<HerderError> for Failure {
    fn from(error: HerderError) -> Self {
        let status = match &error {
            HerderError::Elsewhere { url } => return Failure::Elsewhere { url: url.clone() },
            HerderError::NotFound(_) => StatusCode::NOT_FOUND,
            HerderError::Conflict(_) => StatusCode::CONFLICT,
            HerderError::BadRequest(_) => StatusCode::BAD_REQUEST,
            HerderError::Forbidden(_) => StatusCode::FORBIDDEN,
            HerderError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            HerderError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Failure::Refused(Refusal::new(status, error.to_string()))
    }
}

pub(crate) fn ok(body: impl serde::Serialize) -> Answer {
    Ok(HttpResponse::Ok().json(body))
}

pub(crate) fn accepted() -> Answer {
    Ok(HttpResponse::Accepted().finish())
}

pub(crate) fn no_content() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

/// An answer whose JSON another worker wrote.
pub(crate) fn relayed(status: StatusCode, body: bytes::Bytes) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if !body.is_empty() {
        response.content_type(ContentType::json());
    }
    response
}
