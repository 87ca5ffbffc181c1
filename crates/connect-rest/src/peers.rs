//! What the herder asks of other workers.

use crate::client::{self, Incoming, Outgoing};
use crate::paths;
use crate::wire::ErrorMessage;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect_runtime::ports::{PeerError, Peers};
use connect_runtime::signature::RequestSignature;
use std::time::Duration;

/// Where a signed request between workers carries its signature (KIP-507), in base64 ...
pub(crate) const SIGNATURE_HEADER: &str = "X-Connect-Authorization";
/// ... and what it was made with.
pub(crate) const ALGORITHM_HEADER: &str = "X-Connect-Request-Signature-Algorithm";

/// The other workers of the group, over their REST API.
#[derive(Clone, Debug)]
pub struct RestPeers {
    timeout: Duration,
}

impl RestPeers {
    /// `timeout` bounds one request; the reference takes 90 s.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout }
    }
}

#[async_trait]
impl Peers for RestPeers {
    async fn put_task_configs(
        &self,
        leader_url: &str,
        connector: &str,
        body: Bytes,
        signature: Option<&RequestSignature>,
    ) -> Result<(), PeerError> {
        let headers = signature.map_or_else(Vec::new, |signature| {
            vec![
                (SIGNATURE_HEADER, STANDARD.encode(&signature.mac).into()),
                (ALGORITHM_HEADER, signature.algorithm.clone().into()),
            ]
        });
        let request = Outgoing {
            method: "POST",
            base: leader_url,
            path_and_query: format!("/connectors/{}/tasks", paths::encode(connector)),
            headers,
            body,
        };
        let Incoming { status, body, .. } = client::send(request, self.timeout).await?;
        if (200..300).contains(&status) {
            return Ok(());
        }
        let message = match serde_json::from_slice::<ErrorMessage>(&body) {
            Ok(error) => error.message,
            Err(_) => format!("HTTP {status}, without a message"),
        };
        Err(PeerError::Refused { url: leader_url.to_owned(), status, message })
    }
}
