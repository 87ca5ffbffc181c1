//! `cargo xtask parity` runs this with Kafka up and its address in the environment.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use parity::{Options, Side};

/// Plays the scenario files against the Java worker and against ours, and prints both columns.
#[derive(Parser)]
#[command(name = "parity")]
struct Cli {
    /// Only one of the workers
    #[arg(long)]
    only: Option<Only>,
    /// Only scenarios whose names contain this
    #[arg(long)]
    scenario: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Only {
    Java,
    Ours,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let sides = match cli.only {
        None => Side::BOTH.to_vec(),
        Some(Only::Java) => vec![Side::Java],
        Some(Only::Ours) => vec![Side::Ours],
    };
    let started = std::time::Instant::now();
    match parity::run(&Options { sides, scenario: cli.scenario }).await {
        Ok((report, right)) => {
            println!("{report}\n{:.0} s", started.elapsed().as_secs_f64());
            if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("parity: {error:#}");
            ExitCode::FAILURE
        }
    }
}
