#![doc = include_str!("../README.md")]

use anyhow::{Context as _, bail};
use clap::Parser;
use std::io::{ErrorKind, IsTerminal as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use tansu_broker::broker::Broker;
use tansu_broker::coordinator::group::administrator::Controller;
use tansu_storage::StorageContainer;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, Instant, sleep};
use tracing_subscriber::EnvFilter;
use url::Url;
use uuid::Uuid;

/// A Kafka broker in memory: everything in it is gone when it stops.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to listen, also what clients are told to connect to; port 0 takes a free one.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:9092")]
    listen: SocketAddr,
}

const CLUSTER_ID: &str = "embedded";

#[tokio::main]
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

    let address = probe(args.listen).await?;
    let url = Url::parse(&format!("tcp://{address}")).context("the address as a URL")?;
    let mut broker = Broker::<Controller<StorageContainer>, StorageContainer>::builder()
        .node_id(1)
        .cluster_id(CLUSTER_ID)
        .incarnation_id(Uuid::now_v7())
        .advertised_listener(url.clone())
        .listener(url)
        .storage(Url::parse("memory://embedded/").context("the storage as a URL")?)
        // otherwise it draws a spinner per connection
        .silent(true)
        .build()
        .await
        .context("starting the broker")?;

    // Not `Broker::main`, which at SIGTERM waits 5 s for clients to hang up. Nothing here outlives the process, so
    // there is nothing to finish for.
    tokio::select! {
        served = broker.serve(Instant::now()) => served.context("the broker stopped"),
        () = announce(address) => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

/// Finds out whether the address can be had, since tansu reports a taken port only as a panic of a task.
async fn probe(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    match TcpListener::bind(listen).await {
        Ok(listener) => listener.local_addr().context("asking for the bound address"),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "{listen} is taken by another program; stop that one, or choose another address with --listen HOST:PORT"
        ),
        Err(error) => Err(error)
            .with_context(|| format!("cannot listen on {listen}; choose another --listen HOST:PORT")),
    }
}

/// Says so once the broker answers, and never returns.
async fn announce(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    println!("listening on {address}");
    std::future::pending().await
}
