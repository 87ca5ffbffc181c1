//! The source connector: rows to records.

mod alter_offsets;
mod between;
mod config;
mod keys;
mod keys_aiven;
mod keys_confluent;
mod list;
mod lookback;
mod mapping;
mod mode;
mod offsets;
mod pattern;
mod plan_tasks;
mod query;
mod reader;
mod rules;
mod snapshot;
mod tables;
mod task;
mod validate;

use crate::config::Faults;
use async_trait::async_trait;
use config::{Flavor, SourceConfig};
use connect_api::{ConfigDef, ConfigMap, ConnectError, OffsetMap, SourceConnector, SourceTask};

/// `io.confluent.connect.jdbc.JdbcSourceConnector`, or Aiven's of the same name: they have keys and defaults of their own.
#[derive(Clone, Copy, Debug)]
pub struct JdbcSourceConnector {
    flavor: Flavor,
}

impl JdbcSourceConnector {
    pub fn confluent() -> Self {
        Self { flavor: Flavor::Confluent }
    }

    pub fn aiven() -> Self {
        Self { flavor: Flavor::Aiven }
    }

    fn read(&self, config: &ConfigMap) -> Result<SourceConfig, ConnectError> {
        SourceConfig::read(self.flavor, config).map_err(|faults| {
            let texts: Vec<_> = faults.into_iter().map(|(_, message)| message).collect();
            ConnectError::config(texts.join("; "))
        })
    }
}

#[async_trait]
impl SourceConnector for JdbcSourceConnector {
    fn class_names(&self) -> &'static [&'static str] {
        match self.flavor {
            Flavor::Confluent => &["io.confluent.connect.jdbc.JdbcSourceConnector"],
            Flavor::Aiven => &["io.aiven.connect.jdbc.JdbcSourceConnector"],
        }
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> &'static ConfigDef {
        self.flavor.def()
    }

    fn validate(&self, config: &ConfigMap) -> Faults {
        SourceConfig::read(self.flavor, config).err().unwrap_or_default()
    }

    async fn validate_remote(&self, config: &ConfigMap) -> Faults {
        match SourceConfig::read(self.flavor, config) {
            Ok(source) => validate::ask_database(&source).await,
            Err(faults) => faults,
        }
    }

    async fn task_configs(
        &self,
        config: &ConfigMap,
        max_tasks: usize,
    ) -> Result<Vec<ConfigMap>, ConnectError> {
        plan_tasks::task_configs(&self.read(config)?, config, max_tasks).await
    }

    async fn watch(&self, config: &ConfigMap, _: usize, current: &[ConfigMap]) {
        match self.read(config) {
            Ok(source) => plan_tasks::watch(&source, current).await,
            // There were no tasks to watch over.
            Err(_) => std::future::pending().await,
        }
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[(OffsetMap, Option<OffsetMap>)],
    ) -> Result<bool, ConnectError> {
        alter_offsets::check(&self.read(config)?, offsets)?;
        Ok(true)
    }

    fn task_class(&self, _: &str) -> String {
        match self.flavor {
            Flavor::Confluent => "io.confluent.connect.jdbc.source.JdbcSourceTask",
            Flavor::Aiven => "io.aiven.connect.jdbc.source.JdbcSourceTask",
        }
        .into()
    }

    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(task::JdbcSourceTask::new(self.flavor))
    }
}
