//! What the parts of one conversion share: the message, and the first thing that was wrong with it.

use bytes::Bytes;
use bytestring::ByteString;
use connect_api::{ConnectError, Schema, Value};
use std::cell::RefCell;

pub(super) struct Context<'a> {
    source: &'a Bytes,
    replace_null: bool,
    /// serde's errors carry one text and wrap it in positions; the fault waits here while they unwind.
    fault: RefCell<Option<Fault>>,
}

struct Fault {
    message: String,
    /// The fields that lead to it, the innermost first.
    path: Vec<String>,
}

/// How much of a broken message an error shows.
const SHOWN: usize = 60;

impl<'a> Context<'a> {
    pub(super) fn new(source: &'a Bytes, replace_null: bool) -> Self {
        Self { source, replace_null, fault: RefCell::new(None) }
    }

    /// A string of the message, without a copy.
    pub(super) fn borrowed(&self, text: &str) -> ByteString {
        ByteString::try_from(self.source.slice_ref(text.as_bytes())).unwrap_or_else(|_| text.into())
    }

    /// Records what is wrong and returns the error that makes serde stop.
    pub(super) fn fail<E: serde::de::Error>(&self, message: impl Into<String>) -> E {
        *self.fault.borrow_mut() = Some(Fault { message: message.into(), path: Vec::new() });
        E::custom("data")
    }

    /// The text for a fault that serde finds by itself. Without an error nobody reads it.
    pub(super) fn presume(&self, message: &str) {
        *self.fault.borrow_mut() = Some(Fault { message: message.into(), path: Vec::new() });
    }

    /// Adds the name of the field in which the fault was found, on the way out.
    pub(super) fn inside(&self, field: &str) {
        if let Some(fault) = &mut *self.fault.borrow_mut() {
            fault.path.push(field.to_owned());
        }
    }

    fn has_fault(&self) -> bool {
        self.fault.borrow().is_some()
    }

    /// What stands for a null, or a field that is not there.
    pub(super) fn null<E: serde::de::Error>(&self, schema: &Schema) -> Result<Value, E> {
        match &schema.default {
            Some(default) if self.replace_null => Ok(default.clone()),
            _ if schema.optional => Ok(Value::Null),
            _ => Err(self.fail(format!("Invalid null value for required {} field", schema.ty.name()))),
        }
    }

    /// A part of the message that was set aside as raw text is read now; its faults join this conversion's.
    pub(super) fn rethrow<E: serde::de::Error>(&self, error: &serde_json::Error) -> E {
        if !error.is_data() || !self.has_fault() {
            return self.fail(broken(&error.to_string(), self.source));
        }
        E::custom("data")
    }

    pub(super) fn explain(&self, error: &serde_json::Error) -> ConnectError {
        let Some(mut fault) = self.fault.borrow_mut().take().filter(|_| error.is_data()) else {
            return ConnectError::data(broken(&error.to_string(), self.source));
        };
        if !fault.path.is_empty() {
            fault.path.reverse();
            fault.message.push_str(&format!(" (at field \"{}\")", fault.path.join(".")));
        }
        ConnectError::data(fault.message)
    }
}

fn broken(error: &str, source: &[u8]) -> String {
    let end = source.len().min(SHOWN);
    let shown = String::from_utf8_lossy(&source[..end]);
    let more = if source.len() > end { "..." } else { "" };
    format!(
        "Converting byte[] to Kafka Connect data failed due to serialization error: {error} (the value begins with \
         \"{}\"{more})",
        shown.escape_debug()
    )
}
