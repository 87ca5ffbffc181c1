//! The levels of loggers (KIP-495, KIP-976).

use super::{Audience, Parameter, Route};
use crate::answer::{Answer, Refusal, no_content, ok};
use crate::call::Call;
use crate::json;
use crate::wire::LoggerLevel;
use actix_web::http::StatusCode;
use connect_runtime::ports::LEVELS;
use indexmap::IndexMap;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/admin/loggers",
        audience: Audience::Admin,
        since: "2.4, KIP-495",
        summary: "The levels of this worker's loggers.",
        parameters: &[],
        body: "",
        statuses: &[(
            200,
            "`{\"logger\": {\"level\", \"last_modified\"}, ...}`; milliseconds since the epoch, null when never changed",
        )],
        handler: |call| Box::pin(loggers(call)),
    },
    Route {
        method: "GET",
        path: "/admin/loggers/{logger}",
        audience: Audience::Admin,
        since: "2.4, KIP-495",
        summary: "The level of one logger, its own or that of its nearest parent.",
        parameters: &[],
        body: "",
        statuses: &[(200, "`{\"level\", \"last_modified\"}`"), (404, "there is no such logger")],
        handler: |call| Box::pin(logger(call)),
    },
    Route {
        method: "PUT",
        path: "/admin/loggers/{logger}",
        audience: Audience::Admin,
        since: "2.4, KIP-495; `scope` 3.7, KIP-976",
        summary: "Sets the level of a logger and of all below it.",
        parameters: &[Parameter {
            name: "scope",
            meaning: "`worker` (default), or `cluster`: all workers of the group; anything else counts as `worker`",
        }],
        body: "`{\"level\": \"DEBUG\"}`",
        statuses: &[
            (200, "worker: `[\"logger\", ...]`, the loggers whose level has changed"),
            (204, "cluster: will be done"),
            (400, "there is no level"),
            (404, "there is no such level"),
        ],
        handler: |call| Box::pin(set(call)),
    },
];

async fn loggers(call: Call) -> Answer {
    let loggers = call.herder.loggers().await.into_iter();
    ok(loggers
        .map(|logger| (logger.name.clone(), LoggerLevel::from(logger)))
        .collect::<IndexMap<String, LoggerLevel>>())
}

async fn logger(call: Call) -> Answer {
    ok(LoggerLevel::from(call.herder.logger(call.logger()).await?))
}

async fn set(call: Call) -> Answer {
    let mut body = json::parse_patch(call.text()?, "the body")?;
    let level = body
        .shift_remove("level")
        .flatten()
        .ok_or_else(|| Refusal::bad_request("Desired 'level' parameter was not specified in request."))?;
    let known = level.trim().to_uppercase();
    if !LEVELS.contains(&known.as_str()) {
        return Err(Refusal::new(StatusCode::NOT_FOUND, format!("invalid log level '{level}'.")).into());
    }
    let scope = call.query("scope").unwrap_or_default();
    if scope.eq_ignore_ascii_case("cluster") {
        call.herder.set_cluster_logger(call.logger(), &known).await?;
        return no_content();
    }
    ok(call.herder.set_logger(call.logger(), &known).await?)
}
