//! One batch into the sink, as often as the task asks for it, while the next one is collected.

use super::Facts;
use super::batch::{Batch, Span};
use super::intake::{Hold, Intake};
use super::run_loop::{Flow, Loop, unrecoverable};
use connect_api::{ConnectError, PutError, TopicPartition};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the consumer gets to handle what its group asks of it while a retry is waited for.
const STEP: Duration = Duration::from_millis(100);

/// Between two puts that have both sent the consumer elsewhere: somebody else may be writing, too.
const AFTER_SEEK: Duration = Duration::from_millis(500);

enum Failure {
    Put(PutError),
    DeadLetter(ConnectError),
}

impl Loop<'_> {
    pub(super) async fn deliver(&mut self, mut batch: Batch) -> Result<Flow, ConnectError> {
        self.tell_topics(&batch);
        if !batch.bad().is_empty() {
            let settling = self.bad_records.settle_unread(&batch);
            match beside(self.facts, &mut self.intake, settling).await {
                Some(settled) => settled?,
                None => return Ok(self.too_late()),
            }
        }
        let mut failing_since = None;
        // What is left of a batch after some were rejected is put, even if that is nothing.
        let mut left_over = false;
        loop {
            match self.attempt(&batch, left_over).await {
                None => return Ok(self.too_late()),
                Some(Ok(())) => break,
                Some(Err(Failure::DeadLetter(error))) => return Err(error),
                Some(Err(Failure::Put(PutError::Fatal(error)))) => return Err(unrecoverable(error)),
                Some(Err(Failure::Put(PutError::BadRecord(rejected)))) => {
                    let closing = self.bad_records.fail_for(&batch, rejected);
                    return match beside(self.facts, &mut self.intake, closing).await {
                        Some(error) => Err(unrecoverable(error)),
                        None => Ok(self.too_late()),
                    };
                }
                Some(Err(Failure::Put(PutError::Retriable { error, backoff }))) => {
                    self.intake.take_failure()?;
                    self.intake.hold(Hold::Retry)?;
                    let failing_for = failing_since.get_or_insert_with(Instant::now).elapsed();
                    self.tell_retry(failing_for, backoff, &error);
                    if let Flow::Stop = self.wait(backoff, &mut batch).await? {
                        return Ok(Flow::Stop);
                    }
                }
                Some(Err(Failure::Put(PutError::Seek { error, positions }))) => {
                    self.recovered(failing_since)?;
                    return self.seek(error, positions, batch).await;
                }
                Some(Err(Failure::Put(PutError::RejectFirst(rejected)))) => {
                    let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
                    if indexes.is_empty() {
                        let class = &self.facts.task_class;
                        return Err(ConnectError::failed(format!(
                            "{class} asked to reject no record at all"
                        )));
                    }
                    let settling = self.bad_records.settle_rejected(&batch, rejected);
                    match beside(self.facts, &mut self.intake, settling).await {
                        Some(settled) => settled?,
                        None => return Ok(self.too_late()),
                    }
                    batch.drop_rejected(&indexes);
                    left_over = true;
                }
            }
        }
        self.seeks = 0;
        self.recovered(failing_since)?;
        for Span { partition, first, next, .. } in batch.spans() {
            if next > first {
                self.intake.consumer.mark_done(partition, *next);
            }
        }
        match batch.take_closing() {
            Some(bad) => Err(self.bad_records.tolerance_exceeded(bad)),
            None => Ok(Flow::GoOn),
        }
    }

    /// Puts the batch once and settles what is rejected of it.
    async fn attempt(&mut self, batch: &Batch, also_empty: bool) -> Option<Result<(), Failure>> {
        let Self { facts, sink, intake, bad_records, .. } = self;
        let work = async {
            let records = batch.records();
            if records.is_empty() && !also_empty {
                return Ok(());
            }
            let rejected = sink.put(records).await.map_err(Failure::Put)?;
            bad_records.settle_rejected(batch, rejected).await.map_err(Failure::DeadLetter)
        };
        beside(facts, intake, work).await
    }

    fn too_late(&self) -> Flow {
        let (connector, task) = (&*self.facts.connector, self.facts.task);
        tracing::warn!(connector, task, "put did not finish in time; its records will be read again");
        Flow::Stop
    }

    fn tell_topics(&self, batch: &Batch) {
        let mut told: Option<&Arc<str>> = None;
        for record in batch.records() {
            if told != Some(&record.topic) {
                self.facts.observer.on_topic(&record.topic);
                told = Some(&record.topic);
            }
        }
    }

    fn tell_retry(&self, failing_for: Duration, backoff: Duration, error: &ConnectError) {
        let (connector, task) = (&*self.facts.connector, self.facts.task);
        let why = self.facts.secrets.scrub(&error.chain());
        let backoff_ms = backoff.as_millis() as u64;
        tracing::warn!(connector, task, backoff_ms, error = why, "put failed and will be repeated");
        self.facts.observer.on_retrying(failing_for, &why);
    }

    fn recovered(&mut self, failing_since: Option<Instant>) -> Result<(), ConnectError> {
        if failing_since.is_some() {
            self.intake.release(Hold::Retry)?;
            self.facts.observer.on_running();
        }
        Ok(())
    }

    /// Lets `backoff` pass, and a pause, while the consumer stays a member of its group.
    async fn wait(&mut self, backoff: Duration, batch: &mut Batch) -> Result<Flow, ConnectError> {
        let end = Instant::now() + backoff;
        loop {
            if self.intake.consumer.rebalance().is_none() {
                self.intake.look().await?;
            }
            if let Flow::Stop = self.follow_rebalance(Some(batch)).await? {
                return Ok(Flow::Stop);
            }
            // The consumer is paused for the retry, and stays so until that has succeeded.
            self.follow_pause().await?;
            self.intake.commit_if_due();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() && !self.paused && !self.facts.control.stop.is_cancelled() {
                return Ok(Flow::GoOn);
            }
            tokio::select! {
                biased;
                () = self.facts.control.stop.cancelled() => return Ok(Flow::Stop),
                () = self.intake.committed() => {}
                () = sleep(if self.paused { STEP } else { left.min(STEP) }) => {}
            }
        }
    }

    /// Nothing of the batch is written or marked. All of it is read again, from where the task says or from its own begin.
    async fn seek(
        &mut self,
        error: ConnectError,
        positions: Vec<(TopicPartition, i64)>,
        mut batch: Batch,
    ) -> Result<Flow, ConnectError> {
        let (connector, task) = (&*self.facts.connector, self.facts.task);
        let why = self.facts.secrets.scrub(&error.chain());
        tracing::warn!(connector, task, error = why, "put has written nothing and wants to read elsewhere");
        self.seeks = self.seeks.saturating_add(1);
        if self.seeks > 1 {
            tokio::select! {
                biased;
                () = self.facts.control.stop.cancelled() => return Ok(Flow::Stop),
                () = sleep(AFTER_SEEK) => {}
            }
        }
        // Where a partition that is given away is read next is for its next owner to say.
        if let Flow::Stop = self.follow_rebalance(Some(&mut batch)).await? {
            return Ok(Flow::Stop);
        }
        self.intake.seek(&batch.back_to(positions)).await?;
        Ok(Flow::GoOn)
    }
}

/// Lets `work` end while the next batch is collected; `None` if it took too long after the task was told to stop.
async fn beside<T>(facts: &Facts, intake: &mut Intake<'_>, work: impl Future<Output = T>) -> Option<T> {
    let too_late = async {
        facts.control.stop.cancelled().await;
        sleep(facts.shutdown_grace).await;
    };
    tokio::pin!(work, too_late);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            () = &mut too_late => return None,
            () = intake.beside_put() => {}
        }
    }
}
