//! Looking at and changing how far a connector has come (KIP-875), whether or not it runs here.

mod sink;
mod source;

use super::WorkerParts;
use super::describe::Described;
use super::guard::{self, PluginFailure};
use crate::herder::{ConnectorOffset, HerderError};
use crate::plugins::ConnectorPlugin;
use crate::secrets::Secrets;
use connect_api::{ConfigMap, ConnectError};
use sink::SinkOffsets;
use source::SourceOffsets;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long Kafka may take for one of the steps. The reference grants 90 s to the whole request.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn list(
    parts: &Arc<WorkerParts>,
    name: &str,
    config: &ConfigMap,
) -> Result<Vec<ConnectorOffset>, HerderError> {
    let described = describe(parts, name, config).await?;
    match &described.plugin {
        ConnectorPlugin::Sink(_) => SinkOffsets::of(parts, name, &described).list().await,
        ConnectorPlugin::Source(_) => SourceOffsets::of(parts, name, &described).list().await,
    }
}

pub(super) async fn alter(
    parts: &Arc<WorkerParts>,
    name: &str,
    config: &ConfigMap,
    offsets: Option<Vec<ConnectorOffset>>,
) -> Result<String, HerderError> {
    if offsets.as_ref().is_some_and(Vec::is_empty) {
        let text = "Partitions / offsets need to be provided for an alter offsets request";
        return Err(HerderError::BadRequest(text.into()));
    }
    let described = describe(parts, name, config).await?;
    let reset = offsets.is_none();
    let connector_agrees = match &described.plugin {
        ConnectorPlugin::Sink(plugin) => {
            SinkOffsets::of(parts, name, &described).alter(plugin, &described.config, offsets).await?
        }
        ConnectorPlugin::Source(plugin) => {
            SourceOffsets::of(parts, name, &described).alter(plugin, &described.config, offsets).await?
        }
    };
    let done = if reset { "reset" } else { "altered" };
    tracing::info!(connector = name, "offsets were {done}");
    Ok(if connector_agrees {
        format!("The offsets for this connector have been {done} successfully")
    } else {
        format!(
            "The Connect framework-managed offsets for this connector have been {done} successfully. However, if this connector \
             manages offsets externally, they will need to be manually {done} in the system that the connector uses."
        )
    })
}

async fn describe(
    parts: &Arc<WorkerParts>,
    name: &str,
    config: &ConfigMap,
) -> Result<Described, HerderError> {
    let (shared, stored) = (parts.clone(), config.clone());
    let secrets = Arc::new(std::sync::Mutex::new(super::describe::first_secrets(config)));
    let learnt = secrets.clone();
    let read = move || {
        Described::read(&shared, &stored, |secrets| {
            *learnt.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = secrets.clone();
        })
    };
    match guard::call(parts.deadlines.local, read).await {
        Ok(Ok(described)) => Ok(described),
        Ok(Err(error)) => {
            let secrets = secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            Err(HerderError::BadRequest(format!(
                "The configuration of connector {name} has to be put right first: {}",
                secrets.scrub(&error.chain())
            )))
        }
        Err(failure) => {
            Err(HerderError::Internal(format!("reading the configuration of connector {name}: {failure}")))
        }
    }
}

/// Lets the connector have its say: what it refuses is a bad request.
async fn ask(
    deadline: Duration,
    name: &str,
    secrets: &Secrets,
    call: impl Future<Output = Result<bool, ConnectError>> + Send + 'static,
) -> Result<bool, HerderError> {
    match guard::call_async(deadline, call).await {
        Ok(Ok(agrees)) => Ok(agrees),
        Ok(Err(error)) => {
            let text = secrets.scrub(&error.chain());
            Err(match error {
                ConnectError::Config(_) | ConnectError::Data(_) => HerderError::BadRequest(text),
                ConnectError::Failed { .. } => HerderError::Internal(text),
            })
        }
        Err(failure @ PluginFailure::TimedOut(_)) => Err(HerderError::Unavailable(format!(
            "Timed out while calling the 'alterOffsets' method for connector {name}: {failure}; nothing was changed"
        ))),
        Err(failure) => {
            Err(HerderError::Internal(format!("asking connector {name} about its offsets: {failure}")))
        }
    }
}

/// Bounds a step that waits for Kafka (or a disk); `what` names the step.
async fn within<T>(
    what: &str,
    secrets: &Secrets,
    step: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, HerderError> {
    match timeout(PATIENCE, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(HerderError::Unavailable(format!("{what}: {}", secrets.scrub(&error.chain())))),
        Err(_) => Err(late(what)),
    }
}

fn late(what: &str) -> HerderError {
    HerderError::Unavailable(format!("{what}: no answer within {} s; try again", PATIENCE.as_secs()))
}

#[cfg(test)]
mod tests;
