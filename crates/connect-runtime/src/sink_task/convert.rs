//! From what the consumer has brought to what the sink is to put.

use super::{Loop, partition_of};
use crate::dead_letter::BadRecord;
use crate::errors::{Stage, Tolerance};
use crate::ports::RawRecord;
use connect_api::{ConnectError, SinkRecord, TopicPartition};
use std::collections::BTreeMap;

/// A batch on its way into the sink.
pub(super) struct Batch {
    pub(super) records: Vec<SinkRecord>,
    /// What `records` were made of, one by one, for those that the sink rejects.
    pub(super) raw: Vec<RawRecord>,
    /// The offset after the batch, by partition: what is done once `records` are put.
    pub(super) done: BTreeMap<TopicPartition, i64>,
    /// What ends the task after this batch.
    pub(super) failure: Option<ConnectError>,
}

impl Batch {
    /// Drops what has been rejected; `indexes` ascend.
    pub(super) fn leave_out(&mut self, indexes: &[usize]) {
        for index in indexes.iter().rev() {
            self.records.remove(*index);
            self.raw.remove(*index);
        }
    }

    /// Drops what belongs to partitions that are somebody else's now.
    pub(super) fn forget(&mut self, lost: &[TopicPartition]) {
        let is_lost = |topic: &str, partition: i32| {
            lost.iter().any(|lost| lost.partition == partition && &*lost.topic == topic)
        };
        self.records.retain(|record| !is_lost(&record.topic, record.partition));
        self.raw.retain(|record| !is_lost(&record.topic, record.partition));
        self.done.retain(|partition, _| !lost.contains(partition));
    }
}

impl Loop<'_> {
    /// Converts up to the first record that must stop the task. Bad records are acknowledged in the dead-letter topic
    /// when this returns; `None` when the task had to stop before that.
    pub(super) async fn convert(&mut self, records: Vec<RawRecord>) -> Result<Option<Batch>, ConnectError> {
        let mut batch = Batch {
            records: Vec::with_capacity(records.len()),
            raw: Vec::with_capacity(records.len()),
            done: BTreeMap::new(),
            failure: None,
        };
        let mut bad = Vec::new();
        for raw in records {
            let (partition, next_offset) = (partition_of(&raw), raw.offset + 1);
            match self.convert_one(&raw) {
                Ok(record) => {
                    batch.records.push(record);
                    batch.raw.push(raw);
                }
                Err((stage, class, error)) => {
                    let class = class.into();
                    bad.push(BadRecord { record: raw, stage, class, error, headers: Vec::new() });
                    // The good records before it are still delivered; it and what follows is not.
                    if self.spec.errors.tolerance == Tolerance::None {
                        break;
                    }
                }
            }
            batch.done.insert(partition, next_offset);
        }
        let Some(settled) = self.settle(bad).await? else { return Ok(None) };
        batch.failure = settled.err();
        Ok(Some(batch))
    }

    fn convert_one(&mut self, raw: &RawRecord) -> Result<SinkRecord, (Stage, &'static str, ConnectError)> {
        let spec = &mut *self.spec;
        let (key_schema, key) = spec
            .key_converter
            .to_connect_data(&raw.topic, raw.key.as_ref())
            .map_err(|error| (Stage::KeyConverter, spec.key_converter.class_name(), error))?;
        let (value_schema, value) = spec
            .value_converter
            .to_connect_data(&raw.topic, raw.value.as_ref())
            .map_err(|error| (Stage::ValueConverter, spec.value_converter.class_name(), error))?;
        let RawRecord { topic, partition, offset, timestamp, .. } = raw;
        Ok(SinkRecord {
            topic: topic.clone(),
            partition: *partition,
            offset: *offset,
            timestamp: *timestamp,
            key_schema,
            key,
            value_schema,
            value,
        })
    }
}
