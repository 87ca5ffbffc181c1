//! Questions about topics; connections are kept for the next one.

use crate::wire::{
    Broker, Cluster, Code, Connection, CreateTopic, Metadata, NotCreated, OffsetSpec, WireError,
    cleanup_policy, create_topic, list_offsets,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(crate) struct Admin {
    cluster: Cluster,
    /// Idle ones, by where they lead; `None` is whoever answered.
    idle: Mutex<HashMap<Option<Broker>, Connection>>,
}

impl Admin {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster, idle: Mutex::default() }
    }

    pub(crate) fn backoff(&self) -> (Duration, Duration) {
        self.cluster.settings.backoff
    }

    pub(crate) fn servers(&self) -> String {
        self.cluster.settings.servers()
    }

    fn patience(&self) -> Duration {
        self.cluster.settings.request_timeout
    }

    async fn take(&self, broker: Option<&Broker>) -> Result<Connection, WireError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).remove(&broker.cloned());
        match (idle, broker) {
            (Some(connection), _) => Ok(connection),
            (None, Some(broker)) => self.cluster.open(broker).await,
            (None, None) => self.cluster.any().await,
        }
    }

    fn put(&self, broker: Option<Broker>, connection: Connection) {
        if connection.usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).insert(broker, connection);
        }
    }

    pub(crate) async fn metadata(&self, topics: &[&str]) -> Result<Metadata, WireError> {
        let mut connection = self.take(None).await?;
        let mut metadata = self.cluster.metadata(&mut connection, topics).await;
        if matches!(metadata, Err(WireError::Broken { .. })) {
            // Brokers close connections that were idle for some minutes.
            connection = self.cluster.any().await?;
            metadata = self.cluster.metadata(&mut connection, topics).await;
        }
        self.put(None, connection);
        metadata
    }

    /// `metadata` tells who the controller is.
    pub(crate) async fn create(&self, metadata: &Metadata, topic: CreateTopic<'_>) -> Result<(), NotCreated> {
        let controller =
            metadata.brokers.get(&metadata.controller).or_else(|| metadata.brokers.values().next());
        let nobody = WireError::Refused { call: "Metadata", code: Code::BrokerNotAvailable };
        let mut connection = self.cluster.open(controller.ok_or(nobody)?).await?;
        create_topic(&mut connection, topic, self.patience()).await
    }

    pub(crate) async fn cleanup_policy(&self, topic: &str) -> Result<Option<String>, WireError> {
        let mut connection = self.take(None).await?;
        let policy = cleanup_policy(&mut connection, topic, self.patience()).await;
        self.put(None, connection);
        policy
    }

    /// Behind the last record of each partition.
    pub(crate) async fn ends(&self, topic: &str) -> Result<BTreeMap<i32, i64>, WireError> {
        self.offsets(topic, OffsetSpec::Latest).await
    }

    /// The first record that is left of each partition.
    pub(crate) async fn starts(&self, topic: &str) -> Result<BTreeMap<i32, i64>, WireError> {
        self.offsets(topic, OffsetSpec::Earliest).await
    }

    async fn offsets(&self, topic: &str, spec: OffsetSpec) -> Result<BTreeMap<i32, i64>, WireError> {
        let refused = |code| WireError::Refused { call: "ListOffsets", code };
        let metadata = self.metadata(&[topic]).await?;
        let partitions = match metadata.topics.get(topic) {
            Some(Ok(partitions)) => partitions,
            Some(Err(code)) => return Err(refused(*code)),
            None => return Err(refused(Code::UnknownTopicOrPartition)),
        };
        let mut by_leader: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for (partition, leader) in partitions {
            by_leader.entry(*leader).or_default().push(*partition);
        }
        let mut offsets = BTreeMap::new();
        for (leader, partitions) in by_leader {
            let broker = metadata.brokers.get(&leader).ok_or_else(|| refused(Code::LeaderNotAvailable))?;
            let mut connection = self.take(Some(broker)).await?;
            let answer = list_offsets(&mut connection, topic, &partitions, spec, self.patience()).await;
            self.put(Some(broker.clone()), connection);
            offsets.extend(answer?);
        }
        Ok(offsets)
    }
}
