//! What becomes of the records that cannot be read or written: dead-letter topic, log, count.

use super::Facts;
use super::batch::Batch;
use crate::dead_letter::{BadRecord, DeadLetters};
use crate::errors::{Stage, Tolerance};
use crate::ports::RawRecord;
use connect_api::{ConnectError, Rejected};
use futures::future::try_join_all;

/// What `__connect.errors.class.name` says of a record that a task rejected: Java names the interface, whichever task it was.
const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";

pub(super) struct BadRecords<'a> {
    facts: &'a Facts,
    dead_letters: Option<DeadLetters>,
}

impl<'a> BadRecords<'a> {
    pub(super) fn new(facts: &'a Facts, dead_letters: Option<DeadLetters>) -> Self {
        Self { facts, dead_letters }
    }

    /// What could not be converted of a batch; before the batch is put, for a task that keeps its own positions may pass it with that.
    pub(super) async fn settle_unread(&self, batch: &Batch) -> Result<(), ConnectError> {
        self.settle(batch.bad()).await
    }

    /// What the task has rejected of a batch.
    pub(super) async fn settle_rejected(
        &self,
        batch: &Batch,
        rejected: Vec<Rejected>,
    ) -> Result<(), ConnectError> {
        self.settle(&self.rejected(batch, rejected)?).await
    }

    /// What the record ends the task with that it could not write and may not reject, once that is in the dead-letter topic. As in Java's
    /// worker the error speaks of tolerance only where somebody asked to be told of such records.
    pub(super) async fn fail_for(&self, batch: &Batch, rejected: Rejected) -> ConnectError {
        let bad = match self.bad_record(batch, rejected) {
            Ok(bad) => bad,
            Err(error) => return error,
        };
        if self.dead_letters.is_none() && !self.facts.errors.log {
            return bad.error;
        }
        match self.settle(std::slice::from_ref(&bad)).await {
            Ok(()) => self.tolerance_exceeded(bad),
            Err(error) => error,
        }
    }

    /// Returns once the records are acknowledged in the dead-letter topic, if there is one, logged and counted. With that they are
    /// done, except for the one that ends the task.
    async fn settle(&self, bad: &[BadRecord]) -> Result<(), ConnectError> {
        if bad.is_empty() {
            return Ok(());
        }
        if let Some(dead_letters) = &self.dead_letters {
            try_join_all(bad.iter().map(|bad| dead_letters.send(bad))).await?;
        }
        for bad in bad {
            self.report(bad);
        }
        match (self.facts.errors.tolerance, &self.dead_letters) {
            (Tolerance::None, _) => {}
            (Tolerance::All, Some(_)) => self.facts.observer.on_bad_records(0, bad.len() as u64),
            (Tolerance::All, None) => self.facts.observer.on_bad_records(bad.len() as u64, 0),
        }
        Ok(())
    }

    fn rejected(&self, batch: &Batch, rejected: Vec<Rejected>) -> Result<Vec<BadRecord>, ConnectError> {
        if self.facts.errors.tolerance == Tolerance::None && !rejected.is_empty() {
            return Err(self.misuse("although errors.tolerance is none"));
        }
        let mut bad = Vec::with_capacity(rejected.len());
        let mut last = None;
        for rejected in rejected {
            let index = rejected.index;
            bad.push(self.bad_record(batch, rejected)?);
            if let Some(last) = last.replace(index).filter(|last| *last >= index) {
                return Err(self.misuse(&format!("at {index} of the batch after that at {last}")));
            }
        }
        Ok(bad)
    }

    fn bad_record(&self, batch: &Batch, rejected: Rejected) -> Result<BadRecord, ConnectError> {
        let Rejected { index, error, headers } = rejected;
        let Some(record) = batch.raw(index) else {
            return Err(self.misuse(&format!("at {index} of a batch of {}", batch.records().len())));
        };
        let class = SINK_TASK.into();
        Ok(BadRecord { record, stage: Stage::TaskPut, class, error, headers })
    }

    fn misuse(&self, what: &str) -> ConnectError {
        let class = &self.facts.task_class;
        ConnectError::failed(format!("{class} has rejected a record {what}: that is its fault"))
    }

    /// `errors.log.enable`.
    fn report(&self, bad: &BadRecord) {
        let Facts { connector, task, errors, secrets, .. } = self.facts;
        if !errors.log {
            return;
        }
        let (connector, task, stage) = (&**connector, *task, bad.stage.as_str());
        let (class, error) = (&*bad.class, secrets.scrub(&bad.error.chain()));
        let what = match bad.stage {
            Stage::TaskPut => "record could not be written",
            _ => "record could not be read",
        };
        if errors.log_messages {
            let RawRecord { topic, partition, offset, timestamp, .. } = &bad.record;
            let topic = &**topic;
            tracing::error!(
                connector, task, stage, class, topic, partition, offset, timestamp, error, "{what}"
            );
        } else {
            tracing::error!(connector, task, stage, class, error, "{what}");
        }
    }

    /// What a record ends the task with when nothing is tolerated.
    pub(super) fn tolerance_exceeded(&self, bad: BadRecord) -> ConnectError {
        let mut message = "Tolerance exceeded in error handler".to_owned();
        if let Some(dead_letters) = &self.dead_letters {
            message.push_str(&format!(" (the record is in the dead-letter topic {})", dead_letters.topic()));
        }
        message.push_str("; errors.tolerance=all would pass over such records");
        ConnectError::caused(message, bad)
    }
}
