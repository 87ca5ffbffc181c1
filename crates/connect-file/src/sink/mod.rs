//! The sink connector: records to lines.

mod target;
mod task;

use crate::config;
use async_trait::async_trait;
use connect_api::{ConfigDef, ConfigMap, ConnectError, SinkConnector, SinkTask, TopicPartition};

/// `org.apache.kafka.connect.file.FileStreamSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileStreamSinkConnector;

#[async_trait]
impl SinkConnector for FileStreamSinkConnector {
    fn class_names(&self) -> &'static [&'static str] {
        &["org.apache.kafka.connect.file.FileStreamSinkConnector"]
    }

    fn version(&self) -> &'static str {
        config::VERSION
    }

    fn config_def(&self) -> &'static ConfigDef {
        &config::SINK
    }

    fn validate(&self, _: &ConfigMap) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether the file can be written shows when the task starts, on the worker that runs it.
    async fn validate_remote(&self, _: &ConfigMap) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Nothing is kept outside of Kafka, and any offset is as good as another.
    async fn alter_offsets(
        &self,
        _: &ConfigMap,
        _: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool, ConnectError> {
        Ok(true)
    }

    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::<task::FileStreamSinkTask>::default()
    }
}
