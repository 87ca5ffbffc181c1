//! From exec to the first answer, the first task; memory of a worker that has nothing to do.

use std::time::{Duration, Instant};

use super::cluster::{Cluster, Worker, healthy};
use super::lines::{Tail, append};
use super::{Bench, Side};
use crate::figures::Figure;
use crate::rest::Rest;
use crate::usage::Usage;
use crate::wait::until;

const CONNECTOR: &str = "lines";
const IDLE: Duration = Duration::from_secs(10);

impl Bench {
    pub(super) async fn start(&mut self, side: Side, idle: bool, ready: bool) -> anyhow::Result<()> {
        let mut found = Vec::new();
        let cluster = Cluster::new(self, side, "start").await?;
        let worker = cluster.start_healthy().await?;
        found.push((Figure::FirstStart, worker.begun.elapsed().as_secs_f64()));
        if idle {
            let before = worker.usage()?;
            tokio::time::sleep(IDLE).await;
            let usage = worker.usage()?;
            found.extend([
                (Figure::IdleRss, usage.rss),
                (Figure::IdlePss, usage.pss),
                (Figure::IdleThreads, usage.threads),
                (Figure::IdleCpu, usage.cpu_seconds - before.cpu_seconds),
            ]);
        }
        if ready {
            found.extend(restart(&self.bootstrap, &cluster, worker).await?);
        } else {
            worker.stop().await?;
        }
        drop(cluster);
        found.into_iter().for_each(|(figure, value)| self.samples.push(figure, side, value));
        Ok(())
    }
}

/// Gives the worker a connector, stops it, and times its next start.
async fn restart(
    bootstrap: &str,
    cluster: &Cluster<'_>,
    mut worker: Worker,
) -> anyhow::Result<[(Figure, f64); 5]> {
    let tail = Tail::start(bootstrap, &cluster.topic)?;
    append(&cluster.file(CONNECTOR), CONNECTOR, 0)?;
    let (rest, id) = (worker.rest.clone(), worker.id.clone());
    worker
        .watched(async {
            cluster.create(&rest, CONNECTOR).await?;
            runs(&rest, &id, Instant::now()).await?;
            tail.line(CONNECTOR, 0).await
        })
        .await?;
    worker.stop().await?;

    append(&cluster.file(CONNECTOR), CONNECTOR, 1)?;
    let mut worker = cluster.start()?;
    let (rest, id, begun, pid) = (worker.rest.clone(), worker.id.clone(), worker.begun, worker.pid());
    let answers = until("GET /connectors to be 200", begun, async || {
        Ok((rest.status_of("/connectors").await == Some(200)).then(|| begun.elapsed()))
    });
    let health =
        until("GET /health to be 200", begun, async || Ok(healthy(&rest).await?.map(|()| begun.elapsed())));
    let task = async {
        runs(&rest, &id, begun).await?;
        Ok((begun.elapsed(), Usage::of(pid)?.cpu_seconds))
    };
    let record = async {
        tail.line(CONNECTOR, 1).await?;
        Ok(begun.elapsed())
    };
    let (ready, healthy, (task, cpu), record) =
        worker.watched(async { tokio::try_join!(answers, health, task, record) }).await?;
    worker.stop().await?;
    Ok([
        (Figure::Ready, ready.as_secs_f64()),
        (Figure::Healthy, healthy.as_secs_f64()),
        (Figure::FirstTask, task.as_secs_f64()),
        (Figure::FirstRecord, record.as_secs_f64()),
        (Figure::StartCpu, cpu),
    ])
}

/// Waits for the connector's task to be RUNNING on this worker: a status that an earlier one left behind names another.
async fn runs(rest: &Rest, id: &str, since: Instant) -> anyhow::Result<()> {
    until("the connector's task to be RUNNING", since, async || {
        let tasks = rest.running_tasks().await?;
        Ok(tasks.iter().any(|task| task.worker_id == id).then_some(()))
    })
    .await
}
