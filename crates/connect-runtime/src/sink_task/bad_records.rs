//! What becomes of the records that cannot be read or written: dead-letter topic, log, count.

use super::{Loop, finish};
use crate::dead_letter::BadRecord;
use crate::errors::{Stage, Tolerance};
use crate::ports::RawRecord;
use connect_api::{ConnectError, Rejected};
use futures::future::try_join_all;

impl Loop<'_> {
    /// Returns once the records are acknowledged in the dead-letter topic, if there is one, logged and counted, which makes them done:
    /// `Some` with what ends the task, if they must not be passed over; `None` when the task had to stop before that.
    pub(super) async fn settle(
        &mut self,
        mut bad: Vec<BadRecord>,
    ) -> Result<Option<Result<(), ConnectError>>, ConnectError> {
        if bad.is_empty() {
            return Ok(Some(Ok(())));
        }
        if let Some(dead_letters) = &self.dead_letters {
            let sent = try_join_all(bad.iter().map(|bad| dead_letters.send(bad)));
            match finish(&self.control.stop, self.spec.shutdown_grace, sent).await {
                Some(sent) => sent?,
                None => return Ok(None),
            };
        }
        self.report(&bad);
        match self.spec.errors.tolerance {
            Tolerance::None => {
                return Ok(Some(bad.pop().map_or(Ok(()), |bad| Err(self.tolerance_exceeded(bad)))));
            }
            Tolerance::All if self.dead_letters.is_some() => {
                self.observer.on_bad_records(0, bad.len() as u64)
            }
            Tolerance::All => self.observer.on_bad_records(bad.len() as u64, 0),
        }
        Ok(Some(Ok(())))
    }

    /// What the task has rejected of the records that came as `raw`.
    pub(super) fn rejected(
        &self,
        raw: &[RawRecord],
        rejected: Vec<Rejected>,
    ) -> Result<Vec<BadRecord>, ConnectError> {
        let misuse =
            |what: String| ConnectError::failed(format!("the task class {} {what}", self.spec.task_class));
        if self.spec.errors.tolerance == Tolerance::None && !rejected.is_empty() {
            return Err(misuse("has rejected a record although errors.tolerance is none".into()));
        }
        let mut bad: Vec<BadRecord> = Vec::with_capacity(rejected.len());
        let mut last = None;
        for Rejected { index, error, headers } in rejected {
            if last.is_some_and(|last| last >= index) || index >= raw.len() {
                let length = raw.len();
                return Err(misuse(format!(
                    "has rejected record {index} of a batch of {length} after record {last:?}"
                )));
            }
            last = Some(index);
            bad.push(BadRecord {
                record: raw[index].clone(),
                stage: Stage::TaskPut,
                class: self.spec.task_class.clone().into(),
                error,
                headers,
            });
        }
        Ok(bad)
    }

    /// `errors.log.enable`.
    fn report(&self, bad: &[BadRecord]) {
        if !self.spec.errors.log {
            return;
        }
        for bad in bad {
            let (connector, task, stage) = (&*self.spec.connector, self.spec.task, bad.stage.as_str());
            let (class, error) = (&*bad.class, self.spec.secrets.scrub(&bad.error.chain()));
            let what = match bad.stage {
                Stage::TaskPut => "record could not be written",
                _ => "record could not be read",
            };
            if self.spec.errors.log_messages {
                let RawRecord { topic, partition, offset, timestamp, .. } = &bad.record;
                let topic = &**topic;
                tracing::error!(
                    connector, task, stage, class, topic, partition, offset, timestamp, error, "{what}"
                );
            } else {
                tracing::error!(connector, task, stage, class, error, "{what}");
            }
        }
    }

    fn tolerance_exceeded(&self, bad: BadRecord) -> ConnectError {
        let mut message = "Tolerance exceeded in error handler".to_owned();
        if let Some(dead_letters) = &self.dead_letters {
            message.push_str(&format!(" (the record is in the dead-letter topic {})", dead_letters.topic()));
        }
        message.push_str("; errors.tolerance=all would pass over such records");
        ConnectError::caused(message, bad)
    }
}
