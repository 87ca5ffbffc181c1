//! The topics that connectors use (KIP-558).

use super::{Audience, Route};
use crate::answer::{Answer, accepted, ok};
use crate::call::Call;
use crate::wire::{ActiveTopics, Topics};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/connectors/{connector}/topics",
        audience: Audience::Users,
        since: "2.5, KIP-558",
        summary: "The topics a connector has used since it was made or since the last reset; none for an unknown name.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, "`{\"name\": {\"topics\": [\"topic\", ...]}}`"),
            (403, "`topic.tracking.enable` is false"),
        ],
        handler: |call| Box::pin(topics(call)),
    },
    Route {
        method: "PUT",
        path: "/connectors/{connector}/topics/reset",
        audience: Audience::Users,
        since: "2.5, KIP-558",
        summary: "Forgets which topics a connector has used.",
        parameters: &[],
        body: "",
        statuses: &[
            (202, "will be done"),
            (403, "`topic.tracking.enable` or `topic.tracking.allow.reset` is false"),
        ],
        handler: |call| Box::pin(reset(call)),
    },
];

async fn topics(call: Call) -> Answer {
    let topics = call.herder.connector_topics(call.connector()).await?;
    ok(ActiveTopics::from([(call.connector().to_owned(), Topics { topics })]))
}

async fn reset(call: Call) -> Answer {
    call.herder.reset_connector_topics(call.connector()).await?;
    accepted()
}
