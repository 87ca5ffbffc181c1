#![doc = include_str!("../README.md")]

mod check;
pub mod cli;
mod connector_file;
mod distributed;
mod environment;
mod failure;
mod kafka;
mod kafka_wait;
mod late_offsets;
mod lifecycle;
pub mod log_levels;
pub mod plugins;
mod rest;
mod settings;
mod signals;
mod standalone;

pub use failure::Failure;

use log_levels::ReloadableLevels;
use std::sync::Arc;
use std::time::Duration;

/// The Kafka Connect version whose behaviour this worker follows. Clients switch features on the `version` of `GET /`.
pub const KAFKA_VERSION: &str = "4.3.0";

/// What `GET /` calls `commit`: which build of ours this is.
pub const COMMIT: &str = concat!("connect-worker-", env!("CARGO_PKG_VERSION"));

/// How long a request that changes something waits for a start or a rebalance to be over.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs what the command line asks for until it is told to stop. `levels` are those of the process's subscriber.
pub async fn run(command: cli::Command, levels: ReloadableLevels) -> Result<(), Failure> {
    let levels = Arc::new(levels);
    match command {
        cli::Command::Standalone(args) => standalone::run(args, levels).await,
        cli::Command::Distributed(args) => distributed::run(args, levels).await,
        cli::Command::Check(args) => check::run(args).await,
    }
}
