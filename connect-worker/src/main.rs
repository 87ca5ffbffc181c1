//! The connect-worker program; everything is in the library.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let command = match connect_worker::cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(error) => {
            // Help and version come here too, and are no failure. Nobody is left to tell when printing fails.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
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
    let result = runtime.block_on(connect_worker::run(command));
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
