//! `listeners` and the address that others are told.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// One `http://host:port` of `listeners`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// A name or address; `0.0.0.0` where the URI has no host.
    pub host: String,
    /// 0 lets the system choose.
    pub port: u16,
}

impl Listener {
    /// Reads a list of URIs; the error says what is wrong with the first that is wrong.
    pub(super) fn list(uris: &str) -> Result<Vec<Self>, String> {
        if uris.trim().is_empty() {
            return Err("name at least one, such as http://127.0.0.1:8083".into());
        }
        let several = uris.contains(',');
        uris.split(',')
            .map(str::trim)
            .map(|uri| {
                Self::parse(uri).map_err(|what| if several { format!("{uri}: {what}") } else { what.into() })
            })
            .collect()
    }

    fn parse(uri: &str) -> Result<Self, &'static str> {
        let (scheme, authority) =
            uri.split_once("://").ok_or("write it as http://host:port, such as http://127.0.0.1:8083")?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => return Err("https is not supported yet: use http and put a TLS proxy in front"),
            _ => return Err("the scheme must be http"),
        }
        let authority = authority.trim_end_matches('/');
        let (host, port) =
            authority.rsplit_once(':').ok_or("the port is missing: write it as http://host:port")?;
        let port = port.parse().map_err(|_| "the port must be a number from 0 to 65535")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.contains(|c: char| matches!(c, '/' | '@' | '?' | '#') || c.is_whitespace()) {
            return Err("it must be http://host:port and nothing more");
        }
        // Java listens on all interfaces where no host is named.
        let host = if host.is_empty() { "0.0.0.0" } else { host };
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Where `/admin/loggers` is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdminListeners {
    /// With everything else.
    #[default]
    Same,
    /// Nowhere.
    Off,
    /// At these addresses alone.
    Own(Vec<Listener>),
}

/// `rest.advertised.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    pub host: Option<String>,
    pub port: Option<u16>,
}

impl Advertised {
    /// Where other workers reach this one, such as `http://10.0.0.1:8083/`.
    pub fn url(&self, first: &Listener, bound: SocketAddr) -> String {
        format!("http://{}/", self.worker_id(first, bound))
    }

    /// The worker's id in statuses, `host:port`: what is configured, else the host of the first listener with the port
    /// it was given by the system, else (a listener on all interfaces) this machine's address.
    pub fn worker_id(&self, first: &Listener, bound: SocketAddr) -> String {
        let listener_is_open = first.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        let host = match &self.host {
            Some(host) => host.clone(),
            None if listener_is_open => own_address().to_string(),
            None => first.host.clone(),
        };
        let port = self.port.unwrap_or(bound.port());
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// The address this machine would send from; connecting a UDP socket sends nothing.
fn own_address() -> IpAddr {
    let route = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind(("0.0.0.0", 0))?;
        socket.connect(("10.255.255.255", 9))?;
        Ok(socket.local_addr()?.ip())
    };
    route().unwrap_or(IpAddr::from([127, 0, 0, 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_uris() {
        let ok = |uri: &str| Listener::parse(uri).map(|l| (l.host, l.port));
        assert_eq!(ok("http://127.0.0.1:8083"), Ok(("127.0.0.1".into(), 8083)));
        assert_eq!(ok("HTTP://localhost:0/"), Ok(("localhost".into(), 0)));
        assert_eq!(ok("http://:8083"), Ok(("0.0.0.0".into(), 8083)));
        assert_eq!(ok("http://[::1]:8083"), Ok(("::1".into(), 8083)));
        for bad in [
            "8083",
            "http://x",
            "http://x:port",
            "https://x:1",
            "ftp://x:1",
            "http://x:70000",
            "http://a/b:1",
        ] {
            assert!(Listener::parse(bad).is_err(), "{bad}");
        }
        assert!(Listener::list("").is_err());
        assert_eq!(Listener::list("http://a:1, http://b:2").unwrap().len(), 2);
        assert_eq!(
            Listener::list("http://a:1,http://b").unwrap_err(),
            "http://b: the port is missing: write it as http://host:port"
        );
    }

    #[test]
    fn the_worker_id_is_what_others_can_reach() {
        let bound = SocketAddr::from(([127, 0, 0, 1], 4711));
        let id = |host: Option<&str>, port: Option<u16>, listener: &str| {
            Advertised { host: host.map(str::to_owned), port }
                .worker_id(&Listener { host: listener.into(), port: 0 }, bound)
        };
        assert_eq!(id(None, None, "localhost"), "localhost:4711");
        assert_eq!(id(Some("worker-1"), Some(80), "0.0.0.0"), "worker-1:80");
        assert_eq!(id(None, None, "::1"), "[::1]:4711");
        assert!(!id(None, None, "0.0.0.0").starts_with("0.0.0.0"));
    }
}
