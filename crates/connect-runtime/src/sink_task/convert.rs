//! From what the consumer has brought to what the sink is to put.

use super::batch::Batch;
use crate::dead_letter::BadRecord;
use crate::errors::{Stage, Tolerance};
use crate::ports::RawRecord;
use connect_api::{ConnectError, Converter, SinkRecord};

pub(super) struct Converters {
    pub(super) key: Box<dyn Converter>,
    pub(super) value: Box<dyn Converter>,
}

impl Converters {
    /// Converts `records` into `batch`, up to the first one that must end the task: the good records before it are still
    /// delivered; it and what follows is not.
    pub(super) fn convert(&mut self, records: Vec<RawRecord>, tolerance: Tolerance, batch: &mut Batch) {
        for raw in records {
            if batch.is_closed() {
                batch.leave_out(&raw);
                continue;
            }
            match self.convert_one(&raw) {
                Ok(record) => batch.push(record, raw),
                Err((stage, class, error)) => {
                    let class = class.into();
                    let bad = BadRecord { record: raw, stage, class, error, headers: Vec::new() };
                    match tolerance {
                        Tolerance::All => batch.push_bad(bad),
                        Tolerance::None => batch.close(bad),
                    }
                }
            }
        }
    }

    fn convert_one(&mut self, raw: &RawRecord) -> Result<SinkRecord, (Stage, &'static str, ConnectError)> {
        let (key_schema, key) = self
            .key
            .to_connect_data(&raw.topic, raw.key.as_ref())
            .map_err(|error| (Stage::KeyConverter, self.key.class_name(), error))?;
        let (value_schema, value) = self
            .value
            .to_connect_data(&raw.topic, raw.value.as_ref())
            .map_err(|error| (Stage::ValueConverter, self.value.class_name(), error))?;
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
