//! The JDBC source's task as the runtime calls it, and a SQLite file for it to read.

use super::database::{Connection, JdbcTarget};
use super::folder::Folder;
use crate::support::PATIENCE;
use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, OffsetMap, OffsetReader, PollError, SourceConnector, SourceRecord, SourceTask,
    SourceTaskContext,
};
use connect_jdbc::JdbcSourceConnector;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn source_config(db: &impl JdbcTarget, pairs: &[(&str, &str)]) -> ConfigMap {
    let connection = db.connection();
    let mut config = ConfigMap::new();
    config.insert("connection.url".into(), connection.url.clone());
    if !connection.user.is_empty() {
        config.insert("connection.user".into(), connection.user.into());
        config.insert("connection.password".into(), connection.password.into());
    }
    for (key, value) in pairs {
        config.insert((*key).into(), (*value).into());
    }
    config
}

/// A started task: the only one that the connector asks for.
pub(crate) async fn source_task(config: &ConfigMap) -> Result<Box<dyn SourceTask>> {
    struct Nowhere;
    #[async_trait]
    impl OffsetReader for Nowhere {
        async fn offset(&self, _: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
            Ok(None)
        }
    }
    let connector = JdbcSourceConnector::confluent();
    let faults = connector.validate(config);
    ensure!(faults.is_empty(), "{faults:?}");
    let tasks = connector.task_configs(config, 1).await?;
    let mut task = connector.new_task();
    let context = SourceTaskContext { connector: "source".into(), task: 0, offsets: Arc::new(Nowhere) };
    task.start(context, tasks.first().context("no task")?).await?;
    Ok(task)
}

/// What the task gives first; an error is the task's.
pub(crate) async fn until_records(task: &mut Box<dyn SourceTask>) -> Result<Vec<SourceRecord>> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match task.poll().await {
            Ok(records) if records.is_empty() => {}
            Ok(records) => return Ok(records),
            Err(PollError::Fatal(error) | PollError::Retriable { error, .. }) => bail!("{}", error.chain()),
        }
    }
    bail!("no records after {PATIENCE:?}")
}

/// A file that goes with the value.
pub(crate) struct SqliteDatabase {
    _folder: Folder,
    path: String,
}

impl SqliteDatabase {
    pub(crate) async fn create(name: &str) -> Result<Self> {
        let folder = Folder::new(name)?;
        let path = folder.text("database.sqlite");
        std::fs::write(&path, "")?;
        Ok(Self { _folder: folder, path })
    }

    pub(crate) async fn connect(&self) -> Result<SqliteConnection> {
        Ok(SqliteConnection::connect(&format!("sqlite:{}", self.path)).await?)
    }

    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        let mut conn = self.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await
            .with_context(|| format!("statement failed: {sql}"))?;
        Ok(conn.close().await?)
    }
}

impl JdbcTarget for SqliteDatabase {
    fn connection(&self) -> Connection<'_> {
        Connection { url: format!("jdbc:sqlite:{}", self.path), user: "", password: "" }
    }
}
