use crate::rig::{Rig, names, placed};
use connect_api::OffsetMap;
use connect_jdbc::JdbcSourceConnector;
use std::collections::BTreeSet;

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name TEXT, ts TIMESTAMP NOT NULL)";
const TIMESTAMP: [(&str, &str); 2] = [("mode", "timestamp"), ("timestamp.column.name", "ts")];
const INCREMENTING: [(&str, &str); 2] = [("mode", "incrementing"), ("incrementing.column.name", "id")];

fn map(text: &str) -> OffsetMap {
    serde_json::from_str(text).unwrap()
}

async fn rig() -> Rig {
    Rig::new(&format!(
        "{TABLE}; INSERT INTO t VALUES (1, 'a', 1000), (2, 'b', 2000), (3, 'c', 2000), (4, 'd', 3000)"
    ))
    .await
}

#[tokio::test]
async fn a_task_goes_on_where_the_last_one_was() {
    let rig = rig().await;
    let mut task = rig.start(&INCREMENTING).await;
    let records = task.take(4).await;
    rig.commit(&records[..2]);
    task.stop().await;
    assert_eq!(rig.stored(), [r#"{"protocol":"1","table":"t"} {"incrementing":2}"#]);
    let mut task = rig.start(&INCREMENTING).await;
    assert_eq!(names(&task.take(2).await), ["c", "d"]);
    task.stop().await;
}

#[tokio::test]
async fn rows_of_one_timestamp_are_never_torn_apart() {
    let rig = rig().await;
    let all: BTreeSet<String> = ["a", "b", "c", "d"].map(String::from).into();
    for kept in 0..=4 {
        rig.store(r#"{"protocol":"1","table":"t"}"#, map("{}"));
        let mut task = rig.start(&TIMESTAMP).await;
        let records = task.take(4).await;
        rig.commit(&records[..kept]);
        task.stop().await;
        let mut seen: BTreeSet<String> = names(&records[..kept]).into_iter().collect();
        let mut task = rig.start(&TIMESTAMP).await;
        while seen.len() < 4 {
            seen.extend(names(&task.poll().await.unwrap()));
        }
        task.nothing().await;
        task.stop().await;
        assert_eq!(seen, all, "after {kept} records");
    }
}

#[tokio::test]
async fn offsets_of_the_old_protocol_are_found() {
    let rig = rig().await;
    rig.store(r#"{"table":"t"}"#, map(r#"{"incrementing":3}"#));
    let mut task = rig.start(&INCREMENTING).await;
    let records = task.take(1).await;
    assert_eq!(placed(&records), "d {\"incrementing\":4}");
    task.stop().await;
    // the new one wins
    rig.store(r#"{"protocol":"1","table":"t"}"#, map(r#"{"incrementing":2}"#));
    let mut task = rig.start(&INCREMENTING).await;
    assert_eq!(names(&task.take(2).await), ["c", "d"]);
    task.stop().await;
}

#[tokio::test]
async fn an_offset_without_nanoseconds() {
    let rig = rig().await;
    rig.store(r#"{"protocol":"1","table":"t"}"#, map(r#"{"timestamp":2000}"#));
    let mut task = rig.start(&TIMESTAMP).await;
    assert_eq!(names(&task.take(1).await), ["d"]);
    task.stop().await;
}

#[tokio::test]
async fn an_offset_that_is_none_is_refused_at_the_start() {
    let rig = rig().await;
    rig.store(r#"{"protocol":"1","table":"t"}"#, map(r#"{"incrementing":"two"}"#));
    let refused = rig.start_of(JdbcSourceConnector::confluent(), &INCREMENTING).await;
    let error = refused.err().expect("a refusal").to_string();
    assert!(error.contains(r#"{"incrementing":"two"}"#) && error.contains("not a whole number"), "{error}");
}

#[tokio::test]
async fn where_a_table_begins_that_was_never_read() {
    let rig = rig().await;
    let mut pairs = TIMESTAMP.to_vec();
    pairs.push(("timestamp.initial", "1999"));
    let mut task = rig.start(&pairs).await;
    assert_eq!(
        placed(&task.take(3).await),
        "b {\"timestamp_nanos\":999000000,\"timestamp\":1999}\n\
         c {\"timestamp_nanos\":0,\"timestamp\":2000}\n\
         d {\"timestamp_nanos\":0,\"timestamp\":3000}"
    );
    task.stop().await;
    let mut pairs = TIMESTAMP.to_vec();
    pairs.push(("timestamp.initial", "-1"));
    let mut task = rig.start(&pairs).await;
    task.nothing().await;
    rig.run("INSERT INTO t VALUES (5, 'now', CAST(unixepoch('subsec') * 1000 AS INTEGER) + 1)").await;
    assert_eq!(names(&task.take(1).await), ["now"]);
    task.stop().await;
}

#[tokio::test]
async fn aivens_keys_for_the_beginning() {
    let rig = rig().await;
    let mut pairs = INCREMENTING.to_vec();
    pairs.push(("incrementing.initial", "2"));
    let mut task = rig.start_of(JdbcSourceConnector::aiven(), &pairs).await.unwrap();
    assert_eq!(names(&task.take(2).await), ["c", "d"]);
    task.stop().await;
    let mut pairs = TIMESTAMP.to_vec();
    pairs.push(("timestamp.initial.ms", "2000"));
    let mut task = rig.start_of(JdbcSourceConnector::aiven(), &pairs).await.unwrap();
    assert_eq!(names(&task.take(1).await), ["d"]);
    task.stop().await;
}
