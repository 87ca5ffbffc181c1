//! Values apart from the records that they were read from. A value's texts are parts of the record's bytes, most of which may be
//! schema and names: a batch that waits would hold all of it.

use bytes::{Bytes, BytesMut};
use connect_api::Value;

/// Small texts share an allocation of this size; those of a batch come and go together.
const BLOCK: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Apart {
    block: BytesMut,
}

impl Apart {
    /// Copies what key and value have of a record of `size` bytes, unless that is most of the record anyway. Both or neither: records
    /// lie in common memory, and a key alone would hold that.
    pub(super) fn set(&mut self, key: &mut Value, value: &mut Value, size: usize) {
        if held(key) + held(value) <= size / 2 {
            self.copy(key);
            self.copy(value);
        }
    }

    fn copy(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                // These bytes were a text before.
                if let Ok(copy) = self.bytes(text.as_bytes()).try_into() {
                    *text = copy;
                }
            }
            Value::Bytes(bytes) => *bytes = self.bytes(bytes),
            Value::Array(values) | Value::Struct(values) => {
                values.iter_mut().for_each(|value| self.copy(value));
            }
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.copy(key);
                self.copy(value);
            }),
            _ => {}
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Bytes {
        if bytes.len() > BLOCK / 4 {
            return Bytes::copy_from_slice(bytes);
        }
        if self.block.capacity() < bytes.len() {
            self.block = BytesMut::with_capacity(BLOCK);
        }
        self.block.extend_from_slice(bytes);
        self.block.split().freeze()
    }
}

/// How many bytes of texts and the like a value has.
fn held(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(values) | Value::Struct(values) => values.iter().map(held).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| held(key) + held(value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(record: &Bytes, of: usize) -> Value {
        let text = |from: usize| Value::String(record.slice(from..from + of).try_into().unwrap());
        Value::Struct(vec![
            text(0),
            Value::Int32(7),
            Value::Array(vec![Value::Bytes(record.slice(3..3 + of))]),
            Value::Map(vec![(text(1), text(2))]),
        ])
    }

    #[test]
    fn a_value_stays_what_it_is_and_lets_go_of_its_record() {
        for of in [0, 1, 40, BLOCK] {
            let record = Bytes::from(vec![b'x'; 10 * of + 100]);
            let mut key = Value::Bytes(record.slice(..of));
            let mut set = value(&record, of);
            let expected = (key.clone(), set.clone());
            Apart::default().set(&mut key, &mut set, record.len());
            assert_eq!((key, set), expected);
            drop(expected);
            assert!(record.is_unique() || of == 0, "{of}");
        }
    }

    #[test]
    fn what_is_most_of_its_record_is_not_copied() {
        let record = Bytes::from(vec![b'x'; 100]);
        let mut kept = value(&record, 10);
        Apart::default().set(&mut Value::Bytes(record.slice(..20)), &mut kept, record.len());
        assert!(!record.is_unique());
    }
}
