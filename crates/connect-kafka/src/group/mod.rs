//! The group of workers.

use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError, TopicPartition};
use connect_runtime::ports::{GroupEvent, GroupMembership, GroupOffsets, GroupOffsetsError};
use connect_runtime::worker_config::DistributedConfig;
use tokio::sync::mpsc;

/// [`GroupMembership`] in a group of protocol type `connect`.
pub struct KafkaGroupMember(());

impl KafkaGroupMember {
    /// `worker` is the worker's configuration as it was given; `worker_id` (advertised `host:port`) becomes part of the client id
    /// unless `client.id` is set. Does not connect.
    pub fn new(
        _worker: &ConfigMap,
        _config: &DistributedConfig,
        _worker_id: &str,
    ) -> Result<Self, ConnectError> {
        Err(ConnectError::config("group membership is being built"))
    }
}

#[async_trait]
impl GroupMembership for KafkaGroupMember {
    fn join(&self, _events: mpsc::UnboundedSender<GroupEvent>) {}
    fn request_rejoin(&self) {}
    async fn leave(&self) {}
}

/// [`GroupOffsets`] by requests to the group's coordinator.
pub struct KafkaGroupOffsets(());

impl KafkaGroupOffsets {
    /// `worker` is the worker's configuration as it was given. Does not connect.
    pub fn new(_worker: &ConfigMap) -> Result<Self, ConnectError> {
        Err(ConnectError::config("group offsets are being built"))
    }
}

#[async_trait]
impl GroupOffsets for KafkaGroupOffsets {
    async fn list(&self, _: &str, _: &ConfigMap) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        Err(ConnectError::config("group offsets are being built"))
    }
    async fn alter(
        &self,
        _: &str,
        _: Vec<(TopicPartition, Option<i64>)>,
        _: &ConfigMap,
    ) -> Result<(), GroupOffsetsError> {
        Err(GroupOffsetsError::Other(ConnectError::config("group offsets are being built")))
    }
    async fn delete(&self, _: &str, _: &ConfigMap) -> Result<(), GroupOffsetsError> {
        Err(GroupOffsetsError::Other(ConnectError::config("group offsets are being built")))
    }
}
