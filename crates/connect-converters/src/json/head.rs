//! The beginning of an envelope, up to its payload: the same bytes in nearly all messages of a topic, and most of each. A
//! message that begins like the last one is read from its payload on; whatever is unusual is read from its first byte.

use super::context::Context;
use super::value::ValueSeed;
use bytes::Bytes;
use connect_api::{SchemaRef, Value};
use serde::de::DeserializeSeed;

pub(super) struct Head {
    /// `{"schema":…,"payload":`
    text: Box<[u8]>,
    schema: SchemaRef,
}

const BEFORE: &[u8] = b"{\"schema\":";
const AFTER: &[u8] = b",\"payload\":";

impl Head {
    /// The head of a message that was read, if it has the form that converters write.
    pub(super) fn of(message: &[u8], schema_text: &str, schema: &SchemaRef) -> Option<Self> {
        let rest = message.strip_prefix(BEFORE)?.strip_prefix(schema_text.as_bytes())?;
        let payload = rest.strip_prefix(AFTER)?;
        let text = message[..message.len() - payload.len()].into();
        Some(Self { text, schema: schema.clone() })
    }

    /// `None`: the message is to be read as a whole, which also finds the words for what is wrong with it.
    pub(super) fn read(&self, message: &Bytes, replace_null: bool) -> Option<(SchemaRef, Value)> {
        let rest = message.strip_prefix(&*self.text)?;
        let end = rest.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
        let (payload, end) = rest.split_at(end);
        if end.first() != Some(&b'}') {
            return None;
        }
        let context = Context::new(message, replace_null);
        let mut json = serde_json::Deserializer::from_slice(payload);
        let value = ValueSeed { schema: &self.schema, context: &context }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some((self.schema.clone(), value))
    }
}
