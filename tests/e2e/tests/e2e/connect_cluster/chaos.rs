//! Users change what runs while workers are killed, stopped and frozen. In the end everything is as the users said.

use super::cluster::{Cluster, Member};
use super::lines::{Growing, TopicLines, Writer};
use crate::support::PATIENCE;
use crate::support::random::Random;
use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::eventually;

/// `CHAOS_SECONDS` for a longer one; `CHAOS_SEED` for the same decisions again.
fn seconds() -> anyhow::Result<u64> {
    std::env::var("CHAOS_SECONDS")
        .map_or(Ok(20), |text| text.parse().context("CHAOS_SECONDS is not a number"))
}

/// A connector as its users want it.
struct Wish {
    file: Growing,
    name: String,
    exists: bool,
    /// RUNNING, PAUSED or STOPPED.
    state: &'static str,
    /// Large: after a full batch, Java's task keeps what it has read beyond it until the file grows again.
    batch: usize,
}

impl Wish {
    /// One thing that a user does, at `worker`. An answer that got lost with a worker is asked for again; the second answer may
    /// say that it is done.
    async fn change(
        &mut self,
        random: &mut Random,
        worker: &Member,
        cluster: &Cluster,
    ) -> anyhow::Result<()> {
        let path = format!("/connectors/{}", self.name);
        let act = random.below(7);
        let (method, path, body, fine): (_, _, _, &[u16]) = if !self.exists {
            let mut config = cluster.source(&self.file.name, "lines");
            config["batch.size"] = json!(self.batch.to_string());
            self.exists = true;
            self.state = ["RUNNING", "PAUSED", "STOPPED"][random.below(3)];
            let body = json!({"name": self.name, "config": config, "initial_state": self.state});
            (Method::POST, "/connectors".to_owned(), Some(body), &[201, 409])
        } else {
            match act {
                0 => {
                    self.exists = false;
                    (Method::DELETE, path, None, &[204, 404])
                }
                1 => {
                    self.state = "PAUSED";
                    (Method::PUT, format!("{path}/pause"), None, &[202])
                }
                2 => {
                    self.state = "STOPPED";
                    (Method::PUT, format!("{path}/stop"), None, &[204])
                }
                3 => {
                    self.state = "RUNNING";
                    (Method::PUT, format!("{path}/resume"), None, &[202])
                }
                // 404, as in Java: it was made so lately that nobody runs it and it has no status.
                4 => (Method::POST, format!("{path}/restart?includeTasks=true"), None, &[202, 404]),
                _ => {
                    self.batch += 1;
                    let body = json!({"batch.size": self.batch.to_string()});
                    (Method::PATCH, format!("{path}/config"), Some(body), &[200])
                }
            }
        };
        eventually(format!("{method} {path} at {}", worker.id), PATIENCE, async || {
            let answer = worker.change(method.clone(), &path, body.as_ref()).await?;
            // A worker that has not read the creation yet, by way of another, does not know the connector.
            let is_behind = answer.status == 404 && !fine.contains(&404);
            ensure!(!is_behind, "{}", answer.body);
            assert!(fine.contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
            Ok(Some(()))
        })
        .await;
        Ok(())
    }

    async fn is_granted(&self, worker: &Member, on: &[Member]) -> anyhow::Result<()> {
        let status = worker.get(&format!("/connectors/{}/status", self.name)).await?;
        if !self.exists {
            ensure!(status.status == 404, "{} is deleted: {}", self.name, status.body);
            return Ok(());
        }
        let status = status.body;
        let tasks = status["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
        // As in the reference, a connector that has not run since it was created or stopped has no tasks while it is paused.
        let fine = match self.state {
            "RUNNING" => tasks.len() == 1,
            "PAUSED" => tasks.len() <= 1,
            _ => tasks.is_empty(),
        };
        ensure!(fine, "not {}: {status}", self.state);
        for item in tasks.iter().chain([&status["connector"]]) {
            let is_there = on.iter().any(|member| item["worker_id"] == member.id);
            ensure!(item["state"] == self.state && is_there, "not {}: {status}", self.state);
        }
        let tasks = worker.get(&format!("/connectors/{}/tasks", self.name)).await?.body;
        let batch = tasks[0]["config"]["batch.size"].as_str();
        ensure!(
            self.state != "RUNNING" || batch == Some(&self.batch.to_string()),
            "not {}: {tasks}",
            self.batch
        );
        Ok(())
    }
}

#[tokio::test]
async fn in_the_end_all_is_as_the_users_said() -> anyhow::Result<()> {
    let cluster = Cluster::new("chaos", &[("scheduled.rebalance.max.delay.ms", "500")], &["lines"])?;
    let workers = [cluster.ours()?, cluster.ours()?, cluster.ours()?];
    run(&cluster, workers).await
}

#[tokio::test]
async fn with_one_of_java_among_them() -> anyhow::Result<()> {
    // Java's worker forgets the tasks of a connector with the connector's tombstone. When it starts, it may read that after the
    // statuses of the tasks of a later connector of the same name, if they are in another partition.
    let extra = [("scheduled.rebalance.max.delay.ms", "500"), ("status.storage.partitions", "1")];
    let cluster = Cluster::new("chaos-java", &extra, &["lines"])?;
    let workers = [cluster.ours()?, cluster.ours()?, cluster.java()?];
    run(&cluster, workers).await
}

async fn run(cluster: &Cluster, mut workers: [Member; 3]) -> anyhow::Result<()> {
    let (seconds, mut random) = (seconds()?, Random::new("CHAOS_SEED")?);
    for worker in &mut workers {
        worker.is_up().await;
    }
    let mut wishes = Vec::new();
    for n in 0..8 {
        let name = format!("f{n}");
        let file = Growing::new(&name, cluster.folder.path(&name));
        wishes.push(Wish {
            name: cluster.topic(&name),
            file,
            exists: false,
            state: "RUNNING",
            batch: 10_000,
        });
    }
    let files: Vec<Growing> = wishes.iter().map(|wish| wish.file.clone()).collect();
    let writer = Writer::start(files.clone(), 1, Duration::from_millis(50));
    let started = Instant::now();
    let (mut changes, mut blows) = (0, 0);
    while started.elapsed() < Duration::from_secs(seconds) {
        for _ in 0..random.below(12) {
            let (wish, worker) = (random.below(wishes.len()), random.below(3));
            wishes[wish].change(&mut random, &workers[worker], cluster).await?;
            changes += 1;
            random.pause(0, 150).await;
        }
        let (victim, other) = (random.below(3), random.below(wishes.len()));
        let survivor = (victim + 1 + random.below(2)) % 3;
        blows += 1;
        match random.below(4) {
            0 => {
                workers[victim].process.terminate();
                // While it stops.
                wishes[other].change(&mut random, &workers[survivor], cluster).await?;
                // It may have been started a moment ago, and know of no signals yet: how it ends is not of interest.
                workers[victim].process.wait_exit(PATIENCE).await?;
                workers[victim].start_again()?;
            }
            1 => {
                workers[victim].process.signal("STOP");
                random.pause(0, 9000).await;
                workers[victim].process.signal("CONT");
            }
            _ => {
                workers[victim].process.kill9();
                random.pause(0, 2000).await;
                wishes[other].change(&mut random, &workers[survivor], cluster).await?;
                workers[victim].start_again()?;
            }
        }
    }
    for worker in &mut workers {
        worker.is_up().await;
    }
    eventually("all to be as the users said", PATIENCE * 2, async || {
        for worker in &workers {
            for wish in &wishes {
                wish.is_granted(worker, &workers).await.with_context(|| worker.id.clone())?;
            }
        }
        Ok(Some(()))
    })
    .await;

    // And when everything runs, every line is there.
    for wish in &mut wishes {
        if !wish.exists {
            wish.change(&mut random, &workers[0], cluster).await?;
        }
        let path = format!("/connectors/{}/resume", wish.name);
        let answer = workers[0].change(Method::PUT, &path, None).await?;
        ensure!(answer.status == 202, "{} {}", answer.status, answer.body);
    }
    writer.stop()?;
    let names: Vec<String> = wishes.iter().map(|wish| wish.name.clone()).collect();
    super::cluster::shared_out(&names, &workers.each_ref()).await;
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
    lines.complete(&files).await;
    let from: Vec<u64> = files.iter().map(Growing::count).collect();
    files.iter().try_for_each(|file| file.grow(10))?;
    lines.complete(&files).await;
    for (file, from) in files.iter().zip(from) {
        lines.seen.assert_in_order(&file.name);
        lines.seen.assert_once(file, from);
    }
    eprintln!(
        "{changes} changes by users and {blows} blows to workers in {:.0} s",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
