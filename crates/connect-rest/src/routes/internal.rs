//! What workers of one group ask of each other (KIP-507, KIP-618).

use super::{Audience, Parameter, Route};
use crate::answer::{Answer, Refusal, no_content};
use crate::call::Call;
use crate::peers::{ALGORITHM_HEADER, SIGNATURE_HEADER};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use connect_runtime::signature::{ALGORITHMS, RequestSignature};

/// As the reference reads it: with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const FORWARD: Parameter =
    Parameter { name: "forward", meaning: "`false`: this was the last hop; every forwarded request has it" };

const REFUSALS: [(u16, &str); 3] = [
    (400, "the signature is missing, or made with an algorithm that is not allowed"),
    (403, "the signature is wrong"),
    (503, "this worker does not know the key yet"),
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/connectors/{connector}/tasks",
        audience: Audience::Internal,
        since: "0.9; signed 2.4, KIP-507",
        summary: "A worker hands the leader what its connector wants its tasks to be.",
        parameters: &[FORWARD],
        body: "`[{\"key\": \"value\", ...}, ...]`",
        statuses: &[
            (204, "taken"),
            REFUSALS[0],
            REFUSALS[1],
            (409, "not the leader, and nobody knows who is"),
            REFUSALS[2],
        ],
        handler: |call| Box::pin(put_task_configs(call)),
    },
    Route {
        method: "PUT",
        path: "/connectors/{connector}/fence",
        audience: Audience::Internal,
        since: "3.3, KIP-618",
        summary: "A worker asks the leader to fence the producers of an exactly-once source's former tasks.",
        parameters: &[FORWARD],
        body: "",
        statuses: &[
            (204, "done"),
            REFUSALS[0],
            REFUSALS[1],
            (409, "not the leader, and nobody knows who is"),
            REFUSALS[2],
        ],
        handler: |call| Box::pin(fence(call)),
    },
];

async fn put_task_configs(call: Call) -> Answer {
    let signature = signature(&call)?;
    call.herder.put_task_configs(call.connector(), call.body.clone(), signature).await?;
    no_content()
}

async fn fence(call: Call) -> Answer {
    let signature = signature(&call)?;
    call.herder.fence_zombies(call.connector(), call.body.clone(), signature).await?;
    no_content()
}

/// Nothing unless both headers are there; whether that will do is the herder's business.
fn signature(call: &Call) -> Result<Option<RequestSignature>, Refusal> {
    let (Some(mac), Some(algorithm)) = (call.header(SIGNATURE_HEADER), call.header(ALGORITHM_HEADER)) else {
        return Ok(None);
    };
    if !ALGORITHMS.iter().any(|(known, _)| *known == algorithm) {
        return Err(Refusal::bad_request(format!("Algorithm {algorithm} not available")));
    }
    let mac = BASE64
        .decode(mac)
        .map_err(|error| Refusal::bad_request(format!("{SIGNATURE_HEADER} is not base64: {error}")))?;
    Ok(Some(RequestSignature { algorithm: algorithm.to_owned(), mac }))
}
