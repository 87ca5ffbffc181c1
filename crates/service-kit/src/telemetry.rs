//! Logs: one line per event on stderr, chosen by `RUST_LOG`.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Sets the process up to log. A second call (a test that starts two services) changes nothing.
pub fn init(service: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    tracing::info!(service, version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "starting");
    crate::crash::announce();
}
