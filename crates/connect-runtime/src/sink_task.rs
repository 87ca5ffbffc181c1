//! The loop of one sink task: poll, convert, put, mark done, commit. While one batch is put the next is polled and converted.
//!
//! The rule that everything here serves (docs/specs/delivery.md): an offset is committed only when each record up to it
//! is where the sink put it, or acknowledged in the dead-letter topic, or passed over and counted because the user said
//! `errors.tolerance=all`.

mod apart;
mod bad_records;
mod batch;
mod convert;
mod deliver;
mod intake;
mod run_loop;

use crate::control::TaskControl;
use crate::dead_letter::DeadLetters;
use crate::errors::{ErrorPolicy, Tolerance};
pub use crate::observer::TaskObserver;
use crate::ports::{KafkaClients, SinkConsumer, Subscription};
use crate::secrets::Secrets;
use bad_records::BadRecords;
use connect_api::{ConfigMap, ConnectError, Converter, SinkTask, SinkTaskContext};
use convert::Converters;
use intake::Intake;
use run_loop::Loop;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Everything a sink task needs to run.
pub struct SinkTaskSpec {
    pub connector: String,
    pub task: usize,
    pub subscription: Subscription,
    pub key_converter: Box<dyn Converter>,
    pub value_converter: Box<dyn Converter>,
    /// Not started yet; the loop starts and stops it.
    pub sink: Box<dyn SinkTask>,
    /// The Java class of the task, as dead letters name it.
    pub task_class: String,
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
    /// How long a `put` that runs when the task is told to stop may go on: a part of `task.shutdown.graceful.timeout.ms`.
    pub shutdown_grace: Duration,
    /// `max.poll.records`, 500 unless the user says otherwise; see [`max_poll_records`].
    pub max_poll_records: usize,
    /// What the log must not show.
    pub secrets: Secrets,
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

/// What every part of the loop knows of its task.
struct Facts {
    connector: String,
    task: usize,
    task_class: String,
    errors: ErrorPolicy,
    secrets: Secrets,
    shutdown_grace: Duration,
    control: TaskControl,
    observer: Arc<dyn TaskObserver>,
}

/// Runs the task until it fails or is told to stop, which `Ok` means. In every case the task was stopped and the consumer has
/// left its group before this returns; a panic of a plugin is the caller's to catch. A task that is paused from the beginning does not
/// start before it is resumed; one that is paused later keeps its membership, and commits what it had put.
pub async fn run(
    spec: SinkTaskSpec,
    control: TaskControl,
    observer: Arc<dyn TaskObserver>,
) -> Result<(), ConnectError> {
    let facts = Facts {
        connector: spec.connector,
        task: spec.task,
        task_class: spec.task_class,
        errors: spec.errors,
        secrets: spec.secrets,
        shutdown_grace: spec.shutdown_grace,
        control,
        observer,
    };
    let mut sink = spec.sink;
    let outside = Outside {
        clients: &*spec.clients,
        subscription: &spec.subscription,
        config: &spec.config,
        consumer_overrides: &spec.consumer_overrides,
        producer_overrides: &spec.producer_overrides,
    };
    let begin = async {
        if facts.control.is_paused() {
            facts.observer.on_paused();
            facts.control.until(false).await;
        }
        start(&facts, &mut *sink, outside).await
    };
    let started = tokio::select! {
        biased;
        () = facts.control.stop.cancelled() => Ok(None),
        started = begin => started.map(Some),
    };
    let (outcome, consumer) = match started {
        Err(error) => (Err(error), None),
        Ok(None) => (Ok(()), None),
        Ok(Some((dead_letters, consumer))) => {
            facts.observer.on_running();
            let converters =
                Converters::new(spec.key_converter, spec.value_converter, dead_letters.is_some());
            let limits = intake::Limits {
                poll: spec.max_poll_records,
                batch: match sink.batch_size() {
                    0 => spec.max_poll_records,
                    records => records,
                },
                commit_interval: spec.commit_interval,
            };
            let intake = Intake::new(&facts, consumer, converters, limits);
            let bad_records = BadRecords::new(&facts, dead_letters);
            let mut task = Loop::new(&facts, &mut *sink, intake, bad_records);
            let outcome = task.run().await;
            (outcome, Some(task.end().await))
        }
    };
    if timeout(facts.shutdown_grace, sink.stop()).await.is_err() {
        tracing::warn!(
            connector = facts.connector,
            task = facts.task,
            "task did not stop in time and is left behind"
        );
    }
    if let Some(mut consumer) = consumer {
        consumer.close().await;
    }
    outcome
}

/// What a task is started with and has no use for later.
struct Outside<'a> {
    clients: &'a dyn KafkaClients,
    subscription: &'a Subscription,
    config: &'a ConfigMap,
    consumer_overrides: &'a ConfigMap,
    producer_overrides: &'a ConfigMap,
}

async fn start(
    facts: &Facts,
    sink: &mut dyn SinkTask,
    outside: Outside<'_>,
) -> Result<(Option<DeadLetters>, Box<dyn SinkConsumer>), ConnectError> {
    let (connector, task) = (&*facts.connector, facts.task);
    let context = SinkTaskContext {
        connector: connector.to_owned(),
        task,
        tolerates_errors: facts.errors.tolerance == Tolerance::All,
    };
    sink.start(context, outside.config).await?;
    let clients = outside.clients;
    let dead_letters = match facts.errors.dead_letter.clone() {
        Some(topic) => {
            Some(DeadLetters::open(topic, connector, task, clients, outside.producer_overrides).await?)
        }
        None => None,
    };
    let consumer =
        clients.sink_consumer(connector, task, outside.subscription, outside.consumer_overrides).await?;
    Ok((dead_letters, consumer))
}
