//! What the URLs of servers have in common: an address, a database, parameters.

use super::{UrlError, percent};

/// How a kind of server is named; every error shows it.
pub(super) struct Form {
    pub(super) text: &'static str,
    pub(super) default_port: u16,
}

impl Form {
    pub(super) fn wrong(&self, what: &str) -> UrlError {
        UrlError(format!("{what}; the expected form is {}", self.text))
    }

    pub(super) fn decode(&self, text: &str) -> Result<String, UrlError> {
        percent::decode(text).ok_or_else(|| self.wrong(percent::WRONG))
    }

    /// The one host of an address, this machine if it names none, and the port.
    pub(super) fn host(&self, address: &str) -> Result<(String, u16), UrlError> {
        if address.contains([',', '(']) {
            return Err(self.wrong(
                "only one host is supported, no list of them: name the host, or a proxy in front of them",
            ));
        }
        let (host, port) = host_and_port(address, self.default_port).map_err(|what| self.wrong(what))?;
        let host = if host.is_empty() { "localhost".to_owned() } else { self.decode(host)? };
        Ok((host, port))
    }

    /// `remedy` says what to do about characters that part a URL.
    pub(super) fn database(&self, text: &str, remedy: &str) -> Result<Option<String>, UrlError> {
        if text.contains(['/', '@', ':']) {
            return Err(self.wrong(&format!("the database name holds '/', '@' or ':' ({remedy})")));
        }
        if text.is_empty() { Ok(None) } else { self.decode(text).map(Some) }
    }

    /// The parameters of the URL, then those given outside it, which win.
    pub(super) fn parameters(
        &self,
        query: &str,
        properties: &[(&str, &str)],
    ) -> Result<Vec<(String, String)>, UrlError> {
        let mut parameters = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.push((self.decode(key)?, self.decode(value)?));
        }
        parameters.extend(properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Ok(parameters)
    }
}

fn host_and_port(address: &str, default_port: u16) -> Result<(&str, u16), &'static str> {
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let Some((host, after)) = rest.split_once(']') else {
            return Err("an IPv6 address has no closing ]");
        };
        match after.strip_prefix(':') {
            Some(port) => (host, port),
            None if after.is_empty() => (host, ""),
            None => return Err("there is text between ] and the port"),
        }
    } else {
        address.split_once(':').unwrap_or((address, ""))
    };
    match port {
        "" => Ok((host, default_port)),
        port => match port.parse() {
            Ok(port) if port > 0 => Ok((host, port)),
            _ => Err("the port is not a number from 1 to 65535"),
        },
    }
}
