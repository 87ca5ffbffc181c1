//! From what the consumer has brought to what the sink is to put.

use super::apart::Apart;
use super::batch::{Batch, size};
use crate::dead_letter::BadRecord;
use crate::errors::{Stage, Tolerance};
use crate::ports::RawRecord;
use connect_api::{ConnectError, Converter, SinkRecord};

pub(super) struct Converters {
    key: Box<dyn Converter>,
    value: Box<dyn Converter>,
    apart: Apart,
    /// Whether somebody gets to see the records as they came: the dead-letter topic.
    keep_raw: bool,
}

impl Converters {
    pub(super) fn new(key: Box<dyn Converter>, value: Box<dyn Converter>, keep_raw: bool) -> Self {
        Self { key, value, apart: Apart::default(), keep_raw }
    }

    /// Converts `records` into `batch`, up to the first one that must end the task: the good records before it are still
    /// delivered; it and what follows is not.
    pub(super) fn convert(&mut self, records: Vec<RawRecord>, tolerance: Tolerance, batch: &mut Batch) {
        for raw in records {
            if batch.is_closed() {
                batch.leave_out(&raw);
                continue;
            }
            match self.convert_one(&raw) {
                Ok(mut record) => {
                    if !self.keep_raw {
                        self.apart.set(&mut record.key, &mut record.value, size(&raw));
                    }
                    batch.push(record, raw, self.keep_raw);
                }
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
