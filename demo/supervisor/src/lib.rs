#![doc = include_str!("../README.md")]

mod args;
mod console;
mod engines;
mod guide;
mod keep_up;
mod names;
mod plan;
mod ports;
mod processes;
mod progress;
mod readiness;
mod running;
mod startup;
mod story;

pub use args::{Args, Store};
pub use console::{Command, run as run_command};
pub use story::remote;

use crate::engines::database::{Database, Server};
use crate::engines::kafka;
use crate::keep_up::Keeper;
use crate::names::Names;
use crate::plan::Settings;
use crate::ports::Ports;
use crate::processes::{Exits, Processes, tail};
use crate::progress::Progress;
use anyhow::Context as _;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use uuid::Uuid;

/// How a run ended, if no stage of it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The check's story held.
    Held,
    /// It did not.
    Differed,
    /// Somebody stopped the demo, which is how a demo ends.
    Stopped,
    /// Somebody stopped the check before it knew.
    Interrupted,
}

/// The whole run: prepare, start, show or check, stop, clean up.
pub async fn run(args: Args) -> anyhow::Result<Outcome> {
    args.validate()?;
    let mut signals = Signals::watch()?;
    let bin_dir = match &args.bin_dir {
        Some(dir) => dir.canonicalize().with_context(|| format!("--bin-dir {}", dir.display()))?,
        None => {
            let own = std::env::current_exe().context("asking for the path of this program")?;
            own.parent().context("this program is in no directory")?.to_path_buf()
        }
    };
    let settings = settings(&args, &bin_dir)?;
    startup::require_binaries(&settings, &bin_dir)?;
    if let Err(error) = prepare(&settings).await {
        if args.check {
            drop_databases(&settings).await;
        }
        // nothing has been written there yet that could explain the error
        let _ = std::fs::remove_dir_all(&settings.work_dir);
        return Err(error);
    }

    let (mut processes, mut exits) = Processes::new(bin_dir, settings.logs_dir());
    let http = http_client()?;
    let progress = Progress::begin();
    let outcome = tokio::select! {
        outcome = work(&args, &settings, &mut processes, &http, progress) => outcome,
        error = died(&mut exits) => Err(error),
        () = signals.next() => Ok(Some(if args.check { Outcome::Interrupted } else { Outcome::Stopped })),
    };
    let outcome = match outcome {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) => tokio::select! {
            error = show(&settings, &mut processes, &mut exits, &http, progress) => Err(error),
            () = signals.next() => Ok(Outcome::Stopped),
        },
        Err(error) => Err(error),
    };
    if matches!(outcome, Ok(Outcome::Stopped | Outcome::Interrupted)) {
        println!("\nstopping everything");
    }
    tokio::select! {
        () = processes.stop() => {}
        // whoever asks twice is in a hurry: dropping the processes kills them
        () = signals.next() => {}
    }
    drop(processes);
    if args.check {
        remove_run(&settings).await;
    }
    let keep_files = outcome.as_ref().map_or(true, |outcome| *outcome == Outcome::Differed);
    if keep_files {
        eprintln!("logs and configuration of this run stay in {}", settings.work_dir.display());
    } else if let Err(error) = std::fs::remove_dir_all(&settings.work_dir) {
        eprintln!("could not remove {}: {error}", settings.work_dir.display());
    }
    outcome
}

fn settings(args: &Args, bin_dir: &Path) -> anyhow::Result<Settings> {
    let run = Uuid::new_v4().simple().to_string()[..8].to_owned();
    let names = if args.check { Names::of_run(&run) } else { Names::plain() };
    let ports =
        if args.check { Ports::all_free()? } else { Ports::fixed(args.port_offset, args.kafka.is_none())? };
    let work_dir = match &args.work_dir {
        Some(dir) => {
            std::path::absolute(dir).with_context(|| format!("--work-dir {}", dir.display()))?.join(&run)
        }
        None => plan::default_work_dir(bin_dir, &run),
    };
    let server = args.database.as_deref().map(Server::parse).transpose()?;
    let database = |name: &str, file: &str| match &server {
        Some(server) => Database::Server { server: server.clone(), name: name.to_owned() },
        None => Database::Sqlite { file: work_dir.join(file) },
    };
    Ok(Settings {
        orders_database: database(&names.orders_database, "orders.db"),
        catalog_database: database(&names.catalog_database, "catalog.db"),
        kafka: args.kafka.clone(),
        store: args.store,
        operator_token: Uuid::new_v4().simple().to_string(),
        registry_secret: Uuid::new_v4().simple().to_string(),
        names,
        ports,
        work_dir,
    })
}

/// Sees that the engines are there before anything starts, and makes what the children expect to find.
async fn prepare(settings: &Settings) -> anyhow::Result<()> {
    if let Some(bootstrap) = &settings.kafka {
        kafka::answers(bootstrap).await?;
    }
    startup::write_files(settings)?;
    settings.orders_database.create().await?;
    settings.catalog_database.create().await
}

fn http_client() -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy();
    builder.build().context("making an HTTP client")
}

/// Starts everything, and runs the check if that is asked for. No outcome yet: everything is up.
async fn work(
    args: &Args,
    settings: &Settings,
    processes: &mut Processes,
    http: &reqwest::Client,
    progress: Progress,
) -> anyhow::Result<Option<Outcome>> {
    startup::start(settings, processes, http, progress).await?;
    if args.check {
        // any number will do: it is printed, so that the mix can be had again
        let seed = args.seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 % 1_000_000);
        let held = story::tell(settings, processes, http, progress, args.orders, seed).await?;
        return Ok(Some(if held { Outcome::Held } else { Outcome::Differed }));
    }
    Ok(None)
}

/// The demo as a person has it: until somebody stops it, or something cannot be kept up.
async fn show(
    settings: &Settings,
    processes: &mut Processes,
    exits: &mut Exits,
    http: &reqwest::Client,
    progress: Progress,
) -> anyhow::Error {
    let mut keeper = match Keeper::new(settings, processes, progress) {
        Ok(keeper) => keeper,
        Err(error) => return error,
    };
    println!("{}", guide::text(settings));
    keeper.keep(processes, exits, http).await
}

async fn died(exits: &mut Exits) -> anyhow::Error {
    let exit = exits.next().await;
    anyhow::anyhow!("{} ended by itself ({})\n{}", exit.name, exit.status, tail(&exit.log))
}

/// Removes what a check created in engines that outlive it. Best effort: what stays is named.
async fn remove_run(settings: &Settings) {
    let external = settings.kafka.is_some() || matches!(settings.orders_database, Database::Server { .. });
    if external {
        println!("removing topics, groups and databases of this run");
    }
    if let Some(bootstrap) = &settings.kafka {
        let groups = kafka::delete_groups(bootstrap, &settings.names.groups()).await;
        let topics = kafka::delete_topics(bootstrap, &settings.names.topics()).await;
        for what in groups.into_iter().chain(topics) {
            eprintln!("could not remove {what}");
        }
    }
    drop_databases(settings).await;
}

async fn drop_databases(settings: &Settings) {
    for database in [&settings.orders_database, &settings.catalog_database] {
        if let Err(error) = database.drop().await {
            eprintln!("could not remove the database {}: {error:#}", database.describe());
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn watch() -> anyhow::Result<Self> {
        let interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
        let terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
