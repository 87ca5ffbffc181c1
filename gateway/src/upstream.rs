//! What the gateway can send a request to: one instance of a service, or one connect worker.

use hyper::http::uri::Authority;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// `http://HOST:PORT` and nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    authority: Authority,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBaseUrl {
    #[error("it does not begin with http:// (inside the platform there is no TLS)")]
    Scheme,
    #[error("what follows http:// is not HOST:PORT")]
    Authority,
    #[error("it has a path, a query or a fragment: give http://HOST:PORT alone")]
    Path,
}

impl BaseUrl {
    pub fn parse(url: &str) -> Result<Self, BadBaseUrl> {
        let rest = url.strip_prefix("http://").ok_or(BadBaseUrl::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(BadBaseUrl::Path);
        }
        let authority: Authority = rest.parse().map_err(|_| BadBaseUrl::Authority)?;
        // Credentials in a URL would end up in logs and on the page.
        if authority.host().is_empty() || rest.contains('@') {
            return Err(BadBaseUrl::Authority);
        }
        Ok(Self { authority })
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// How long an instance that could not be reached is put aside.
const ASIDE: Duration = Duration::from_secs(5);

/// One place to send requests to, and what this gateway has seen of it.
#[derive(Debug)]
pub struct Target {
    pub id: String,
    pub url: BaseUrl,
    in_flight: AtomicUsize,
    aside_until: Mutex<Option<Instant>>,
}

impl Target {
    pub fn new(id: impl Into<String>, url: BaseUrl) -> Self {
        Self { id: id.into(), url, in_flight: AtomicUsize::new(0), aside_until: Mutex::new(None) }
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub fn is_aside(&self, now: Instant) -> bool {
        self.aside_until.lock().is_ok_and(|until| until.is_some_and(|until| now < until))
    }

    /// It could not be reached.
    pub fn failed(&self, now: Instant) {
        if let Ok(mut until) = self.aside_until.lock() {
            *until = Some(now + ASIDE);
        }
    }

    /// It answered.
    pub fn answered(&self) {
        if let Ok(mut until) = self.aside_until.lock() {
            *until = None;
        }
    }
}

/// Counts one request as in flight for as long as it lives: until the last byte of the answer was passed on.
#[derive(Debug)]
pub struct InFlight(std::sync::Arc<Target>);

impl InFlight {
    pub fn count(target: std::sync::Arc<Target>) -> Self {
        target.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(target)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_base_url_is_scheme_host_and_port() {
        for (url, wanted) in [
            ("http://127.0.0.1:80", Ok("http://127.0.0.1:80")),
            ("http://catalog:8080/", Ok("http://catalog:8080")),
            ("http://[::1]:8080", Ok("http://[::1]:8080")),
            ("https://127.0.0.1:80", Err(BadBaseUrl::Scheme)),
            ("127.0.0.1:80", Err(BadBaseUrl::Scheme)),
            ("http://", Err(BadBaseUrl::Authority)),
            ("http://a b", Err(BadBaseUrl::Authority)),
            ("http://user:pw@host:1", Err(BadBaseUrl::Authority)),
            ("http://host:1/base", Err(BadBaseUrl::Path)),
            ("http://host:1?x", Err(BadBaseUrl::Path)),
        ] {
            let parsed = BaseUrl::parse(url).map(|url| url.to_string());
            assert_eq!(parsed, wanted.map(str::to_owned), "{url}");
        }
    }

    #[test]
    fn a_failure_puts_aside_for_a_while_and_an_answer_takes_back() {
        let target = Target::new("a", BaseUrl::parse("http://a:1").unwrap());
        let now = Instant::now();
        assert!(!target.is_aside(now));
        target.failed(now);
        assert!(target.is_aside(now + Duration::from_secs(4)));
        assert!(!target.is_aside(now + Duration::from_secs(5)));
        target.failed(now);
        target.answered();
        assert!(!target.is_aside(now));
    }

    #[test]
    fn requests_in_flight_are_counted_until_dropped() {
        let target = Arc::new(Target::new("a", BaseUrl::parse("http://a:1").unwrap()));
        let one = InFlight::count(target.clone());
        let two = InFlight::count(target.clone());
        assert_eq!(target.in_flight(), 2);
        drop((one, two));
        assert_eq!(target.in_flight(), 0);
    }
}
