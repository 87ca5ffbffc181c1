//! All scenarios, against both workers at a time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::cluster::Cluster;
use crate::findings;
use crate::parse::parse;
use crate::play::{Outcome, Player};
use crate::report::{Played, report};
use crate::scenario::{Scenario, Side, Workers};

/// Scenarios with workers of their own that one side plays at a time.
const OWN_AT_A_TIME: usize = 2;

#[derive(Debug, Clone)]
pub struct Options {
    pub sides: Vec<Side>,
    /// Only scenarios whose names contain this.
    pub scenario: Option<String>,
}

/// Every scenario of the folder, sorted by name.
pub(crate) fn scenarios(folder: &Path) -> anyhow::Result<Vec<Scenario>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "scenario"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            parse(&path.file_stem().unwrap_or_default().to_string_lossy(), &text)
        })
        .collect()
}

/// This crate's folder.
fn home() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The suite's own scenarios, checked against docs/compat/FINDINGS.md.
pub(crate) fn checked_scenarios() -> anyhow::Result<Vec<Scenario>> {
    let home = home();
    let scenarios = scenarios(&home.join("scenarios"))?;
    let path = home.join("../../docs/compat/FINDINGS.md");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let ids = findings::ids(&text).map_err(anyhow::Error::msg).context("docs/compat/FINDINGS.md")?;
    let faults = findings::faults(&ids, &scenarios);
    if !faults.is_empty() {
        bail!("scenarios and findings do not fit together:\n{}", faults.join("\n"));
    }
    Ok(scenarios)
}

/// Plays the suite and returns the report and whether everything was as expected.
pub async fn run(options: &Options) -> anyhow::Result<(String, bool)> {
    let mut scenarios = checked_scenarios()?;
    if let Some(part) = &options.scenario {
        scenarios.retain(|scenario| scenario.name.contains(part.as_str()));
        if scenarios.is_empty() {
            bail!("no scenario's name contains {part:?}");
        }
    }
    let bootstrap = testkit::kafka()?;
    let run = uuid::Uuid::new_v4().simple().to_string()[..8].to_owned();
    let folder = std::env::temp_dir().join(format!("parity-{run}"));
    let queues: Vec<(Side, Vec<usize>, bool)> = options
        .sides
        .iter()
        .flat_map(|side| {
            [(*side, indices(&scenarios, true), true), (*side, indices(&scenarios, false), false)]
        })
        .collect();
    let queues: Vec<Queue> = queues
        .into_iter()
        .map(|(side, waiting, shared)| Queue { side, shared, waiting: RefCell::new(waiting.into()) })
        .collect();
    let mut lanes = Vec::new();
    for queue in &queues {
        // Scenarios with workers of their own wait for session timeouts and starts most of the time.
        for _ in 0..if queue.shared { 1 } else { OWN_AT_A_TIME } {
            lanes.push(lane(&scenarios, queue, &bootstrap, &run, &folder));
        }
    }
    let played: Vec<Played> = join_all(lanes).await.into_iter().flatten().collect();
    // The workers are gone with the lanes. What is left behind on a broker of somebody's is a nuisance, no failure.
    if let Err(error) = testkit::kafka_client::remove_all_named(&bootstrap, &run).await {
        eprintln!("parity: topics and groups with {run} in their names were left behind: {error:#}");
    }
    let (text, right) = report(&scenarios, &played, &options.sides);
    if right {
        std::fs::remove_dir_all(&folder).ok();
    }
    Ok((text, right))
}

/// Which scenarios talk to the shared worker, or do not.
fn indices(scenarios: &[Scenario], shared: bool) -> Vec<usize> {
    let is_shared = |n: &usize| (scenarios[*n].workers == Workers::Shared) == shared;
    (0..scenarios.len()).filter(is_shared).collect()
}

/// Scenarios that wait for a lane.
struct Queue {
    side: Side,
    shared: bool,
    waiting: RefCell<VecDeque<usize>>,
}

/// Plays scenarios of a queue one after the other, until none is left.
async fn lane(
    scenarios: &[Scenario],
    queue: &Queue,
    bootstrap: &str,
    run: &str,
    folder: &Path,
) -> Vec<Played> {
    let side = queue.side;
    // Names of both workers have the same length, so that they compare well.
    let run = format!("{}{run}", &side.name()[..1]);
    let folder = folder.join(side.name());
    let mut played = Vec::new();
    let mut common = None;
    loop {
        let next = queue.waiting.borrow_mut().pop_front();
        let Some(n) = next else { return played };
        let scenario = &scenarios[n];
        let home = folder.join(&scenario.name);
        let mut own;
        let cluster: &mut Result<Cluster, String> = match &scenario.workers {
            Workers::Own(properties) => {
                let group = format!("{}-{run}", scenario.name);
                own = Cluster::new(side, bootstrap, &group, &home, properties);
                &mut own
            }
            Workers::Shared => {
                if common.is_none() {
                    common = Some(started(side, bootstrap, &run, &folder).await);
                }
                let Some(common) = &mut common else { return played };
                common
            }
        };
        let began = tokio::time::Instant::now();
        let steps = match cluster {
            Ok(cluster) => match Player::new(scenario, side, bootstrap, &run, &home, cluster) {
                Ok(mut player) => player.play(scenario).await,
                Err(fault) => failed(scenario, &fault),
            },
            Err(fault) => failed(scenario, fault),
        };
        let bad = steps.iter().filter(|(outcome, _)| matches!(outcome, Outcome::Failed(_))).count();
        let (name, count, time) = (&scenario.name, steps.len(), began.elapsed().as_secs_f64());
        eprintln!("parity: {} {name}: {count} steps, {bad} failed, {time:.1} s", side.name());
        played.push(Played { scenario: n, side, steps });
    }
}

async fn started(side: Side, bootstrap: &str, run: &str, folder: &Path) -> Result<Cluster, String> {
    let mut cluster = Cluster::new(side, bootstrap, &format!("parity-{run}"), folder, &[])?;
    cluster.start("w1", &[]).await?;
    Ok(cluster)
}

/// A fault that keeps the whole scenario from being played.
fn failed(scenario: &Scenario, fault: &str) -> Vec<(Outcome, Duration)> {
    let first = (Outcome::Failed(fault.to_owned()), Duration::ZERO);
    let rest = (Outcome::Failed("not reached".to_owned()), Duration::ZERO);
    scenario
        .steps
        .iter()
        .enumerate()
        .map(|(n, _)| if n == 0 { first.clone() } else { rest.clone() })
        .collect()
}

/// Waits for all, at the same time.
async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).map(Some).collect();
    let mut values: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, value) in futures.iter_mut().zip(&mut values) {
            if let Some(running) = future
                && let std::task::Poll::Ready(done) = running.as_mut().poll(context)
            {
                *value = Some(done);
                *future = None;
            }
        }
        let all = futures.iter().all(Option::is_none);
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    values.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_scenarios_are_understood_and_fit_the_findings() {
        let scenarios = super::checked_scenarios().unwrap_or_else(|error| panic!("{error:#}"));
        let steps: usize = scenarios.iter().map(|scenario| scenario.steps.len()).sum();
        assert!(steps >= 150, "{steps} steps");
    }
}
