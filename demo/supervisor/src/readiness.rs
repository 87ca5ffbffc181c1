//! Waits until a child does its work, not just runs.

use crate::plan::{Connector, Ready};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// Fails with what was last seen when it takes too long.
pub(crate) async fn wait(http: &reqwest::Client, ready: &Ready) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Err(reason) = look(http, ready).await else { return Ok(()) };
        if Instant::now() > deadline {
            return Err(reason).with_context(|| format!("not ready after {} s", PATIENCE.as_secs()));
        }
        sleep(PAUSE).await;
    }
}

/// One look. Fails with what is not there yet.
pub(crate) async fn look(http: &reqwest::Client, ready: &Ready) -> anyhow::Result<()> {
    match ready {
        Ready::Done => Ok(()),
        Ready::Port(port) => {
            TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).await?;
            Ok(())
        }
        Ready::Http(urls) => {
            for url in urls {
                let answer = http.get(url).send().await?;
                if !answer.status().is_success() {
                    bail!("{url} answers {}: {}", answer.status(), answer.text().await.unwrap_or_default());
                }
            }
            Ok(())
        }
        Ready::Connector(Connector { url, put }) => {
            if let Some(config) = put {
                answer_of(http.put(format!("{url}/config")).json(config)).await?;
            }
            let text = answer_of(http.get(format!("{url}/status"))).await?;
            if !connector_runs(&serde_json::from_str(&text)?) {
                bail!("the connector does not run yet: {text}");
            }
            Ok(())
        }
    }
}

async fn answer_of(request: reqwest::RequestBuilder) -> anyhow::Result<String> {
    let answer = request.send().await?;
    let (url, status) = (answer.url().clone(), answer.status());
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{url} answers {status}: {text}");
    }
    Ok(text)
}

/// Reads Kafka Connect's status of a connector.
fn connector_runs(status: &Value) -> bool {
    let running = |part: &Value| part["state"] == "RUNNING";
    let tasks = status["tasks"].as_array();
    running(&status["connector"]) && tasks.is_some_and(|tasks| !tasks.is_empty() && tasks.iter().all(running))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_connector_runs_when_it_and_all_its_tasks_do() {
        let status = |connector: &str, tasks: &[&str]| {
            let tasks: Vec<_> = tasks.iter().map(|state| json!({"state": state})).collect();
            json!({"connector": {"state": connector}, "tasks": tasks})
        };
        assert!(connector_runs(&status("RUNNING", &["RUNNING"])));
        assert!(!connector_runs(&status("RUNNING", &[])));
        assert!(!connector_runs(&status("RUNNING", &["RUNNING", "FAILED"])));
        assert!(!connector_runs(&status("UNASSIGNED", &["RUNNING"])));
        assert!(!connector_runs(&json!({"error_code": 404})));
    }
}
