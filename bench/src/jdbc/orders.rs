//! What is written: orders as the platform has them, in JSON with schema and payload as its services write them, or as lines for
//! a bulk load.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use testkit::kafka_client::{Topics, create_topic};

pub(crate) const COLUMNS: [&str; 7] =
    ["order_id", "user_id", "product_id", "qty", "unit_price", "total_price", "created_at"];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders {
    pub(crate) records: u64,
}

/// A topic with the orders, removed when the value goes.
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    _topics: Topics,
}

pub(crate) const SCHEMA: &str = r#"{"type":"struct","name":"order","optional":false,"fields":[{"field":"order_id","type":"string","optional":false},{"field":"user_id","type":"string","optional":false},{"field":"product_id","type":"string","optional":false},{"field":"qty","type":"int32","optional":false},{"field":"unit_price","type":"int32","optional":false},{"field":"total_price","type":"int32","optional":false},{"field":"created_at","type":"string","optional":false}]}"#;

/// Numbers that look random and are the same each time.
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A UUID of version 7, as order ids are: its first part is the time, here one order per 50 µs.
pub(crate) fn id(number: u64) -> String {
    let millis = 1_700_000_000_000 + number / 20;
    let random = mixed(number);
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        random & 0xfff,
        0x8000 | (random >> 12 & 0x3fff),
        random >> 16
    )
}

struct Order {
    id: String,
    user: String,
    product: String,
    qty: u64,
    price: u64,
    created_at: String,
}

fn order(number: u64) -> Order {
    let random = mixed(number ^ 0x5555);
    Order {
        id: id(number),
        user: format!("user-{}", random % 10_000),
        product: format!("CATALOG-{:04}", random >> 16 & 0x3ff),
        qty: 1 + (random >> 32) % 20,
        price: 100 + (random >> 40) % 9_900,
        created_at: format!(
            "2026-11-21T12:{:02}:{:02}.{:03}Z",
            number / 60_000 % 60,
            number / 1000 % 60,
            number % 1000
        ),
    }
}

pub(crate) fn value(number: u64) -> String {
    let Order { id, user, product, qty, price, created_at } = order(number);
    let total = qty * price;
    format!(
        r#"{{"schema":{SCHEMA},"payload":{{"order_id":"{id}","user_id":"{user}","product_id":"{product}","qty":{qty},"unit_price":{price},"total_price":{total},"created_at":"{created_at}"}}}}"#
    )
}

impl Orders {
    /// What a topic's partition has of them, in lines with tabs, which need no escapes, in pieces of some megabytes.
    pub(crate) fn lines(self, partition: u64, partitions: u64) -> impl Iterator<Item = Bytes> + Send + use<> {
        const PIECE: usize = 20_000;
        let mut numbers = (partition..self.records).step_by(partitions.max(1) as usize).peekable();
        std::iter::from_fn(move || {
            numbers.peek()?;
            let mut text = String::with_capacity(PIECE * 130);
            for number in numbers.by_ref().take(PIECE) {
                let Order { id, user, product, qty, price, created_at } = order(number);
                // Writing to a String does not fail.
                let _ =
                    writeln!(text, "{id}\t{user}\t{product}\t{qty}\t{price}\t{}\t{created_at}", qty * price);
            }
            Some(text.into())
        })
    }

    /// Writes the topic.
    pub(crate) async fn topic(self, bootstrap: &str, partitions: i32) -> anyhow::Result<Topic> {
        let name = testkit::unique("bench_orders");
        create_topic(bootstrap, &name, partitions, &[]).await?;
        let topic = Topic {
            name: name.clone(),
            partitions,
            _topics: Topics::removed_at_the_end(bootstrap, [name.clone()]),
        };
        let bootstrap = bootstrap.to_owned();
        tokio::task::spawn_blocking(move || produce(&bootstrap, &name, partitions, self.records)).await??;
        Ok(topic)
    }
}

fn produce(bootstrap: &str, topic: &str, partitions: i32, records: u64) -> anyhow::Result<()> {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("linger.ms", "20")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .create()
        .context("cannot create a producer")?;
    for number in 0..records {
        let (key, value) = (id(number), value(number));
        let mut record = BaseRecord::to(topic)
            .key(&key)
            .payload(&value)
            .partition((number % partitions.unsigned_abs() as u64) as i32);
        loop {
            match producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    std::thread::sleep(Duration::from_millis(2));
                    record = again;
                }
                Err((error, _)) => bail!("cannot write to {topic}: {error}"),
            }
        }
    }
    producer.flush(Duration::from_secs(120)).with_context(|| format!("{topic} does not take all records"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_in_their_order() {
        let ids: Vec<String> = (0..1000).map(|number| id(number * 20)).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 36 && &id[14..15] == "7"), "{ids:?}");
    }

    #[test]
    fn a_record_is_as_large_as_the_baselines() {
        let value: serde_json::Value = serde_json::from_str(&value(7)).unwrap();
        assert_eq!(value["payload"].as_object().unwrap().len(), COLUMNS.len());
        assert!((600..800).contains(&super::value(7).len()), "{}", super::value(7).len());
    }

    #[test]
    fn lines_are_as_many_as_records() {
        let orders = Orders { records: 80_003 };
        let count = |partition, partitions| -> usize {
            let pieces = orders.lines(partition, partitions);
            pieces.map(|piece| piece.iter().filter(|byte| **byte == b'\n').count()).sum()
        };
        assert_eq!(count(0, 1), 80_003);
        assert_eq!([0, 1, 2, 3].map(|partition| count(partition, 4)), [20_001, 20_001, 20_001, 20_000]);
    }
}
