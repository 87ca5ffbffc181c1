//! `bench jdbc`: rows from Kafka into a database and back, by the Java worker, by ours, and by the database's own bulk load.

mod database;
mod latency;
mod orders;
mod own;
mod plain;
mod report;
mod sink;
mod source;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use crate::worker::{Programs, Side};
use crate::{machine, say};
use orders::Orders;
use report::Samples;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The connect-worker binary to measure
    #[arg(long, value_name = "FILE")]
    worker: PathBuf,
    /// How that binary was built; printed with the figures
    #[arg(long, default_value = "unknown profile")]
    profile: String,
    /// The folder of Debezium's JDBC sink connector, for the Java worker
    #[arg(long, value_name = "FOLDER")]
    plugin: Option<PathBuf>,
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
    #[arg(long, value_enum)]
    only: Vec<What>,
    /// Only this database
    #[arg(long, value_enum)]
    database: Option<Engine>,
    /// One side alone measures faster
    #[arg(long, value_enum)]
    side: Option<Who>,
    /// Also write every sample to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum What {
    /// The sink with insert.mode=insert, one partition, one task
    Insert,
    /// The sink with insert.mode=upsert, one partition, one task
    Upsert,
    /// The upsert with four partitions and tasks
    Tasks,
    /// The source in mode incrementing
    Source,
    /// One record at a time: produce to visible row
    Latency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Engine {
    Mariadb,
    Postgres,
}

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Who {
    /// The database's own bulk load, or a plain client
    Own,
    Java,
    Ours,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Mariadb => "MariaDB",
            Engine::Postgres => "PostgreSQL",
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Own => "the database itself",
            Who::Java => "Java worker",
            Who::Ours => "connect-worker",
        })
    }
}

impl Who {
    fn side(self) -> Option<Side> {
        match self {
            Who::Own => None,
            Who::Java => Some(Side::Java),
            Who::Ours => Some(Side::Ours),
        }
    }
}

impl What {
    const ALL: [What; 5] = [What::Insert, What::Upsert, What::Tasks, What::Source, What::Latency];

    fn partitions(self) -> i32 {
        if self == What::Tasks { 4 } else { 1 }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    pub(crate) what: What,
    pub(crate) engine: Engine,
    pub(crate) records: u64,
}

/// What every measurement needs.
pub(crate) struct Bench {
    bootstrap: String,
    programs: Programs,
    plugin: Option<PathBuf>,
    batch: u32,
    samples: Samples,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "memory and processor time are read from Linux's /proc: there is none here"
    );
    let sides: Vec<Who> = match args.side {
        Some(side) => vec![side],
        None => vec![Who::Own, Who::Java, Who::Ours],
    };
    let workers: Vec<Side> = sides.iter().filter_map(|who| who.side()).collect();
    ensure!(
        !workers.contains(&Side::Java) || args.plugin.is_some(),
        "the Java worker needs Debezium's JDBC sink: --plugin names its folder; `cargo xtask bench jdbc` downloads it"
    );
    let programs = Programs::find(&args.worker, &workers)?;
    let machine = machine::describe();
    let mut bench = Bench {
        bootstrap: testkit::kafka()?,
        programs,
        plugin: args.plugin.clone(),
        batch: args.batch,
        samples: Samples::default(),
    };
    let begun = Instant::now();
    let result = bench.all(args, &sides).await;
    // What was measured until something broke is shown as well.
    if !bench.samples.is_empty() {
        print!("{}", bench.report(args, &machine));
        if let Some(file) = &args.json {
            std::fs::write(file, format!("{:#}\n", bench.samples.json(&machine, &args.profile)))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    say(format_args!("{:.0} s in all", begun.elapsed().as_secs_f64()));
    result
}

impl Bench {
    async fn all(&mut self, args: &Args, sides: &[Who]) -> anyhow::Result<()> {
        let wanted = |what: What| args.only.is_empty() || args.only.contains(&what);
        let engines = match args.database {
            Some(engine) => vec![engine],
            None => vec![Engine::Mariadb, Engine::Postgres],
        };
        for &records in &args.records {
            for what in What::ALL.into_iter().filter(|what| wanted(*what)) {
                // Latency does not depend on how many others there were.
                if what == What::Latency && Some(&records) != args.records.first() {
                    continue;
                }
                let orders = Orders { records };
                let topic = match what {
                    What::Insert | What::Upsert | What::Tasks => {
                        say(format_args!(
                            "writing {records} records into {} partition(s)",
                            what.partitions()
                        ));
                        Some(orders.topic(&self.bootstrap, what.partitions()).await?)
                    }
                    What::Source | What::Latency => None,
                };
                for &engine in &engines {
                    let case = Case { what, engine, records };
                    for run in 1..=args.runs {
                        // In turn, and each run begins with the other side: what the machine does meanwhile hits all.
                        let mut order = sides.to_vec();
                        if run % 2 == 0 {
                            order.reverse();
                        }
                        for who in order {
                            let label =
                                format!("run {run} of {}: {what:?}, {engine}, {records}, {who}", args.runs);
                            say(&label);
                            self.one(case, who, &orders, topic.as_ref()).await.context(label)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn one(
        &mut self,
        case: Case,
        who: Who,
        orders: &Orders,
        topic: Option<&orders::Topic>,
    ) -> anyhow::Result<()> {
        match (case.what, topic) {
            (What::Insert | What::Upsert | What::Tasks, Some(topic)) => match who.side() {
                None => own::load(self, case, orders).await,
                Some(side) => sink::run(self, case, who, side, topic).await,
            },
            (What::Source, _) => source::run(self, case, who, orders).await,
            (What::Latency, _) => latency::run(self, case, who).await,
            _ => Ok(()),
        }
    }

    fn report(&self, args: &Args, machine: &str) -> String {
        format!(
            "\n{machine}, after the last run {}.\nconnect-worker: {}. Java worker: {}, -Xmx1g, with Debezium's JDBC sink. {} run(s) of each, in \
             turn; median (least to most). batch.size and max.poll.records are {}.\n\n{}\n",
            machine::load().unwrap_or_default(),
            args.profile,
            self.programs.java_version(),
            args.runs,
            args.batch,
            self.samples.table()
        )
    }
}
