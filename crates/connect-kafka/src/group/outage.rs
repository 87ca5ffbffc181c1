//! One line when the brokers go, one when they are back.

use std::error::Error;
use std::time::Instant;

/// For the log of one client.
#[derive(Debug)]
pub(crate) struct Outage {
    /// Such as `group member`.
    who: String,
    since: Option<Instant>,
}

impl Outage {
    pub(crate) fn of(who: impl Into<String>) -> Self {
        Self { who: who.into(), since: None }
    }

    /// Trouble that is waited out; said once.
    pub(crate) fn goes_on(&mut self, error: &(dyn Error + 'static)) {
        let client = &*self.who;
        let error = chain(error);
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(client, error, "kafka cannot be used at the moment, trying on");
        } else {
            tracing::debug!(client, error, "kafka still cannot be used");
        }
    }

    pub(crate) fn is_over(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!(client = self.who, seconds, "kafka can be used again");
        }
    }
}

/// The error and every cause below it.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
