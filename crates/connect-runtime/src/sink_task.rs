//! The loop of one sink task.

use crate::errors::ErrorPolicy;
use crate::ports::{KafkaClients, Subscription};
use connect_api::{ConfigMap, ConnectError, Converter, SinkTask};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Everything a sink task needs to run.
pub struct SinkTaskSpec {
    pub connector: String,
    pub task: usize,
    pub subscription: Subscription,
    pub key_converter: Box<dyn Converter>,
    pub value_converter: Box<dyn Converter>,
    /// Not started yet; the loop starts and stops it.
    pub sink: Box<dyn SinkTask>,
    /// The task's configuration, placeholders resolved.
    pub config: ConfigMap,
    pub errors: ErrorPolicy,
    pub clients: Arc<dyn KafkaClients>,
    /// `consumer.override.*`, prefix removed.
    pub consumer_overrides: ConfigMap,
    /// `producer.override.*`, prefix removed; for the dead-letter producer.
    pub producer_overrides: ConfigMap,
    /// `offset.flush.interval.ms`.
    pub commit_interval: Duration,
    /// How long a `put` that runs when the task is told to stop may go on (`task.shutdown.graceful.timeout.ms`).
    pub shutdown_grace: Duration,
    /// `max.poll.records`, 500 unless the user says otherwise; see [`max_poll_records`].
    pub max_poll_records: usize,
}

/// Is told what the task is doing; for its status and metrics. Calls must not block.
pub trait TaskObserver: Send + Sync {
    /// The task is started and reads; called again when a retry has succeeded.
    fn on_running(&self);
    /// A `put` of `since_records` records wants to be repeated. Called at each failed attempt.
    fn on_retrying(&self, failing_for: Duration, why: &str);
    /// Records passed over because of `errors.tolerance=all`: `dead_lettered` of them are acknowledged in the
    /// dead-letter topic, `skipped` are nowhere.
    fn on_bad_records(&self, skipped: u64, dead_lettered: u64);
}

/// `max.poll.records` of a sink's consumer: the connector's override, else the worker's `consumer.*` setting (both
/// with the prefix removed), else 500.
pub fn max_poll_records(overrides: &ConfigMap, worker_consumer: &ConfigMap) -> Result<usize, ConnectError> {
    const KEY: &str = "max.poll.records";
    let Some(text) = overrides.get(KEY).or_else(|| worker_consumer.get(KEY)) else { return Ok(500) };
    match text.trim().parse::<i32>() {
        Ok(records) if records >= 1 => Ok(records as usize),
        _ => Err(ConnectError::config(format!(
            "Invalid value {text} for configuration {KEY}: it must be a whole number of at least 1"
        ))),
    }
}

/// Runs the task until it fails or `stop` is cancelled; `Ok` means it was told to stop. In every case the task was
/// stopped and the consumer has left its group before this returns; a panic of a plugin is the caller's to catch (spawn
/// it and look at the `JoinHandle`).
pub async fn run(
    spec: SinkTaskSpec,
    stop: CancellationToken,
    observer: Arc<dyn TaskObserver>,
) -> Result<(), ConnectError> {
    let _ = (spec, stop, observer);
    Err(ConnectError::failed("the sink task loop is being written"))
}
