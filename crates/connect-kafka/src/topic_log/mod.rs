//! The internal topics.

use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::ports::{LogReader, LogRecord, TopicLog};
use connect_runtime::worker_config::StorageTopic;

/// Which of the three internal topics a log is; decides which keys an error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind {
    Configs,
    Offsets,
    Statuses,
}

/// The Kafka clients behind the worker's internal topics; its logs share them.
pub struct KafkaStorage(());

impl KafkaStorage {
    /// `worker` is the worker's configuration as it was given; the keys without a prefix concern these clients. Does not
    /// connect; needs a tokio runtime around it.
    pub fn new(_worker: &ConfigMap) -> Result<Self, ConnectError> {
        Err(ConnectError::config("topic logs are being built"))
    }

    pub fn log(&self, _kind: StorageKind, _topic: &StorageTopic) -> KafkaTopicLog {
        KafkaTopicLog(())
    }
}

/// [`TopicLog`] on a topic of Kafka.
pub struct KafkaTopicLog(());

#[async_trait]
impl TopicLog for KafkaTopicLog {
    async fn start(&self, _: LogReader) -> Result<(), ConnectError> {
        Err(ConnectError::config("topic logs are being built"))
    }
    async fn append(&self, _: Vec<LogRecord>) -> Result<(), ConnectError> {
        Err(ConnectError::config("topic logs are being built"))
    }
    async fn read_to_end(&self) -> Result<(), ConnectError> {
        Err(ConnectError::config("topic logs are being built"))
    }
}
