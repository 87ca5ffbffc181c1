//! A task as the runtime calls it, with a database file and stored offsets of its own.

use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, OffsetMap, OffsetReader, PollError, SourceConnector, SourceRecord, SourceTask,
    SourceTaskContext, Value, json,
};
use connect_jdbc::JdbcSourceConnector;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; every wait ends as soon as it can.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database and the offsets of a connector that reads it.
pub(crate) struct Rig {
    pub(crate) file: PathBuf,
    offsets: Arc<Offsets>,
}

#[derive(Default)]
struct Offsets(Mutex<HashMap<String, OffsetMap>>);

#[async_trait]
impl OffsetReader for Offsets {
    async fn offset(&self, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        Ok(self.0.lock().unwrap().get(&text(partition)).cloned())
    }
}

pub(crate) fn text(map: &OffsetMap) -> String {
    let mut text = Vec::new();
    json::push_object(&mut text, map);
    String::from_utf8(text).unwrap()
}

impl Rig {
    pub(crate) async fn new(sql: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("connect-jdbc-source-{}-{number}.db", std::process::id());
        let rig = Self { file: std::env::temp_dir().join(name), offsets: Arc::default() };
        rig.run(sql).await;
        rig
    }

    pub(crate) async fn run(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(&self.file).create_if_missing(true);
        let mut conn = options.busy_timeout(PATIENCE).connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    pub(crate) fn config(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        let url = format!("jdbc:sqlite:{}", self.file.display());
        let mut config: ConfigMap = [
            ("connection.url", url.as_str()),
            ("topic.prefix", "p-"),
            ("poll.interval.ms", "20"),
            ("connection.backoff.ms", "20"),
            ("poll.linger.ms", "300"),
            ("tables.fetched", "true"),
        ]
        .into_iter()
        .chain(pairs.iter().copied())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
        if !pairs.iter().any(|(key, _)| ["query", "query.masked"].contains(key)) {
            config.entry("tables".into()).or_insert_with(|| "\"t\"".into());
            config.insert("table.whitelist".into(), "t".into());
        }
        config
    }

    pub(crate) async fn start_of(
        &self,
        connector: JdbcSourceConnector,
        pairs: &[(&str, &str)],
    ) -> Result<Task, ConnectError> {
        let mut task = connector.new_task();
        let context =
            SourceTaskContext { connector: "source".into(), task: 0, offsets: self.offsets.clone() };
        task.start(context, &self.config(pairs)).await?;
        Ok(Task { task })
    }

    pub(crate) async fn start(&self, pairs: &[(&str, &str)]) -> Task {
        self.start_of(JdbcSourceConnector::confluent(), pairs).await.unwrap()
    }

    /// As the runtime does once the records are in Kafka.
    pub(crate) fn commit(&self, records: &[SourceRecord]) {
        for record in records {
            if let (Some(partition), Some(offset)) = (&record.source_partition, &record.source_offset) {
                self.store(&text(partition), offset.map());
            }
        }
    }

    pub(crate) fn store(&self, partition: &str, offset: OffsetMap) {
        self.offsets.0.lock().unwrap().insert(partition.to_owned(), offset);
    }

    pub(crate) fn stored(&self) -> Vec<String> {
        let stored = self.offsets.0.lock().unwrap();
        let mut texts: Vec<String> =
            stored.iter().map(|(partition, offset)| format!("{partition} {}", text(offset))).collect();
        texts.sort();
        texts
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _may_not_exist = std::fs::remove_file(format!("{}{suffix}", self.file.display()));
        }
    }
}

pub(crate) struct Task {
    task: Box<dyn SourceTask>,
}

impl Task {
    pub(crate) async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        self.task.poll().await
    }

    /// Polls until there are `count` records, and fails if there are more.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<SourceRecord> {
        let (mut records, begin) = (Vec::new(), Instant::now());
        while records.len() < count {
            records.extend(self.poll().await.unwrap());
            assert!(begin.elapsed() < PATIENCE, "{} of {count} records", records.len());
        }
        assert_eq!(records.len(), count);
        records
    }

    /// A few reads that find nothing.
    pub(crate) async fn nothing(&mut self) {
        for _ in 0..2 {
            let records = self.poll().await.unwrap();
            assert_eq!(names(&records), Vec::<String>::new());
        }
    }

    /// The error that ends the task.
    pub(crate) async fn failure(&mut self) -> String {
        let begin = Instant::now();
        loop {
            match self.poll().await {
                Ok(records) => assert!(records.is_empty(), "{records:?}"),
                Err(PollError::Fatal(error)) => return error.chain(),
                Err(PollError::Retriable { backoff, .. }) => tokio::time::sleep(backoff).await,
            }
            assert!(begin.elapsed() < PATIENCE, "the task does not fail");
        }
    }

    /// The trouble that the next polls report, and how long to wait.
    pub(crate) async fn trouble(&mut self) -> (String, Duration) {
        let begin = Instant::now();
        loop {
            match self.poll().await {
                Ok(_) => {}
                Err(PollError::Retriable { error, backoff }) => return (error.chain(), backoff),
                Err(PollError::Fatal(error)) => panic!("{}", error.chain()),
            }
            assert!(begin.elapsed() < PATIENCE, "there is no trouble");
        }
    }

    pub(crate) async fn stop(mut self) {
        self.task.stop().await;
    }
}

/// The field of a record's value.
pub(crate) fn field<'a>(record: &'a SourceRecord, name: &str) -> &'a Value {
    let schema = record.value_schema.as_ref().unwrap();
    let Value::Struct(values) = &record.value else { panic!("{:?} is no struct", record.value) };
    &values[schema.field_index(name).unwrap()]
}

pub(crate) fn number(record: &SourceRecord, name: &str) -> i64 {
    match field(record, name) {
        Value::Int64(number) => *number,
        Value::Int32(number) => i64::from(*number),
        other => panic!("{other:?} is no number"),
    }
}

/// The `name` of each record.
pub(crate) fn names(records: &[SourceRecord]) -> Vec<String> {
    let name = |record: &SourceRecord| match field(record, "name") {
        Value::String(text) => text.to_string(),
        other => format!("{other:?}"),
    };
    records.iter().map(name).collect()
}

/// `name offset` of each record.
pub(crate) fn placed(records: &[SourceRecord]) -> String {
    let offset = |record: &SourceRecord| {
        record.source_offset.as_ref().map_or("none".into(), |offset| text(&offset.map()))
    };
    let lines =
        names(records).into_iter().zip(records).map(|(name, record)| format!("{name} {}", offset(record)));
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn partition(record: &SourceRecord) -> String {
    text(record.source_partition.as_ref().unwrap())
}
