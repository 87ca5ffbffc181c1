//! Names that do not collide, and paths that are there.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

/// A port of 127.0.0.1 that nobody listens on. Somebody else may take it before the caller does, so prefer port 0 and
/// reading the bound address wherever the program under test can tell it.
#[track_caller]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free port on 127.0.0.1");
    listener.local_addr().expect("a bound listener has an address").port()
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
    fn a_free_port_can_be_bound() {
        std::net::TcpListener::bind(("127.0.0.1", super::free_port())).unwrap();
    }
}
