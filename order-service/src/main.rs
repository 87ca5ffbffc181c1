//! Reads the command line and runs what it asks for. Everything else is in the library.

use clap::Parser;
use order_service::config::{Args, Command};
use order_service::{config, startup, store};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    service_kit::telemetry::init("order-service");
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("order-service: {}", service_kit::telemetry::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Some(Command::Migrate) => {
            let (database, tables) = config::for_migration(&args.options)?;
            store::migration::run(&database, &tables).await?;
        }
        Some(Command::Serve) | None => {
            let config = config::Config::from_options(args.options)?;
            startup::run(config, service_kit::shutdown::token()).await?;
        }
    }
    Ok(())
}
