//! The JDBC sink's task as the runtime calls it, and records for it.

use super::database::JdbcTarget;
use anyhow::{Result, bail, ensure};
use connect_api::{
    ConfigMap, PutError, Rejected, Schema, SchemaRef, SinkConnector, SinkRecord, SinkTask, SinkTaskContext,
    Type, Value,
};
use connect_jdbc::JdbcSinkConnector;
use std::sync::Arc;
use testkit::Rows;

pub(crate) const UPSERT: &[(&str, &str)] =
    &[("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "id")];

pub(crate) fn sink_config(db: &impl JdbcTarget, pairs: &[(&str, &str)]) -> ConfigMap {
    let connection = db.connection();
    let mut config = ConfigMap::new();
    let mut set = |key: &str, value: &str| config.insert(key.into(), value.into());
    set("connection.url", &connection.url);
    set("connection.user", connection.user);
    set("connection.password", connection.password);
    set("auto.create", "true");
    set("auto.evolve", "true");
    for (key, value) in pairs {
        set(key, value);
    }
    config
}

pub(crate) async fn start(config: &ConfigMap) -> Result<Box<dyn SinkTask>> {
    start_with(config, false).await
}

/// As with `errors.tolerance=all`.
pub(crate) async fn start_tolerant(config: &ConfigMap) -> Result<Box<dyn SinkTask>> {
    start_with(config, true).await
}

async fn start_with(config: &ConfigMap, tolerates_errors: bool) -> Result<Box<dyn SinkTask>> {
    let faults = JdbcSinkConnector::confluent().validate(config);
    ensure!(faults.is_empty(), "{faults:?}");
    let mut task = JdbcSinkConnector::confluent().new_task();
    task.start(SinkTaskContext { connector: "sink".into(), task: 0, tolerates_errors }, config).await?;
    Ok(task)
}

pub(crate) fn schema<'a>(fields: impl IntoIterator<Item = (&'a str, Schema)>) -> SchemaRef {
    Arc::new(Schema::structure(fields))
}

pub(crate) fn int() -> Schema {
    Schema::new(Type::Int32)
}

pub(crate) fn text() -> Schema {
    Schema::new(Type::String)
}

pub(crate) fn record(offset: i64, schema: &SchemaRef, values: Vec<Value>) -> SinkRecord {
    SinkRecord {
        topic: "t".into(),
        partition: 3,
        offset,
        timestamp: None,
        key_schema: Some(Arc::new(text().optional())),
        key: Value::from(format!("k{offset}").as_str()),
        value_schema: Some(schema.clone()),
        value: Value::Struct(values),
    }
}

pub(crate) fn pairs(schema: &SchemaRef, rows: impl IntoIterator<Item = (i32, String)>) -> Vec<SinkRecord> {
    rows.into_iter()
        .zip(0..)
        .map(|((id, name), offset)| record(offset, schema, vec![Value::Int32(id), name.as_str().into()]))
        .collect()
}

pub(crate) fn named(schema: &SchemaRef, rows: &[(i32, &str)]) -> Vec<SinkRecord> {
    pairs(schema, rows.iter().map(|(id, name)| (*id, (*name).to_owned())))
}

pub(crate) fn id_name() -> SchemaRef {
    schema([("id", int()), ("name", text().optional())])
}

pub(crate) fn fatal(result: Result<Vec<Rejected>, PutError>) -> Result<String> {
    match result {
        Err(PutError::Fatal(error)) => Ok(error.chain()),
        Err(PutError::BadRecord(bad)) => Ok(bad.error.chain()),
        other => bail!("not fatal: {other:?}"),
    }
}

/// As the runtime does, without the waiting; returns the number of retries.
pub(crate) async fn put(task: &mut Box<dyn SinkTask>, records: &[SinkRecord]) -> Result<u32> {
    for retries in 0.. {
        match task.put(records).await {
            Ok(rejected) => {
                ensure!(rejected.is_empty(), "{rejected:?}");
                return Ok(retries);
            }
            Err(PutError::Retriable { .. }) => {}
            Err(error) => return Err(text_of(error)),
        }
    }
    unreachable!("the task counts its retries")
}

pub(crate) fn text_of(error: PutError) -> anyhow::Error {
    match error {
        PutError::Retriable { error, .. } | PutError::Fatal(error) | PutError::Seek { error, .. } => {
            anyhow::anyhow!(error.chain())
        }
        PutError::BadRecord(bad) => anyhow::anyhow!(bad.error.chain()),
        PutError::RejectFirst(rejected) => anyhow::anyhow!("rejected first: {rejected:?}"),
    }
}

/// Each row as one text, NULL for null.
pub(crate) fn words(rows: &Rows) -> Vec<String> {
    let words = |row: &Vec<Option<String>>| {
        let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect();
        cells.join(" ")
    };
    rows.iter().map(words).collect()
}
