//! Connectors and their tasks, as the workers' REST API tells them.

use super::model::{Connector, Problem, Task, Worker};
use super::redact;
use crate::ask::{AskError, ask, segment};
use crate::connect_probe::ConnectWorkers;
use crate::proxy::forward::Forwarder;
use crate::upstream::Target;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

const TIME_LIMIT: Duration = Duration::from_secs(2);

const WHO: &str = "the worker's REST API";

/// More would not fit the page.
const CONNECTORS_MAX: usize = 20;

pub(super) async fn look(forwarder: &Forwarder, workers: &ConnectWorkers) -> Vec<Worker> {
    let workers = workers.all();
    let looks = workers.iter().map(|(worker, healthy)| async move {
        let url = worker.url.to_string();
        if !healthy {
            let problem = Some(Problem::new("NO_HEALTH", "the worker does not answer /health"));
            return Worker { url, healthy: false, connectors: Vec::new(), problem };
        }
        match tokio::time::timeout(TIME_LIMIT, connectors(forwarder, worker)).await {
            Ok(Ok(connectors)) => Worker { url, healthy: true, connectors, problem: None },
            Ok(Err(problem)) => Worker { url, healthy: true, connectors: Vec::new(), problem: Some(problem) },
            Err(_) => {
                let problem = Some(Problem::of(WHO, &AskError::Timeout));
                Worker { url, healthy: true, connectors: Vec::new(), problem }
            }
        }
    });
    futures::future::join_all(looks).await
}

async fn connectors(forwarder: &Forwarder, worker: &Arc<Target>) -> Result<Vec<Connector>, Problem> {
    let mut names: Vec<String> = get(forwarder, worker, "/connectors").await?;
    names.sort();
    names.truncate(CONNECTORS_MAX);
    let statuses = names.iter().map(|name| async move {
        let path = format!("/connectors/{}/status", segment(name));
        match get::<ConnectorStatus>(forwarder, worker, &path).await {
            Ok(status) => status.into(),
            // It may have been removed meanwhile.
            Err(problem) => Connector {
                name: name.clone(),
                state: "UNKNOWN".to_owned(),
                trace: Some(problem.detail),
                tasks: Vec::new(),
            },
        }
    });
    Ok(futures::future::join_all(statuses).await)
}

async fn get<T: DeserializeOwned>(
    forwarder: &Forwarder,
    worker: &Arc<Target>,
    path: &str,
) -> Result<T, Problem> {
    let answer = ask(forwarder, std::slice::from_ref(worker), path).await;
    answer.map_err(|error| Problem::of(WHO, &error))
}

/// Kafka Connect's `GET /connectors/NAME/status`.
#[derive(Deserialize)]
struct ConnectorStatus {
    name: String,
    connector: State,
    tasks: Vec<TaskStatus>,
}

#[derive(Deserialize)]
struct State {
    state: String,
    trace: Option<String>,
}

#[derive(Deserialize)]
struct TaskStatus {
    id: i64,
    #[serde(flatten)]
    state: State,
}

impl From<ConnectorStatus> for Connector {
    fn from(status: ConnectorStatus) -> Self {
        let visible = |trace: Option<String>| trace.as_deref().and_then(redact::for_everybody);
        let tasks = status.tasks.into_iter();
        Self {
            name: status.name,
            state: status.connector.state,
            trace: visible(status.connector.trace),
            tasks: tasks
                .map(|task| Task { id: task.id, state: task.state.state, trace: visible(task.state.trace) })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_kafka_connect_is_read_and_its_traces_are_cut() {
        let status: ConnectorStatus = serde_json::from_str(
            r#"{"name":"sink","connector":{"state":"RUNNING","worker_id":"w:8083"},
                "tasks":[{"id":0,"state":"FAILED","worker_id":"w:8083","trace":"boom password=x\n\tat a.b.C"}],
                "type":"sink"}"#,
        )
        .unwrap();
        let wanted = Task { id: 0, state: "FAILED".into(), trace: Some("boom password=***".into()) };
        let connector = Connector::from(status);
        assert_eq!((connector.state.as_str(), connector.trace), ("RUNNING", None));
        assert_eq!(connector.tasks, [wanted]);
    }
}
