//! Asking any worker, Java's or ours, as a client does.

use crate::client::{self, Incoming, Outgoing};
use bytes::Bytes;
use connect_runtime::ports::PeerError;
use std::time::Duration;

/// `GET {base}{path}`: status and body. `path` begins with a slash; `authorization` is the value of that header.
pub async fn fetch(
    base: &str,
    path: &str,
    authorization: Option<&str>,
    limit: Duration,
) -> Result<(u16, Bytes), PeerError> {
    let headers = authorization.map(|value| ("Authorization", Bytes::copy_from_slice(value.as_bytes())));
    let request = Outgoing {
        method: "GET",
        base,
        path_and_query: path.to_owned(),
        headers: headers.into_iter().collect(),
        body: Bytes::new(),
    };
    let Incoming { status, body, .. } = client::send(request, limit).await?;
    Ok((status, body))
}
