//! A database file, a task on it, and records `{id: int32, name: string?}`.

use connect_api::{
    ConfigMap, PutError, Rejected, Schema, SchemaRef, SinkConnector, SinkRecord, SinkTask, SinkTaskContext,
    TopicPartition, Type, Value,
};
use connect_jdbc::JdbcSinkConnector;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Row, TypeInfo, ValueRef};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file of its own that goes away with the value.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("connect-jdbc-faults-{}-{number}.db", std::process::id())))
    }

    pub(crate) async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(&self.0).create_if_missing(true).connect().await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        let mut conn = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    /// The one column of text that a query gives.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let mut conn = self.connect().await;
        let texts = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        texts
    }

    /// Each row as one text: its cells as SQLite stores them, texts in quotation marks.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let mut conn = self.connect().await;
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        rows.iter()
            .map(|row| {
                let cells: Vec<String> = (0..row.len())
                    .map(|index| {
                        let raw = row.try_get_raw(index).unwrap();
                        if raw.is_null() {
                            return "null".to_owned();
                        }
                        match raw.type_info().name() {
                            "INTEGER" => row.get_unchecked::<i64, _>(index).to_string(),
                            "REAL" => format!("{:?}", row.get_unchecked::<f64, _>(index)),
                            "TEXT" => format!("'{}'", row.get_unchecked::<String, _>(index)),
                            "BLOB" => format!("{:?}", row.get_unchecked::<Vec<u8>, _>(index)),
                            other => panic!("{} is {other}", row.column(index).name()),
                        }
                    })
                    .collect();
                cells.join(" ")
            })
            .collect()
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut conn = self.connect().await;
        let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        number
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _may_not_exist = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

pub(crate) fn config(file: &File, pairs: &[(&str, &str)]) -> ConfigMap {
    let mut config = ConfigMap::new();
    config.insert("name".into(), "sink".into());
    config.insert("connection.url".into(), format!("jdbc:sqlite:{}?busy_timeout=50", file.0.display()));
    config.extend(pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    config
}

pub(crate) async fn task(file: &File, tolerates_errors: bool, pairs: &[(&str, &str)]) -> Box<dyn SinkTask> {
    start(&JdbcSinkConnector::confluent(), tolerates_errors, &config(file, pairs)).await
}

pub(crate) async fn start(
    connector: &JdbcSinkConnector,
    tolerates_errors: bool,
    config: &ConfigMap,
) -> Box<dyn SinkTask> {
    assert_eq!(connector.validate(config), []);
    let mut task = connector.new_task();
    let context = SinkTaskContext { connector: "sink".into(), task: 0, tolerates_errors };
    task.start(context, config).await.unwrap();
    task
}

pub(crate) fn item_schema() -> SchemaRef {
    Arc::new(Schema::structure([
        ("id", Schema::new(Type::Int32)),
        ("name", Schema::new(Type::String).optional()),
    ]))
}

pub(crate) fn record(topic: &str, offset: i64, schema: &SchemaRef, values: Vec<Value>) -> SinkRecord {
    SinkRecord {
        topic: topic.into(),
        partition: 0,
        offset,
        timestamp: None,
        key_schema: None,
        key: Value::Null,
        value_schema: Some(schema.clone()),
        value: Value::Struct(values),
    }
}

/// Record `offset` of topic `t` with itself as id.
pub(crate) fn item(schema: &SchemaRef, offset: i64, name: &str) -> SinkRecord {
    record("t", offset, schema, vec![Value::Int32(offset as i32), name.into()])
}

pub(crate) fn items(offsets: std::ops::Range<i64>) -> Vec<SinkRecord> {
    let schema = item_schema();
    offsets.map(|offset| item(&schema, offset, "a")).collect()
}

pub(crate) fn partition() -> TopicPartition {
    TopicPartition { topic: "t".into(), partition: 0 }
}

pub(crate) fn indexes(rejected: &[Rejected]) -> Vec<usize> {
    rejected.iter().map(|rejected| rejected.index).collect()
}

pub(crate) fn header<'a>(rejected: &'a Rejected, name: &str) -> Option<&'a str> {
    let name = format!("__connect.errors.{name}");
    rejected.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

pub(crate) fn fatal(result: Result<Vec<Rejected>, PutError>) -> String {
    match result {
        Err(PutError::Fatal(error)) => error.chain(),
        other => panic!("{other:?}"),
    }
}

/// The record that ends a task which tolerates none.
pub(crate) fn bad_record(result: Result<Vec<Rejected>, PutError>) -> Rejected {
    match result {
        Err(PutError::BadRecord(bad)) => bad,
        other => panic!("{other:?}"),
    }
}
