//! The client settings that concern connections, in Java's words.

use crate::properties::{Role, translate};
use connect_api::{ConfigMap, ConnectError};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireSettings {
    /// (host, port)
    pub(crate) bootstrap: Vec<(String, u16)>,
    pub(crate) client_id: String,
    pub(crate) request_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// Pauses between attempts grow from the first to the second.
    pub(crate) backoff: (Duration, Duration),
}

impl WireSettings {
    /// `java` holds the effective settings of one client; keys that do not concern connections are left aside.
    pub(crate) fn read(java: &ConfigMap, client_id: &str) -> Result<Self, ConnectError> {
        // finds what cannot be honoured, TLS and SASL above all
        translate(Role::Admin, java)?;
        let millis = |key: &str, default: u64| {
            match java.get(key).map(|value| value.trim()) {
            None => Ok(Duration::from_millis(default)),
            Some(value) => value.parse().map(Duration::from_millis).map_err(|_| {
                ConnectError::config(format!(
                    "Invalid value {value} for the Kafka client configuration {key}: it must be a number of milliseconds"
                ))
            }),
        }
        };
        let first = millis("retry.backoff.ms", 100)?.max(Duration::from_millis(1));
        Ok(Self {
            bootstrap: bootstrap(java.get("bootstrap.servers").map_or("", String::as_str))?,
            client_id: client_id.to_owned(),
            request_timeout: millis("request.timeout.ms", 40_000)?.max(Duration::from_millis(1)),
            connect_timeout: millis("socket.connection.setup.timeout.ms", 10_000)?
                .max(Duration::from_millis(1)),
            backoff: (first, millis("retry.backoff.max.ms", 1000)?.max(first)),
        })
    }

    /// The bootstrap servers as the user wrote them; for errors.
    pub(crate) fn servers(&self) -> String {
        let server = |(host, port): &(String, u16)| address(host, *port);
        self.bootstrap.iter().map(server).collect::<Vec<_>>().join(",")
    }
}

/// `host:port`, or `[host]:port` for an IPv6 address.
pub(super) fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// `host:port`, `[::1]:port`, each optionally behind `PLAINTEXT://`.
fn bootstrap(servers: &str) -> Result<Vec<(String, u16)>, ConnectError> {
    let mut parsed = Vec::new();
    for server in servers.split(',').map(str::trim).filter(|server| !server.is_empty()) {
        let bare = server.rsplit_once("://").map_or(server, |(_, bare)| bare);
        let pair = bare.rsplit_once(':').and_then(|(host, port)| {
            let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let host = inner.unwrap_or(host);
            let plain = !host.is_empty() && (inner.is_some() || !host.contains(':'));
            plain.then_some((host.to_owned(), port.parse().ok()?))
        });
        parsed.push(pair.ok_or_else(|| {
            ConnectError::config(format!("Invalid url in bootstrap.servers: {server} (it must be host:port)"))
        })?);
    }
    if parsed.is_empty() {
        return Err(ConnectError::config(
            "Missing required configuration \"bootstrap.servers\" which has no default value.",
        ));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<WireSettings, String> {
        let java = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        WireSettings::read(&java, "c").map_err(|error| error.to_string())
    }

    #[test]
    fn servers_are_hosts_and_ports() {
        let settings = read(&[("bootstrap.servers", "a:1, [::1]:2,PLAINTEXT://b.example:3,")]).unwrap();
        let expected = [("a", 1), ("::1", 2), ("b.example", 3)].map(|(host, port)| (host.to_owned(), port));
        assert_eq!(settings.bootstrap, expected);
        assert_eq!(settings.servers(), "a:1,[::1]:2,b.example:3");
        for wrong in ["a", "a:", "a:x", ":1", "a:70000", "::1:9092", "a:1,b"] {
            let error = read(&[("bootstrap.servers", wrong)]).unwrap_err();
            assert!(error.contains("host:port"), "{wrong}: {error}");
        }
        assert!(read(&[]).unwrap_err().contains("\"bootstrap.servers\""));
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_and_the_rest_has_javas_defaults() {
        let base = ("bootstrap.servers", "a:1");
        let settings = read(&[base, ("retry.backoff.ms", "5000"), ("group.id", "g")]).unwrap();
        assert_eq!(settings.request_timeout, Duration::from_secs(40));
        assert_eq!(settings.connect_timeout, Duration::from_secs(10));
        assert_eq!(settings.backoff, (Duration::from_secs(5), Duration::from_secs(5)));
        assert!(read(&[base, ("security.protocol", "SSL")]).unwrap_err().contains("TLS"));
        assert!(read(&[base, ("request.timeout.ms", "soon")]).unwrap_err().contains("request.timeout.ms"));
    }
}
