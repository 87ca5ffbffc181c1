//! Ports for the engines.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

/// Below the range that Linux takes outgoing connections from: a broker that is restarted, or starts late, must not find a
/// client's connection on its port.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Two different free ports. Two runs at a time look in different places first.
pub(super) fn two() -> anyhow::Result<(u16, u16)> {
    let span = u32::from(RANGE.end - RANGE.start);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    let first = (std::process::id().wrapping_mul(7919) ^ nanos) % span;
    let candidates =
        (0..span).filter_map(|step| u16::try_from((first + step) % span).ok()).map(|n| RANGE.start + n);
    let mut free = candidates
        .filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|held| (port, held)));
    // Both listeners are held until both are found.
    let (one, other) =
        free.next().zip(free.next()).context("no two free ports on 127.0.0.1 between 20000 and 32000")?;
    Ok((one.0, other.0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_ports_differ_and_are_free() {
        let (one, other) = super::two().unwrap();
        assert_ne!(one, other);
        let both = [one, other].map(|port| std::net::TcpListener::bind(("127.0.0.1", port)));
        assert!(both.iter().all(Result::is_ok));
    }
}
