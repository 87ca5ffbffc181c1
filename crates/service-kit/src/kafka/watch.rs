//! A background task that makes a service's topics as soon as there is a broker, and keeps `/health/ready` true.

use super::topics::{self, Admin, KafkaSetupError};
use crate::health::Readiness;
use contracts::TopicSpec;
use rdkafka::error::KafkaError;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PROBE_EVERY: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_secs(1);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Ensures the topics and then looks after the broker until `stop`: the check `kafka` of `readiness` says what the
/// service waits for. One log line per change, however long it lasts. A broker that comes back empty (the embedded
/// one keeps nothing) gets its topics again.
pub fn watch(
    bootstrap: &str,
    specs: Vec<TopicSpec>,
    readiness: Readiness,
    stop: CancellationToken,
) -> JoinHandle<()> {
    let waiting = format!("waiting for Kafka at {bootstrap}");
    readiness.set("kafka", Err(waiting.clone()));
    let bootstrap = bootstrap.to_owned();
    tokio::spawn(async move {
        let look = look_after(&bootstrap, &specs, &readiness, &waiting);
        tokio::select! { () = look => {}, () = stop.cancelled() => {} }
    })
}

async fn look_after(bootstrap: &str, specs: &[TopicSpec], readiness: &Readiness, waiting: &str) {
    let admin = match topics::admin(bootstrap) {
        Ok(admin) => Arc::new(admin),
        Err(error) => {
            tracing::error!(%error, bootstrap, "kafka cannot be used");
            readiness.set("kafka", Err(error.to_string()));
            return;
        }
    };
    let mut told: Option<String> = None;
    let mut works = false;
    loop {
        match probe(&admin, bootstrap, specs).await {
            Ok(()) => {
                if !works {
                    tracing::info!(bootstrap, topics = ?specs.iter().map(|spec| &spec.name).collect::<Vec<_>>(), "kafka is there");
                    readiness.set("kafka", Ok(()));
                }
                (works, told) = (true, None);
                tokio::time::sleep(PROBE_EVERY).await;
            }
            Err(error) => {
                let text = match &error {
                    KafkaSetupError::Unreachable { .. } => waiting.to_owned(),
                    other => other.to_string(),
                };
                if told.as_ref() != Some(&text) {
                    tracing::warn!(reason = %error, "{text}");
                    readiness.set("kafka", Err(text.clone()));
                }
                (works, told) = (false, Some(text));
                tokio::time::sleep(RETRY_EVERY).await;
            }
        }
    }
}

/// Looks each topic up and creates those that are not there.
async fn probe(admin: &Arc<Admin>, bootstrap: &str, specs: &[TopicSpec]) -> Result<(), KafkaSetupError> {
    for spec in specs {
        let (client, name) = (Arc::clone(admin), spec.name.clone());
        // Asking for metadata blocks its thread.
        let known = tokio::task::spawn_blocking(move || partitions(&client, &name)).await;
        match known {
            Ok(Ok(0)) => topics::create(admin, bootstrap, spec).await?,
            Ok(Ok(_)) => {}
            Ok(Err(source)) => {
                return Err(KafkaSetupError::Unreachable { bootstrap: bootstrap.to_owned(), source });
            }
            // Only when the runtime shuts down.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

fn partitions(admin: &Admin, topic: &str) -> Result<usize, KafkaError> {
    let metadata = admin.inner().fetch_metadata(Some(topic), PROBE_TIMEOUT)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    Ok(found.map_or(0, |found| found.partitions().len()))
}
