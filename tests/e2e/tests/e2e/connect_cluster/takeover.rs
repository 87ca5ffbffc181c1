//! A stopped Java cluster is taken over by our worker, and the other way round.

use super::cluster::{Cluster, JAVA_PATIENCE, Member};
use super::lines::{Growing, TopicLines, file_complete, file_lines};
use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::eventually;

struct Handover {
    cluster: Cluster,
    worker: Member,
    /// Sources that run, in one topic.
    files: Vec<Growing>,
    /// Of the source that is paused.
    paused: Growing,
    lines: TopicLines,
}

impl Handover {
    fn new(test: &str) -> anyhow::Result<Self> {
        let extra = [("scheduled.rebalance.max.delay.ms", "500"), ("plugin.path", "/usr/share/java")];
        let cluster = Cluster::new(test, &extra, &["lines", "paused"])?;
        let worker = cluster.java()?;
        let file = |name: &str| Growing::new(name, cluster.folder.path(name));
        let (files, paused) = (vec![file("a"), file("b")], file("p"));
        let lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
        Ok(Self { cluster, worker, files, paused, lines })
    }

    fn name(&self, connector: &str) -> String {
        self.cluster.topic(connector)
    }

    /// Two sources and a sink that run, a sink and a source that are paused after they have run, a source that is stopped.
    async fn create_all(&mut self) -> anyhow::Result<()> {
        let Self { cluster, worker, .. } = &*self;
        worker.create(&self.name("a"), &cluster.source("a", "lines")).await?;
        worker.create(&self.name("b"), &cluster.source("b", "lines")).await?;
        worker.create(&self.name("k"), &cluster.sink("k", "lines")).await?;
        worker.create(&self.name("kp"), &cluster.sink("kp", "lines")).await?;
        worker.create(&self.name("p"), &cluster.source("p", "paused")).await?;
        worker.create(&self.name("s"), &cluster.source("a", "never")).await?;
        Ok(())
    }

    async fn set(&self, connector: &str, target: &str) -> anyhow::Result<()> {
        let path = format!("/connectors/{}/{target}", self.name(connector));
        let answer = self.worker.change(Method::PUT, &path, None).await?;
        ensure!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        Ok(())
    }

    /// Waits until the worker shows every connector as it should be, on itself.
    async fn states(&self, expected: [(&str, &str, Option<&str>); 6]) {
        let Self { worker, .. } = self;
        eventually("the states of all connectors", JAVA_PATIENCE, async || {
            let statuses = worker.statuses().await?;
            ensure!(statuses.len() == expected.len(), "{:?}", statuses.keys());
            for (name, connector, task) in expected {
                let status = &statuses[&self.name(name)];
                let tasks: Vec<&Value> = status["tasks"].as_array().into_iter().flatten().collect();
                let there: Vec<_> = tasks.iter().map(|task| task["state"].as_str()).collect();
                let wanted: Vec<_> = task.iter().map(|task| Some(*task)).collect();
                ensure!(status["connector"]["state"] == connector && there == wanted, "{name}: {status}");
                for item in tasks.into_iter().chain([&status["connector"]]) {
                    ensure!(item["worker_id"] == worker.id, "{name}: {status}");
                }
            }
            Ok(Some(()))
        })
        .await;
    }

    async fn all_states(&self) {
        self.states([
            ("a", "RUNNING", Some("RUNNING")),
            ("b", "RUNNING", Some("RUNNING")),
            ("k", "RUNNING", Some("RUNNING")),
            ("kp", "PAUSED", Some("PAUSED")),
            ("p", "PAUSED", Some("PAUSED")),
            ("s", "STOPPED", None),
        ])
        .await;
    }

    /// Every line is in the topic and in the sink's file, once.
    async fn lines_once(&mut self) {
        self.lines.complete(&self.files).await;
        let sink = file_complete(&self.cluster.folder.path("k"), &self.files).await;
        for file in &self.files {
            self.lines.seen.assert_once(file, 0);
            sink.assert_once(file, 0);
        }
    }

    /// Waits until this offset of the connector is stored: a `position`, or an offset of Kafka.
    async fn stored(&self, name: &str, offset: u64) {
        eventually(format!("offset {offset} of {name} to be stored"), JAVA_PATIENCE, async || {
            let offsets = self.worker.get(&format!("/connectors/{}/offsets", self.name(name))).await?.body;
            let stored = &offsets["offsets"][0]["offset"];
            ensure!(stored["position"] == offset || stored["kafka_offset"] == offset, "{offsets}");
            Ok(Some(()))
        })
        .await;
    }

    fn grow(&self, lines: u64) -> anyhow::Result<()> {
        self.files.iter().chain([&self.paused]).try_for_each(|file| file.grow(lines))
    }

    /// The configurations, the tasks', and the offsets of what does not run, as the worker tells them.
    async fn said(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let mut said = BTreeMap::new();
        for name in ["a", "b", "k", "kp", "p", "s"] {
            for path in ["", "/config", "/tasks", "/offsets"] {
                let answer = self.worker.get(&format!("/connectors/{}{path}", self.name(name))).await?;
                ensure!(answer.status == 200, "{name}{path}: {} {}", answer.status, answer.body);
                if path != "/offsets" || !["a", "b", "k"].contains(&name) {
                    said.insert(format!("{name}{path}"), answer.body);
                }
            }
        }
        Ok(said)
    }

    async fn hand_over(&mut self, to_java: bool) -> anyhow::Result<()> {
        let before = self.said().await?;
        self.worker.stop().await?;
        self.grow(100)?;
        self.worker.start_as(to_java)?;
        self.worker.is_up().await;
        self.all_states().await;
        let after = self.said().await?;
        for (path, before) in before {
            assert_eq!(after[&path], before, "{path}, told by the other kind of worker");
        }
        self.lines_once().await;
        Ok(())
    }
}

#[tokio::test]
async fn from_java_to_ours_and_back() -> anyhow::Result<()> {
    let mut it = Handover::new("takeover")?;
    it.worker.is_up().await;
    it.grow(100)?;
    it.create_all().await?;
    it.lines_once().await;
    let kp = it.cluster.folder.path("kp");
    file_complete(&kp, &it.files).await;
    it.stored("p", it.paused.path.metadata()?.len()).await;
    it.stored("kp", 200).await;
    it.set("kp", "pause").await?;
    it.set("p", "pause").await?;
    it.set("s", "stop").await?;
    it.all_states().await;
    it.grow(100)?;
    it.lines_once().await;

    // What is written while nobody runs, and while the next one runs.
    for to_java in [false, true] {
        it.hand_over(to_java).await?;
        it.grow(100)?;
        it.lines_once().await;
    }

    // The paused ones go on where the first worker left them.
    let paused_at = file_lines(&kp).of("a").len();
    it.set("kp", "resume").await?;
    it.set("p", "resume").await?;
    let sink = file_complete(&kp, &it.files).await;
    assert!(paused_at < sink.of("a").len(), "it was paused");
    it.files.iter().for_each(|file| sink.assert_once(file, 0));
    let mut lines = TopicLines::new(&it.cluster.bootstrap, &it.cluster.topic("paused"))?;
    lines.complete(&[it.paused.clone()]).await;
    lines.seen.assert_once(&it.paused, 0);
    it.worker.stop().await
}
