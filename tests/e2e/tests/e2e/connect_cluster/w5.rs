//! W5: workers that share connectors and tasks die at any moment, and the work goes on elsewhere from its offsets.

use super::cluster::{Cluster, Member, all_running};
use super::lines::{Growing, TopicLines, Writer, file_complete};
use crate::support::random::Random;
use anyhow::Context;
use std::slice::from_ref;
use std::time::{Duration, Instant};
use testkit::kafka_client::Tail;

/// How long workers are killed; five minutes are `W5_SECONDS=300 cargo xtask engines -- cargo test -p e2e connect_cluster::w5`.
fn seconds() -> anyhow::Result<u64> {
    std::env::var("W5_SECONDS").map_or(Ok(40), |text| text.parse().context("W5_SECONDS is not a number"))
}

/// Reads the offset that is stored for the source, then the topic: every line before it has to be there.
async fn offset_is_not_ahead(
    offsets: &mut Tail,
    position: &mut u64,
    lines: &mut TopicLines,
    file: &Growing,
) -> anyhow::Result<()> {
    for record in offsets.more().await? {
        let Some(at) = record.value.is_some().then(|| record.json()).transpose()? else { continue };
        let at = at["position"].as_u64().with_context(|| format!("no position in {at}"))?;
        assert!(at >= *position, "the stored position went back from {position} to {at}");
        *position = at;
    }
    let seen = lines.read().await?.of(&file.name);
    let mut there = vec![false; usize::try_from(file.count())?];
    for number in seen {
        there[usize::try_from(*number)?] = true;
    }
    let mut end = 0;
    for (number, there) in there.iter().enumerate() {
        end += format!("{} {number}\n", file.name).len() as u64;
        if end > *position {
            break;
        }
        assert!(there, "position {position} is stored, and line {number} is not in the topic");
    }
    Ok(())
}

#[tokio::test]
async fn kill_nine_at_random_loses_no_line() -> anyhow::Result<()> {
    let (seconds, mut random) = (seconds()?, Random::new("W5_SEED")?);
    let cluster = Cluster::new("w5", &[("scheduled.rebalance.max.delay.ms", "500")], &["lines"])?;
    let mut workers = [cluster.ours()?, cluster.ours()?, cluster.ours()?];
    for worker in &mut workers {
        worker.is_up().await;
    }
    let file = Growing::new("line", cluster.folder.path("in"));
    file.grow(1)?;
    let output = cluster.folder.path("out");
    let (source, sink) = (cluster.topic("source"), cluster.topic("sink"));
    workers[0].create(&source, &cluster.source("in", "lines")).await?;
    workers[1].create(&sink, &cluster.sink("out", "lines")).await?;
    let names = [source, sink];
    all_running(&names, &workers.each_ref()).await;
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
    let mut offsets = Tail::new(&cluster.bootstrap, &cluster.topic("offsets"))?;
    let mut position = 0;

    let writer = Writer::start(vec![file.clone()], 5, Duration::from_millis(20));
    let started = Instant::now();
    let mut kills = 0;
    while started.elapsed() < Duration::from_secs(seconds) {
        random.pause(200, 5000).await;
        let victim = random.below(3);
        workers[victim].process.kill9();
        kills += 1;
        // Sometimes before the others have missed it, sometimes after.
        random.pause(0, 3000).await;
        offset_is_not_ahead(&mut offsets, &mut position, &mut lines, &file).await?;
        workers[victim].start_again()?;
    }
    writer.stop()?;
    for worker in &mut workers {
        worker.is_up().await;
    }
    lines.complete(from_ref(&file)).await;
    lines.seen.assert_in_order(&file.name);
    let written = file_complete(&output, from_ref(&file)).await;
    written.assert_in_order(&file.name);
    offset_is_not_ahead(&mut offsets, &mut position, &mut lines, &file).await?;
    eprintln!(
        "W5: {kills} kills in {:.0} s; {} lines, {} records, {} lines of the sink",
        started.elapsed().as_secs_f64(),
        file.count(),
        lines.seen.of(&file.name).len(),
        written.of(&file.name).len()
    );

    // All is calm: what comes now comes once.
    all_running(&names, &workers.each_ref()).await;
    let from = file.count();
    for _ in 0..20 {
        file.grow(5)?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lines.complete(from_ref(&file)).await;
    lines.seen.assert_once(&file, from);
    file_complete(&output, from_ref(&file)).await.assert_once(&file, from);
    for worker in &mut workers {
        Member::stop(worker).await?;
    }
    Ok(())
}
