//! One request to one of several instances: pick, send, and pick again where that is allowed.

use super::body::{OutgoingBody, RequestBody};
use super::retry::{self, Failure, Situation};
use crate::balance::{self, Dice};
use crate::upstream::{InFlight, Target};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long things may take. Tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// Until the head of the answer is there, all attempts together.
    pub head: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(1), head: Duration::from_secs(30) }
    }
}

/// Connections idle for longer are not used again: actix closes them after 5 s, and a request that is sent into a
/// closing connection is lost.
const IDLE_MAX: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct Forwarder {
    client: Client<HttpConnector, OutgoingBody>,
    dice: Arc<Dice>,
    timeouts: Timeouts,
}

/// A request as it is sent to any instance.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub method: Method,
    /// Path and query, byte for byte as they came in.
    pub path_and_query: String,
    pub headers: HeaderMap,
    pub body: RequestBody,
    pub repeatable: bool,
    /// The gateway asks for itself, again and again: failures are no news.
    pub our_own: bool,
}

/// An answer whose body is still to come. While it lives the instance counts it as in flight.
#[derive(Debug)]
pub struct Answer {
    pub response: Response<Incoming>,
    pub in_flight: InFlight,
}

#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    #[error("there is no instance")]
    NoInstance,
    #[error("no instance could be reached, and nothing was sent")]
    NotSent(#[source] ClientError),
    #[error("the instance did not answer properly")]
    Broken(#[source] ClientError),
    #[error("the instance did not answer in time")]
    Timeout,
    #[error("the path cannot be sent on")]
    BadPath(#[source] hyper::http::Error),
}

impl Forwarder {
    pub fn new(timeouts: Timeouts) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(timeouts.connect));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(connector);
        Self { client, dice: Arc::default(), timeouts }
    }

    pub async fn send(&self, candidates: &[Arc<Target>], request: &Outgoing) -> Result<Answer, ForwardError> {
        match tokio::time::timeout(self.timeouts.head, self.attempts(candidates, request)).await {
            Ok(result) => result,
            Err(_) => Err(ForwardError::Timeout),
        }
    }

    async fn attempts(&self, candidates: &[Arc<Target>], request: &Outgoing) -> Result<Answer, ForwardError> {
        let mut tried: Vec<Arc<Target>> = Vec::new();
        let mut unavailable = 0;
        // What is passed on when nothing better comes.
        let mut so_far = Err(ForwardError::NoInstance);
        while let Some(target) = balance::pick(candidates, &tried, Instant::now(), |n| self.dice.roll(n)) {
            tried.push(target.clone());
            let failure;
            match self.attempt(&target, request).await {
                Ok(answer) if answer.response.status() == StatusCode::SERVICE_UNAVAILABLE => {
                    failure = Failure::Unavailable;
                    unavailable += 1;
                    so_far = Ok(answer);
                }
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    failure = match &error {
                        ForwardError::NotSent(_) => Failure::NotSent,
                        ForwardError::Broken(_) => Failure::Broken,
                        _ => return Err(error),
                    };
                    let reason = chain(&error);
                    if request.our_own {
                        tracing::debug!(instance = target.id, url = %target.url, reason, "attempt failed");
                    } else {
                        tracing::warn!(instance = target.id, url = %target.url, reason, "attempt failed");
                    }
                    so_far = worse(so_far, error);
                }
            }
            let situation = Situation {
                repeatable: request.repeatable,
                body_at_hand: request.body.is_at_hand(),
                attempts: tried.len(),
                unavailable,
            };
            if !retry::try_another(failure, situation) {
                break;
            }
        }
        so_far
    }

    async fn attempt(&self, target: &Arc<Target>, request: &Outgoing) -> Result<Answer, ForwardError> {
        let uri = Uri::builder()
            .scheme("http")
            .authority(target.url.authority().clone())
            .path_and_query(request.path_and_query.as_str())
            .build()
            .map_err(ForwardError::BadPath)?;
        let mut outgoing = Request::new(request.body.outgoing());
        *outgoing.method_mut() = request.method.clone();
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = request.headers.clone();
        let in_flight = InFlight::count(target.clone());
        match self.client.request(outgoing).await {
            Ok(response) => {
                target.answered();
                Ok(Answer { response, in_flight })
            }
            Err(error) if was_not_sent(&error) => {
                target.failed(Instant::now());
                Err(ForwardError::NotSent(error))
            }
            Err(error) => {
                // The client's own body breaking off says nothing of the instance.
                if request.body.failure().is_none() {
                    target.failed(Instant::now());
                }
                Err(ForwardError::Broken(error))
            }
        }
    }
}

/// Connecting failed, or hyper handed the request back because the connection was gone before it began.
fn was_not_sent(error: &ClientError) -> bool {
    let canceled = || error.source()?.downcast_ref::<hyper::Error>().map(hyper::Error::is_canceled);
    error.is_connect() || canceled().unwrap_or(false)
}

/// Of what several attempts brought, the client learns what leaves it most in the dark: an answer is passed on, and
/// "nothing was sent" must not hide that an earlier attempt was.
fn worse(so_far: Result<Answer, ForwardError>, error: ForwardError) -> Result<Answer, ForwardError> {
    match (so_far, error) {
        (Ok(answer), _) => Ok(answer),
        (Err(ForwardError::Broken(earlier)), _) => Err(ForwardError::Broken(earlier)),
        (Err(_), error) => Err(error),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
