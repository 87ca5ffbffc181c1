//! `KAFKA_BOOTSTRAP_SERVERS`, checked at start: the client itself would try a name that cannot be one for ever.

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no broker address; give HOST:PORT, or several with commas between")]
pub struct BootstrapError(String);

/// Passes a list of `HOST:PORT`; fit for clap's `value_parser`.
pub fn bootstrap(text: &str) -> Result<String, BootstrapError> {
    let bad = text.split(',').find(|address| !is_address(address.trim()));
    match bad {
        Some(address) => Err(BootstrapError(address.trim().to_owned())),
        None => Ok(text.split(',').map(str::trim).collect::<Vec<_>>().join(",")),
    }
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_'))
        }
    };
    host_fits && port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        assert_eq!(bootstrap("a:1, b.c-d_e:9092,[::1]:65535").unwrap(), "a:1,b.c-d_e:9092,[::1]:65535");
        for bad in ["", "a", "a:", ":1", "a:0", "a:65536", "a:1,", "::::", "http://a:1", "a:b", "a b:1"] {
            assert!(bootstrap(bad).is_err(), "{bad}");
        }
    }
}
