//! The last orders and the products, asked for as any client would: through the balancer.

use crate::proxy::Gateway;
use crate::proxy::forward::{ForwardError, Outgoing};
use crate::proxy::request_of_our_own;
use hyper::body::{Body, Incoming};
use serde_json::Value;
use std::pin::Pin;
use std::time::Duration;

const TIME_LIMIT: Duration = Duration::from_secs(2);
const BYTES_MAX: usize = 256 * 1024;
/// As much as the page shows.
const ITEMS_MAX: usize = 20;

/// The list under `member` of what the service answers to a GET, or why there is none.
pub(super) async fn fetch(
    gateway: &Gateway,
    service: &str,
    path_and_query: &str,
    member: &str,
) -> Result<Vec<Value>, String> {
    let request = request_of_our_own(path_and_query);
    match tokio::time::timeout(TIME_LIMIT, ask(gateway, service, &request, member)).await {
        Ok(result) => result,
        Err(_) => Err(format!("{service} does not answer in time")),
    }
}

async fn ask(
    gateway: &Gateway,
    service: &str,
    request: &Outgoing,
    member: &str,
) -> Result<Vec<Value>, String> {
    let candidates = gateway.directory.candidates(service);
    let answer = gateway.forwarder.send(&candidates, request).await.map_err(|error| match error {
        ForwardError::NoInstance => format!("no instance of {service} is registered"),
        ForwardError::NotSent(_) => format!("no instance of {service} can be reached"),
        _ => format!("{service} does not answer properly"),
    })?;
    let status = answer.response.status();
    if !status.is_success() {
        return Err(format!("{service} answers {}", status.as_u16()));
    }
    let strange = || format!("{service} answers something else than expected");
    let body = read(answer.response.into_body()).await.ok_or_else(strange)?;
    let mut document: Value = serde_json::from_slice(&body).map_err(|_| strange())?;
    match document.get_mut(member).map(Value::take) {
        Some(Value::Array(mut items)) => {
            items.truncate(ITEMS_MAX);
            Ok(items)
        }
        _ => Err(strange()),
    }
}

/// The whole body, unless it breaks off or is larger than it can be.
async fn read(mut body: Incoming) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            whole.extend_from_slice(&data);
        }
        if whole.len() > BYTES_MAX {
            return None;
        }
    }
    Some(whole)
}
