//! Writing records.

use anyhow::Context;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::{TIMEOUT, config};

/// One record to write. `None` as value is a tombstone.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Where the partitioner should not choose.
    pub partition: Option<i32>,
}

impl Record {
    pub fn new(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Record { key: Some(key.into()), value: Some(value.into()), ..Record::default() }
    }
}

/// Writes one record and returns its partition and offset. A topic that does not exist is created if the broker does so.
pub async fn produce(
    bootstrap: &str,
    topic: &str,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(&str, &[u8])],
) -> anyhow::Result<(i32, i64)> {
    let record = Record {
        key: key.map(<[u8]>::to_vec),
        value: value.map(<[u8]>::to_vec),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect(),
        partition: None,
    };
    let places = produce_all(bootstrap, topic, [record]).await?;
    places.first().copied().context("no acknowledgement")
}

/// Writes many records in order through one producer; returns when each is acknowledged by all replicas.
pub async fn produce_all(
    bootstrap: &str,
    topic: &str,
    records: impl IntoIterator<Item = Record>,
) -> anyhow::Result<Vec<(i32, i64)>> {
    let producer: FutureProducer = config(bootstrap)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random") // the Java client's: equal keys must meet in one partition
        .set("queue.buffering.max.messages", "1000000")
        .set("message.timeout.ms", TIMEOUT.as_millis().to_string())
        .create()
        .context("cannot create a producer")?;
    let mut pending = Vec::new();
    for record in records {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut future = FutureRecord::<[u8], [u8]>::to(topic).headers(headers);
        future.key = record.key.as_deref();
        future.payload = record.value.as_deref();
        future.partition = record.partition;
        let delivery = producer.send_result(future).map_err(|(error, _)| error);
        pending.push(delivery.with_context(|| format!("cannot send to {topic} at {bootstrap}"))?);
    }
    let mut places = Vec::with_capacity(pending.len());
    for delivery in pending {
        let delivery = delivery.await.context("the producer is gone")?.map_err(|(error, _)| error);
        let delivery = delivery.with_context(|| format!("not acknowledged by {topic} at {bootstrap}"))?;
        places.push((delivery.partition, delivery.offset));
    }
    Ok(places)
}
