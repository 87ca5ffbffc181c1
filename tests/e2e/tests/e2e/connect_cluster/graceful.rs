//! A worker that is stopped properly hands its work over; others need not wait whether it comes back.

use super::cluster::{Cluster, shared_out};
use super::lines::{Growing, TopicLines, Writer};
use std::time::{Duration, Instant};

/// How long others would wait for a worker that just vanished.
const DELAY: Duration = Duration::from_secs(60);

#[tokio::test]
async fn work_of_a_stopped_worker_moves_at_once() -> anyhow::Result<()> {
    let delay = DELAY.as_millis().to_string();
    let cluster = Cluster::new("graceful", &[("scheduled.rebalance.max.delay.ms", &delay)], &["lines"])?;
    let mut workers = vec![cluster.ours()?];
    // The first is the leader.
    workers[0].is_up().await;
    workers.extend([cluster.ours()?, cluster.ours()?]);
    for worker in &mut workers[1..] {
        worker.is_up().await;
    }
    let files: Vec<_> = (0..6).map(|n| format!("f{n}")).collect();
    let files: Vec<_> = files.iter().map(|name| Growing::new(name, cluster.folder.path(name))).collect();
    let mut names = Vec::new();
    for (n, file) in files.iter().enumerate() {
        let name = cluster.topic(&file.name);
        workers[n % 3].create(&name, &cluster.source(&file.name, "lines")).await?;
        names.push(name);
    }
    shared_out(&names, &workers.iter().collect::<Vec<_>>()).await;
    let writer = Writer::start(files.clone(), 2, Duration::from_millis(50));
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;

    // One that follows, then the leader itself.
    for stopped in [1, 0] {
        let mut stopped = workers.remove(stopped);
        let at = Instant::now();
        stopped.stop().await?;
        shared_out(&names, &workers.iter().collect::<Vec<_>>()).await;
        let took = at.elapsed();
        eprintln!("the work of {} runs elsewhere after {:.1} s", stopped.id, took.as_secs_f64());
        assert!(took < DELAY / 2, "nobody has waited for it: {took:?}");
    }
    writer.stop()?;
    lines.complete(&files).await;
    for file in &files {
        lines.seen.assert_once(file, 0);
    }
    workers[0].stop().await
}
