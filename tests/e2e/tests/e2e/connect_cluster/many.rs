//! Eight workers, many connectors, workers that come and go: no task runs twice, none is lost, seen from the records they write.

use super::cluster::{Cluster, Member, Placement, shared_out};
use super::lines::{Growing, TopicLines, Writer};
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use testkit::kafka_client::consume_all;

/// `CLUSTER_CONNECTORS=200` for the number that the project promises.
fn connectors() -> anyhow::Result<usize> {
    std::env::var("CLUSTER_CONNECTORS")
        .map_or(Ok(40), |text| text.parse().context("CLUSTER_CONNECTORS is not a number"))
}

async fn balanced(names: &[String], workers: &[Member]) -> Placement {
    shared_out(names, &workers.iter().collect::<Vec<_>>()).await
}

/// From the status topic: nobody says that it runs something before the one who ran it has said that it does not any more, unless
/// that one was killed.
async fn assert_no_overlap(cluster: &Cluster, killed: &BTreeSet<String>) -> anyhow::Result<usize> {
    let mut running: BTreeMap<String, String> = BTreeMap::new();
    let mut moves = 0;
    for record in consume_all(&cluster.bootstrap, &cluster.topic("statuses")).await? {
        let key = record.key_str().unwrap_or_default().to_owned();
        if !key.starts_with("status-task-") || record.value.is_none() {
            continue;
        }
        let status = record.json()?;
        let (state, worker) = (status["state"].as_str(), status["worker_id"].as_str().unwrap_or_default());
        match state {
            Some("RUNNING") => {
                let before = running.insert(key.clone(), worker.to_owned());
                let overlaps = before.is_some_and(|before| before != worker && !killed.contains(&before));
                assert!(!overlaps, "{key} runs on {worker} before another has stopped it: {status}");
                moves += 1;
            }
            _ if running.get(&key).is_some_and(|there| there == worker) => {
                running.remove(&key);
            }
            _ => {}
        }
    }
    Ok(moves)
}

#[tokio::test]
async fn workers_come_and_go() -> anyhow::Result<()> {
    let count = connectors()?;
    let cluster = Cluster::new("many", &[("scheduled.rebalance.max.delay.ms", "1000")], &["lines"])?;
    let start = |workers: &mut Vec<Member>, count: usize| -> anyhow::Result<()> {
        for _ in 0..count {
            workers.push(cluster.ours()?);
        }
        Ok(())
    };
    let mut workers = Vec::new();
    start(&mut workers, 3)?;
    for worker in &mut workers {
        worker.is_up().await;
    }
    let files: Vec<_> = (0..count).map(|n| format!("f{n:03}")).collect();
    let files: Vec<_> = files.iter().map(|name| Growing::new(name, cluster.folder.path(name))).collect();
    let names: Vec<_> = files.iter().map(|file| cluster.topic(&file.name)).collect();
    for (n, file) in files.iter().enumerate() {
        file.grow(1)?;
        workers[n % 3].create(&names[n], &cluster.source(&file.name, "lines")).await?;
    }
    balanced(&names, &workers).await;
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
    let writer = Writer::start(files.clone(), 1, Duration::from_millis(200));

    // As long as workers come, and go properly, nothing is read twice.
    start(&mut workers, 5)?;
    balanced(&names, &workers).await;
    for _ in 0..3 {
        workers.remove(1).stop().await?;
    }
    balanced(&names, &workers).await;
    start(&mut workers, 3)?;
    // In the midst of it, the leader, too.
    workers.remove(0).stop().await?;
    start(&mut workers, 1)?;
    balanced(&names, &workers).await;
    assert_no_overlap(&cluster, &BTreeSet::new()).await?;
    writer.stop()?;
    lines.complete(&files).await;
    for file in &files {
        lines.seen.assert_once(file, 0);
    }

    // Killed, a worker may have read what it had not stored yet. Two of them, one after the other, and one comes back.
    let writer = Writer::start(files.clone(), 1, Duration::from_millis(200));
    let mut killed = BTreeSet::new();
    for _ in 0..2 {
        let mut gone = workers.remove(2);
        gone.process.kill9();
        killed.insert(gone.id.clone());
        start(&mut workers, 1)?;
        workers.remove(0).stop().await?;
    }
    balanced(&names, &workers).await;
    writer.stop()?;
    lines.complete(&files).await;
    for file in &files {
        lines.seen.assert_in_order(&file.name);
    }
    let moves = assert_no_overlap(&cluster, &killed).await?;
    eprintln!("{count} connectors on {} workers, tasks were started {moves} times", workers.len());

    // All is calm: what comes now comes once.
    let from: Vec<u64> = files.iter().map(Growing::count).collect();
    for _ in 0..5 {
        files.iter().try_for_each(|file| file.grow(1))?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    lines.complete(&files).await;
    for (file, from) in files.iter().zip(from) {
        lines.seen.assert_once(file, from);
    }
    for worker in &mut workers {
        worker.process.terminate();
    }
    for worker in &mut workers {
        worker.stop().await?;
    }
    Ok(())
}
