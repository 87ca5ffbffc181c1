//! The loop of one source task: poll, convert, produce, wait for the acknowledgement, commit the offset.
//!
//! The rule that everything here serves (docs/specs/delivery.md): the offset of a record is committed only when that record and each
//! one before it in its source partition is acknowledged by Kafka, or passed over and counted because the user said
//! `errors.tolerance=all`.

mod fate;
mod flight;
mod records;

pub use records::BadSourceRecord;

use crate::control::TaskControl;
use crate::errors::ErrorPolicy;
use crate::observer::TaskObserver;
use crate::offsets::StoreReader;
use crate::ports::{KafkaClients, NotSent, OffsetStore, Settled, SourceProducer};
use crate::secrets::Secrets;
use crate::submitted::Submitted;
use connect_api::{
    ConfigMap, ConnectError, Converter, OffsetMap, PollError, SourceRecord, SourceTask, SourceTaskContext,
};
use flight::{Flight, Flying};
use records::Draft;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Everything a source task needs to run.
pub struct SourceTaskSpec {
    pub connector: String,
    pub task: usize,
    pub key_converter: Box<dyn Converter>,
    pub value_converter: Box<dyn Converter>,
    /// Not started yet; the loop starts and stops it.
    pub source: Box<dyn SourceTask>,
    /// The task's configuration, placeholders resolved.
    pub config: ConfigMap,
    /// Its dead-letter topic, if any, is not looked at: a source has none.
    pub errors: ErrorPolicy,
    pub clients: Arc<dyn KafkaClients>,
    /// `producer.override.*`, prefix removed.
    pub producer_overrides: ConfigMap,
    pub offsets: Arc<dyn OffsetStore>,
    /// `offset.flush.interval.ms`.
    pub commit_interval: Duration,
    /// How long to wait for acknowledgements when the task ends: a part of `task.shutdown.graceful.timeout.ms`.
    pub shutdown_grace: Duration,
    /// What the log must not show.
    pub secrets: Secrets,
}

/// How far the newest record may be ahead of the first that is not acknowledged; the producer's queue bounds their bytes.
const MOST_IN_FLIGHT: usize = 10_000;

/// Kafka answers faster than this, or the status should say what the task waits for.
const STALLED: Duration = Duration::from_secs(30);

/// Runs the task until it fails or is told to stop, which `Ok` means. In every case what was acknowledged is committed, if the
/// store lets it, and the task was stopped before this returns; a panic of a plugin is the caller's to catch. A task that is paused from
/// the beginning does not start before it is resumed; one that is paused later does not poll, and takes acknowledgements and commits.
pub async fn run(
    mut spec: SourceTaskSpec,
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
    let (mut source, grace) = (spec.source, spec.shutdown_grace);
    let (connector, task) = (spec.connector.clone(), spec.task);
    let outcome = match started {
        Err(error) => Err(error),
        Ok(None) => Ok(()),
        Ok(Some(producer)) => {
            observer.on_running();
            let mut desk = Desk {
                connector: spec.connector,
                task,
                key_converter: spec.key_converter,
                value_converter: spec.value_converter,
                errors: spec.errors,
                producer,
                store: spec.offsets,
                observer,
                control,
                secrets: spec.secrets,
                paused: false,
                submitted: Submitted::default(),
                flight: Flight::default(),
                settled: Settled::default(),
                progress: Instant::now(),
                stalled: false,
                skipped: 0,
                commit_interval: spec.commit_interval,
                next_flush: Instant::now() + spec.commit_interval,
            };
            let worked = desk.work(&mut *source).await;
            let drained = desk.drain(grace).await;
            desk.flush().await;
            worked.and(drained)
        }
    };
    if timeout(grace, source.stop()).await.is_err() {
        tracing::warn!(connector, task, "task did not stop in time and is left behind");
    }
    outcome
}

async fn start(spec: &mut SourceTaskSpec) -> Result<Box<dyn SourceProducer>, ConnectError> {
    let store = spec.offsets.clone();
    let context = SourceTaskContext {
        connector: spec.connector.clone(),
        task: spec.task,
        offsets: Arc::new(StoreReader { connector: spec.connector.clone(), store }),
    };
    spec.source.start(context, &spec.config).await?;
    spec.clients.source_producer(&spec.connector, spec.task, &spec.producer_overrides).await
}

enum Next {
    Stop,
    /// What has become of records is in [`Desk::settled`].
    Settled,
    Flush,
    /// Records wait and nothing moves.
    Stalled,
}

/// Everything on the way of a record but the source itself, which is borrowed by its poll most of the time.
struct Desk {
    connector: String,
    task: usize,
    key_converter: Box<dyn Converter>,
    value_converter: Box<dyn Converter>,
    errors: ErrorPolicy,
    producer: Box<dyn SourceProducer>,
    store: Arc<dyn OffsetStore>,
    observer: Arc<dyn TaskObserver>,
    control: TaskControl,
    secrets: Secrets,
    paused: bool,
    submitted: Submitted,
    flight: Flight,
    /// What the producer has told and was not looked at yet.
    settled: Settled,
    /// When the last record was settled, or the first after a pause handed over.
    progress: Instant,
    /// Whether the observer was told that nothing moves.
    stalled: bool,
    /// Records passed over and not yet reported.
    skipped: u64,
    commit_interval: Duration,
    next_flush: Instant,
}

impl Desk {
    /// `Ok` when the task is to stop.
    async fn work(&mut self, source: &mut dyn SourceTask) -> Result<(), ConnectError> {
        let mut failing_since: Option<Instant> = None;
        let mut draft = Draft::default();
        loop {
            if self.control.is_paused() && self.sit_out_pause().await?.is_none() {
                return Ok(());
            }
            let Some(polled) = self.attend_until(source.poll()).await? else { return Ok(()) };
            match polled {
                Ok(records) => {
                    if failing_since.take().is_some() {
                        self.observer.on_running();
                    }
                    for record in records {
                        if self.submit(record, &mut draft).await?.is_none() {
                            return Ok(());
                        }
                    }
                    self.report_skipped();
                }
                Err(PollError::Fatal(error)) => {
                    return Err(ConnectError::caused(
                        "Exiting WorkerSourceTask due to unrecoverable exception",
                        error,
                    ));
                }
                Err(PollError::Retriable { error, backoff }) => {
                    let failing_for = failing_since.get_or_insert_with(Instant::now).elapsed();
                    let (connector, task) = (&*self.connector, self.task);
                    let why = self.secrets.scrub(&error.chain());
                    let backoff_ms = backoff.as_millis() as u64;
                    tracing::warn!(
                        connector,
                        task,
                        backoff_ms,
                        error = why,
                        "poll failed and will be repeated"
                    );
                    self.observer.on_retrying(failing_for, &why);
                    let control = self.control.clone();
                    let paused_or_over = async {
                        let _ = timeout(backoff, control.until(true)).await;
                    };
                    if self.attend_until(paused_or_over).await?.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// `None` when the task is to stop.
    async fn sit_out_pause(&mut self) -> Result<Option<()>, ConnectError> {
        self.paused = true;
        self.observer.on_paused();
        // As Java does: whoever pauses wants to see how far it has come.
        self.flush().await;
        let control = self.control.clone();
        let resumed = self.attend_until(control.until(false)).await?;
        self.paused = false;
        if resumed.is_some() {
            self.observer.on_running();
        }
        Ok(resumed)
    }

    /// Converts the record and hands it to the producer; `None` when the task is to stop.
    async fn submit(
        &mut self,
        mut record: SourceRecord,
        draft: &mut Draft,
    ) -> Result<Option<()>, ConnectError> {
        while self.flight.span() >= MOST_IN_FLIGHT {
            let next = self.next().await;
            if !self.attend(next).await? {
                return Ok(None);
            }
        }
        let ticket = self.submitted.enter(record.source_partition.as_ref(), record.source_offset.take());
        let outgoing = match self.convert(&record, draft) {
            Ok(outgoing) => outgoing,
            Err((stage, class, error)) => {
                self.pass_over(ticket, &record.topic, stage, class, error)?;
                return Ok(Some(()));
            }
        };
        // Mostly there is room at once; then looking after everything else can wait for the end of the batch.
        while let Err(why) = self.producer.send(outgoing, self.flight.next()) {
            match why {
                NotSent::NoRoom => {
                    let next = self.next().await;
                    if !self.attend(next).await? {
                        return Ok(None);
                    }
                }
                NotSent::Refused(error) => {
                    self.refused(ticket, &record.topic, error)?;
                    return Ok(Some(()));
                }
            }
        }
        if self.flight.len() == 0 {
            self.progress = Instant::now();
        }
        self.flight.enter(Flying { ticket, topic: record.topic });
        Ok(Some(()))
    }

    /// Lets `work` finish while acknowledgements are taken and offsets flushed; `None` when the task is to stop.
    async fn attend_until<T>(&mut self, work: impl Future<Output = T>) -> Result<Option<T>, ConnectError> {
        tokio::pin!(work);
        loop {
            // Only the waiting is dropped when the work is done first; a flush that has begun is finished.
            let next = tokio::select! {
                biased;
                next = self.next() => next,
                done = &mut work => return Ok(Some(done)),
            };
            if !self.attend(next).await? {
                return Ok(None);
            }
        }
    }

    /// What has to be looked after next.
    async fn next(&mut self) -> Next {
        let waiting = self.flight.len() > 0;
        tokio::select! {
            biased;
            () = self.control.stop.cancelled() => Next::Stop,
            () = self.producer.settled(&mut self.settled) => Next::Settled,
            () = sleep_until(self.next_flush) => Next::Flush,
            () = sleep_until(self.progress + STALLED), if waiting && !self.stalled => Next::Stalled,
        }
    }

    /// `false` when the task is to stop.
    async fn attend(&mut self, next: Next) -> Result<bool, ConnectError> {
        match next {
            Next::Stop => return Ok(false),
            Next::Settled => self.settle()?,
            Next::Flush => self.flush().await,
            Next::Stalled => self.complain(),
        }
        Ok(true)
    }

    fn complain(&mut self) {
        self.stalled = true;
        let why = format!(
            "Kafka has not acknowledged a record for {} s; {} wait",
            STALLED.as_secs(),
            self.flight.len()
        );
        tracing::warn!(connector = self.connector, task = self.task, "{why}");
        self.observer.on_retrying(self.progress.elapsed(), &why);
    }

    /// Waits for what is in flight, but no longer than `grace`; the first failure is the answer, the rest is still waited for.
    async fn drain(&mut self, grace: Duration) -> Result<(), ConnectError> {
        let deadline = Instant::now() + grace;
        let mut outcome = Ok(());
        while self.flight.len() > 0 {
            if timeout_at(deadline, self.producer.settled(&mut self.settled)).await.is_err() {
                let (connector, task, records) = (&*self.connector, self.task, self.flight.len());
                tracing::warn!(
                    connector,
                    task,
                    records,
                    "records were not acknowledged in time; they will be read again"
                );
                break;
            }
            outcome = outcome.and(self.settle());
        }
        self.report_skipped();
        outcome
    }

    /// A flush that fails is no reason to stop: the offsets stay committable, and the next flush takes them along.
    async fn flush(&mut self) {
        self.next_flush = Instant::now() + self.commit_interval;
        let offsets = self.submitted.take_committable();
        if offsets.is_empty() {
            return;
        }
        if let Err(error) = self.store.set(&self.connector, some(&offsets)).await {
            let (connector, task) = (&*self.connector, self.task);
            let error = self.secrets.scrub(&error.chain());
            tracing::warn!(connector, task, error, "offsets could not be committed yet");
            self.submitted.put_back(offsets);
        }
    }
}

fn some(offsets: &[(Arc<OffsetMap>, OffsetMap)]) -> Vec<(Arc<OffsetMap>, Option<OffsetMap>)> {
    offsets.iter().map(|(partition, offset)| (partition.clone(), Some(offset.clone()))).collect()
}
