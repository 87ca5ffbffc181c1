//! A record on its way to a sink, or from a source.

use crate::data::{SchemaRef, Value};
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A converted record with the place it came from. A schema is absent where the converter runs without schemas.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkRecord {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since the epoch, as the broker gave it.
    pub timestamp: Option<i64>,
    pub key_schema: Option<SchemaRef>,
    pub key: Value,
    pub value_schema: Option<SchemaRef>,
    pub value: Value,
}

/// A source's partition or offset: a small JSON object, its keys in the order in which they are written. A partition is found again
/// by its bytes, so a connector has to build the same one the same way each time.
pub type OffsetMap = serde_json::Map<String, serde_json::Value>;

/// A record as a source reads it, not converted yet.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRecord {
    /// Where it comes from; records of one source are in order. `None` where nothing can be remembered (a terminal).
    pub source_partition: Option<Arc<OffsetMap>>,
    /// Where to go on after this record; `None` if it is no place to go on from.
    pub source_offset: Option<OffsetMap>,
    pub topic: Arc<str>,
    /// `None` leaves the choice to the producer.
    pub partition: Option<i32>,
    /// Milliseconds since the epoch; `None` for the time of producing.
    pub timestamp: Option<i64>,
    pub key_schema: Option<SchemaRef>,
    pub key: Value,
    pub value_schema: Option<SchemaRef>,
    pub value: Value,
}
