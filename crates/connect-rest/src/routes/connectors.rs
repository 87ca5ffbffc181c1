//! Connectors and their configurations.

use super::{Audience, Parameter, Route};
use crate::answer::{Answer, no_content, ok};
use crate::call::Call;
use crate::wire::{ConnectorInfo, ConnectorStateInfo, Expanded, ExpandedConnectors};
use crate::{json, paths};
use actix_web::HttpResponse;
use actix_web::http::header;
use connect_runtime::herder::{self, HerderError, Put};

const CONFIG: &str = "`{\"key\": \"value\", ...}`: a flat object; numbers and booleans count as text";

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/connectors",
        audience: Audience::Users,
        since: "0.9; `expand` 2.3, KIP-465",
        summary: "The names of all connectors, or what is known of each.",
        parameters: &[Parameter {
            name: "expand",
            meaning: "`info`, `status`; repeatable, anything else is ignored",
        }],
        body: "",
        statuses: &[(200, "`[\"name\", ...]`; with `expand` `{\"name\": {\"status\", \"info\"}, ...}`")],
        handler: |call| Box::pin(list(call)),
    },
    Route {
        method: "POST",
        path: "/connectors",
        audience: Audience::Users,
        since: "0.9; `initial_state` 3.7, KIP-980",
        summary: "Makes a connector.",
        parameters: &[],
        body: "`{\"name\", \"config\": {...}, \"initial_state\": \"RUNNING\" | \"PAUSED\" | \"STOPPED\"}`; the state is \
               optional, in upper or lower case",
        statuses: &[
            (201, "made: ConnectorInfo, `Location`"),
            (400, "the configuration is invalid: all faults in one message"),
            (409, "the name is taken, or a rebalance takes too long"),
        ],
        handler: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        path: "/connectors/{connector}",
        audience: Audience::Users,
        since: "0.9",
        summary: "A connector's configuration, type and tasks.",
        parameters: &[],
        body: "",
        statuses: &[
            (
                200,
                "`{\"name\", \"config\", \"tasks\": [{\"connector\", \"task\"}], \"type\"}` (ConnectorInfo)",
            ),
            (404, "there is no such connector"),
            (409, "the configuration is just changing"),
        ],
        handler: |call| Box::pin(connector(call)),
    },
    Route {
        method: "DELETE",
        path: "/connectors/{connector}",
        audience: Audience::Users,
        since: "0.9",
        summary: "Removes a connector and stops its tasks; its offsets stay.",
        parameters: &[],
        body: "",
        statuses: &[
            (204, "removed"),
            (404, "there is no such connector"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(delete(call)),
    },
    Route {
        method: "GET",
        path: "/connectors/{connector}/config",
        audience: Audience::Users,
        since: "0.9",
        summary: "A connector's configuration as it was given; passwords are `[hidden]`.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, "`{\"key\": \"value\", ...}`"),
            (404, "there is no such connector"),
            (409, "the configuration is just changing"),
        ],
        handler: |call| Box::pin(config(call)),
    },
    Route {
        method: "PUT",
        path: "/connectors/{connector}/config",
        audience: Audience::Users,
        since: "0.9",
        summary: "Gives a connector another configuration, or makes the connector.",
        parameters: &[],
        body: CONFIG,
        statuses: &[
            (200, "changed: ConnectorInfo"),
            (201, "made: ConnectorInfo, `Location`"),
            (400, "the configuration is invalid: all faults in one message"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(put_config(call)),
    },
    Route {
        method: "PATCH",
        path: "/connectors/{connector}/config",
        audience: Audience::Users,
        since: "3.8, KIP-477",
        summary: "Changes some keys of a connector's configuration; null removes a key.",
        parameters: &[],
        body: "`{\"key\": \"value\" | null, ...}`",
        statuses: &[
            (200, "changed: ConnectorInfo"),
            (400, "the configuration would be invalid: all faults in one message"),
            (404, "there is no such connector"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(patch_config(call)),
    },
];

async fn list(call: Call) -> Answer {
    let herder = &call.herder;
    let expand = call.queries("expand");
    let names = herder.connectors().await;
    if expand.is_empty() {
        return ok(names);
    }
    let wants = |what: &str| expand.iter().any(|one| one == what);
    let mut connectors = ExpandedConnectors::new();
    for name in names {
        let mut expanded = Expanded::default();
        if wants("status") {
            match herder.connector_status(&name).await {
                // Deleted since the names were listed, or too new to have one.
                Err(HerderError::NotFound(_)) => continue,
                status => expanded.status = Some(ConnectorStateInfo::from(status?)),
            }
        }
        if wants("info") {
            match herder.connector(&name).await {
                Err(HerderError::NotFound(_)) => continue,
                info => expanded.info = Some(ConnectorInfo::from(info?)),
            }
        }
        connectors.insert(name, expanded);
    }
    ok(connectors)
}

async fn create(call: Call) -> Answer {
    let wanted = json::parse_create_request(call.text()?)?;
    Ok(created(call.herder.create_connector(&wanted.name, wanted.config, wanted.initial_state).await?))
}

fn created(info: herder::ConnectorInfo) -> HttpResponse {
    let location = format!("/connectors/{}", paths::encode(&info.name));
    HttpResponse::Created().insert_header((header::LOCATION, location)).json(ConnectorInfo::from(info))
}

async fn connector(call: Call) -> Answer {
    ok(ConnectorInfo::from(call.herder.connector(call.connector()).await?))
}

async fn delete(call: Call) -> Answer {
    call.herder.delete_connector(call.connector()).await?;
    no_content()
}

async fn config(call: Call) -> Answer {
    ok(call.herder.connector_config(call.connector()).await?)
}

async fn put_config(call: Call) -> Answer {
    let config = json::parse_config(call.text()?, "the body")?;
    match call.herder.put_connector_config(call.connector(), config).await? {
        (Put::Created, info) => Ok(created(info)),
        (Put::Updated, info) => ok(ConnectorInfo::from(info)),
    }
}

async fn patch_config(call: Call) -> Answer {
    let patch = json::parse_patch(call.text()?, "the body")?;
    ok(ConnectorInfo::from(call.herder.patch_connector_config(call.connector(), patch).await?))
}
