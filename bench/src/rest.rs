//! Connect's REST API as any client sees it.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

/// One worker. Connections are kept, so that a request costs no more than itself.
#[derive(Clone)]
pub(crate) struct Rest {
    client: reqwest::Client,
    url: String,
}

/// Where a connector's task runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunningTask {
    pub(crate) connector: String,
    pub(crate) worker_id: String,
}

impl Rest {
    pub(crate) fn new(url: &str) -> anyhow::Result<Rest> {
        // Java's worker gives up on a request after 90 s.
        let client = reqwest::Client::builder().timeout(Duration::from_secs(100)).build()?;
        Ok(Rest { client, url: url.to_owned() })
    }

    /// The status alone; `None` while nobody listens.
    pub(crate) async fn status_of(&self, path: &str) -> Option<u16> {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.ok()?;
        let status = answer.status().as_u16();
        // Read to its end, or the connection could not be used again.
        answer.bytes().await.ok()?;
        Some(status)
    }

    /// Creates a connector; `false` when the answer is 409 (the group rebalances): the client has to come again.
    pub(crate) async fn create(&self, name: &str, config: &Value) -> anyhow::Result<bool> {
        let body = json!({"name": name, "config": config});
        let request = self.client.post(format!("{}/connectors", self.url)).json(&body);
        let answer = request.send().await.with_context(|| format!("cannot create {name}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        match status {
            201 => Ok(true),
            409 if !text.contains("already exists") => Ok(false),
            _ => bail!("creating {name} was answered {status}: {text}"),
        }
    }

    /// All tasks that are RUNNING, by the connectors' status. A FAILED one is an error; an answer other than 200 means none (the
    /// worker starts, or the group rebalances).
    pub(crate) async fn running_tasks(&self) -> anyhow::Result<Vec<RunningTask>> {
        let Ok(answer) = self.client.get(format!("{}/connectors?expand=status", self.url)).send().await
        else {
            return Ok(Vec::new());
        };
        if answer.status().as_u16() != 200 {
            return Ok(Vec::new());
        }
        let body: Value =
            answer.json().await.context("the answer to /connectors?expand=status is no JSON")?;
        running(&body)
    }
}

fn running(body: &Value) -> anyhow::Result<Vec<RunningTask>> {
    let mut found = Vec::new();
    for (connector, info) in body.as_object().into_iter().flatten() {
        for task in info["status"]["tasks"].as_array().into_iter().flatten() {
            ensure!(
                task["state"] != "FAILED",
                "task {} of {connector} has failed: {}",
                task["id"],
                task["trace"]
            );
            if task["state"] == "RUNNING" {
                let worker_id = task["worker_id"].as_str().unwrap_or_default().to_owned();
                found.push(RunningTask { connector: connector.clone(), worker_id });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_tasks_are_told_from_others_and_failed_ones_are_an_error() {
        let task =
            |state: &str| json!({"id": 0, "state": state, "worker_id": "127.0.0.1:1", "trace": "no file"});
        let body = json!({
            "a": {"status": {"tasks": [task("RUNNING")]}},
            "b": {"status": {"tasks": [task("UNASSIGNED")]}},
            "c": {"status": {"tasks": []}},
        });
        let expected = [RunningTask { connector: "a".into(), worker_id: "127.0.0.1:1".into() }];
        assert_eq!(running(&body).unwrap(), expected);
        let failed = running(&json!({"a": {"status": {"tasks": [task("FAILED")]}}}));
        assert!(failed.unwrap_err().to_string().contains("no file"));
    }
}
