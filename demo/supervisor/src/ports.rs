//! Which ports the children listen on.

use anyhow::{Context as _, bail};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) gateway: u16,
    /// The second is for a second worker, where there is one.
    pub(crate) connect: [u16; 2],
    pub(crate) broker: u16,
    pub(crate) catalog: u16,
    pub(crate) orders: [u16; 2],
}

/// Below the range from which Linux takes ports for outgoing connections (32768 and up), so that no connection sits on
/// a service's port while that service is down for a moment.
const EPHEMERAL: std::ops::Range<u16> = 20_000..32_000;

impl Ports {
    /// The ports of the lessons and texts. `embedded` tells whether there is a broker of ours, and with it a single worker.
    pub(crate) fn fixed(offset: u16, embedded: bool) -> anyhow::Result<Self> {
        let mut wanted = vec![
            ("the gateway", 8000),
            ("order-service-1", 8001),
            ("order-service-2", 8002),
            ("the catalog", 8003),
            ("the connect worker", 8083),
        ];
        wanted.push(if embedded {
            ("the embedded broker", 9092)
        } else {
            ("the second connect worker", 8084)
        });
        for (who, port) in wanted {
            require(who, port + offset)?;
        }
        Ok(Self {
            gateway: 8000 + offset,
            connect: [8083 + offset, 8084 + offset],
            broker: 9092 + offset,
            catalog: 8003 + offset,
            orders: [8001 + offset, 8002 + offset],
        })
    }

    /// Free ports for all, so that a check runs beside anything.
    pub(crate) fn all_free() -> anyhow::Result<Self> {
        let [gateway, first_worker, second_worker, broker, catalog, first, second] = free()?;
        Ok(Self { gateway, connect: [first_worker, second_worker], broker, catalog, orders: [first, second] })
    }
}

fn require(who: &str, port: u16) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} ({who}) is taken by another program: stop that one, or move all ports of the demo with \
             --port-offset 100"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {port} ({who})")),
    }
}

/// `N` different free ports. All are held until the last is found.
fn free<const N: usize>() -> anyhow::Result<[u16; N]> {
    // two demos started together begin at different places
    let span = u32::from(EPHEMERAL.end - EPHEMERAL.start);
    let first = std::process::id().wrapping_mul(7919) % span;
    let mut held = Vec::new();
    for step in 0..span {
        let port = EPHEMERAL.start + u16::try_from((first + step) % span).context("a port is 16 bits")?;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
        if held.len() == N {
            let ports: Vec<u16> = held.iter().map(|(port, _)| *port).collect();
            return ports.try_into().map_err(|_| anyhow::anyhow!("not {N} ports"));
        }
    }
    bail!("no {N} free ports between {} and {}", EPHEMERAL.start, EPHEMERAL.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_different_and_can_be_bound() {
        let ports: [u16; 6] = free().unwrap();
        let held: Vec<_> = ports.iter().map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port))).collect();
        assert!(held.iter().all(Result::is_ok), "{held:?}");
    }

    #[test]
    fn a_taken_port_is_named_with_the_remedy() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = require("the gateway", port).unwrap_err().to_string();
        assert!(
            error.contains(&format!("port {port} (the gateway)")) && error.contains("--port-offset"),
            "{error}"
        );
    }
}
