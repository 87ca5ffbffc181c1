//! A worker that hangs for longer than its session lasts, and does not know of it when it goes on.

use super::cluster::{Cluster, Member, all_running, shared_out};
use super::lines::{Growing, TopicLines, Writer, file_complete};
use std::time::Duration;

#[tokio::test]
async fn a_worker_that_was_frozen_gives_way() -> anyhow::Result<()> {
    let cluster = Cluster::new("frozen", &[("scheduled.rebalance.max.delay.ms", "500")], &["lines"])?;
    let mut workers = vec![cluster.ours()?];
    workers[0].is_up().await;
    workers.push(cluster.ours()?);
    workers[1].is_up().await;
    let files: Vec<_> = (0..4).map(|n| format!("f{n}")).collect();
    let files: Vec<_> = files.iter().map(|name| Growing::new(name, cluster.folder.path(name))).collect();
    let mut names = vec![cluster.topic("sink")];
    for file in &files {
        file.grow(1)?;
        let name = cluster.topic(&file.name);
        workers[0].create(&name, &cluster.source(&file.name, "lines")).await?;
        names.push(name);
    }
    workers[0].create(&names[0], &cluster.sink("out", "lines")).await?;
    shared_out(&names, &workers.iter().collect::<Vec<_>>()).await;
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;

    // The one that follows, then the leader.
    for frozen in [1, 0] {
        let writer = Writer::start(files.clone(), 1, Duration::from_millis(50));
        workers[frozen].process.signal("STOP");
        all_running(&names, &[&workers[1 - frozen]]).await;
        workers[frozen].process.signal("CONT");
        // What it says on its way out does not hide what the other one has said since.
        shared_out(&names, &workers.iter().collect::<Vec<_>>()).await;
        writer.stop()?;
        lines.complete(&files).await;
        let from: Vec<u64> = files.iter().map(Growing::count).collect();
        for _ in 0..5 {
            files.iter().try_for_each(|file| file.grow(1))?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        lines.complete(&files).await;
        for (file, from) in files.iter().zip(from) {
            lines.seen.assert_in_order(&file.name);
            lines.seen.assert_once(file, from);
        }
    }
    file_complete(&cluster.folder.path("out"), &files).await;
    for worker in &mut workers {
        Member::stop(worker).await?;
    }
    Ok(())
}
