//! Waiting for Kafka. The reference ends when it is away; this worker says so once, and waits.

use connect_runtime::ports::KafkaClients;
use std::time::Duration;

/// Between two attempts to reach Kafka.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Kafka answers faster than this, or a person should know what the worker waits for.
const PROMPT: Duration = Duration::from_secs(2);

/// How long one attempt may take; a client may wait for ever.
const ATTEMPT: Duration = Duration::from_secs(10);

const CLUSTER_ID_ATTEMPTS: usize = 5;

/// Returns when Kafka answers, with the cluster's id. `starting` hears what is being waited for.
pub(crate) async fn wait_for_kafka(
    clients: &dyn KafkaClients,
    bootstrap: &str,
    starting: impl Fn(String),
) -> Option<String> {
    starting(format!("It waits for Kafka at {bootstrap}."));
    let mut announced = false;
    let mut announce = |why: &str| {
        if !std::mem::replace(&mut announced, true) {
            tracing::warn!(bootstrap.servers = bootstrap, reason = why, "waiting for kafka");
        }
    };
    loop {
        let mut attempt = std::pin::pin!(tokio::time::timeout(ATTEMPT, clients.cluster_id()));
        let answer = match tokio::time::timeout(PROMPT, &mut attempt).await {
            Ok(answer) => answer,
            Err(_) => {
                announce("no answer yet");
                attempt.await
            }
        };
        let why = match answer {
            Ok(Ok(id)) => {
                tracing::info!(cluster_id = id.as_deref().unwrap_or("none"), "kafka is there");
                return id;
            }
            Ok(Err(error)) => error.chain(),
            Err(_) => format!("no answer within {} s", ATTEMPT.as_secs()),
        };
        announce(&why);
        starting(format!("It waits for Kafka at {bootstrap}: {why}"));
        tokio::time::sleep(PAUSE).await;
    }
}

/// A broker that has only just come up may answer before it knows the cluster's id; some have none at all.
pub(crate) async fn ask_for_cluster_id(clients: &dyn KafkaClients) -> Option<String> {
    for _ in 0..CLUSTER_ID_ATTEMPTS {
        tokio::time::sleep(PAUSE).await;
        if let Ok(Some(id)) = clients.cluster_id().await {
            return Some(id);
        }
    }
    None
}
