//! What becomes of records: updates, deletes, texts and plain JSON.

use crate::support::{File, config, start, task};
use connect_api::{Schema, SchemaRef, SinkRecord, Type, Value};
use connect_jdbc::JdbcSinkConnector;
use std::sync::Arc;

fn record(offset: i64, key: i64, value: Option<(SchemaRef, Value)>) -> SinkRecord {
    let (value_schema, value) = value.unzip();
    SinkRecord {
        topic: "a.t".into(),
        partition: 0,
        offset,
        timestamp: None,
        key_schema: Some(Arc::new(Schema::new(Type::Int64))),
        key: Value::Int64(key),
        value_schema,
        value: value.unwrap_or_default(),
    }
}

fn named(name: &str) -> Option<(SchemaRef, Value)> {
    let schema = Schema::structure([("name", Schema::new(Type::String).optional())]);
    Some((Arc::new(schema), Value::Struct(vec![name.into()])))
}

const KEY: [(&str, &str); 3] = [("pk.mode", "record_key"), ("pk.fields", "id"), ("table.name.format", "t")];

fn with_key<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    KEY.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn tombstones_delete_and_writes_after_them_stay() {
    let file = File::new();
    let pairs = with_key(&[("insert.mode", "upsert"), ("delete.enabled", "true"), ("auto.create", "true")]);
    let mut task = task(&file, false, &pairs).await;
    let records = [
        record(0, 1, named("a")),
        record(1, 2, named("b")),
        record(2, 1, None),
        record(3, 3, named("c")),
        record(4, 1, named("d")),
        record(5, 2, None),
        record(6, 9, None),
    ];
    assert_eq!(task.put(&records).await.unwrap().len(), 0);
    let rows = file.texts("SELECT id || ' ' || name FROM t ORDER BY id").await;
    assert_eq!(rows, ["1 d", "3 c"]);
    task.stop().await;
}

#[tokio::test]
async fn a_delete_before_all_rows_makes_no_table() {
    let file = File::new();
    let pairs = with_key(&[("delete.enabled", "true"), ("auto.create", "true")]);
    let mut task = task(&file, false, &pairs).await;
    assert_eq!(task.put(&[record(0, 1, None)]).await.unwrap().len(), 0);
    let schema = Schema::structure([("name", Schema::new(Type::String))]);
    let strict = Some((Arc::new(schema), Value::Struct(vec!["a".into()])));
    assert_eq!(task.put(&[record(1, 1, None), record(2, 1, strict)]).await.unwrap().len(), 0);
    assert_eq!(file.texts("SELECT id || ' ' || name FROM t").await, ["1 a"]);
    task.stop().await;
}

#[tokio::test]
async fn updates_change_rows_that_are_there() {
    let file = File::new();
    file.run("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, other TEXT DEFAULT 'o')").await;
    file.run("INSERT INTO t(id, name) VALUES (1, 'x'), (2, 'y')").await;
    let mut task = task(&file, false, &with_key(&[("insert.mode", "update")])).await;
    let records = [record(0, 1, named("a")), record(1, 3, named("b")), record(2, 1, named("c"))];
    assert_eq!(task.put(&records).await.unwrap().len(), 0);
    let rows = file.texts("SELECT id || ' ' || name || ' ' || other FROM t ORDER BY id").await;
    assert_eq!(rows, ["1 c o", "2 y o"]);
    task.stop().await;
}

#[tokio::test]
async fn texts_go_to_a_column_of_their_own() {
    let file = File::new();
    let mut task = task(&file, false, &with_key(&[("auto.create", "true")])).await;
    let text = Some((Arc::new(Schema::new(Type::String)), Value::from("hello")));
    assert_eq!(task.put(&[record(0, 1, text)]).await.unwrap().len(), 0);
    assert_eq!(file.texts("SELECT id || ' ' || record_value FROM t").await, ["1 hello"]);
    task.stop().await;
}

fn plain(offset: i64, entries: &[(&str, Value)]) -> SinkRecord {
    let entries = entries.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    SinkRecord { value: Value::Map(entries), ..record(offset, offset, None) }
}

#[tokio::test]
async fn plain_json_makes_and_evolves_its_table() {
    let file = File::new();
    let pairs = with_key(&[
        ("schemaless.values", "infer"),
        ("insert.mode", "upsert"),
        ("auto.create", "true"),
        ("auto.evolve", "true"),
    ]);
    let mut task = task(&file, false, &pairs).await;
    let records = [
        plain(1, &[("name", "a".into()), ("qty", Value::Int64(1))]),
        plain(2, &[("name", "b".into()), ("qty", Value::Int64(2)), ("price", Value::Float64(1.5))]),
    ];
    assert_eq!(task.put(&records).await.unwrap().len(), 0);
    // Its column is there by now, so null is written to it.
    let mut again = plain(3, &[("qty", Value::Null)]);
    again.key = Value::Int64(2);
    assert_eq!(task.put(&[again]).await.unwrap().len(), 0);
    task.stop().await;
    let pairs = with_key(&[("schemaless.values", "table"), ("insert.mode", "upsert")]);
    let mut task = self::task(&file, false, &pairs).await;
    let mut again = plain(4, &[("name", Value::Null), ("price", "2.5".into())]);
    again.key = Value::Int64(1);
    assert_eq!(task.put(&[again]).await.unwrap().len(), 0);
    let rows = file.texts("SELECT json_array(id, name, qty, price, typeof(price)) FROM t ORDER BY id").await;
    assert_eq!(rows, [r#"[1,null,1,2.5,"real"]"#, r#"[2,"b",null,1.5,"real"]"#]);
    task.stop().await;
}

#[tokio::test]
async fn aivens_topics_have_the_tables_they_are_given() {
    let file = File::new();
    let pairs = [("topics.to.tables.mapping", "x:y,a.t:orders"), ("auto.create", "true")];
    let mut task = start(&JdbcSinkConnector::aiven(), false, &config(&file, &pairs)).await;
    assert_eq!(task.put(&[record(0, 1, named("a"))]).await.unwrap().len(), 0);
    assert_eq!(file.texts("SELECT name FROM orders").await, ["a"]);
    task.stop().await;
    let pairs = [("table.name.normalize", "true"), ("auto.create", "true")];
    let mut task = start(&JdbcSinkConnector::aiven(), false, &config(&file, &pairs)).await;
    assert_eq!(task.put(&[record(0, 1, named("b"))]).await.unwrap().len(), 0);
    assert_eq!(file.texts("SELECT name FROM a_t").await, ["b"]);
    task.stop().await;
}
