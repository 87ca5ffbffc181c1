//! From what the source has given to what the producer takes, and what happens to a record that does not get there.

use super::Desk;
use crate::errors::{Stage, Tolerance};
use crate::ports::ProducerRecord;
use crate::submitted::Ticket;
use connect_api::{ConnectError, SourceRecord};

/// What Java names in the place of the producer.
pub(super) const PRODUCER_CLASS: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";

/// A source record that did not get into its topic: which, where and why.
#[derive(Debug, thiserror::Error)]
#[error("record from {place} for topic {topic} failed in {} ({class}) with {}", stage.as_str(), error.java_class())]
pub struct BadSourceRecord {
    /// Source partition and offset, as JSON.
    pub place: String,
    pub topic: String,
    pub stage: Stage,
    pub class: &'static str,
    #[source]
    pub error: ConnectError,
}

/// Where records are converted, one after the other: the producer copies them.
#[derive(Default)]
pub(super) struct Draft {
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Memory beyond this is not kept for the next record.
const MOST_KEPT: usize = 64 * 1024;

impl Draft {
    fn clear(&mut self) {
        for part in [&mut self.key, &mut self.value] {
            part.clear();
            part.shrink_to(MOST_KEPT);
        }
    }
}

impl Desk {
    pub(super) fn convert<'a>(
        &mut self,
        record: &'a SourceRecord,
        draft: &'a mut Draft,
    ) -> Result<ProducerRecord<'a>, (Stage, &'static str, ConnectError)> {
        let SourceRecord { topic, partition, timestamp, key_schema, key, value_schema, value, .. } = record;
        draft.clear();
        let has_key = self
            .key_converter
            .from_connect_data(topic, key_schema.as_ref(), key, &mut draft.key)
            .map_err(|error| (Stage::KeyConverter, self.key_converter.class_name(), error))?;
        let has_value = self
            .value_converter
            .from_connect_data(topic, value_schema.as_ref(), value, &mut draft.value)
            .map_err(|error| (Stage::ValueConverter, self.value_converter.class_name(), error))?;
        Ok(ProducerRecord {
            topic,
            partition: *partition,
            timestamp: *timestamp,
            key: has_key.then_some(&*draft.key),
            value: has_value.then_some(&*draft.value),
        })
    }

    /// The user decides with `errors.tolerance` whether the task goes on without the record.
    pub(super) fn pass_over(
        &mut self,
        ticket: Option<Ticket>,
        topic: &str,
        stage: Stage,
        class: &'static str,
        error: ConnectError,
    ) -> Result<(), ConnectError> {
        let bad = self.bad(ticket, topic, stage, class, error);
        if self.errors.log {
            let (connector, task, stage) = (&*self.connector, self.task, stage.as_str());
            let error = self.secrets.scrub(&bad.error.chain());
            if self.errors.log_messages {
                tracing::error!(
                    connector,
                    task,
                    stage,
                    class,
                    topic,
                    source = bad.place,
                    error,
                    "record could not be written"
                );
            } else {
                tracing::error!(connector, task, stage, class, error, "record could not be written");
            }
        }
        if self.errors.tolerance == Tolerance::None {
            let message =
                "Tolerance exceeded in error handler; errors.tolerance=all would pass over such records";
            return Err(ConnectError::caused(message, bad));
        }
        self.submitted.done(ticket);
        self.skipped += 1;
        Ok(())
    }

    pub(super) fn bad(
        &self,
        ticket: Option<Ticket>,
        topic: &str,
        stage: Stage,
        class: &'static str,
        error: ConnectError,
    ) -> BadSourceRecord {
        let place =
            ticket.map_or_else(|| "an unknown place".to_owned(), |ticket| self.submitted.place(ticket));
        BadSourceRecord { place, topic: topic.to_owned(), stage, class, error }
    }

    pub(super) fn report_skipped(&mut self) {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            self.observer.on_bad_records(skipped, 0);
        }
    }
}
