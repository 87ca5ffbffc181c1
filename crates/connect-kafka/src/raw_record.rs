//! Out of librdkafka's memory into ours.

use bytes::{Bytes, BytesMut};
use connect_runtime::ports::RawRecord;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use std::sync::Arc;

/// Small records share an allocation of this size: they come and go together, so that one which stays does not hold much.
const BLOCK: usize = 64 * 1024;

/// What copies of records share.
#[derive(Default)]
pub(crate) struct Copies {
    block: BytesMut,
    /// The names of the topics seen.
    topics: Vec<Arc<str>>,
}

impl Copies {
    pub(crate) fn raw_record(&mut self, message: &BorrowedMessage<'_>) -> RawRecord {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            let copy = |value: &[u8]| Bytes::copy_from_slice(value);
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(copy))).collect()
        });
        RawRecord {
            topic: self.topic(message.topic()),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(|key| self.bytes(key)),
            value: message.payload().map(|value| self.bytes(value)),
            headers,
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

    fn topic(&mut self, name: &str) -> Arc<str> {
        if let Some(topic) = self.topics.iter().find(|topic| &***topic == name) {
            return topic.clone();
        }
        let topic: Arc<str> = name.into();
        self.topics.push(topic.clone());
        topic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_what_was_copied_whatever_their_size() {
        let mut copies = Copies::default();
        let sizes = [0, 1, 700, BLOCK / 4, BLOCK / 4 + 1, 3 * BLOCK, 5000];
        let originals: Vec<Vec<u8>> =
            (0..400).map(|n| vec![(n % 251) as u8; sizes[n % sizes.len()]]).collect();
        let copied: Vec<Bytes> = originals.iter().map(|original| copies.bytes(original)).collect();
        assert_eq!(copied, originals);
    }

    #[test]
    fn records_of_a_topic_share_its_name() {
        let mut copies = Copies::default();
        let (a, b) = (copies.topic("a"), copies.topic("b"));
        assert!(Arc::ptr_eq(&copies.topic("a"), &a) && Arc::ptr_eq(&copies.topic("b"), &b));
    }
}
