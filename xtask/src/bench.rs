//! `cargo xtask bench`: builds what is measured and what measures, starts Kafka, prints the figures. The measuring is `bench/`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::engines::{Broker, Engines};
use crate::provision;
use crate::sh::{cargo, describe, run as run_command, say};

#[derive(clap::Subcommand)]
pub(crate) enum What {
    /// The worker of a cluster beside the Java worker, on the same Kafka: start, memory, many connectors, workers that leave
    Worker(Args),
    /// The JDBC connectors beside Debezium's sink on the Java worker and the database's own bulk load
    Jdbc(Jdbc),
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
    /// How connect-worker and what measures are built: `release`, `container` (our image's: quicker to build), `dev`
    #[arg(long, default_value = "release")]
    profile: String,
    /// Also write every sample to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct Jdbc {
    /// How often each side does everything
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// How many records; may be given several times
    #[arg(long, default_values_t = [300_000, 3_000_000], value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    records: Vec<u64>,
    /// `batch.size` and `max.poll.records` of both sinks
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// Only these measurements; may be given several times
    #[arg(long, value_name = "MEASUREMENT", value_parser = ["insert", "upsert", "tasks", "source", "latency"])]
    only: Vec<String>,
    /// Only this database
    #[arg(long, value_parser = ["mariadb", "postgres"])]
    database: Option<String>,
    /// One side alone measures faster: the database's own bulk load, Java or ours
    #[arg(long, value_parser = ["own", "java", "ours"])]
    side: Option<String>,
    /// How connect-worker and what measures are built: `release`, `container` (our image's: quicker to build), `dev`
    #[arg(long, default_value = "release")]
    profile: String,
    /// Also write every sample to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(what: &What) -> anyhow::Result<ExitCode> {
    match what {
        What::Worker(args) => worker(args),
        What::Jdbc(args) => jdbc(args),
    }
}

/// Builds both programs; the command to measure with, and the first of its arguments.
fn build(measurement: &str, profile: &str) -> anyhow::Result<Command> {
    let target = crate::paths::target()?;
    say(format_args!("building what measures, as {profile}"));
    // Alike: its plain clients are what the worker is compared with.
    run_command(cargo().args(["build", "--profile", profile, "-p", "bench", "--bin", "bench"]))?;
    let folder = target.join(if profile == "dev" { "debug" } else { profile });
    say(format_args!("building connect-worker as {profile}; the first time this takes some minutes"));
    // Alone, as the image and whoever installs it build it.
    run_command(cargo().args([
        "build",
        "--profile",
        profile,
        "-p",
        "connect-worker",
        "--bin",
        "connect-worker",
    ]))?;
    let mut bench = Command::new(folder.join("bench"));
    bench.arg(measurement).arg("--worker").arg(folder.join("connect-worker"));
    bench.args(["--profile", &format!("built with --profile {profile}")]);
    Ok(bench)
}

fn jdbc(args: &Jdbc) -> anyhow::Result<ExitCode> {
    // What is missing is said before anything is built.
    let found = provision::provision()?;
    let java = args.side.as_deref().is_none_or(|side| side == "java");
    let plugin = if java { Some(provision::debezium_jdbc()?) } else { None };
    let mut bench = build("jdbc", &args.profile)?;
    bench.args(["--runs", &args.runs.to_string(), "--batch", &args.batch.to_string()]);
    for records in &args.records {
        bench.args(["--records", &records.to_string()]);
    }
    for what in &args.only {
        bench.args(["--only", what]);
    }
    for (option, value) in [("--database", &args.database), ("--side", &args.side)] {
        if let Some(value) = value {
            bench.args([option, value]);
        }
    }
    if let Some(plugin) = plugin {
        bench.arg("--plugin").arg(plugin);
    }
    if let Some(file) = &args.json {
        bench.arg("--json").arg(file);
    }
    let engines = Engines::start(&found)?;
    let status = bench.envs(engines.environment()).status();
    let status = status.with_context(|| format!("cannot start {}", describe(&bench)))?;
    drop(engines);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn worker(args: &Args) -> anyhow::Result<ExitCode> {
    let (running, libs) = provision::kafka()?;
    let mut bench = build("worker", &args.profile)?;
    let broker = Broker::start(running, libs)?;

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
