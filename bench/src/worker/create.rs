//! Many connectors, created by REST one after the other.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::lines::{Tail, append};
use super::{Bench, Side};
use crate::figures::Figure;
use crate::say;
use crate::wait::until;

const IDLE: Duration = Duration::from_secs(10);
const PROGRESS: Duration = Duration::from_secs(10);

impl Bench {
    pub(super) async fn create(&mut self, side: Side, label: &str) -> anyhow::Result<()> {
        let cluster = Cluster::new(self, side, "create").await?;
        let names: Vec<String> = (0..self.connectors).map(|n| format!("file{n}")).collect();
        for name in &names {
            append(&cluster.file(name), name, 0)?;
        }
        let tail = Tail::start(&self.bootstrap, &cluster.topic)?;
        let mut worker = cluster.start_healthy().await?;
        let rest = worker.rest.clone();
        let before = worker.usage()?;

        let begun = Instant::now();
        let mut said = begun;
        let mut progress = |text: &str, count: usize| {
            if said.elapsed() > PROGRESS {
                said = Instant::now();
                say(format_args!("{label}: {count} of {} {text}", names.len()));
            }
        };
        let work = async {
            for (count, name) in names.iter().enumerate() {
                cluster.create(&rest, name).await?;
                progress("created", count + 1);
            }
            let answered = begun.elapsed();
            until("all tasks to be RUNNING", begun, async || {
                let running: BTreeSet<_> =
                    rest.running_tasks().await?.into_iter().map(|task| task.connector).collect();
                progress("running", running.len());
                Ok((running.len() == names.len()).then_some(()))
            })
            .await?;
            Ok((answered, begun.elapsed()))
        };
        let (answered, running) = worker.watched(work).await?;
        let usage = worker.usage()?;
        // RUNNING must mean it: the one line of every file arrives.
        worker
            .watched(async {
                for name in &names {
                    tail.line(name, 0).await?;
                }
                tokio::time::sleep(IDLE).await;
                Ok(())
            })
            .await?;
        // From here on nothing happens.
        let settled = worker.usage()?;
        tokio::time::sleep(IDLE).await;
        let later = worker.usage()?;
        worker.stop().await?;
        drop(cluster);
        for (figure, value) in [
            (Figure::CreateAnswered, answered.as_secs_f64()),
            (Figure::CreateRunning, running.as_secs_f64()),
            (Figure::CreatePeak, usage.peak),
            (Figure::CreateRss, settled.rss),
            (Figure::CreateThreads, settled.threads),
            (Figure::CreateCpu, usage.cpu_seconds - before.cpu_seconds),
            (Figure::ManyIdleCpu, later.cpu_seconds - settled.cpu_seconds),
        ] {
            self.samples.push(figure, side, value);
        }
        Ok(())
    }
}
