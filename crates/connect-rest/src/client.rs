//! Requests to other workers: plain HTTP/1.1, one connection each, everything bounded.

use bytes::Bytes;
use connect_runtime::ports::PeerError;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The same as the reference's HTTP client.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// More than all connectors of a large cluster.
const ANSWER_LIMIT: usize = 16 << 20;

pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a str,
    /// The worker's URL, such as `http://worker-1:8083/`.
    pub(crate) base: &'a str,
    /// Begins with a slash; goes out as it is.
    pub(crate) path_and_query: String,
    pub(crate) headers: Vec<(&'static str, Bytes)>,
    pub(crate) body: Bytes,
}

pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) error: PeerError,
    /// Nobody listens there: nothing of the request has been sent.
    pub(crate) nobody_there: bool,
}

impl From<SendError> for PeerError {
    fn from(failed: SendError) -> Self {
        failed.error
    }
}

/// What is wrong with one exchange.
struct Fault {
    reason: String,
    nobody_there: bool,
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self { reason, nobody_there: false }
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send(request: Outgoing<'_>, limit: Duration) -> Result<Incoming, SendError> {
    let base = request.base;
    let failed = |Fault { reason, nobody_there }| SendError {
        error: PeerError::Unreachable { url: base.to_owned(), reason },
        nobody_there,
    };
    match timeout(limit, exchange(request)).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", limit.as_secs()).into())),
    }
}

async fn exchange(request: Outgoing<'_>) -> Result<Incoming, Fault> {
    let (authority, prefix) = split(request.base)?;
    let target = format!("{prefix}{}", request.path_and_query);
    let mut message = Request::builder()
        .method(request.method)
        .uri(target)
        .header(header::HOST, authority)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "kafka-connect")
        .header(header::CONNECTION, "close");
    for (name, value) in request.headers {
        message = message.header(name, value.as_ref());
    }
    if !request.body.is_empty() {
        message = message.header(header::CONTENT_TYPE, "application/json");
    }
    let message = message.body(Full::new(request.body)).map_err(|error| chain(&error))?;

    let nobody_there = |reason| Fault { reason, nobody_there: true };
    let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(authority)).await {
        Ok(stream) => stream.map_err(|error| nobody_there(error.to_string()))?,
        Err(_) => return Err(nobody_there(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()))),
    };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| chain(&error))?;
    let talk = async {
        let answer = sender.send_request(message).await.map_err(|error| chain(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| error.to_string())?;
        Ok::<_, Fault>(Incoming {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.to_bytes(),
        })
    };
    let mut talk = std::pin::pin!(talk);
    // The connection has to be driven while the answer is awaited; what it says about its own end is in the answer, too.
    tokio::select! {
        answer = &mut talk => answer,
        _ = connection => talk.await,
    }
}

/// `http://host:port/prefix/` as `host:port` and `/prefix`.
fn split(base: &str) -> Result<(&str, &str), String> {
    let rest = match base.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
            return Err("it wants https, which this worker does not speak yet".into());
        }
        _ => return Err("its URL does not begin with http://".into()),
    };
    let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok((authority, prefix.trim_end_matches('/')))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}
