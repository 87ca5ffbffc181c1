//! Between the bytes of a Kafka message and values.

use crate::{ConnectError, SchemaRef, Value};
use bytes::Bytes;

/// `org.apache.kafka.connect.storage.Converter`, both directions. One instance serves one task and one side (key or
/// value) and may keep a cache of schemas, hence `&mut self`.
pub trait Converter: Send {
    /// `None` as input is Kafka's null (a tombstone's value, a missing key).
    fn to_connect_data(
        &mut self,
        topic: &str,
        bytes: Option<&Bytes>,
    ) -> Result<(Option<SchemaRef>, Value), ConnectError>;

    /// Appends the message to `out`, a buffer that the caller uses again and again. `false` is Kafka's null, and nothing is
    /// appended; what an error leaves there means nothing.
    #[expect(clippy::wrong_self_convention, reason = "Kafka's name for it")]
    fn from_connect_data(
        &mut self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConnectError>;

    /// The Java class name, for dead-letter headers.
    fn class_name(&self) -> &'static str;
}
