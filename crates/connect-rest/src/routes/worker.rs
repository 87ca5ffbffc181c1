//! The worker itself.

use super::{Audience, Route};
use crate::answer::{Answer, ok};
use crate::call::Call;
use crate::wire::{ServerInfo, WorkerStatus};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use connect_runtime::herder::Health;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/",
        audience: Audience::Users,
        since: "0.10",
        summary: "The version whose API this worker speaks, its commit, and the id of its Kafka cluster.",
        parameters: &[],
        body: "",
        statuses: &[(200, "`{\"version\", \"commit\", \"kafka_cluster_id\"}`")],
        handler: |call| Box::pin(server_info(call)),
    },
    Route {
        method: "GET",
        path: "/health",
        audience: Audience::Users,
        since: "3.9, KIP-1017",
        summary: "Whether the worker is ready for requests; answered from the moment the port is open.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, "`{\"status\": \"healthy\", \"message\"}`"),
            (500, "`unhealthy`: it is there, and does not get on"),
            (503, "`starting`: the message says what it waits for"),
        ],
        handler: |call| Box::pin(health(call)),
    },
];

async fn server_info(call: Call) -> Answer {
    ok(ServerInfo::from(call.herder.server_info().await))
}

async fn health(call: Call) -> Answer {
    let limit = call.health_timeout;
    let health = tokio::time::timeout(limit, call.herder.health()).await.unwrap_or_else(|_| {
        Health::Unhealthy(format!("It has not said within {} s how it is.", limit.as_secs_f64()))
    });
    let status = match health {
        Health::Healthy => StatusCode::OK,
        Health::Starting(_) => StatusCode::SERVICE_UNAVAILABLE,
        Health::Unhealthy(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Ok(HttpResponse::build(status).json(WorkerStatus::from(health)))
}
