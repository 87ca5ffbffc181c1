//! Small questions of the gateway's own: a GET whose answer is read whole. They take the same way as the requests of
//! clients, so what the page says about a service is what a client would meet.

use crate::proxy::forward::{ForwardError, Forwarder};
use crate::proxy::request_of_our_own;
use crate::upstream::Target;
use hyper::body::{Body, Incoming};
use serde::de::DeserializeOwned;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

const TIME_LIMIT: Duration = Duration::from_secs(2);
const BYTES_MAX: usize = 256 * 1024;

/// Why there is no answer; reads well behind the name of who was asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("has no instance that is registered")]
    NoInstance,
    #[error("cannot be reached")]
    Unreachable,
    #[error("does not answer in time")]
    Timeout,
    #[error("answers {0}")]
    Status(u16),
    #[error("answers something else than expected")]
    Strange,
}

/// Asks one of `candidates`; the answer has to be JSON of the form `T`.
pub async fn ask<T: DeserializeOwned>(
    forwarder: &Forwarder,
    candidates: &[Arc<Target>],
    path_and_query: &str,
) -> Result<T, AskError> {
    let body = ask_for_bytes(forwarder, candidates, path_and_query).await?;
    serde_json::from_slice(&body).map_err(|_| AskError::Strange)
}

/// Asks one of `candidates`; any answer of success will do.
pub async fn ask_for_bytes(
    forwarder: &Forwarder,
    candidates: &[Arc<Target>],
    path_and_query: &str,
) -> Result<Vec<u8>, AskError> {
    let request = request_of_our_own(path_and_query);
    let exchange = async {
        let answer = forwarder.send(candidates, &request).await.map_err(|error| match error {
            ForwardError::NoInstance => AskError::NoInstance,
            ForwardError::NotSent(_) => AskError::Unreachable,
            ForwardError::Timeout => AskError::Timeout,
            ForwardError::Broken(_) | ForwardError::BadPath(_) => AskError::Strange,
        })?;
        let status = answer.response.status();
        if !status.is_success() {
            return Err(AskError::Status(status.as_u16()));
        }
        read(answer.response.into_body()).await.ok_or(AskError::Strange)
    };
    tokio::time::timeout(TIME_LIMIT, exchange).await.unwrap_or(Err(AskError::Timeout))
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

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        // What RFC 3986 calls unreserved; a lone `.` or `..` would be a step in the path.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_holds_any_text() {
        for (text, wanted) in
            [("orders-to_db", "orders-to_db"), ("..", "%2E%2E"), ("a/b c?é", "a%2Fb%20c%3F%C3%A9")]
        {
            assert_eq!(segment(text), wanted);
        }
    }
}
