//! What one types beside a running demo: look into topics and tables, write records, kill and start services.
//!
//! The flags of `topics`, `produce` and `consume` are those of Kafka's console tools, and so is their output, so that
//! what is learnt here works there.

mod broker;
mod consume;
mod control;
mod format;
mod lines;
mod produce;
mod sql;
mod table;
mod topics;

use crate::running;
use clap::Subcommand;

/// A command for a demo that runs already.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List topics with their partitions and records, or create one
    Topics(topics::Args),
    /// Write a record for each line of the input
    Produce(produce::Args),
    /// Print the records of a topic
    Consume(consume::Args),
    /// Read a table: one SELECT on a database of the running demo
    Sql(sql::Args),
    /// List the processes of the running demo
    Ps(control::PsArgs),
    /// Kill a service of the running demo as `kill -9` does; the demo starts it again
    Kill(control::KillArgs),
    /// Start a service again that was killed with --stay-down
    Start(control::StartArgs),
    /// Print the operator token of the running demo
    Token(control::TokenArgs),
}

/// Which demo is meant.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Which {
    /// The --port-offset of the demo that is meant
    #[arg(long, env = running::PORT_OFFSET, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=50_000))]
    port_offset: u16,
}

impl Which {
    fn find(self) -> anyhow::Result<running::Running> {
        running::find(self.port_offset)
    }
}

/// Does it. Errors are one line each, and say what to do.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Topics(args) => topics::run(args).await,
        Command::Produce(args) => produce::run(args).await,
        Command::Consume(args) => consume::run(args).await,
        Command::Sql(args) => sql::run(args).await,
        Command::Ps(args) => control::ps(&args),
        Command::Kill(args) => control::kill(&args).await,
        Command::Start(args) => control::start(&args).await,
        Command::Token(args) => control::token(&args),
    }
}
