//! The runtime's ports, in memory or empty.

use crate::offsets::{key_bytes, partition_of_key};
use crate::ports::{
    Commit, GroupOffsets, GroupOffsetsError, KafkaClients, NotSent, OffsetStore, OutgoingRecord,
    ProducerRecord, RawRecord, Rebalance, RecordProducer, Settled, SinkConsumer, SourceProducer,
    Subscription,
};
use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError, OffsetMap, TopicPartition};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Nothing is remembered.
pub(crate) struct NoOffsets;

#[async_trait]
impl OffsetStore for NoOffsets {
    async fn get(&self, _: &str, _: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        Ok(None)
    }

    async fn set(&self, _: &str, _: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn all(&self, _: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        Ok(Vec::new())
    }
}

/// The offsets of one connector, by the bytes of their partitions, as a real store keeps them.
#[derive(Default)]
pub(crate) struct MemoryOffsets {
    offsets: Mutex<BTreeMap<Vec<u8>, OffsetMap>>,
}

impl MemoryOffsets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, OffsetMap>> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl OffsetStore for MemoryOffsets {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        Ok(self.lock().get(&key_bytes(connector, partition)).cloned())
    }

    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError> {
        for (partition, offset) in offsets {
            let key = key_bytes(connector, &partition);
            match offset {
                Some(offset) => self.lock().insert(key, offset),
                None => self.lock().remove(&key),
            };
        }
        Ok(())
    }

    async fn all(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        let stored = self.lock();
        let of =
            |(key, offset): (&Vec<u8>, &OffsetMap)| Some((partition_of_key(connector, key)?, offset.clone()));
        Ok(stored.iter().filter_map(of).collect())
    }
}

/// The offsets of consumer groups. There are the topics `orders` and `items`, of 3 partitions each. Each call is also written down.
#[derive(Default)]
pub(crate) struct MemoryGroups {
    pub(crate) calls: Mutex<Vec<String>>,
    offsets: Mutex<BTreeMap<TopicPartition, i64>>,
}

impl MemoryGroups {
    fn called(&self, call: &str, group: &str, overrides: &ConfigMap) {
        let overrides: Vec<_> = overrides.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        let call = format!("{call} {group}{}", overrides.concat());
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, i64>> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl GroupOffsets for MemoryGroups {
    /// The group `unreachable` is.
    async fn list(
        &self,
        group: &str,
        overrides: &ConfigMap,
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        self.called("list", group, overrides);
        if group == "unreachable" {
            return Err(ConnectError::failed("no broker answers"));
        }
        Ok(self.lock().iter().map(|(partition, offset)| (partition.clone(), *offset)).collect())
    }

    /// The group `busy` has members.
    async fn alter(
        &self,
        group: &str,
        offsets: Vec<(TopicPartition, Option<i64>)>,
        overrides: &ConfigMap,
    ) -> Result<(), GroupOffsetsError> {
        self.called("alter", group, overrides);
        if group == "busy" {
            return Err(GroupOffsetsError::NotEmpty(group.to_owned()));
        }
        for (partition, offset) in offsets {
            if !["orders", "items"].contains(&&*partition.topic) || partition.partition > 2 {
                return Err(GroupOffsetsError::UnknownPartition(partition));
            }
            match offset {
                Some(offset) => self.lock().insert(partition, offset),
                None => self.lock().remove(&partition),
            };
        }
        Ok(())
    }

    async fn delete(&self, group: &str, overrides: &ConfigMap) -> Result<(), GroupOffsetsError> {
        self.called("delete", group, overrides);
        if group == "busy" {
            return Err(GroupOffsetsError::NotEmpty(group.to_owned()));
        }
        self.lock().clear();
        Ok(())
    }
}

/// A cluster without records.
pub(crate) struct EmptyCluster;

struct EmptyConsumer;

#[async_trait]
impl SinkConsumer for EmptyConsumer {
    async fn poll(&mut self, _: usize, timeout: Duration) -> Result<Vec<RawRecord>, ConnectError> {
        tokio::time::sleep(timeout.min(Duration::from_millis(10))).await;
        Ok(Vec::new())
    }

    fn mark_done(&mut self, _: &TopicPartition, _: i64) {}

    fn rebalance(&self) -> Option<Rebalance> {
        None
    }

    async fn assign(&mut self, _: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn revoke(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn seek(&mut self, _: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        Ok(())
    }

    fn commit(&mut self) -> Commit {
        Box::pin(async { Ok(()) })
    }

    fn pause(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    fn resume(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn close(&mut self) {}
}

struct NoProducer;

#[async_trait]
impl RecordProducer for NoProducer {
    async fn send(&self, _: &str, _: OutgoingRecord) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// Acknowledges at once.
#[derive(Default)]
struct Acknowledging(Vec<usize>);

#[async_trait]
impl SourceProducer for Acknowledging {
    fn send(&mut self, _: ProducerRecord<'_>, number: usize) -> Result<(), NotSent> {
        self.0.push(number);
        Ok(())
    }

    async fn settled(&mut self, settled: &mut Settled) {
        if self.0.is_empty() {
            std::future::pending::<()>().await;
        }
        settled.acknowledged.append(&mut self.0);
    }
}

#[async_trait]
impl KafkaClients for EmptyCluster {
    async fn sink_consumer(
        &self,
        _: &str,
        _: usize,
        _: &Subscription,
        _: &ConfigMap,
    ) -> Result<Box<dyn SinkConsumer>, ConnectError> {
        Ok(Box::new(EmptyConsumer))
    }

    async fn source_producer(
        &self,
        _: &str,
        _: usize,
        _: &ConfigMap,
    ) -> Result<Box<dyn SourceProducer>, ConnectError> {
        Ok(Box::new(Acknowledging::default()))
    }

    async fn dead_letter_producer(
        &self,
        _: &str,
        _: usize,
        _: &ConfigMap,
    ) -> Result<Arc<dyn RecordProducer>, ConnectError> {
        Ok(Arc::new(NoProducer))
    }

    async fn ensure_topic(&self, _: &str, _: i32, _: i32) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn cluster_id(&self) -> Result<Option<String>, ConnectError> {
        Ok(Some("empty".into()))
    }
}
