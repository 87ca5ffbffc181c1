//! The offsets of source connectors: their keys and values as bytes, and the file of a standalone worker.

mod file;
mod java_map;
mod topic;

pub use file::{FileOffsetStore, OffsetFileError};
pub use topic::TopicOffsetStore;

use crate::ports::OffsetStore;
use async_trait::async_trait;
use connect_api::json::{push_object, push_string};
use connect_api::{ConnectError, OffsetMap, OffsetReader};
use std::sync::Arc;

/// `["connector",{"filename":"/x"}]`: what Java's worker writes, byte for byte, since it looks offsets up by these bytes.
pub(crate) fn key_bytes(connector: &str, partition: &OffsetMap) -> Vec<u8> {
    let mut key = vec![b'['];
    push_string(&mut key, connector);
    key.push(b',');
    push_object(&mut key, partition);
    key.push(b']');
    key
}

pub(crate) fn value_bytes(offset: &OffsetMap) -> Vec<u8> {
    let mut value = Vec::new();
    push_object(&mut value, offset);
    value
}

/// The offset that `value` holds; the error says what is wrong with it.
pub(crate) fn parse_value(value: &[u8]) -> Result<Option<OffsetMap>, ConnectError> {
    serde_json::from_slice(value).map_err(|error| {
        ConnectError::caused(
            format!("an offset is no JSON object: {}", String::from_utf8_lossy(value).escape_debug()),
            error,
        )
    })
}

/// The partition in a key of this connector; `None` for a key of another one, or of no known form.
pub(crate) fn partition_of_key(connector: &str, key: &[u8]) -> Option<OffsetMap> {
    let (owner, partition): (String, OffsetMap) = serde_json::from_slice(key).ok()?;
    (owner == connector).then_some(partition)
}

/// Whether the bytes are an offset file; one that is must be the same after writing it and reading it again.
pub(crate) fn is_offset_file(bytes: &[u8]) -> bool {
    let Ok(entries) = java_map::read(bytes) else { return false };
    assert_eq!(java_map::read(&java_map::write(&entries)).as_ref(), Ok(&entries));
    true
}

/// A task's view of the store: its own connector's offsets.
pub(crate) struct StoreReader {
    pub(crate) connector: String,
    pub(crate) store: Arc<dyn OffsetStore>,
}

#[async_trait]
impl OffsetReader for StoreReader {
    async fn offset(&self, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        self.store.get(&self.connector, partition).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_and_values_are_javas_bytes() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let partition = json!({"filename": "/tmp/ü \"x\".txt"});
        assert_eq!(
            text(key_bytes("local-file-source", partition.as_object().unwrap())),
            r#"["local-file-source",{"filename":"/tmp/ü \"x\".txt"}]"#
        );
        let offset = json!({"position": 16});
        assert_eq!(text(value_bytes(offset.as_object().unwrap())), r#"{"position":16}"#);
        assert_eq!(parse_value(b"{\"position\":16}").unwrap().as_ref(), offset.as_object());
        assert_eq!(parse_value(b"null").unwrap(), None);
        assert!(parse_value(b"[1]").unwrap_err().to_string().contains("[1]"));
    }
}
