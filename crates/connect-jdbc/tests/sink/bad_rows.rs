//! One bad row never takes good ones with it.

use crate::support::*;
use connect_api::{PutError, Schema, SchemaRef, Type, Value};
use std::sync::Arc;

const TABLE: &str = "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK(length(name) < 9)); CREATE TABLE other(id INTEGER)";

#[tokio::test]
async fn exactly_the_bad_rows_are_rejected_in_their_order() {
    let file = File::new();
    file.run(TABLE).await;
    let mut task = task(&file, true, &[]).await;
    let schema = item_schema();
    let names: Vec<&str> = (0..3000).map(|n| if n % 100 == 42 { "much too long" } else { "good" }).collect();
    let records: Vec<_> = (0..).zip(&names).map(|(offset, name)| item(&schema, offset, name)).collect();
    let rejected = task.put(&records).await.unwrap();
    let expected: Vec<usize> = (0..3000).filter(|n| n % 100 == 42).collect();
    assert_eq!(indexes(&rejected), expected);
    assert_eq!(file.number("SELECT count(*) FROM t").await, 2970);
    assert_eq!(file.number("SELECT count(*) FROM t WHERE id % 100 = 42").await, 0);
    assert_eq!(header(&rejected[0], "sqlmessage"), Some("CHECK constraint failed: length(name) < 9"));
    assert_eq!(header(&rejected[0], "sqlstate"), None, "SQLite has none");
    assert_eq!(
        rejected[1].error.chain(),
        "the record at (topic='t',partition=0,offset=142,timestamp=null) cannot be written to table t: error 275: CHECK \
         constraint failed: length(name) < 9"
    );

    // The task is well.
    assert_eq!(indexes(&task.put(&[item(&schema, 3000, "good")]).await.unwrap()), [0; 0]);
    assert_eq!(file.number("SELECT count(*) FROM t").await, 2971);
}

#[tokio::test]
async fn of_two_with_one_key_the_second_is_bad() {
    let file = File::new();
    file.run(TABLE).await;
    let mut task = task(&file, true, &[]).await;
    let schema = item_schema();
    let row = |offset, id, name: &str| record("t", offset, &schema, vec![Value::Int32(id), name.into()]);
    let records = [row(0, 1, "a"), row(1, 2, "b"), row(2, 1, "c"), row(3, 3, "d")];
    let rejected = task.put(&records).await.unwrap();
    assert_eq!(indexes(&rejected), [2]);
    assert!(rejected[0].error.to_string().ends_with("to table t, column 'id'"), "{}", rejected[0].error);
    assert_eq!(file.texts("SELECT id || name FROM t ORDER BY id").await, ["1a", "2b", "3d"]);
}

#[tokio::test]
async fn what_is_not_tolerated_fails_the_task_and_nothing_is_written() {
    let file = File::new();
    file.run(TABLE).await;
    let mut task = task(&file, false, &[]).await;
    let mut records = items(0..500);
    records[321].value = Value::Struct(vec![Value::Int32(321), Value::Null]);
    records[400].value = Value::Struct(vec![Value::Int32(1), "a".into()]);
    let bad = bad_record(task.put(&records).await);
    assert_eq!(bad.index, 321);
    assert_eq!(header(&bad, "sqlmessage"), Some("NOT NULL constraint failed: t.name"));
    assert_eq!(
        bad.error.chain(),
        "the record at (topic='t',partition=0,offset=321,timestamp=null) cannot be written to table t, column 'name': error \
         1299: NOT NULL constraint failed: t.name"
    );
    assert_eq!(file.number("SELECT count(*) FROM t").await, 0);
}

fn wide() -> SchemaRef {
    Arc::new(Schema::structure([("id", Schema::new(Type::Int32)), ("more", Schema::new(Type::Int32))]))
}

#[tokio::test]
async fn records_are_rejected_for_what_their_tables_lack() {
    let file = File::new();
    file.run(TABLE).await;
    let (item_schema, wide) = (item_schema(), wide());
    let nested = Arc::new(Schema::structure([(
        "n",
        Schema {
            ty: Type::Map { key: item_schema.clone(), value: item_schema.clone() },
            ..Schema::new(Type::Int8)
        },
    )]));
    let number = |n| Value::Int32(n);
    let records = [
        item(&item_schema, 0, "a"),
        record("t", 1, &wide, vec![number(1), number(1)]),
        record("missing", 0, &wide, vec![number(1), number(1)]),
        item(&item_schema, 2, "much too long"),
        record("t", 3, &nested, vec![Value::Map(vec![])]),
        item(&item_schema, 4, "b"),
        record("missing", 1, &wide, vec![number(2), number(1)]),
    ];
    let mut tolerant = task(&file, true, &[]).await;
    let rejected = tolerant.put(&records).await.unwrap();
    assert_eq!(indexes(&rejected), [1, 2, 3, 4, 6]);
    let errors: Vec<String> = rejected.iter().map(|rejected| rejected.error.chain()).collect();
    for (error, part) in errors.iter().zip([
        "offset=1,timestamp=null) cannot be written to table t: Table t is missing fields (more) and auto-evolution is disabled",
        "(topic='missing',partition=0,offset=0,timestamp=null) cannot be written to table missing: Table missing is missing and",
        "CHECK constraint failed",
        "type doesn't have a mapping to the SQL database column type",
        "(topic='missing',partition=0,offset=1,",
    ]) {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(file.texts("SELECT name FROM t ORDER BY id").await, ["a", "b"]);

    // Somebody makes the table while the task runs.
    file.run("CREATE TABLE missing(id INTEGER, more INTEGER)").await;
    assert_eq!(indexes(&tolerant.put(&records[2..3]).await.unwrap()), [0; 0]);
    assert_eq!(file.number("SELECT count(*) FROM missing").await, 1);

    let mut strict = task(&file, false, &[]).await;
    let bad = bad_record(strict.put(&records[..2]).await);
    let error = bad.error.chain();
    assert!(bad.index == 1 && error.contains("to table t: Table t is missing fields (more)"), "{error}");
}

#[tokio::test]
async fn a_row_that_ends_the_transaction_fails_the_task() {
    let file = File::new();
    file.run(TABLE).await;
    file.run(
        "CREATE TRIGGER strict BEFORE INSERT ON t WHEN new.name = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'no more'); END",
    )
    .await;
    let mut task = task(&file, true, &[]).await;
    let schema = item_schema();
    let mut records = items(0..10);
    records.push(item(&schema, 10, "bad"));
    let error = fatal(task.put(&records).await);
    assert!(error.contains("no more"), "{error}");
    assert_eq!(file.number("SELECT count(*) FROM t").await, 0, "all or nothing");
}

#[tokio::test]
async fn the_databases_words_are_hidden_on_request() {
    let file = File::new();
    file.run("CREATE TABLE t(id INTEGER, name TEXT); CREATE TRIGGER strict BEFORE INSERT ON t WHEN new.name = 'bad' BEGIN SELECT RAISE(ABORT, 'not bad'); END").await;
    let mut task = task(&file, true, &[("trim.sensitive.log", "true")]).await;
    let schema = item_schema();
    let rejected = task.put(&[item(&schema, 0, "good"), item(&schema, 1, "bad")]).await.unwrap();
    assert_eq!(indexes(&rejected), [1]);
    let text = format!("{} {:?}", rejected[0].error.chain(), rejected[0].headers);
    assert!(text.contains("offset=1") && !text.contains("not bad"), "{text}");
}

#[tokio::test]
async fn a_busy_database_is_no_bad_row() {
    let file = File::new();
    file.run(TABLE).await;
    let mut task = task(&file, true, &[]).await;
    let mut lock = file.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
    assert!(matches!(task.put(&items(0..3)).await, Err(PutError::Retriable { .. })));
    sqlx::raw_sql("ROLLBACK").execute(&mut lock).await.unwrap();
    assert_eq!(indexes(&task.put(&items(0..3)).await.unwrap()), [0; 0]);
    assert_eq!(file.number("SELECT count(*) FROM t").await, 3);
}
