//! `cargo xtask bench`: builds what is measured and what measures, starts Kafka, prints the figures. The measuring is `bench/`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::engines::Broker;
use crate::provision;
use crate::sh::{OURS, cargo, describe, run as run_command, say};

#[derive(clap::Subcommand)]
pub(crate) enum What {
    /// The worker of a cluster beside the Java worker, on the same Kafka: start, memory, many connectors, workers that leave
    Worker(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each side does everything
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Only these measurements; may be given several times
    #[arg(long, value_name = "MEASUREMENT", value_parser = ["ready", "idle", "create", "kill", "stop"])]
    only: Vec<String>,
    /// How many FileStream connectors `create` makes
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5000))]
    connectors: u32,
    /// One side alone measures faster, but then there is no ratio
    #[arg(long, default_value = "both", value_parser = ["both", "java", "ours"])]
    side: String,
    /// How connect-worker is built: `release`, `container` (our image's: quicker to build), `dev`
    #[arg(long, default_value = "release")]
    profile: String,
    /// Also write every sample to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(what: &What) -> anyhow::Result<ExitCode> {
    let What::Worker(args) = what;
    // What is missing is said before anything is built.
    let (running, libs) = provision::kafka()?;
    let target = crate::paths::target()?;
    say("building what measures");
    run_command(cargo().args(["build", OURS, "--bin", "bench"]))?;
    let folder = if args.profile == "dev" { "debug" } else { &args.profile };
    say(format_args!("building connect-worker as {}; the first time this takes some minutes", args.profile));
    // Alone, as the image and whoever installs it build it.
    run_command(cargo().args([
        "build",
        "--profile",
        &args.profile,
        "-p",
        "connect-worker",
        "--bin",
        "connect-worker",
    ]))?;
    let broker = Broker::start(running, libs)?;

    let mut bench = Command::new(target.join("debug").join("bench"));
    bench.arg("worker").arg("--worker").arg(target.join(folder).join("connect-worker"));
    bench.args(["--profile", &format!("built with --profile {}", args.profile)]);
    bench.args([
        "--runs",
        &args.runs.to_string(),
        "--connectors",
        &args.connectors.to_string(),
        "--side",
        &args.side,
    ]);
    args.only.iter().for_each(|phase| {
        bench.args(["--only", phase]);
    });
    if let Some(file) = &args.json {
        bench.arg("--json").arg(file);
    }
    let status = bench.envs(broker.environment()).status();
    let status = status.with_context(|| format!("cannot start {}", describe(&bench)))?;
    drop(broker);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
