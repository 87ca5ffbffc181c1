//! The connect-worker program; everything is in the library.

use connect_worker::cli::Command;
use connect_worker::log_levels::ReloadableLevels;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const DEFAULT_LEVELS: &str = "info,actix_server=warn";

fn main() -> ExitCode {
    let command = match connect_worker::cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(error) => {
            // Help and version come here too, and are no failure. Nobody is left to tell when printing fails.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    let levels = subscribe(matches!(command, Command::Check(_)));
    // Connectors share these threads; with a single one, a connector that blocks for a moment would stop all others.
    let threads = std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4));
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("connect-worker: the system gives no threads: {error}");
                return ExitCode::from(2);
            }
        };
    let result = runtime.block_on(connect_worker::run(command, levels));
    // A plugin that hangs in a thread of its own must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("connect-worker: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Logs go to standard error, at the levels of RUST_LOG until `/admin/loggers` changes them.
fn subscribe(quiet: bool) -> ReloadableLevels {
    let given = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let default: Targets = if quiet { Targets::new() } else { DEFAULT_LEVELS.parse().unwrap_or_default() };
    let (start, fault) = match given.as_deref().map(str::parse::<Targets>) {
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (default, Some(error)),
        None => (default, None),
    };
    let (filter, levels) = ReloadableLevels::new(&start);
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(filter).with(lines).init();
    if let Some(error) = fault {
        tracing::warn!(error = error.to_string(), "RUST_LOG cannot be read and is ignored");
    }
    levels
}
