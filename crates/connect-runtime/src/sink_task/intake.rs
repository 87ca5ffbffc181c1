//! What comes from Kafka, converted into the next batch, and what goes back to it: pauses and commits.

use super::Facts;
use super::batch::Batch;
use super::convert::Converters;
use crate::ports::{Commit, SinkConsumer};
use connect_api::{ConnectError, TopicPartition};
use std::future::pending;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The next batch is full with as many bytes, whatever the number of records.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// While a put is under way, this many records are read at once at most: it gets no further meanwhile.
const MAX_BESIDE: usize = 64;

/// How long a full batch waits for the put before it without asking the consumer for anything. Then that is paused, for it has to be
/// asked to stay in its group. Not at once: what a paused consumer has fetched is thrown away.
const LONG_PUT: Duration = Duration::from_secs(5);

pub(super) struct Limits {
    /// Records at once from the consumer.
    pub(super) poll: usize,
    /// Records in a batch.
    pub(super) batch: usize,
    pub(super) commit_interval: Duration,
}

/// Why the consumer is paused; there may be several reasons.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    /// The user wants it so.
    User,
    /// A put is to be repeated.
    Retry,
    /// The next batch is full, and the put before it takes long.
    Full,
}

pub(super) struct Intake<'a> {
    facts: &'a Facts,
    pub(super) consumer: Box<dyn SinkConsumer>,
    converters: Converters,
    limits: Limits,
    /// What is put next.
    next: Batch,
    full_since: Option<Instant>,
    holds: [bool; 3],
    /// What the consumer said while a put was under way, which is to be finished first.
    failure: Option<ConnectError>,
    committing: Option<Commit>,
    next_commit: Instant,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        facts: &'a Facts,
        consumer: Box<dyn SinkConsumer>,
        converters: Converters,
        limits: Limits,
    ) -> Self {
        Self {
            facts,
            consumer,
            converters,
            next: Batch::default(),
            full_since: None,
            holds: [false; 3],
            failure: None,
            committing: None,
            next_commit: Instant::now() + limits.commit_interval,
            limits,
        }
    }

    pub(super) fn has_next(&self) -> bool {
        !self.next.is_empty()
    }

    pub(super) fn take_next(&mut self) -> Result<Batch, ConnectError> {
        self.full_since = None;
        self.release(Hold::Full)?;
        Ok(self.next.take())
    }

    pub(super) fn take_failure(&mut self) -> Result<(), ConnectError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// While no put is under way: waits for records, a change of the user's mind, a rebalance, or until a commit is due.
    pub(super) async fn wait(&mut self, paused: bool) -> Result<(), ConnectError> {
        let until_commit = self.until_commit();
        let room = self.room().max(1);
        tokio::select! {
            biased;
            () = self.facts.control.stop.cancelled() => {}
            () = self.facts.control.until(!paused) => {}
            () = committed(&mut self.committing, self.facts) => {}
            polled = self.consumer.poll(self.limits.poll.min(room), until_commit) => self.take_in(polled?),
        }
        Ok(())
    }

    /// One step of what is done while a put is under way. May be dropped at any time.
    pub(super) async fn beside_put(&mut self) {
        self.commit_if_due();
        let mut rest = self.until_commit();
        let mut polls = self.failure.is_none()
            && !self.next.is_closed()
            && !self.facts.control.stop.is_cancelled()
            && self.consumer.rebalance().is_none();
        if polls && self.room() == 0 && !self.holds[Hold::Full as usize] {
            let full_for = self.full_since.get_or_insert_with(Instant::now).elapsed();
            let left = LONG_PUT.saturating_sub(full_for);
            if !left.is_zero() {
                rest = rest.min(left);
                polls = false;
            } else if let Err(error) = self.hold(Hold::Full) {
                self.failure = Some(error);
                polls = false;
            }
        }
        let max_records = self.limits.poll.min(MAX_BESIDE).min(self.room().max(1));
        tokio::select! {
            biased;
            () = committed(&mut self.committing, self.facts) => {}
            polled = self.consumer.poll(max_records, rest), if polls => match polled {
                Ok(records) => self.take_in(records),
                Err(error) => self.failure = Some(error),
            },
            () = sleep(rest), if !polls => {}
        }
    }

    /// What is there right now; the consumer gets to handle what its group asks of it.
    pub(super) async fn look(&mut self) -> Result<(), ConnectError> {
        let polled = self.consumer.poll(self.limits.poll.min(self.room().max(1)), Duration::ZERO).await?;
        self.take_in(polled);
        Ok(())
    }

    fn take_in(&mut self, records: Vec<crate::ports::RawRecord>) {
        self.converters.convert(records, self.facts.errors.tolerance, &mut self.next);
    }

    /// How many more records the next batch may take.
    fn room(&self) -> usize {
        if self.next.bytes() >= MAX_BYTES { 0 } else { self.limits.batch.saturating_sub(self.next.len()) }
    }

    /// Drops what it holds of these partitions.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        self.next.forget(partitions);
    }

    pub(super) async fn seek(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        let partitions: Vec<_> = positions.iter().map(|(partition, _)| partition.clone()).collect();
        self.forget(&partitions);
        self.consumer.seek(positions).await
    }

    pub(super) fn hold(&mut self, why: Hold) -> Result<(), ConnectError> {
        let held = self.holds.contains(&true);
        self.holds[why as usize] = true;
        if held { Ok(()) } else { self.consumer.pause() }
    }

    pub(super) fn release(&mut self, why: Hold) -> Result<(), ConnectError> {
        let was_held = std::mem::replace(&mut self.holds[why as usize], false);
        if was_held && !self.holds.contains(&true) { self.consumer.resume() } else { Ok(()) }
    }

    fn until_commit(&self) -> Duration {
        self.next_commit.saturating_duration_since(Instant::now())
    }

    /// Begins the regular commit, which nothing waits for.
    pub(super) fn commit_if_due(&mut self) {
        if Instant::now() < self.next_commit {
            return;
        }
        self.next_commit = Instant::now() + self.limits.commit_interval;
        if self.committing.is_none() {
            self.committing = Some(self.consumer.commit());
        }
    }

    /// Returns when a commit that was on its way has ended; at once if there is none.
    pub(super) async fn end_commit(&mut self) {
        if self.committing.is_some() {
            committed(&mut self.committing, self.facts).await;
        }
    }

    /// Commits and waits for it.
    pub(super) async fn commit(&mut self) {
        self.end_commit().await;
        self.next_commit = Instant::now() + self.limits.commit_interval;
        self.committing = Some(self.consumer.commit());
        self.end_commit().await;
    }

    /// Returns when the commit on its way has ended; never if there is none.
    pub(super) async fn committed(&mut self) {
        committed(&mut self.committing, self.facts).await;
    }
}

/// A commit that fails is no reason to stop: the offsets stay marked, and the next commit takes them along.
async fn committed(committing: &mut Option<Commit>, facts: &Facts) {
    let Some(commit) = committing else { return pending().await };
    let outcome = commit.await;
    *committing = None;
    if let Err(error) = outcome {
        let (connector, task) = (&*facts.connector, facts.task);
        let error = facts.secrets.scrub(&error.chain());
        tracing::warn!(connector, task, error, "offsets could not be committed yet");
    }
}
