//! One of two workers leaves, killed or asked to, while its files grow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, Worker};
use super::lines::{Growing, Tail, missing, silence};
use super::{Bench, Side};
use crate::figures::Figure;
use crate::rest::{Rest, RunningTask};
use crate::say;
use crate::wait::until;

/// Connectors with one task each, half of them on either worker.
const FILES: usize = 8;
/// Both workers kept their tasks for so long: the group has settled.
const SETTLED: Duration = Duration::from_secs(3);

struct Moved {
    /// From the signal until the last of the tasks was RUNNING elsewhere, by REST.
    tasks: Duration,
    /// From the signal until the last of the files had a record from there.
    records: Duration,
    silence: Duration,
    cpu_seconds: f64,
}

impl Bench {
    /// It is always the second worker that goes: the first leads the group and has the work assigned by its rules. (A Java worker that
    /// becomes the leader knows nothing of the lost work, and takes it without a delay.)
    pub(super) async fn leave(
        &mut self,
        side: Side,
        label: &str,
        kill: bool,
        stop: bool,
    ) -> anyhow::Result<()> {
        let mut found = Vec::new();
        let cluster = Cluster::new(self, side, "leave").await?;
        let names: Vec<String> = (0..FILES).map(|n| format!("file{n}")).collect();
        let tail = Tail::start(&self.bootstrap, &cluster.topic)?;
        let growing = Growing::start(names.iter().map(|name| (name.clone(), cluster.file(name))).collect());
        let mut first = cluster.start_healthy().await?;
        let mut second = cluster.start_healthy().await?;
        let rest = first.rest.clone();
        let created = async {
            for name in &names {
                cluster.create(&rest, name).await?;
            }
            Ok(())
        };
        first.watched(created).await?;

        if kill {
            let victims = first.watched(share_of(&rest, &second.id, &tail)).await?;
            say(format_args!("{label}: kill -9 of the worker with {} of {FILES} tasks", victims.len()));
            let signal = Instant::now();
            second.kill();
            let moved = taken_over(&mut first, &tail, &victims, signal).await?;
            found.extend([
                (Figure::KillMoved, moved.tasks.as_secs_f64()),
                (Figure::KillRecords, moved.records.as_secs_f64()),
                (Figure::KillSilence, moved.silence.as_secs_f64()),
                (Figure::KillCpu, moved.cpu_seconds),
            ]);
        }
        if kill && stop {
            second = cluster.start_healthy().await?;
        }
        if stop {
            let victims = first.watched(share_of(&rest, &second.id, &tail)).await?;
            say(format_args!("{label}: SIGTERM to the worker with {} of {FILES} tasks", victims.len()));
            let signal = Instant::now();
            second.terminate();
            let ended = async {
                second.ended().await?;
                Ok(signal.elapsed())
            };
            let (moved, ended) = tokio::try_join!(taken_over(&mut first, &tail, &victims, signal), ended)?;
            found.extend([
                (Figure::StopMoved, moved.tasks.as_secs_f64()),
                (Figure::StopRecords, moved.records.as_secs_f64()),
                (Figure::StopSilence, moved.silence.as_secs_f64()),
                (Figure::StopExit, ended.as_secs_f64()),
                (Figure::StopCpu, moved.cpu_seconds),
            ]);
        }

        let written = growing.stop()?;
        found.push((Figure::LinesLost, first.watched(lost(&tail, &names, written)).await? as f64));
        first.stop().await?;
        drop((second, cluster));
        found.into_iter().for_each(|(figure, value)| self.samples.push(figure, side, value));
        Ok(())
    }
}

/// Waits until the group has settled with about half of the tasks on this worker and records flowing from all files, and returns
/// its connectors.
async fn share_of(rest: &Rest, id: &str, tail: &Tail) -> anyhow::Result<Vec<String>> {
    let mut before: (Instant, Vec<RunningTask>) = (Instant::now(), Vec::new());
    until("a group that has settled", Instant::now(), async || {
        let tasks = rest.running_tasks().await?;
        if tasks != before.1 {
            before = (Instant::now(), tasks);
            return Ok(None);
        }
        let theirs: Vec<String> =
            tasks.iter().filter(|task| task.worker_id == id).map(|task| task.connector.clone()).collect();
        let fair = tasks.len() == FILES && theirs.len().abs_diff(FILES / 2) <= 1;
        let lately = Instant::now().checked_sub(SETTLED);
        let flows = |task: &RunningTask| {
            tail.arrivals().iter().rev().any(|a| a.connector == task.connector && Some(a.at) > lately)
        };
        Ok((fair && before.0.elapsed() > SETTLED && tasks.iter().all(flows)).then_some(theirs))
    })
    .await
}

/// Waits until the survivor runs all of these connectors' tasks and their records flow from there.
async fn taken_over(
    survivor: &mut Worker,
    tail: &Tail,
    victims: &[String],
    signal: Instant,
) -> anyhow::Result<Moved> {
    let (rest, id, before) = (survivor.rest.clone(), survivor.id.clone(), survivor.usage()?);
    let mut moved: BTreeMap<String, Instant> = BTreeMap::new();
    let wait = until("the tasks on the other worker", signal, async || {
        let tasks = rest.running_tasks().await?;
        for task in tasks.into_iter().filter(|task| task.worker_id == id && victims.contains(&task.connector))
        {
            moved.entry(task.connector).or_insert_with(Instant::now);
        }
        Ok((moved.len() == victims.len()).then_some(()))
    });
    survivor.watched(wait).await?;
    let mut flowing: BTreeMap<String, Instant> = BTreeMap::new();
    let wait = until("records from the other worker", Instant::now(), async || {
        let arrivals = tail.arrivals();
        for (connector, since) in &moved {
            // The worker that went has stopped before: what comes now is not from there.
            if let Some(first) = arrivals.iter().find(|a| a.connector == *connector && a.at > *since) {
                flowing.entry(connector.clone()).or_insert(first.at);
            }
        }
        Ok((flowing.len() == victims.len()).then_some(()))
    });
    survivor.watched(wait).await?;
    let cpu_seconds = survivor.usage()?.cpu_seconds - before.cpu_seconds;
    let last =
        |times: &BTreeMap<String, Instant>| times.values().map(|at| *at - signal).max().unwrap_or_default();
    let arrivals = tail.arrivals();
    let silences = flowing.iter().map(|(connector, at)| silence(&arrivals, connector, signal, *at));
    Ok(Moved {
        tasks: last(&moved),
        records: last(&flowing),
        silence: silences.max().unwrap_or_default(),
        cpu_seconds,
    })
}

/// The lines that have not arrived a while after the last was written.
async fn lost(tail: &Tail, names: &[String], written: u64) -> anyhow::Result<u64> {
    let begun = Instant::now();
    until("the last lines", begun, async || {
        let missing = missing(&tail.arrivals(), names, written);
        Ok((missing == 0 || begun.elapsed() > Duration::from_secs(30)).then_some(missing))
    })
    .await
}
