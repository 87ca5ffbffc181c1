//! The source connector: lines to records.

mod lines;
mod offsets;
mod stdin;
mod tail;
mod task;

use crate::config;
use async_trait::async_trait;
use connect_api::{ConfigDef, ConfigMap, ConnectError, OffsetMap, SourceConnector, SourceTask};

/// `org.apache.kafka.connect.file.FileStreamSourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileStreamSourceConnector;

#[async_trait]
impl SourceConnector for FileStreamSourceConnector {
    fn class_names(&self) -> &'static [&'static str] {
        &["org.apache.kafka.connect.file.FileStreamSourceConnector"]
    }

    fn version(&self) -> &'static str {
        config::VERSION
    }

    fn config_def(&self) -> &'static ConfigDef {
        &config::SOURCE
    }

    fn validate(&self, _: &ConfigMap) -> Vec<(String, String)> {
        Vec::new()
    }

    /// A file that is not there is no fault: it may come later.
    async fn validate_remote(&self, _: &ConfigMap) -> Vec<(String, String)> {
        Vec::new()
    }

    /// One file has one reader.
    async fn task_configs(
        &self,
        config: &ConfigMap,
        _max_tasks: usize,
    ) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(vec![config.clone()])
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[(OffsetMap, Option<OffsetMap>)],
    ) -> Result<bool, ConnectError> {
        offsets::check(config, offsets)?;
        Ok(true)
    }

    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::<task::FileStreamSourceTask>::default()
    }
}
