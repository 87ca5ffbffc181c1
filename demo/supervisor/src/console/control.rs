//! `ps`, `kill`, `start`, `token`: the processes of the running demo.

use super::{Which, table};
use crate::running::{self, ChildState, Running, RunningChild};
use anyhow::{Context as _, bail};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PAUSE: Duration = Duration::from_millis(100);
/// A killed process is gone at once; the demo writes that down a moment later.
const UNTIL_GONE: Duration = Duration::from_secs(10);
const UNTIL_UP: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub struct PsArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub struct KillArgs {
    /// Its name, as `ps` shows it
    name: String,

    /// Leave it dead until `start`
    #[arg(long)]
    stay_down: bool,

    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub struct StartArgs {
    /// Its name, as `ps` shows it
    name: String,

    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    #[command(flatten)]
    which: Which,
}

pub(super) fn token(args: &TokenArgs) -> anyhow::Result<()> {
    println!("{}", args.which.find()?.operator_token);
    Ok(())
}

pub(super) fn ps(args: &PsArgs) -> anyhow::Result<()> {
    let demo = args.which.find()?;
    let rows: Vec<Vec<String>> = demo
        .children
        .iter()
        .map(|child| {
            vec![
                child.name.clone(),
                child.state.as_str().to_owned(),
                child.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                child.restarts.to_string(),
                child.address.clone(),
            ]
        })
        .collect();
    print!("{}", table::text(&["NAME", "STATE", "PID", "RESTARTS", "ADDRESS"], &rows));
    Ok(())
}

pub(super) async fn kill(args: &KillArgs) -> anyhow::Result<()> {
    let demo = args.which.find()?;
    let child = demo.child(&args.name)?;
    let name = &child.name;
    if !child.may_be_killed {
        bail!(
            "{name} keeps everything in memory: without it this demo is over (Ctrl-C ends it more politely)"
        );
    }
    // before the kill: the demo looks for it as soon as the child is gone
    if args.stay_down {
        std::fs::create_dir_all(&demo.down_dir)
            .and_then(|()| std::fs::write(demo.marker(name), ""))
            .with_context(|| format!("writing {}", demo.marker(name).display()))?;
    } else {
        remove_marker(&demo, name)?;
    }
    let Some(pid) = child.pid else {
        println!("{name} is down already");
        return Ok(());
    };
    running::signal(pid, "KILL").with_context(|| format!("killing {name}"))?;
    wait(args.which, name, UNTIL_GONE, |child| child.pid != Some(pid)).await?;
    if args.stay_down {
        println!("killed {name} (pid {pid}); it stays down until you type: cargo demo -- start {name}");
    } else {
        println!("killed {name} (pid {pid}); the demo starts it again in {} seconds", demo.away_seconds);
    }
    Ok(())
}

pub(super) async fn start(args: &StartArgs) -> anyhow::Result<()> {
    let demo = args.which.find()?;
    let child = demo.child(&args.name)?;
    remove_marker(&demo, &child.name)?;
    if child.state == ChildState::Up {
        println!("{} is up", child.name);
        return Ok(());
    }
    let child = wait(args.which, &child.name, UNTIL_UP, |child| child.state == ChildState::Up).await?;
    println!("{} is up again (pid {})", child.name, child.pid.unwrap_or_default());
    Ok(())
}

fn remove_marker(demo: &Running, name: &str) -> anyhow::Result<()> {
    match std::fs::remove_file(demo.marker(name)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", demo.marker(name).display()))
        }
        _ => Ok(()),
    }
}

/// Looks until the demo says of the child what is awaited.
async fn wait(
    which: Which,
    name: &str,
    patience: Duration,
    awaited: impl Fn(&RunningChild) -> bool,
) -> anyhow::Result<RunningChild> {
    let deadline = Instant::now() + patience;
    loop {
        let demo = which.find()?;
        let child = demo.child(name)?;
        if awaited(child) {
            return Ok(child.clone());
        }
        if Instant::now() > deadline {
            bail!(
                "{name} is {} after {} s; what the demo prints in its terminal says more",
                child.state.as_str(),
                patience.as_secs()
            );
        }
        sleep(PAUSE).await;
    }
}
