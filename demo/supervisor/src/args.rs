//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Runs the order/catalog platform: a broker, a database, every service and the connect worker.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", version)]
pub struct Args {
    /// Run the story without a browser, compare what everybody saw, and exit 0 only if every order was there once.
    #[arg(long)]
    pub check: bool,

    /// How many orders the check places.
    #[arg(long, default_value_t = 200, requires = "check", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub orders: u32,

    /// Seed of the check's mix of orders; a new one each time unless given.
    #[arg(long, requires = "check")]
    pub seed: Option<u64>,

    /// Where an order-service keeps orders: `events` is the cure, `local` (a file per instance) the problem.
    #[arg(long, value_enum, default_value_t = Store::Events)]
    pub store: Store,

    /// Use this Kafka instead of the embedded broker; then two connect workers share the sink.
    #[arg(long, value_name = "HOST:PORT")]
    pub kafka: Option<String>,

    /// Use this MariaDB, MySQL or PostgreSQL (`postgres://..`) server instead of SQLite files; databases are created in it.
    #[arg(long, value_name = "mysql://USER:PASSWORD@HOST:PORT")]
    pub database: Option<String>,

    /// Added to the ports 8000 to 8003 (gateway, services), 8083 (connect worker; 8084 for a second) and 9092 (embedded broker).
    #[arg(long, env = crate::running::PORT_OFFSET, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=50_000))]
    pub port_offset: u16,

    /// Where the service binaries are; the directory of this binary unless given.
    #[arg(long)]
    pub bin_dir: Option<PathBuf>,

    /// Where database files, configuration and logs go; `target/demo/RUN` unless given.
    #[arg(long)]
    pub work_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Store {
    Events,
    Local,
}

impl Args {
    /// The rules clap does not know.
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        if self.check && self.store == Store::Local {
            anyhow::bail!(
                "--check needs --store events: with --store local orders do differ between instances, which is what \
                 that mode is there to show"
            );
        }
        Ok(())
    }
}
