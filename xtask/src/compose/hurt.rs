//! What is done to the platform while orders come in.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::engine::output;
use super::project::Project;
use crate::sh::{describe, say};

const KILLED: [&str; 3] = ["order-service", "catalog-service", "connect-worker-1"];
/// Longer than clients retry at once, shorter than they are patient.
const AWAY: Duration = Duration::from_secs(3);

/// Runs the story: a third instance at a fifth of the orders, deaths at two fifths.
pub(super) fn while_it_runs(mut story: Command, project: &Project) -> anyhow::Result<()> {
    let mut child =
        story.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", describe(&story)))?;
    let lines = BufReader::new(child.stdout.take().context("the story has no output")?).lines();
    let mut deeds: Vec<(usize, Deed)> = vec![(40, kill_and_start_again), (20, scale)];
    let mut result = Ok(());
    for line in lines {
        let line = line.context("reading what the story says")?;
        println!("{line}");
        let Some(percent) = percent(&line) else { continue };
        if result.is_ok() && deeds.last().is_some_and(|(at, _)| percent >= *at) {
            // the story goes on meanwhile, and its lines wait in the pipe
            result = deeds.pop().map_or(Ok(()), |(_, deed)| deed(project));
        }
    }
    let status = child.wait().context("waiting for the story")?;
    result?;
    ensure!(status.success(), "the story did not hold ({status})");
    ensure!(deeds.is_empty(), "the story was over before everything had been done to the platform");
    Ok(())
}

type Deed = fn(&Project) -> anyhow::Result<()>;

fn scale(project: &Project) -> anyhow::Result<()> {
    say("a third order-service");
    project.compose(&[
        "up",
        "-d",
        "--no-deps",
        "--no-recreate",
        "--scale",
        "order-service=3",
        "order-service",
    ])?;
    let instances = project.containers(Some("order-service"))?.len();
    ensure!(instances == 3, "there are {instances} order-services, not 3");
    Ok(())
}

fn kill_and_start_again(project: &Project) -> anyhow::Result<()> {
    let mut victims = Vec::new();
    for service in KILLED {
        victims.push(
            project.containers(Some(service))?.into_iter().next().with_context(|| format!("no {service}"))?,
        );
    }
    say(format_args!("docker kill -s KILL: {}", KILLED.join(", ")));
    output(Command::new("docker").args(["kill", "-s", "KILL"]).args(&victims))?;
    std::thread::sleep(AWAY);
    // what is killed by hand stays dead: Docker takes it for the wish of a person
    say("docker start");
    output(Command::new("docker").arg("start").args(&victims))?;
    Ok(())
}

/// How far the orders are, of a line `accepted N of M`.
fn percent(line: &str) -> Option<usize> {
    let (count, orders) = line.strip_prefix("accepted ")?.split_once(" of ")?;
    let (count, orders): (usize, usize) = (count.parse().ok()?, orders.parse().ok()?);
    (count * 100).checked_div(orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read_from_the_storys_lines() {
        assert_eq!(percent("accepted 80 of 400"), Some(20));
        assert_eq!(percent("accepted 1 of 0"), None);
        assert_eq!(percent("placing 400 orders"), None);
    }
}
