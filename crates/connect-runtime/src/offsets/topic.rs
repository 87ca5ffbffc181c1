//! The offsets topic of a cluster: `KafkaOffsetBackingStore`.

use super::{key_bytes, parse_value, partition_of_key, value_bytes};
use crate::ports::{LogEntry, LogRecord, OffsetStore, TopicLog};
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{ConnectError, OffsetMap};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a read may wait for what others have written.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The value of every key, as bytes: Java's workers compare keys as bytes, too.
type Entries = HashMap<Bytes, Bytes>;

pub struct TopicOffsetStore {
    log: Arc<dyn TopicLog>,
    entries: Arc<Mutex<Entries>>,
}

fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TopicOffsetStore {
    /// Reads the topic to its end, and on from there.
    pub async fn start(log: Arc<dyn TopicLog>) -> Result<Self, ConnectError> {
        let entries = Arc::new(Mutex::new(Entries::new()));
        let taken = entries.clone();
        log.start(Box::new(move |LogEntry { key, value, .. }| {
            // A record without a key is nobody's offset.
            let Some(key) = key else { return };
            match value {
                Some(value) => lock(&taken).insert(key, value),
                None => lock(&taken).remove(&key),
            };
        }))
        .await?;
        Ok(Self { log, entries })
    }

    /// What another worker has written just before it lost a task has to be seen by the one that gets it.
    async fn read_to_end(&self) -> Result<(), ConnectError> {
        match tokio::time::timeout(READ_TIMEOUT, self.log.read_to_end()).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::failed(format!(
                "the offsets topic could not be read to its end within {} s: see whether its brokers can be reached",
                READ_TIMEOUT.as_secs()
            ))),
        }
    }
}

#[async_trait]
impl OffsetStore for TopicOffsetStore {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        self.read_to_end().await?;
        let value = lock(&self.entries).get(key_bytes(connector, partition).as_slice()).cloned();
        value.map_or(Ok(None), |value| parse_value(&value))
    }

    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError> {
        let records = offsets.iter().map(|(partition, offset)| LogRecord {
            key: key_bytes(connector, partition).into(),
            value: offset.as_ref().map(|offset| value_bytes(offset).into()),
        });
        let records: Vec<_> = records.collect();
        if records.is_empty() { Ok(()) } else { self.log.append(records).await }
    }

    async fn all(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        self.read_to_end().await?;
        let entries = lock(&self.entries);
        let mut own: Vec<_> = entries
            .iter()
            .filter_map(|(key, value)| Some((key, partition_of_key(connector, key)?, value)))
            .collect();
        // A hash map has no order, and an answer should not change from one request to the next.
        own.sort_by_key(|(key, ..)| *key);
        let mut offsets = Vec::with_capacity(own.len());
        for (_, partition, value) in own {
            offsets.extend(parse_value(value)?.map(|offset| (partition, offset)));
        }
        Ok(offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryTopic;
    use serde_json::json;

    fn map(value: serde_json::Value) -> OffsetMap {
        value.as_object().unwrap().clone()
    }

    #[tokio::test]
    async fn two_workers_see_each_others_offsets() {
        let topic = MemoryTopic::new();
        let first = TopicOffsetStore::start(Arc::new(topic.log())).await.unwrap();
        let partition = Arc::new(map(json!({"filename": "/x"})));
        first.set("a", vec![(partition.clone(), Some(map(json!({"position": 1}))))]).await.unwrap();
        first.set("b", vec![(partition.clone(), Some(map(json!({"position": 2}))))]).await.unwrap();
        let second = TopicOffsetStore::start(Arc::new(topic.log())).await.unwrap();
        second.set("a", vec![(partition.clone(), Some(map(json!({"position": 3}))))]).await.unwrap();
        assert_eq!(first.get("a", &partition).await.unwrap(), Some(map(json!({"position": 3}))));
        assert_eq!(first.all("b").await.unwrap(), [((*partition).clone(), map(json!({"position": 2})))]);
        second.set("a", vec![(partition.clone(), None)]).await.unwrap();
        assert_eq!(first.get("a", &partition).await.unwrap(), None);
        assert!(first.all("a").await.unwrap().is_empty());
    }

    /// Written by a Java worker 4.3.0 for a FileStream source, and altered by its REST API.
    #[tokio::test]
    async fn a_java_clusters_offsets_are_read_and_written_alike() {
        let topic = MemoryTopic::new();
        let store = TopicOffsetStore::start(Arc::new(topic.log())).await.unwrap();
        for line in include_str!("../../tests/golden/java-4.3.0/offsets.jsonl").lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let (key, value) = (line["key"].as_str().unwrap(), line["value"].as_str().unwrap());
            let (connector, partition): (String, OffsetMap) = serde_json::from_str(key).unwrap();
            let offset: OffsetMap = serde_json::from_str(value).unwrap();
            store.set(&connector, vec![(Arc::new(partition.clone()), Some(offset.clone()))]).await.unwrap();
            let written = topic.records().pop().unwrap();
            assert_eq!(
                (written.key.unwrap(), written.value.unwrap()),
                (key.to_owned().into(), value.to_owned().into())
            );
            assert_eq!(store.get(&connector, &partition).await.unwrap(), Some(offset));
        }
        assert_eq!(store.all("lines-source").await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_no_offset_harms_nobody() {
        let topic = MemoryTopic::new();
        let log = topic.log();
        for (key, value) in
            [("[]", "{}"), ("\u{1}", "x"), (r#"["a",{"p":1}]"#, "null"), (r#"["b",{"p":1}]"#, "[1]")]
        {
            log.append(vec![LogRecord { key: Bytes::from(key), value: Some(Bytes::from(value)) }])
                .await
                .unwrap();
        }
        let store = TopicOffsetStore::start(Arc::new(log)).await.unwrap();
        let partition = map(json!({"p": 1}));
        assert_eq!(store.get("a", &partition).await.unwrap(), None);
        assert!(store.all("a").await.unwrap().is_empty());
        assert!(store.get("b", &partition).await.unwrap_err().to_string().contains("no JSON object"));
    }
}
