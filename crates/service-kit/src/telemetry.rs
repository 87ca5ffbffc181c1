//! Logs: one line per event on stderr, chosen by `RUST_LOG`.

use std::error::Error;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise: these two libraries say at "info" what a service says itself.
const DEFAULT_FILTER: &str = "info,actix_server=warn,sqlx_core=warn";

/// Sets the process up to log. A second call (a test that starts two services) changes nothing.
pub fn init(service: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    tracing::info!(service, version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "starting");
    crate::crash::announce();
}

/// An error with its causes in one line, for the log or for a start that failed. Some libraries repeat the cause in
/// their own text; it is said once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.map(ToString::to_string).fold(error.to_string(), |text, cause| {
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Outer(&'static str, #[source] std::fmt::Error);

    #[test]
    fn a_cause_is_said_once() {
        let cause = std::fmt::Error.to_string();
        assert_eq!(chain(&Outer("no", std::fmt::Error)), format!("no: {cause}"));
        let repeating: &'static str = Box::leak(format!("no: {cause}").into_boxed_str());
        assert_eq!(chain(&Outer(repeating, std::fmt::Error)), format!("no: {cause}"));
    }
}
