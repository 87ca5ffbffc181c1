//! What connectors do, and what they shall do.

use super::{Audience, Parameter, Route};
use crate::answer::{Answer, accepted, no_content, ok};
use crate::call::Call;
use crate::wire::ConnectorStateInfo;
use actix_web::HttpResponse;
use connect_runtime::herder::{RestartRequest, TargetState};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/connectors/{connector}/status",
        audience: Audience::Users,
        since: "0.10",
        summary: "The states of a connector and its tasks, with the reason for a failure.",
        parameters: &[],
        body: "",
        statuses: &[
            (
                200,
                "`{\"name\", \"connector\": {\"state\", \"worker_id\", \"trace\", \"version\"}, \"tasks\": [{\"id\", ...}], \
                 \"type\"}` (ConnectorStateInfo)",
            ),
            (404, "there is no status of such a connector"),
        ],
        handler: |call| Box::pin(status(call)),
    },
    Route {
        method: "PUT",
        path: "/connectors/{connector}/pause",
        audience: Audience::Users,
        since: "0.10, KIP-52",
        summary: "Lets a connector and its tasks wait, with all they hold.",
        parameters: &[],
        body: "",
        statuses: &[(202, "will be done"), (404, "there is no such connector")],
        handler: |call| Box::pin(pause(call)),
    },
    Route {
        method: "PUT",
        path: "/connectors/{connector}/resume",
        audience: Audience::Users,
        since: "0.10, KIP-52",
        summary: "Lets a paused or stopped connector go on.",
        parameters: &[],
        body: "",
        statuses: &[(202, "will be done"), (404, "there is no such connector")],
        handler: |call| Box::pin(resume(call)),
    },
    Route {
        method: "PUT",
        path: "/connectors/{connector}/stop",
        audience: Audience::Users,
        since: "3.5, KIP-875",
        summary: "Stops a connector: its tasks end, its configuration and offsets stay.",
        parameters: &[],
        body: "",
        statuses: &[
            (204, "will be done"),
            (404, "there is no such connector"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(stop(call)),
    },
    Route {
        method: "POST",
        path: "/connectors/{connector}/restart",
        audience: Audience::Users,
        since: "0.10; parameters 3.0, KIP-745",
        summary: "Starts a connector anew, and its tasks, too, when asked to.",
        parameters: &[
            Parameter { name: "includeTasks", meaning: "`true`: the tasks, too; default `false`" },
            Parameter { name: "onlyFailed", meaning: "`true`: only what has failed; default `false`" },
        ],
        body: "",
        statuses: &[
            (202, "with a parameter: ConnectorStateInfo, `RESTARTING` where it applies"),
            (204, "without: the connector has been started anew"),
            (404, "there is no such connector"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(restart(call)),
    },
];

async fn status(call: Call) -> Answer {
    ok(ConnectorStateInfo::from(call.herder.connector_status(call.connector()).await?))
}

async fn pause(call: Call) -> Answer {
    call.herder.set_target_state(call.connector(), TargetState::Paused).await?;
    accepted()
}

async fn resume(call: Call) -> Answer {
    call.herder.set_target_state(call.connector(), TargetState::Started).await?;
    accepted()
}

async fn stop(call: Call) -> Answer {
    call.herder.set_target_state(call.connector(), TargetState::Stopped).await?;
    no_content()
}

async fn restart(call: Call) -> Answer {
    let request = RestartRequest {
        include_tasks: call.flag("includeTasks", false),
        only_failed: call.flag("onlyFailed", false),
    };
    match call.herder.restart_connector(call.connector(), request).await? {
        Some(plan) => Ok(HttpResponse::Accepted().json(ConnectorStateInfo::from(plan))),
        None => no_content(),
    }
}
