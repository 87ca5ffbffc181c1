#![doc = include_str!("../README.md")]

mod figures;
mod jdbc;
mod machine;
mod report;
mod rest;
mod usage;
mod wait;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures this project's programs beside the ones they replace, in one run on one machine.
#[derive(Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The worker of a cluster beside the Java worker: start, memory, many connectors, workers that leave
    Worker(worker::Args),
    /// The JDBC connectors beside Debezium's sink on the Java worker and the database's own bulk load
    Jdbc(jdbc::Args),
}

/// Progress goes to stderr: stdout belongs to the figures.
pub(crate) fn say(text: impl std::fmt::Display) {
    eprintln!("bench: {text}");
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(async {
            match &command {
                Command::Worker(args) => worker::run(args).await,
                Command::Jdbc(args) => jdbc::run(args).await,
            }
        }),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
