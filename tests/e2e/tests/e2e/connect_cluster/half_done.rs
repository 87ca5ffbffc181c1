//! What a leader that dies between two records of the config topic leaves behind.

use super::cluster::{Cluster, all_running};
use super::lines::{Growing, TopicLines};
use crate::support::PATIENCE;
use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::kafka_client::{Record, create_topic, produce_all};

fn record(key: &str, value: &Value) -> Record {
    let value = if value.is_null() { None } else { Some(value.to_string().into_bytes()) };
    Record { key: Some(key.as_bytes().to_vec()), value, ..Record::default() }
}

#[tokio::test]
async fn half_a_change_is_finished_or_has_not_happened() -> anyhow::Result<()> {
    let cluster = Cluster::new("half-done", &[("scheduled.rebalance.max.delay.ms", "0")], &["lines"])?;
    let configs = cluster.topic("configs");
    create_topic(&cluster.bootstrap, &configs, 1, &[("cleanup.policy", "compact")]).await?;
    let name = |short: &str| cluster.topic(short);
    let connector = |short: &str| {
        let mut config = cluster.source(short, "lines");
        config["name"] = json!(name(short));
        record(&format!("connector-{}", name(short)), &json!({"properties": config}))
    };
    let task = |short: &str, n: usize| {
        let mut config = cluster.source(short, "lines");
        config["task.class"] = json!("org.apache.kafka.connect.file.FileStreamSourceTask");
        config["batch.size"] = json!("2000");
        record(&format!("task-{}-{n}", name(short)), &json!({"properties": config}))
    };
    let commit =
        |short: &str, tasks: usize| record(&format!("commit-{}", name(short)), &json!({"tasks": tasks}));
    let target = |short: &str, state: &str| {
        let value = json!({"state": if state == "STOPPED" { "PAUSED" } else { state }, "state.v2": state});
        record(&format!("target-state-{}", name(short)), &value)
    };
    let gone = |key: &str, short: &str| record(&format!("{key}-{}", name(short)), &Value::Null);
    let written = [
        // Created as STOPPED, and only the first of its records is there.
        vec![target("only-target", "STOPPED")],
        // Created, and the tasks it asked for never came.
        vec![connector("no-tasks")],
        // One task, not committed.
        vec![connector("no-commit"), task("no-commit", 0)],
        // The commit of two tasks, and one of them.
        vec![connector("inconsistent"), task("inconsistent", 0), commit("inconsistent", 2)],
        // Stopped: the tasks are gone, the state is not there yet.
        vec![
            connector("half-stopped"),
            task("half-stopped", 0),
            commit("half-stopped", 1),
            commit("half-stopped", 0),
        ],
        // Deleted, but for the state.
        vec![connector("deleted"), target("deleted", "PAUSED"), gone("connector", "deleted")],
        vec![connector("whole"), task("whole", 0), commit("whole", 1)],
    ];
    produce_all(&cluster.bootstrap, &configs, written.into_iter().flatten()).await?;

    let files = ["no-tasks", "no-commit", "inconsistent", "half-stopped", "whole"];
    let mut files: Vec<_> =
        files.iter().map(|short| Growing::new(short, cluster.folder.path(short))).collect();
    files.iter().try_for_each(|file| file.grow(10))?;
    let mut workers = [cluster.ours()?, cluster.ours()?];
    for worker in &mut workers {
        worker.is_up().await;
    }
    let mut names: Vec<String> = files.iter().map(|file| name(&file.name)).collect();
    all_running(&names, &workers.each_ref()).await;
    assert_eq!(workers[0].statuses().await?.len(), names.len(), "nothing else is there");

    // Its first record is there twice then, and counts once.
    let body = json!({"name": name("only-target"), "config": cluster.source("only-target", "lines"), "initial_state": "STOPPED"});
    let answer = workers[1].change(Method::POST, "/connectors", Some(&body)).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    eventually("a stopped connector", PATIENCE, async || {
        let statuses = workers[0].statuses().await?;
        let status = statuses.get(&name("only-target")).context("it is not there")?;
        ensure!(status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([]), "{status}");
        Ok(Some(()))
    })
    .await;
    // The state of its forerunner is not its own.
    let deleted = Growing::new("deleted", cluster.folder.path("deleted"));
    deleted.grow(10)?;
    let body = json!({"name": name("deleted"), "config": cluster.source("deleted", "lines"), "initial_state": "RUNNING"});
    let answer = workers[1].change(Method::POST, "/connectors", Some(&body)).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    names.push(name("deleted"));
    files.push(deleted);
    all_running(&names, &workers.each_ref()).await;

    files.iter().try_for_each(|file| file.grow(10))?;
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
    lines.complete(&files).await;
    for file in &files {
        lines.seen.assert_once(file, 0);
    }
    for worker in &mut workers {
        worker.stop().await?;
    }
    Ok(())
}
