//! Tables that are made, evolved, looked at and lost, and what values become in them.

use crate::support::{self, File};
use connect_api::{
    ConfigMap, Decimal, PutError, Rejected, Schema, SchemaRef, SinkConnector, SinkRecord, SinkTask,
    SinkTaskContext, Type, Value,
};
use connect_jdbc::JdbcSinkConnector;
use sqlx::Connection;
use std::sync::Arc;
use std::time::Duration;

/// Tables follow the records, unless a test says otherwise.
fn config(file: &File, pairs: &[(&str, &str)]) -> ConfigMap {
    support::config(file, &[&[("auto.create", "true"), ("auto.evolve", "true")], pairs].concat())
}

async fn task(file: &File, pairs: &[(&str, &str)]) -> Box<dyn SinkTask> {
    support::start(&JdbcSinkConnector::confluent(), false, &config(file, pairs)).await
}

const UPSERT: &[(&str, &str)] =
    &[("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "id")];

fn schema<'a>(fields: impl IntoIterator<Item = (&'a str, Schema)>) -> SchemaRef {
    Arc::new(Schema::structure(fields))
}

fn int() -> Schema {
    Schema::new(Type::Int32)
}

fn text() -> Schema {
    Schema::new(Type::String)
}

fn record(offset: i64, schema: &SchemaRef, values: Vec<Value>) -> SinkRecord {
    SinkRecord {
        topic: "t".into(),
        partition: 0,
        offset,
        timestamp: None,
        key_schema: Some(Arc::new(text().optional())),
        key: Value::from(format!("k{offset}").as_str()),
        value_schema: Some(schema.clone()),
        value: Value::Struct(values),
    }
}

fn pairs(schema: &SchemaRef, rows: &[(i32, &str)]) -> Vec<SinkRecord> {
    rows.iter()
        .zip(0..)
        .map(|((id, name), offset)| record(offset, schema, vec![Value::Int32(*id), (*name).into()]))
        .collect()
}

/// What the task fails with.
fn fatal(result: Result<Vec<Rejected>, PutError>) -> String {
    match result {
        Err(PutError::BadRecord(bad)) => bad.error.chain(),
        Err(PutError::Fatal(error)) => error.chain(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_table_is_created_and_rows_are_upserted() {
    let file = File::new();
    let schema = schema([("id", int()), ("name", text().optional())]);
    let mut task = task(&file, UPSERT).await;
    // The same key twice in one statement: the later record wins.
    task.put(&pairs(&schema, &[(1, "a"), (2, "b"), (1, "c")])).await.unwrap();
    task.put(&pairs(&schema, &[(2, "d"), (3, "e")])).await.unwrap();
    task.stop().await;
    assert_eq!(file.rows("SELECT * FROM t ORDER BY id").await, ["1 'c'", "2 'd'", "3 'e'"]);
    assert_eq!(
        file.rows("SELECT sql FROM sqlite_master WHERE name = 't'").await,
        ["'CREATE TABLE `t` (\n`id` INTEGER NOT NULL,\n`name` TEXT NULL,\nPRIMARY KEY(`id`))'"]
    );
}

#[tokio::test]
async fn an_upsert_leaves_other_columns_alone() {
    let file = File::new();
    file.run("CREATE TABLE t(ID INTEGER PRIMARY KEY, name TEXT, note TEXT DEFAULT 'new')").await;
    file.run("INSERT INTO t VALUES(1, 'a', 'kept')").await;
    let schema = schema([("id", int()), ("name", text())]);
    let mut task = task(&file, UPSERT).await;
    task.put(&pairs(&schema, &[(1, "b"), (2, "c")])).await.unwrap();
    assert_eq!(file.rows("SELECT * FROM t ORDER BY id").await, ["1 'b' 'kept'", "2 'c' 'new'"]);
}

#[tokio::test]
async fn generated_columns_and_names_in_another_case_are_the_table_s_own() {
    let file = File::new();
    file.run("CREATE TABLE t(ID INTEGER PRIMARY KEY, Name TEXT, twice INT AS (id * 2) STORED, thrice INT AS (id * 3))").await;
    let schema = schema([("id", int()), ("twice", int()), ("thrice", int()), ("NAME", text())]);
    let row = |id, name: &str| {
        record(0, &schema, vec![Value::Int32(id), Value::Int32(-1), Value::Int32(-1), name.into()])
    };
    let mut task = task(&file, UPSERT).await;
    task.put(&[row(1, "a"), row(1, "b")]).await.unwrap();
    assert_eq!(file.rows("SELECT id, name, twice, thrice FROM t").await, ["1 'b' 2 3"]);
    let mut task = self::task(&file, &[UPSERT, &[("pk.fields", "twice")]].concat()).await;
    let error = fatal(task.put(&[row(1, "a")]).await);
    assert!(error.contains("the key column 'twice' of table t is a generated column"), "{error}");
}

#[tokio::test]
async fn a_view_is_no_table_unless_it_is_allowed() {
    let file = File::new();
    file.run(
        "CREATE TABLE base(id INT PRIMARY KEY, name TEXT); CREATE VIEW T AS SELECT * FROM base; \
         CREATE TRIGGER i INSTEAD OF INSERT ON t BEGIN INSERT INTO base VALUES(NEW.id, NEW.name); END",
    )
    .await;
    let schema = schema([("id", int()), ("name", text())]);
    let records = pairs(&schema, &[(1, "a")]);
    let error = fatal(task(&file, &[]).await.put(&records).await);
    assert!(error.contains("t is a VIEW, and table.types allows TABLE only"), "{error}");
    for format in ["${topic}", "main.${topic}"] {
        let mut task = task(&file, &[("table.types", "VIEW"), ("table.name.format", format)]).await;
        task.put(&records).await.unwrap();
        assert_eq!(file.rows("SELECT * FROM base").await, ["1 'a'"]);
        file.run("DELETE FROM base").await;
    }
    let error = fatal(task(&file, &[("table.name.format", "nowhere.t")]).await.put(&records).await);
    assert!(error.contains("nowhere"), "{error}");
}

#[tokio::test]
async fn a_key_alone_is_upserted_once() {
    let file = File::new();
    let schema = schema([("id", int())]);
    let mut task = task(&file, UPSERT).await;
    let records: Vec<_> = (0..3).map(|offset| record(offset, &schema, vec![Value::Int32(7)])).collect();
    task.put(&records).await.unwrap();
    assert_eq!(file.rows("SELECT * FROM t").await, ["7"]);
}

#[tokio::test]
async fn a_table_evolves_within_one_put() {
    let file = File::new();
    let narrow = schema([("id", int()), ("name", text())]);
    let wide = schema([
        ("id", int()),
        ("name", text()),
        ("note", text().optional()),
        ("qty", int().with_default(Value::Int32(5))),
    ]);
    let mut task = task(&file, UPSERT).await;
    let mut records = pairs(&narrow, &[(1, "a")]);
    records.push(record(1, &wide, vec![Value::Int32(2), "b".into(), "n".into(), Value::Null]));
    records.push(record(2, &narrow, vec![Value::Int32(3), "c".into()]));
    task.put(&records).await.unwrap();
    assert_eq!(
        file.rows("SELECT * FROM t ORDER BY id").await,
        ["1 'a' null 5", "2 'b' 'n' 5", "3 'c' null 5"]
    );

    let strict = schema([("id", int()), ("must", int())]);
    let error = fatal(task.put(&[record(9, &strict, vec![Value::Int32(1), Value::Int32(1)])]).await);
    assert_eq!(
        error,
        "the record at (topic='t',partition=0,offset=9,timestamp=null) cannot be written to table t: Cannot ALTER TABLE t to add missing field 'must', as the field is not optional and does not have a default value; \
         make the field optional in the schema or add the column by hand"
    );
}

#[tokio::test]
async fn without_leave_nothing_is_created_or_evolved() {
    let file = File::new();
    let schema = schema([("id", int()), ("name", text().optional())]);
    let mut task = task(&file, &[("auto.create", "false"), ("auto.evolve", "false")]).await;
    let records = pairs(&schema, &[(1, "a")]);
    assert_eq!(
        fatal(task.put(&records).await),
        "the record at (topic='t',partition=0,offset=0,timestamp=null) cannot be written to table t: Table t is missing and \
         auto-creation is disabled; create the table or set auto.create=true"
    );
    file.run("CREATE TABLE t(id INTEGER)").await;
    let error = fatal(task.put(&records).await);
    assert!(error.contains("Table t is missing fields (name) and auto-evolution is disabled"), "{error}");
}

#[tokio::test]
async fn a_put_is_all_or_nothing() {
    let file = File::new();
    file.run("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT CHECK(name <> 'bad'))").await;
    let schema = schema([("id", int()), ("name", text())]);
    let mut task = task(&file, &[("batch.size", "2")]).await;
    let error = fatal(task.put(&pairs(&schema, &[(1, "a"), (2, "b"), (3, "bad"), (4, "c")])).await);
    let place = "the record at (topic='t',partition=0,offset=2,timestamp=null) cannot be written to table t: error 275: CHECK";
    assert!(error.contains(place), "{error}");
    assert_eq!(file.rows("SELECT * FROM t").await, [""; 0]);
    task.put(&pairs(&schema, &[(1, "a")])).await.unwrap();
    assert_eq!(file.rows("SELECT * FROM t").await, ["1 'a'"]);
}

#[tokio::test]
async fn a_busy_database_is_retried_until_the_budget_is_spent() {
    let file = File::new();
    let schema = schema([("id", int()), ("name", text())]);
    let mut task = task(&file, &[("max.retries", "2"), ("retry.backoff.ms", "7")]).await;
    let records = pairs(&schema, &[(1, "a")]);
    task.put(&records).await.unwrap();
    for _ in 0..2 {
        let mut lock = file.connect().await;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
        for _ in 0..2 {
            match task.put(&records).await {
                Err(PutError::Retriable { backoff, error }) => {
                    assert_eq!(backoff, Duration::from_millis(7));
                    assert!(error.chain().contains("database is locked"), "{}", error.chain());
                }
                other => panic!("{other:?}"),
            }
        }
        // A good put gives the whole budget back.
        lock.close().await.unwrap();
        task.put(&records).await.unwrap();
    }
    let mut lock = file.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(task.put(&records).await, Err(PutError::Retriable { .. })));
    }
    let error = fatal(task.put(&records).await);
    assert!(error.contains("3 attempts in a row"), "{error}");
}

#[tokio::test]
async fn a_table_that_vanished_is_made_again() {
    let file = File::new();
    let schema = schema([("id", int()), ("name", text())]);
    let mut task = task(&file, UPSERT).await;
    let records = pairs(&schema, &[(1, "a")]);
    task.put(&records).await.unwrap();
    file.run("DROP TABLE t").await;
    assert!(matches!(task.put(&records).await, Err(PutError::Retriable { .. })));
    task.put(&records).await.unwrap();
    assert_eq!(file.rows("SELECT * FROM t").await, ["1 'a'"]);
}

#[tokio::test]
async fn a_cancelled_put_leaves_nothing_open() {
    let file = File::new();
    let schema = schema([("id", int()), ("name", text())]);
    let mut task = task(&file, UPSERT).await;
    task.put(&pairs(&schema, &[(1, "a")])).await.unwrap();
    let names: Vec<(i32, String)> = (0..5000).map(|id| (id, format!("n{id}"))).collect();
    let many: Vec<(i32, &str)> = names.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let many = pairs(&schema, &many);
    // Cancels wherever it happens to be; the next put must find the database usable and write everything.
    for micros in [1, 500, 2000, 5000] {
        let _cancelled = tokio::time::timeout(Duration::from_micros(micros), task.put(&many)).await;
    }
    let mut attempts = 0;
    while let Err(error) = task.put(&many).await {
        attempts += 1;
        assert!(matches!(error, PutError::Retriable { .. }) && attempts < 10, "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(file.rows("SELECT count(*), count(DISTINCT name) FROM t").await, ["5000 5000"]);
}

#[tokio::test]
async fn many_rows_keep_their_order() {
    let file = File::new();
    let schema = schema([("id", int()), ("name", text())]);
    let names: Vec<(i32, String)> = (0..3777).map(|id| (id, format!("n{id}"))).collect();
    let rows: Vec<(i32, &str)> = names.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let mut task = task(&file, &[("pk.mode", "kafka")]).await;
    task.put(&pairs(&schema, &rows)).await.unwrap();
    assert_eq!(
        file.rows(
            "SELECT count(*), sum(id = __connect_offset AND id = rowid - 1 AND __connect_topic = 't') FROM t"
        )
        .await,
        ["3777 3777"]
    );
}

#[tokio::test]
async fn values_at_the_edges() {
    let file = File::new();
    let schema = schema([
        ("b", Schema::new(Type::Boolean)),
        ("i8", Schema::new(Type::Int8)),
        ("i64", Schema::new(Type::Int64)),
        ("f32", Schema::new(Type::Float32)),
        ("f64", Schema::new(Type::Float64)),
        ("s", text()),
        ("y", Schema::new(Type::Bytes)),
        ("d", Schema::decimal(2)),
        ("da", Schema::date()),
        ("ti", Schema::time()),
        ("ts", Schema::timestamp()),
    ]);
    let low = vec![
        Value::Boolean(false),
        Value::Int8(i8::MIN),
        Value::Int64(i64::MIN),
        Value::Float32(f32::MIN),
        Value::Float64(f64::MIN_POSITIVE),
        Value::from("'; DROP TABLE t; -- `\u{0}é😀"),
        Value::Bytes(vec![0, 255].into()),
        Value::Decimal(Decimal::new(-1, 2)),
        Value::Date(-719_162),
        Value::Time(0),
        Value::Timestamp(-62_135_596_800_000),
    ];
    let high = vec![
        Value::Boolean(true),
        Value::Int8(i8::MAX),
        Value::Int64(i64::MAX),
        Value::Float32(0.5),
        Value::Float64(f64::INFINITY),
        Value::from(""),
        Value::Bytes(vec![].into()),
        Value::Decimal(Decimal::new(12_345_678_901_234i64, 2)),
        Value::Date(2_932_896),
        Value::Time(86_399_999),
        Value::Timestamp(253_402_300_799_999),
    ];
    let mut task = task(&file, &[]).await;
    task.put(&[record(0, &schema, low), record(1, &schema, high)]).await.unwrap();
    assert_eq!(
        file.rows("SELECT * FROM t").await,
        [
            "0 -128 -9223372036854775808 -3.4028234663852886e38 2.2250738585072014e-308 '\'; DROP TABLE t; -- `\u{0}é😀' \
             [0, 255] -0.01 -62135596800000 0 -62135596800000",
            "1 127 9223372036854775807 0.5 inf '' [] 123456789012.34 253402214400000 86399999 253402300799999",
        ]
    );
}

#[tokio::test]
async fn the_database_is_probed_without_making_one() {
    let file = File::new();
    assert_eq!(JdbcSinkConnector::confluent().validate_remote(&config(&file, &[])).await, []);
    assert!(!file.0.exists());

    std::fs::write(&file.0, "this is no database, but long enough to have a header of one hundred bytes: 0123456789 0123456789 0123456789").unwrap();
    let faults = JdbcSinkConnector::confluent().validate_remote(&config(&file, &[])).await;
    assert_eq!(faults[0].0, "connection.url");
    assert!(faults[0].1.contains("file is not a database"), "{faults:?}");

    let nowhere = config(&file, &[("connection.url", "jdbc:sqlite:/nowhere/at/all.db")]);
    let faults = JdbcSinkConnector::confluent().validate_remote(&nowhere).await;
    assert!(
        faults[0].1.starts_with("Could not connect to database. /nowhere/at/all.db: the folder"),
        "{faults:?}"
    );
}

#[tokio::test]
async fn an_unreachable_server_is_named_without_the_password() {
    let file = File::new();
    let url = "jdbc:mysql://root:s3cret@127.0.0.1:1/mydb";
    let config = config(&file, &[("connection.url", url), ("max.retries", "0"), ("retry.backoff.ms", "5")]);
    let faults = JdbcSinkConnector::confluent().validate_remote(&config).await;
    assert!(faults[0].1.starts_with("Could not connect to database. 127.0.0.1:1: "), "{faults:?}");
    assert!(faults[0].1.contains("Connection refused") && !faults[0].1.contains("s3cret"), "{faults:?}");

    // connection.attempts=3 gives a failed connect two more, whatever max.retries says.
    let mut task = JdbcSinkConnector::confluent().new_task();
    task.start(SinkTaskContext { connector: "sink".into(), task: 0, tolerates_errors: false }, &config)
        .await
        .unwrap();
    let schema = schema([("id", int()), ("name", text())]);
    let records = pairs(&schema, &[(1, "a")]);
    for _ in 0..2 {
        assert!(matches!(task.put(&records).await, Err(PutError::Retriable { .. })));
    }
    let error = fatal(task.put(&records).await);
    assert!(error.contains("127.0.0.1:1") && !error.contains("s3cret"), "{error}");
}
