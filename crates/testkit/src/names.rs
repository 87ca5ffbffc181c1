//! Names that do not collide, and paths that are there.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which Linux takes ports for outgoing connections: a service that a test kills and starts again must
/// not find a connection of somebody else on its port.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port of 127.0.0.1 that nobody listens on, and that this process has not been given before. Where the program under
/// test can tell its address, let it choose one itself (port 0).
#[track_caller]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let span = u32::from(PORTS.end - PORTS.start);
    let first = std::process::id().wrapping_mul(7919); // two test binaries at a time begin at different places
    (0..span)
        .map(|_| first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % span)
        .filter_map(|step| Some(PORTS.start + u16::try_from(step).ok()?))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("no free port on 127.0.0.1 between 20000 and 32000")
}

/// `prefix_` and eight hexadecimal digits. With an underscore because topic names become table names.
pub fn unique(prefix: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{prefix}_{}", &id[..8])
}

/// The path of one of our binaries, built into the same target folder as the running test.
#[track_caller]
pub fn bin(name: &str) -> PathBuf {
    let path = profile_dir().join(name);
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace --bins`, or `cargo xtask test`, which does",
        path.display()
    );
    path
}

/// `target/testkit`, created when missing.
pub(crate) fn log_dir() -> PathBuf {
    let profile = profile_dir();
    let dir = profile.parent().unwrap_or(&profile).join("testkit");
    std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("cannot create {}: {error}", dir.display()));
    dir
}

/// `target/debug`, from `target/debug/deps/test-1234` (a test) or `target/debug/program` (a helper binary).
/// A doctest runs from a temporary folder and has no such place.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("the running test has no path");
    let dir = exe.parent().expect("an executable lies in a folder");
    if dir.ends_with("deps") {
        dir.parent().expect("deps lies in the profile folder").to_owned()
    } else {
        dir.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn unique_names_fit_topics_and_tables() {
        let name = super::unique("orders");
        assert_ne!(name, super::unique("orders"));
        assert!(name.starts_with("orders_") && name.len() == 15, "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{name}");
    }

    #[test]
    fn a_free_port_can_be_bound_and_is_given_once() {
        let port = super::free_port();
        std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_ne!(port, super::free_port());
    }
}
