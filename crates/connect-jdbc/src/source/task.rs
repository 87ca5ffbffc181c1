//! The task. Not there yet: it refuses to start.

use super::config::{Flavor, TaskConfig};
use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError, PollError, SourceRecord, SourceTask, SourceTaskContext};

pub(super) struct JdbcSourceTask {
    flavor: Flavor,
}

impl JdbcSourceTask {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self { flavor }
    }
}

#[async_trait]
impl SourceTask for JdbcSourceTask {
    async fn start(&mut self, _: SourceTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        TaskConfig::read(self.flavor, config)?;
        Err(ConnectError::failed("the JDBC source's task is not there yet"))
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        Err(ConnectError::failed("the JDBC source's task is not there yet").into())
    }

    async fn stop(&mut self) {}
}
