//! What happens to a record that is no order: it is kept, with the reason, in `ORDERS_TOPIC.dlq`.

use super::handler::Malformed;
use super::publisher::Outbound;
use crate::chain::chain;
use rdkafka::Message;
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

pub const TOPIC: &str = "dlq.topic";
pub const PARTITION: &str = "dlq.partition";
pub const OFFSET: &str = "dlq.offset";
pub const ERROR: &str = "dlq.error";
/// Set when the record with these headers would be larger than Kafka takes: then only the headers are kept, and the
/// original is where they say.
pub const OMITTED: &str = "dlq.omitted";

/// The record as it came, with headers that say where it came from and what is wrong with it.
pub fn dead_letter(topic: &str, record: &OwnedMessage, error: &Malformed) -> Outbound {
    let original = record.headers().cloned().unwrap_or_else(|| OwnedHeaders::new_with_capacity(4));
    Outbound {
        topic: topic.to_owned(),
        key: record.key().map(<[u8]>::to_vec),
        value: record.payload().map(<[u8]>::to_vec),
        headers: with_origin(original, record, &chain(error)),
        if_too_large: Some(
            with_origin(OwnedHeaders::new(), record, &chain(error))
                .insert(Header { key: OMITTED, value: Some("key, value and headers: too large together") }),
        ),
    }
}

fn with_origin(headers: OwnedHeaders, record: &OwnedMessage, error: &str) -> OwnedHeaders {
    headers
        .insert(Header { key: TOPIC, value: Some(record.topic()) })
        .insert(Header { key: PARTITION, value: Some(&record.partition().to_string()) })
        .insert(Header { key: OFFSET, value: Some(&record.offset().to_string()) })
        .insert(Header { key: ERROR, value: Some(error) })
}

#[cfg(test)]
mod tests {
    use super::super::handler::read;
    use super::*;
    use rdkafka::Timestamp;
    use rdkafka::message::Headers;

    fn header(headers: &OwnedHeaders, key: &str) -> Option<String> {
        let found = headers.iter().find(|header| header.key == key)?;
        Some(String::from_utf8_lossy(found.value?).into_owned())
    }

    #[test]
    fn a_dead_letter_is_the_record_and_says_why() {
        let own = OwnedHeaders::new().insert(Header { key: "x-request-id", value: Some("r-1") });
        let value = br#"{"schema":{},"payload":{"order_id":"17"}}"#.to_vec();
        let (key, topic) = (b"k".to_vec(), "orders".to_owned());
        let record = OwnedMessage::new(
            Some(value.clone()),
            Some(key.clone()),
            topic,
            Timestamp::NotAvailable,
            4,
            77,
            Some(own),
        );
        let error = read(record.key(), record.payload()).unwrap_err();
        let letter = dead_letter("orders.dlq", &record, &error);
        assert_eq!((letter.topic.as_str(), letter.key, letter.value), ("orders.dlq", Some(key), Some(value)));
        for headers in [&letter.headers, letter.if_too_large.as_ref().unwrap()] {
            assert_eq!(header(headers, TOPIC).unwrap(), "orders");
            assert_eq!(header(headers, PARTITION).unwrap(), "4");
            assert_eq!(header(headers, OFFSET).unwrap(), "77");
            assert!(header(headers, ERROR).unwrap().contains("order_id is not a UUID"), "{headers:?}");
        }
        assert_eq!(header(&letter.headers, "x-request-id").unwrap(), "r-1");
        assert_eq!(header(&letter.headers, OMITTED), None);
    }
}
