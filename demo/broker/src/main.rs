#![doc = include_str!("../README.md")]

mod broker;
mod storage;

use anyhow::{Context as _, bail};
use clap::Parser;
use std::io::{ErrorKind, IsTerminal as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A Kafka broker in memory: everything in it is gone when it stops.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to listen, also what clients are told to connect to; port 0 takes a free one.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:9092")]
    listen: SocketAddr,
}

/// One thread for everything: tansu's in-memory storage first moves a partition's watermark and then stores the
/// records, and a fetch in between would pass them over. One thread never stops in between.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "error".into()))
        .init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embedded-broker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;

    let listener = listen(args.listen).await?;
    let address = listener.local_addr().context("asking for the bound address")?;
    let broker = broker::Broker::new(address).await?;
    println!("listening on {address}");
    // nothing in here outlives the process, so there is nothing to finish for when it is told to stop
    tokio::select! {
        error = broker.serve(listener) => Err(error),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "{address} is taken by another program; stop that one, or choose another address with --listen HOST:PORT"
        ),
        Err(error) => Err(error).with_context(|| {
            format!("cannot listen on {address}; choose another address with --listen HOST:PORT")
        }),
    }
}
