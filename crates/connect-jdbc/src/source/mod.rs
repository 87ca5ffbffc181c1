//! The source connector: rows to records.

mod between;
mod config;
mod keys;
mod keys_aiven;
mod lookback;
mod mapping;
mod mode;
mod offsets;
mod pattern;
mod query;
mod reader;
mod rules;
mod snapshot;
mod tables;
mod task;

use crate::config::Faults;
use async_trait::async_trait;
use config::{Flavor, SourceConfig};
use connect_api::{ConfigDef, ConfigMap, ConnectError, SourceConnector, SourceTask};

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
        SourceConfig::read(self.flavor, config).err().unwrap_or_default()
    }

    async fn task_configs(
        &self,
        config: &ConfigMap,
        _max_tasks: usize,
    ) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(vec![config.clone()])
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
