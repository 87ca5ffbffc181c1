//! How far connectors have come (KIP-875).

use super::{Audience, Route};
use crate::answer::{Answer, Failure, Refusal, ok};
use crate::call::Call;
use crate::json;
use crate::wire::{ConnectorOffsets, Message};
use connect_runtime::herder::{ConnectorOffset, ConnectorType};

const SHAPE: &str = "`{\"offsets\": [{\"partition\": {...}, \"offset\": {...}}, ...]}`; for a sink the partition is \
                     `{\"kafka_topic\", \"kafka_partition\"}`, the offset `{\"kafka_offset\"}`";

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/connectors/{connector}/offsets",
        audience: Audience::Users,
        since: "3.5, KIP-875",
        summary: "The committed offset of each source partition, or of each topic partition of a sink.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, SHAPE),
            (404, "there is no such connector"),
            (409, "the configuration is just changing"),
        ],
        handler: |call| Box::pin(offsets(call)),
    },
    Route {
        method: "PATCH",
        path: "/connectors/{connector}/offsets",
        audience: Audience::Users,
        since: "3.6, KIP-875",
        summary: "Changes offsets of a stopped connector; an offset of null removes that of its partition.",
        parameters: &[],
        body: SHAPE,
        statuses: &[
            (200, "`{\"message\"}`: done, and whether the connector was asked"),
            (400, "the connector is not stopped, or does not take these partitions or offsets"),
            (404, "there is no such connector"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(alter(call)),
    },
    Route {
        method: "DELETE",
        path: "/connectors/{connector}/offsets",
        audience: Audience::Users,
        since: "3.6, KIP-875",
        summary: "Removes all offsets of a stopped connector: it begins anew.",
        parameters: &[],
        body: "",
        statuses: &[
            (200, "`{\"message\"}`: done, and whether the connector was asked"),
            (400, "the connector is not stopped"),
            (404, "there is no such connector"),
            (409, "a rebalance takes too long"),
        ],
        handler: |call| Box::pin(reset(call)),
    },
];

async fn offsets(call: Call) -> Answer {
    ok(ConnectorOffsets::from(call.herder.connector_offsets(call.connector()).await?))
}

async fn alter(call: Call) -> Answer {
    let given = json::parse_offsets(call.text()?)?;
    let mut wanted = Vec::with_capacity(given.len());
    for (index, (partition, offset)) in given.into_iter().enumerate() {
        let Some(partition) = partition else { return Err(without_partition(&call, index).await) };
        wanted.push(ConnectorOffset { partition, offset });
    }
    ok(Message { message: call.herder.alter_connector_offsets(call.connector(), wanted).await? })
}

async fn without_partition(call: &Call, index: usize) -> Failure {
    let message = match call.herder.connector(call.connector()).await {
        Err(error) => return error.into(),
        Ok(info) if info.ty == Some(ConnectorType::Sink) => {
            "The partition for a sink connector offset cannot be null or missing".to_owned()
        }
        Ok(_) => format!("offsets[{index}] has no partition: say whose offset it is"),
    };
    Refusal::bad_request(message).into()
}

async fn reset(call: Call) -> Answer {
    ok(Message { message: call.herder.reset_connector_offsets(call.connector()).await? })
}
