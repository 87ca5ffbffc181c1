//! The sink connector: records to rows.

mod bisect;
mod bulk;
mod config;
mod convert;
mod distinct;
mod exactly_once;
mod fault;
#[cfg(test)]
mod fixtures;
mod key_columns;
mod order;
mod plain;
mod plan;
mod retry;
mod row;
mod shape;
mod short_cut;
mod statements;
mod table;
mod table_name;
mod task;
mod widen;
mod write;

use crate::config::{Faults, URL};
use crate::driver::{Connection, DbError, ErrorKind};
use async_trait::async_trait;
use config::{Flavor, SinkConfig};
use connect_api::{ConfigDef, ConfigMap, ConnectError, SinkConnector, SinkTask, TopicPartition};
use exactly_once::PositionTable;
use std::time::Duration;

/// `io.confluent.connect.jdbc.JdbcSinkConnector`, or Aiven's of the same name: they have keys and defaults of their own.
#[derive(Clone, Copy, Debug)]
pub struct JdbcSinkConnector {
    flavor: Flavor,
}

impl JdbcSinkConnector {
    pub fn confluent() -> Self {
        Self { flavor: Flavor::Confluent }
    }

    pub fn aiven() -> Self {
        Self { flavor: Flavor::Aiven }
    }
}

/// A request waits for this; a database that needs longer to answer is reported as unreachable.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);

#[async_trait]
impl SinkConnector for JdbcSinkConnector {
    fn class_names(&self) -> &'static [&'static str] {
        match self.flavor {
            Flavor::Confluent => &["io.confluent.connect.jdbc.JdbcSinkConnector"],
            Flavor::Aiven => &["io.aiven.connect.jdbc.JdbcSinkConnector"],
        }
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> &'static ConfigDef {
        self.flavor.def()
    }

    fn validate(&self, config: &ConfigMap) -> Faults {
        SinkConfig::read(self.flavor, config).err().unwrap_or_default()
    }

    async fn validate_remote(&self, config: &ConfigMap) -> Faults {
        let url = match SinkConfig::read(self.flavor, config) {
            Ok(config) => config.connection.url,
            Err(faults) => return faults,
        };
        let probed =
            tokio::time::timeout(PROBE_TIMEOUT, Connection::probe(&url)).await.unwrap_or_else(|_| {
                let message = format!("no answer within {} s", PROBE_TIMEOUT.as_secs());
                Err(DbError::new(ErrorKind::Connect, message))
            });
        match probed {
            Ok(()) => Vec::new(),
            Err(error) => vec![(
                URL.into(),
                format!(
                    "Could not connect to database. {url}: {error}. Check that the database runs there and that \
                     connection.url, connection.user and connection.password are right"
                ),
            )],
        }
    }

    /// With `exactly.once.enabled` the table of positions decides where a task begins, not the consumer group.
    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool, ConnectError> {
        let connector = config.get("name").map(String::as_str).unwrap_or_default();
        let config = SinkConfig::read(self.flavor, config).map_err(|faults| {
            let messages: Vec<String> = faults.into_iter().map(|(_, message)| message).collect();
            ConnectError::config(messages.join("; "))
        })?;
        let Some(table) = config.exactly_once else { return Ok(false) };
        let url = &config.connection.url;
        let failed = |error: DbError| {
            let message =
                format!("the positions of connector {connector} in table {table} of {url} cannot be changed");
            ConnectError::caused(message, error)
        };
        let mut connection = Connection::open(url).await.map_err(failed)?;
        let altered = PositionTable::new(url, table.clone(), connector).alter(&mut connection, offsets).await;
        match altered {
            Ok(()) => connection.close().await,
            Err(_) => connection.roll_back_and_close().await,
        }
        altered.map_err(failed)?;
        Ok(true)
    }

    fn task_class(&self, _: &str) -> String {
        match self.flavor {
            Flavor::Confluent => "io.confluent.connect.jdbc.sink.JdbcSinkTask".into(),
            Flavor::Aiven => "io.aiven.connect.jdbc.sink.JdbcSinkTask".into(),
        }
    }

    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::new(task::JdbcSinkTask::new(self.flavor))
    }
}
