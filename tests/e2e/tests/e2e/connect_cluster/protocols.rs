//! A group agrees on the best protocol that all of its workers know, and on a better one when the last that did not know it is gone.

use super::cluster::{Cluster, Member, shared_out};
use super::lines::{Growing, TopicLines};
use crate::support::{PATIENCE, send};
use anyhow::ensure;
use serde_json::json;
use testkit::eventually;

/// What a worker answers to task configurations that nobody has signed: only workers may send them where requests are signed.
async fn unsigned(worker: &Member, connector: &str) -> anyhow::Result<u16> {
    let url = format!("{}/connectors/{connector}/tasks?forward=false", worker.url);
    // The same as are stored, so that nothing changes if they are taken.
    let tasks = worker.get(&format!("/connectors/{connector}/tasks")).await?.body;
    let configs: Vec<_> = tasks.as_array().into_iter().flatten().map(|task| task["config"].clone()).collect();
    Ok(send(reqwest::Client::new().post(url).json(&configs)).await?.status)
}

#[tokio::test]
async fn from_eager_to_sessioned() -> anyhow::Result<()> {
    let cluster = Cluster::new("protocols", &[("scheduled.rebalance.max.delay.ms", "500")], &["lines"])?;
    let mut java = cluster.java_with(&[("connect.protocol", "eager")])?;
    java.is_up().await;
    let (mut one, mut two) = (cluster.ours_with(&[("connect.protocol", "compatible")])?, cluster.ours()?);
    one.is_up().await;
    two.is_up().await;
    let files: Vec<_> = (0..6).map(|n| format!("f{n}")).collect();
    let files: Vec<_> = files.iter().map(|name| Growing::new(name, cluster.folder.path(name))).collect();
    let names: Vec<_> = files.iter().map(|file| cluster.topic(&file.name)).collect();
    for (n, file) in files.iter().enumerate() {
        file.grow(10)?;
        let worker = [&java, &one, &two][n % 3];
        worker.create(&names[n], &cluster.source(&file.name, "lines")).await?;
    }
    let mut lines = TopicLines::new(&cluster.bootstrap, &cluster.topic("lines"))?;
    shared_out(&names, &[&java, &one, &two]).await;
    // Eager: Java leads, and nothing is signed.
    let status = unsigned(&java, &names[0]).await?;
    assert!(status < 300, "{status}");

    // Compatible: a worker of ours leads, and nothing is signed.
    java.stop().await?;
    shared_out(&names, &[&one, &two]).await;
    let leader = eventually("one of ours to lead", PATIENCE, async || {
        for worker in [&one, &two] {
            if unsigned(worker, &names[0]).await? < 300 {
                return Ok(Some(worker.id.clone()));
            }
        }
        Ok(None)
    })
    .await;
    eprintln!("{leader} leads");
    files.iter().try_for_each(|file| file.grow(10))?;

    // Sessioned: from now on requests are signed.
    one.stop().await?;
    shared_out(&names, &[&two]).await;
    eventually("requests to have to be signed", PATIENCE, async || {
        let status = unsigned(&two, &names[0]).await?;
        ensure!(status == 400, "{status}");
        Ok(Some(()))
    })
    .await;
    let mut three = cluster.ours()?;
    three.is_up().await;
    shared_out(&names, &[&two, &three]).await;
    for name in &names {
        let path = format!("/connectors/{name}/config");
        let answer = three.change(reqwest::Method::PATCH, &path, Some(&json!({"batch.size": "7"}))).await?;
        ensure!(answer.status == 200, "{}", answer.body);
    }
    eventually("new task configurations", PATIENCE, async || {
        for name in &names {
            let tasks = two.get(&format!("/connectors/{name}/tasks")).await?.body;
            ensure!(tasks[0]["config"]["batch.size"] == "7", "{tasks}");
        }
        Ok(Some(()))
    })
    .await;
    files.iter().try_for_each(|file| file.grow(10))?;
    lines.complete(&files).await;
    for file in &files {
        lines.seen.assert_once(file, 0);
    }
    two.stop().await?;
    three.stop().await
}
