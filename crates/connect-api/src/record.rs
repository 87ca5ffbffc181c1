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

/// Where to go on after a record. Most are replaced by a later one before anybody looks at them, so whole numbers under
/// names that are known beforehand are kept as such, and become an [`OffsetMap`] when they are committed.
#[derive(Clone, Debug)]
pub struct SourceOffset(Kept);

/// How many numbers an offset may have.
const MOST_NUMBERS: usize = 3;

#[derive(Clone, Debug)]
enum Kept {
    Map(Box<OffsetMap>),
    Numbers { names: &'static [&'static str], values: [i64; MOST_NUMBERS] },
}

impl SourceOffset {
    /// Up to three numbers, in the order in which they are written.
    pub fn numbers<const N: usize>(names: &'static [&'static str; N], numbers: [i64; N]) -> Self {
        const { assert!(N <= MOST_NUMBERS) }
        let mut values = [0; MOST_NUMBERS];
        values[..N].copy_from_slice(&numbers);
        Self(Kept::Numbers { names, values })
    }

    pub fn map(&self) -> OffsetMap {
        match &self.0 {
            Kept::Map(map) => (**map).clone(),
            Kept::Numbers { names, values } => {
                names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
            }
        }
    }
}

impl From<OffsetMap> for SourceOffset {
    fn from(map: OffsetMap) -> Self {
        Self(Kept::Map(Box::new(map)))
    }
}

/// However it is kept.
impl PartialEq for SourceOffset {
    fn eq(&self, other: &Self) -> bool {
        self.map() == other.map()
    }
}

/// A record as a source reads it, not converted yet.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRecord {
    /// Where it comes from; records of one source are in order. `None` where nothing can be remembered (a terminal).
    pub source_partition: Option<Arc<OffsetMap>>,
    /// Where to go on after this record; `None` if it is no place to go on from.
    pub source_offset: Option<SourceOffset>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_the_same_object_however_it_is_kept() {
        let numbers = SourceOffset::numbers(&["timestamp", "incrementing"], [-1, i64::MAX]);
        let text = r#"{"timestamp":-1,"incrementing":9223372036854775807}"#;
        assert_eq!(serde_json::to_string(&numbers.map()).unwrap(), text);
        assert_eq!(numbers, SourceOffset::from(serde_json::from_str::<OffsetMap>(text).unwrap()));
        assert_ne!(numbers, SourceOffset::numbers(&["timestamp", "incrementing"], [-1, 0]));
        assert_eq!(SourceOffset::numbers(&[], []).map(), OffsetMap::new());
    }
}
