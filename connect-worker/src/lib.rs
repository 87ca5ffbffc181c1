#![doc = include_str!("../README.md")]

pub mod cli;
mod connector_file;
mod kafka;
mod plugins;
mod signals;
mod standalone;

pub use standalone::Failure;

/// The Kafka Connect version whose behaviour this worker follows. Clients switch features on the `version` of `GET /`.
pub const KAFKA_VERSION: &str = "4.3.0";

/// What `GET /` calls `commit`: which build of ours this is.
pub const COMMIT: &str = concat!("connect-worker-", env!("CARGO_PKG_VERSION"));

/// Runs what the command line asks for until it is told to stop.
pub async fn run(command: cli::Command) -> Result<(), Failure> {
    match command {
        cli::Command::Standalone(args) => standalone::run(args).await,
    }
}
