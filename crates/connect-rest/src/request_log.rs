//! What happens around every request: one line in the log, and the headers that every answer gets.

use crate::dispatch::Api;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// Never logs a body or a query: they may hold secrets.
pub(crate) async fn observe<B: MessageBody>(
    api: Arc<Api>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let seen = request.request().clone();
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if let Some(cors) = &api.options.cors {
        cors.apply(seen.method(), seen.headers(), headers);
    }
    api.options.headers.apply(headers, SystemTime::now());
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (method, path) = (seen.method(), seen.uri().path());
    tracing::info!(%method, path, status = response.status().as_u16(), ms, "request");
    Ok(response)
}
