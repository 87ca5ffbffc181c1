//! From what the consumer has brought to what the sink is to put.

use super::{Loop, finish, partition_of};
use crate::dead_letter::BadRecord;
use crate::errors::{Stage, Tolerance};
use crate::ports::RawRecord;
use connect_api::{ConnectError, SinkRecord, TopicPartition};
use futures::future::try_join_all;
use std::collections::BTreeMap;

/// A batch on its way into the sink.
pub(super) struct Batch {
    pub(super) records: Vec<SinkRecord>,
    /// The offset after the batch, by partition: what is done once `records` are put.
    pub(super) done: BTreeMap<TopicPartition, i64>,
    /// What ends the task after this batch.
    pub(super) failure: Option<ConnectError>,
}

impl Batch {
    /// Drops what belongs to partitions that are somebody else's now.
    pub(super) fn forget(&mut self, lost: &[TopicPartition]) {
        self.records.retain(|record| {
            !lost.iter().any(|lost| lost.partition == record.partition && lost.topic == record.topic)
        });
        self.done.retain(|partition, _| !lost.contains(partition));
    }
}

impl Loop<'_> {
    /// Converts up to the first record that must stop the task. Bad records are acknowledged in the dead-letter topic
    /// when this returns; `None` when the task had to stop before that.
    pub(super) async fn convert(&mut self, records: Vec<RawRecord>) -> Result<Option<Batch>, ConnectError> {
        let mut batch =
            Batch { records: Vec::with_capacity(records.len()), done: BTreeMap::new(), failure: None };
        let mut bad = Vec::new();
        for raw in records {
            let (partition, next_offset) = (partition_of(&raw), raw.offset + 1);
            match self.convert_one(raw) {
                Ok(record) => batch.records.push(record),
                Err(fault) => {
                    bad.push(*fault);
                    // The good records before it are still delivered; it and what follows is not.
                    if self.spec.errors.tolerance == Tolerance::None {
                        break;
                    }
                }
            }
            batch.done.insert(partition, next_offset);
        }
        if bad.is_empty() {
            return Ok(Some(batch));
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
            Tolerance::None => batch.failure = bad.pop().map(|bad| self.tolerance_exceeded(bad)),
            Tolerance::All if self.dead_letters.is_some() => {
                self.observer.on_bad_records(0, bad.len() as u64)
            }
            Tolerance::All => self.observer.on_bad_records(bad.len() as u64, 0),
        }
        Ok(Some(batch))
    }

    fn convert_one(&mut self, raw: RawRecord) -> Result<SinkRecord, Box<BadRecord>> {
        let fault = |record, stage, class, error| Box::new(BadRecord { record, stage, class, error });
        let key = self.spec.key_converter.to_connect_data(&raw.topic, raw.key.as_ref());
        let (key_schema, key) = match key {
            Ok(key) => key,
            Err(error) => {
                return Err(fault(raw, Stage::KeyConverter, self.spec.key_converter.class_name(), error));
            }
        };
        let value = self.spec.value_converter.to_connect_data(&raw.topic, raw.value.as_ref());
        let (value_schema, value) = match value {
            Ok(value) => value,
            Err(error) => {
                return Err(fault(raw, Stage::ValueConverter, self.spec.value_converter.class_name(), error));
            }
        };
        let RawRecord { topic, partition, offset, timestamp, .. } = raw;
        Ok(SinkRecord { topic, partition, offset, timestamp, key_schema, key, value_schema, value })
    }

    /// `errors.log.enable`.
    fn report(&self, bad: &[BadRecord]) {
        if !self.spec.errors.log {
            return;
        }
        for bad in bad {
            let (connector, task, stage) = (&*self.spec.connector, self.spec.task, bad.stage.as_str());
            let (class, error) = (bad.class, self.spec.secrets.scrub(&bad.error.chain()));
            if self.spec.errors.log_messages {
                let RawRecord { topic, partition, offset, timestamp, .. } = &bad.record;
                let topic = &**topic;
                tracing::error!(
                    connector,
                    task,
                    stage,
                    class,
                    topic,
                    partition,
                    offset,
                    timestamp,
                    error,
                    "record could not be read"
                );
            } else {
                tracing::error!(connector, task, stage, class, error, "record could not be read");
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
