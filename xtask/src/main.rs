#![doc = include_str!("../README.md")]

mod bench;
mod ci;
mod compose;
mod demo;
mod engines;
mod parity;
mod paths;
mod provision;
mod sh;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The one entrance for people and CI: tests, checks, engines, the demo.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install what the tests need: Kafka's jars, MariaDB and PostgreSQL
    Provision,
    /// Build everything, start Kafka and the databases, run every test, stop them
    Test(test::Args),
    /// Start Kafka and the databases, run one command with TESTKIT_* set, stop them
    Engines(engines::Args),
    /// Play the scenarios of tests/parity against the Java worker and ours, and print both columns
    Parity(parity::Args),
    /// Check dependency rules, READMEs, links, file lengths and text hygiene
    Tidy,
    /// What CI runs: fmt, tidy, clippy, cargo-deny where installed, test
    Ci,
    /// Build docker-compose.yml, bring it up, place orders while containers die, measure, take it down
    ComposeCheck(compose::Args),
    /// Measure our programs beside those they replace, and print the figures
    #[command(subcommand)]
    Bench(bench::What),
    /// Build the platform and run it; also as `cargo demo`
    Demo(demo::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Provision => provision::run(),
        Command::Test(args) => test::run(&args),
        Command::Engines(args) => engines::run(&args),
        Command::Parity(args) => parity::run(&args),
        Command::Tidy => tidy::run(),
        Command::Ci => ci::run(),
        Command::ComposeCheck(args) => compose::run(&args),
        Command::Bench(what) => bench::run(&what),
        Command::Demo(args) => demo::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
