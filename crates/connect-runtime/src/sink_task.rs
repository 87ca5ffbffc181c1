//! The loop of one sink task: poll, convert, put, mark done, commit.
//!
//! The rule that everything here serves (docs/specs/delivery.md): an offset is committed only when each record up to it
//! is where the sink put it, or acknowledged in the dead-letter topic, or passed over and counted because the user said
//! `errors.tolerance=all`.

mod bad_records;
mod convert;

use crate::control::TaskControl;
use crate::dead_letter::DeadLetters;
use crate::errors::{ErrorPolicy, Tolerance};
pub use crate::observer::TaskObserver;
use crate::ports::{KafkaClients, RawRecord, SinkConsumer, Subscription};
use crate::secrets::Secrets;
use connect_api::{
    ConfigMap, ConnectError, Converter, PutError, SinkRecord, SinkTask, SinkTaskContext, TopicPartition,
};
use convert::Batch;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
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

/// Runs the task until it fails or is told to stop, which `Ok` means. In every case the task was stopped and the consumer has
/// left its group before this returns; a panic of a plugin is the caller's to catch. A task that is paused from the beginning does not
/// start before it is resumed; one that is paused later keeps its membership, and commits what it had put.
pub async fn run(
    mut spec: SinkTaskSpec,
    control: TaskControl,
    observer: Arc<dyn TaskObserver>,
) -> Result<(), ConnectError> {
    let begin = async {
        if control.is_paused() {
            observer.on_paused();
            control.until(false).await;
        }
        start(&mut spec).await
    };
    let started = tokio::select! {
        biased;
        () = control.stop.cancelled() => Ok(None),
        started = begin => started.map(Some),
    };
    let (outcome, consumer) = match started {
        Err(error) => (Err(error), None),
        Ok(None) => (Ok(()), None),
        Ok(Some((dead_letters, consumer))) => {
            observer.on_running();
            let next_commit = Instant::now() + spec.commit_interval;
            let mut task = Loop {
                spec: &mut spec,
                control,
                observer,
                dead_letters,
                consumer,
                paused: false,
                held: Vec::new(),
                next_commit,
            };
            let outcome = task.run().await;
            task.commit().await;
            (outcome, Some(task.consumer))
        }
    };
    if timeout(spec.shutdown_grace, spec.sink.stop()).await.is_err() {
        tracing::warn!(
            connector = spec.connector,
            task = spec.task,
            "task did not stop in time and is left behind"
        );
    }
    if let Some(mut consumer) = consumer {
        consumer.close().await;
    }
    outcome
}

async fn start(
    spec: &mut SinkTaskSpec,
) -> Result<(Option<DeadLetters>, Box<dyn SinkConsumer>), ConnectError> {
    let context = SinkTaskContext {
        connector: spec.connector.clone(),
        task: spec.task,
        tolerates_errors: spec.errors.tolerance == Tolerance::All,
    };
    spec.sink.start(context, &spec.config).await?;
    let clients = &*spec.clients;
    let dead_letters = match spec.errors.dead_letter.clone() {
        Some(topic) => Some(
            DeadLetters::open(topic, &spec.connector, spec.task, clients, &spec.producer_overrides).await?,
        ),
        None => None,
    };
    let consumer = clients
        .sink_consumer(&spec.connector, spec.task, &spec.subscription, &spec.consumer_overrides)
        .await?;
    Ok((dead_letters, consumer))
}

struct Loop<'a> {
    spec: &'a mut SinkTaskSpec,
    control: TaskControl,
    observer: Arc<dyn TaskObserver>,
    dead_letters: Option<DeadLetters>,
    consumer: Box<dyn SinkConsumer>,
    /// Whether the user's pause has been carried out.
    paused: bool,
    /// Records that came although the consumer was paused; they are next.
    held: Vec<RawRecord>,
    next_commit: Instant,
}

enum Flow {
    GoOn,
    Stop,
}

impl Loop<'_> {
    async fn run(&mut self) -> Result<(), ConnectError> {
        loop {
            if self.paused != self.control.is_paused() {
                // Before the observer is told, so that nothing is put once the status says PAUSED.
                if self.paused {
                    self.consumer.resume()?
                } else {
                    self.consumer.pause()?
                }
                self.turn().await;
            }
            let Some(records) = self.poll().await? else { return Ok(()) };
            if !records.is_empty()
                && let Flow::Stop = self.deliver(records).await?
            {
                return Ok(());
            }
            if Instant::now() >= self.next_commit {
                self.commit().await;
            }
        }
    }

    /// From running to paused, or back.
    async fn turn(&mut self) {
        self.paused = !self.paused;
        if self.paused {
            self.observer.on_paused();
            // As Java does: whoever pauses wants to see how far it has come.
            self.commit().await;
        } else {
            self.observer.on_running();
        }
    }

    /// The next records, none while paused; `None` when the task is to stop.
    async fn poll(&mut self) -> Result<Option<Vec<RawRecord>>, ConnectError> {
        if !self.held.is_empty() && !self.paused && !self.control.stop.is_cancelled() {
            return Ok(Some(std::mem::take(&mut self.held)));
        }
        let until_commit = self.next_commit.saturating_duration_since(Instant::now());
        let polled = tokio::select! {
            biased;
            () = self.control.stop.cancelled() => return Ok(None),
            () = self.control.until(!self.paused) => return Ok(Some(Vec::new())),
            polled = self.consumer.poll(self.spec.max_poll_records, until_commit) => polled?,
        };
        let lost = self.consumer.take_revoked();
        if !self.paused {
            // Nothing of an earlier poll is held here, so what was lost meanwhile concerns nobody.
            return Ok(Some(polled));
        }
        self.held.retain(|record| !lost.contains(&partition_of(record)));
        self.held.extend(polled);
        Ok(Some(Vec::new()))
    }

    async fn deliver(&mut self, records: Vec<RawRecord>) -> Result<Flow, ConnectError> {
        let Some(mut batch) = self.convert(records).await? else { return Ok(Flow::Stop) };
        self.tell_topics(&batch.records);
        if let Flow::Stop = self.put(&mut batch).await? {
            return Ok(Flow::Stop);
        }
        for (partition, next_offset) in &batch.done {
            self.consumer.mark_done(partition, *next_offset);
        }
        batch.failure.map_or(Ok(Flow::GoOn), Err)
    }

    fn tell_topics(&self, records: &[SinkRecord]) {
        let mut told: Option<&Arc<str>> = None;
        for SinkRecord { topic, .. } in records {
            if told != Some(topic) {
                self.observer.on_topic(topic);
                told = Some(topic);
            }
        }
    }

    /// Puts the batch, as often as the task asks for it.
    async fn put(&mut self, batch: &mut Batch) -> Result<Flow, ConnectError> {
        let mut failing_since = None;
        // What is left of a batch is put, even if that is nothing.
        let mut left_over = false;
        while left_over || !batch.records.is_empty() {
            let put = self.spec.sink.put(&batch.records);
            match finish(&self.control.stop, self.spec.shutdown_grace, put).await {
                None => {
                    let (connector, task) = (&*self.spec.connector, self.spec.task);
                    tracing::warn!(
                        connector,
                        task,
                        "put did not finish in time; its records will be read again"
                    );
                    return Ok(Flow::Stop);
                }
                Some(Ok(rejected)) => {
                    let rejected = self.rejected(&batch.raw, rejected)?;
                    match self.settle(rejected).await? {
                        Some(settled) => settled?,
                        None => return Ok(Flow::Stop),
                    }
                    break;
                }
                Some(Err(PutError::RejectFirst(rejected))) => {
                    let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
                    let rejected = self.rejected(&batch.raw, rejected)?;
                    if rejected.is_empty() {
                        return Err(ConnectError::failed("the task asked to reject no record at all"));
                    }
                    match self.settle(rejected).await? {
                        Some(settled) => settled?,
                        None => return Ok(Flow::Stop),
                    }
                    batch.leave_out(&indexes);
                    left_over = true;
                }
                Some(Err(PutError::Seek { error, .. })) => {
                    return Err(ConnectError::caused("seeking is not built yet", error));
                }
                Some(Err(PutError::Fatal(error))) => {
                    return Err(ConnectError::caused(
                        "Exiting WorkerSinkTask due to unrecoverable exception",
                        error,
                    ));
                }
                Some(Err(PutError::Retriable { error, backoff })) => {
                    if failing_since.is_none() {
                        self.consumer.pause()?;
                    }
                    let failing_for = failing_since.get_or_insert_with(Instant::now).elapsed();
                    let why = self.spec.secrets.scrub(&error.chain());
                    tracing::warn!(
                        connector = self.spec.connector,
                        task = self.spec.task,
                        backoff_ms = backoff.as_millis() as u64,
                        error = why,
                        "put failed and will be repeated"
                    );
                    self.observer.on_retrying(failing_for, &why);
                    if let Flow::Stop = self.wait(backoff, batch).await? {
                        return Ok(Flow::Stop);
                    }
                }
            }
        }
        if failing_since.is_some() {
            self.consumer.resume()?;
            self.observer.on_running();
        }
        Ok(Flow::GoOn)
    }

    /// Lets `backoff` pass, and a pause, while the consumer stays a member of its group.
    async fn wait(&mut self, backoff: Duration, batch: &mut Batch) -> Result<Flow, ConnectError> {
        /// How often the consumer gets to handle what its group asks of it.
        const STEP: Duration = Duration::from_millis(100);
        let end = Instant::now() + backoff;
        loop {
            let polled = self.consumer.poll(self.spec.max_poll_records, Duration::ZERO).await?;
            let lost = self.consumer.take_revoked();
            if !lost.is_empty() {
                batch.forget(&lost);
                self.held.retain(|record| !lost.contains(&partition_of(record)));
            }
            self.held.extend(polled);
            if self.paused != self.control.is_paused() {
                // The consumer is paused for the retry, and stays so until that has succeeded.
                self.turn().await;
            }
            if Instant::now() >= self.next_commit {
                self.commit().await;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() && !self.paused && !self.control.stop.is_cancelled() {
                return Ok(Flow::GoOn);
            }
            tokio::select! {
                biased;
                () = self.control.stop.cancelled() => return Ok(Flow::Stop),
                () = sleep(if self.paused { STEP } else { left.min(STEP) }) => {}
            }
        }
    }

    /// A commit that fails is no reason to stop: the offsets stay marked, and the next commit takes them along.
    async fn commit(&mut self) {
        self.next_commit = Instant::now() + self.spec.commit_interval;
        if let Err(error) = self.consumer.commit().await {
            let (connector, task) = (&*self.spec.connector, self.spec.task);
            let error = self.spec.secrets.scrub(&error.chain());
            tracing::warn!(connector, task, error, "offsets could not be committed yet");
        }
    }
}

fn partition_of(record: &RawRecord) -> TopicPartition {
    TopicPartition { topic: record.topic.clone(), partition: record.partition }
}

/// Lets `work` finish, but once `stop` is cancelled for no longer than `grace`; `None` if it was cut off.
async fn finish<T>(stop: &CancellationToken, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return Some(done),
        () = stop.cancelled() => {}
    }
    timeout(grace, work).await.ok()
}
