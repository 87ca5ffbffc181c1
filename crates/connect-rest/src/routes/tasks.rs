//! The tasks of a connector.

use super::{Audience, Route};
use crate::answer::{Answer, no_content, ok};
use crate::call::Call;
use crate::wire::{ConnectorTaskId, TaskInfo, TaskState};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/connectors/{connector}/tasks",
        audience: Audience::Users,
        since: "0.9",
        summary: "The tasks of a connector with their configurations.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, "`[{\"id\": {\"connector\", \"task\"}, \"config\": {...}}, ...]`"),
            (404, "there is no such connector"),
            (409, "the configuration is just changing"),
        ],
        handler: |call| Box::pin(tasks(call)),
    },
    Route {
        method: "GET",
        path: "/connectors/{connector}/tasks/{task}/status",
        audience: Audience::Users,
        since: "0.10",
        summary: "The state of one task.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, "`{\"id\", \"state\", \"worker_id\", \"trace\", \"version\"}`"),
            (404, "there is no status of such a task"),
        ],
        handler: |call| Box::pin(status(call)),
    },
    Route {
        method: "POST",
        path: "/connectors/{connector}/tasks/{task}/restart",
        audience: Audience::Users,
        since: "0.10",
        summary: "Starts one task anew.",
        parameters: &[],
        body: "",
        statuses: &[
            (204, "it has been started"),
            (404, "there is no such connector or task"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(restart(call)),
    },
];

async fn tasks(call: Call) -> Answer {
    let name = call.connector();
    let configs = call.herder.task_configs(name).await?.into_iter();
    let info = |(task, config)| TaskInfo { id: ConnectorTaskId { connector: name.to_owned(), task }, config };
    ok(configs.map(info).collect::<Vec<_>>())
}

async fn status(call: Call) -> Answer {
    let id = call.task()?;
    ok(TaskState::from((id.task, call.herder.task_status(&id).await?)))
}

async fn restart(call: Call) -> Answer {
    call.herder.restart_task(&call.task()?).await?;
    no_content()
}
