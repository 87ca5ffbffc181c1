//! Workers of both kinds in one group: one of Java and two of ours, with either as the leader.

use super::cluster::{Cluster, Member, all_running, shared_out};
use super::lines::{Growing, TopicLines, Writer, file_complete};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

struct Mixed {
    cluster: Cluster,
    files: Vec<Growing>,
    /// All connectors: one source per file, and one sink of them all.
    names: Vec<String>,
    lines: TopicLines,
}

impl Mixed {
    /// A new file and its source, asked for at `worker`.
    async fn add_source(&mut self, worker: &Member) -> anyhow::Result<()> {
        let file = format!("f{}", self.files.len());
        let (path, name) = (self.cluster.folder.path(&file), self.cluster.topic(&file));
        let file = Growing::new(&file, path);
        file.grow(5)?;
        worker.create(&name, &self.cluster.source(&file.name, "lines")).await?;
        self.files.push(file);
        self.names.push(name);
        Ok(())
    }

    /// Everything runs on these workers, each has its share, and all new lines arrive, once.
    async fn shared_by(&mut self, workers: &[&Member]) -> anyhow::Result<()> {
        shared_out(&self.names, workers).await;
        self.new_lines_once().await
    }

    async fn new_lines_once(&mut self) -> anyhow::Result<()> {
        self.lines.complete(&self.files).await;
        let from: Vec<u64> = self.files.iter().map(Growing::count).collect();
        for _ in 0..5 {
            self.files.iter().try_for_each(|file| file.grow(2))?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.lines.complete(&self.files).await;
        for (file, from) in self.files.iter().zip(from) {
            self.lines.seen.assert_once(file, from);
            self.lines.seen.assert_in_order(&file.name);
        }
        Ok(())
    }
}

#[tokio::test]
async fn java_and_ours_in_one_group() -> anyhow::Result<()> {
    let cluster = Cluster::new("mixed", &[("scheduled.rebalance.max.delay.ms", "1000")], &["lines"])?;
    let lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
    let mut it = Mixed { cluster, files: Vec::new(), names: Vec::new(), lines };

    // Java leads, since it is first.
    let mut java = it.cluster.java()?;
    java.is_up().await;
    let (mut one, mut two) = (it.cluster.ours()?, it.cluster.ours()?);
    one.is_up().await;
    two.is_up().await;
    for round in 0..2 {
        // By the leader itself, and by followers that hand it on.
        for worker in [&java, &one, &two] {
            it.add_source(worker).await?;
        }
        if round == 0 {
            let (name, config) = (it.cluster.topic("sink"), it.cluster.sink("out", "lines"));
            one.create(&name, &config).await?;
            it.names.push(name);
        }
    }
    it.shared_by(&[&java, &one, &two]).await?;

    // Ours take the work of Java's, and one of ours leads.
    let writer = Writer::start(it.files.clone(), 1, Duration::from_millis(100));
    java.process.kill9();
    all_running(&it.names, &[&one, &two]).await;
    writer.stop()?;
    it.shared_by(&[&one, &two]).await?;

    // Java follows.
    java.start_again()?;
    java.is_up().await;
    for worker in [&java, &one, &two] {
        it.add_source(worker).await?;
    }
    it.shared_by(&[&java, &one, &two]).await?;
    // Changes by way of each, also of the tasks' configurations: the connector may be anywhere, and the leader is one of ours.
    let all = it.names.clone();
    for (n, name) in all.iter().enumerate().filter(|(_, name)| !name.ends_with("sink")) {
        let worker = [&java, &one, &two][n % 3];
        let patch = json!({"batch.size": (10_000 + n).to_string()});
        let answer =
            worker.change(Method::PATCH, &format!("/connectors/{name}/config"), Some(&patch)).await?;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    for (n, name) in all.iter().enumerate().filter(|(_, name)| !name.ends_with("sink")) {
        let wanted = json!((10_000 + n).to_string());
        testkit::eventually(
            format!("the new task configuration of {name}"),
            Duration::from_secs(60),
            async || {
                for worker in [&java, &one, &two] {
                    let tasks = worker.get(&format!("/connectors/{name}/tasks")).await?.body;
                    anyhow::ensure!(tasks[0]["config"]["batch.size"] == wanted, "{}: {tasks}", worker.url);
                }
                Ok(Some(()))
            },
        )
        .await;
    }
    it.shared_by(&[&java, &one, &two]).await?;

    // Java takes the work of ours.
    let writer = Writer::start(it.files.clone(), 1, Duration::from_millis(100));
    one.process.kill9();
    two.process.kill9();
    all_running(&it.names, &[&java]).await;
    writer.stop()?;
    it.shared_by(&[&java]).await?;
    let sink = file_complete(&it.cluster.folder.path("out"), &it.files).await;
    it.files.iter().for_each(|file| sink.assert_in_order(&file.name));

    // And gives it back when it is stopped.
    one.start_again()?;
    one.is_up().await;
    java.stop().await?;
    it.shared_by(&[&one]).await?;
    one.stop().await
}
