//! `cargo xtask parity`: the same scenarios against the Java worker and against ours.

use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::engines::Broker;
use crate::provision;
use crate::sh::{self, OURS, cargo};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only one of the workers: java or ours
    #[arg(long)]
    only: Option<String>,
    /// Only scenarios whose names contain this
    #[arg(long)]
    scenario: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (running, libs) = provision::kafka()?;
    sh::run(cargo().args(["build", OURS]))?;
    let broker = Broker::start(running, libs)?;
    let mut command = Command::new(crate::paths::target()?.join("debug").join("parity"));
    // The scenarios are found there.
    command.env("CARGO_MANIFEST_DIR", crate::paths::root().join("tests/parity"));
    command.envs(broker.environment());
    for (flag, value) in [("--only", &args.only), ("--scenario", &args.scenario)] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    let status = command.status().context("cannot start the parity suite")?;
    drop(broker);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
