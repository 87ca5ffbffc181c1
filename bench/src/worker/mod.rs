//! `bench worker`: the same work for the Java worker and for ours, run by run in turn.

mod cluster;
mod create;
mod leave;
mod lines;
mod side;
mod start;

pub(crate) use side::{Programs, Side};

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde_json::json;

use crate::report::Samples;
use crate::{machine, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The connect-worker binary to measure
    #[arg(long, value_name = "FILE")]
    worker: PathBuf,
    /// How that binary was built; printed with the figures
    #[arg(long, default_value = "unknown profile")]
    profile: String,
    /// How often each side does everything
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Only these measurements; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Phase>,
    /// How many FileStream connectors `create` makes
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5000))]
    connectors: u32,
    /// One side alone measures faster, but without the other there is no ratio
    #[arg(long, value_enum, default_value_t = Sides::Both)]
    side: Sides,
    /// Also write every sample to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phase {
    /// From exec to the first answer and the first running task
    Ready,
    /// Memory and CPU without connectors
    Idle,
    /// Many connectors by REST
    Create,
    /// kill -9 of one of two workers
    Kill,
    /// SIGTERM to one of two workers
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sides {
    Both,
    Java,
    Ours,
}

/// What every phase needs.
pub(crate) struct Bench {
    bootstrap: String,
    programs: side::Programs,
    connectors: u32,
    samples: Samples,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "memory and processor time are read from Linux's /proc: there is none here"
    );
    let sides: &[Side] = match args.side {
        Sides::Both => &[Side::Java, Side::Ours],
        Sides::Java => &[Side::Java],
        Sides::Ours => &[Side::Ours],
    };
    let bootstrap = testkit::kafka()?;
    let programs = side::Programs::find(&args.worker, sides)?;
    let machine = machine::describe();
    let mut bench = Bench { bootstrap, programs, connectors: args.connectors, samples: Samples::default() };

    let begun = Instant::now();
    let result = bench.all_runs(args, sides).await;
    // What was measured until something broke is shown as well.
    if !bench.samples.is_empty() {
        print!("{}", bench.report(args, &machine));
        if let Some(file) = &args.json {
            let all = json!({"machine": machine, "profile": args.profile, "runs": args.runs, "connectors": args.connectors,
                             "figures": bench.samples.json()});
            std::fs::write(file, format!("{all:#}\n"))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    say(format_args!("{:.0} s in all", begun.elapsed().as_secs_f64()));
    result
}

impl Phase {
    fn wanted(self, args: &Args) -> bool {
        args.only.is_empty() || args.only.contains(&self)
    }
}

impl Bench {
    async fn all_runs(&mut self, args: &Args, sides: &[Side]) -> anyhow::Result<()> {
        for run in 1..=args.runs {
            // In turn, and each run begins with the other side: what the machine does meanwhile hits both.
            let mut order = sides.to_vec();
            if run % 2 == 0 {
                order.reverse();
            }
            for side in order {
                let label = format!("run {run} of {}, {side}", args.runs);
                self.one_run(args, side, &label).await.with_context(|| label)?;
            }
        }
        Ok(())
    }

    async fn one_run(&mut self, args: &Args, side: Side, label: &str) -> anyhow::Result<()> {
        let wanted = |phase: Phase| phase.wanted(args);
        if wanted(Phase::Idle) || wanted(Phase::Ready) {
            say(format_args!("{label}: start"));
            self.start(side, wanted(Phase::Idle), wanted(Phase::Ready)).await.context("start")?;
            self.pause().await;
        }
        if wanted(Phase::Create) {
            say(format_args!("{label}: {} connectors", self.connectors));
            self.create(side, label).await.context("create")?;
            self.pause().await;
        }
        if wanted(Phase::Kill) || wanted(Phase::Stop) {
            say(format_args!("{label}: two workers, one leaves"));
            self.leave(side, label, wanted(Phase::Kill), wanted(Phase::Stop)).await.context("leave")?;
            self.pause().await;
        }
        Ok(())
    }

    /// The broker cleans up behind a cluster that is gone; the next one should not wait for that.
    async fn pause(&self) {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    fn report(&self, args: &Args, machine: &str) -> String {
        format!(
            "\n{machine}.\nconnect-worker: {}. Java worker: {}, -Xmx1g. {} run(s) of each, in turn; median (least to most). \
             {} connectors are created.\n\
             Both sides: default settings, one plain Kafka broker on the same machine, scheduled.rebalance.max.delay.ms=10000 \
             (the Java worker's own default is 300000).\n\n{}\n",
            args.profile,
            self.programs.java_version(),
            args.runs,
            self.connectors,
            self.samples.table()
        )
    }
}
