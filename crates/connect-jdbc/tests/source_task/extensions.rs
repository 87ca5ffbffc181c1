use crate::rig::{Rig, names, number, placed};
use connect_api::{SourceRecord, Value};
use connect_jdbc::JdbcSourceConnector;
use std::collections::BTreeSet;

const TABLE: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name TEXT, ts TIMESTAMP NOT NULL DEFAULT 1000)";
const INCREMENTING: [(&str, &str); 2] = [("mode", "incrementing"), ("incrementing.column.name", "id")];

async fn numbered(count: usize) -> Rig {
    Rig::new(&format!(
        "{TABLE}; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO t (id, name) SELECT i, 'n' || i FROM n"
    ))
    .await
}

fn with<'a>(pairs: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [pairs, more].concat()
}

fn ids(records: &[SourceRecord]) -> BTreeSet<i64> {
    records.iter().map(|record| number(record, "id")).collect()
}

#[tokio::test]
async fn keys_from_the_primary_key() {
    let rig = Rig::new(
        "CREATE TABLE t (name TEXT, id INTEGER NOT NULL, shop TEXT NOT NULL, PRIMARY KEY (shop, id)); INSERT INTO t VALUES ('a', 1, 'x')",
    )
    .await;
    let mut task = rig.start(&[("mode", "bulk"), ("record.key.primary.key", "true")]).await;
    let records = task.take(1).await;
    assert_eq!(records[0].key, Value::Struct(vec!["x".into(), Value::Int64(1)]));
    let schema = records[0].key_schema.as_ref().unwrap();
    assert_eq!((schema.name.as_deref(), schema.optional), (Some("t.Key"), false));
    let names: Vec<&str> = schema.fields().iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["shop", "id"]);
    task.stop().await;
}

#[tokio::test]
async fn a_table_without_primary_key_has_no_keys() {
    let rig = Rig::new("CREATE TABLE t (name TEXT)").await;
    let mut task = rig.start(&[("mode", "bulk"), ("record.key.primary.key", "true")]).await;
    let error = task.failure().await;
    assert!(error.contains("table t has no primary key"), "{error}");
    task.stop().await;
}

#[tokio::test]
async fn a_first_read_in_parts_has_every_row_once() {
    let rig = numbered(5_000).await;
    let more = [("snapshot.splits", "4"), ("batch.max.rows", "100"), ("lookback.rows", "1000")];
    let mut task = rig.start(&with(&INCREMENTING, &more)).await;
    let records = task.take(5_000).await;
    task.nothing().await;
    assert_eq!(ids(&records), (1..=5_000).collect());
    rig.commit(&records);
    assert_eq!(rig.stored(), [r#"{"protocol":"1","table":"t"} {"incrementing":5000}"#]);
    rig.run("INSERT INTO t (id, name) VALUES (5001, 'later')").await;
    assert_eq!(placed(&task.take(1).await), "later {\"incrementing\":5001}");
    task.stop().await;
}

#[tokio::test]
async fn a_first_read_in_parts_can_stop_anywhere() {
    let rig = numbered(3_000).await;
    let pairs = with(&INCREMENTING, &[("snapshot.splits", "3"), ("batch.max.rows", "50")]);
    let all: BTreeSet<i64> = (1..=3_000).collect();
    let mut seen = BTreeSet::new();
    let mut rounds = 0;
    while seen.len() < all.len() {
        rounds += 1;
        assert!(rounds < 100, "{} rows after {rounds} starts", seen.len());
        let mut task = rig.start(&pairs).await;
        let mut records = Vec::new();
        while records.len() < 700 && ids(&records).union(&seen).count() < all.len() {
            records.extend(task.poll().await.unwrap());
        }
        // The last batch does not reach Kafka, and nothing behind its first record is committed.
        let kept = records.len().saturating_sub(30);
        rig.commit(&records[..kept]);
        seen.extend(ids(&records[..kept]));
        if records.len() < 700 {
            rig.commit(&records);
            seen.extend(ids(&records));
        }
        task.stop().await;
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn numbers_that_come_late_are_found() {
    let rig = numbered(5).await;
    let pairs = with(&INCREMENTING, &[("lookback.rows", "20")]);
    let mut task = rig.start(&pairs).await;
    assert_eq!(task.take(5).await.len(), 5);
    rig.run("INSERT INTO t (id, name) VALUES (9, 'nine')").await;
    assert_eq!(placed(&task.take(1).await), "nine {\"incrementing\":9}");
    rig.run("INSERT INTO t (id, name) VALUES (7, 'late'), (8, 'late too'), (10, 'ten')").await;
    let records = task.take(3).await;
    assert_eq!(
        placed(&records),
        "late {\"incrementing\":9}\nlate too {\"incrementing\":9}\nten {\"incrementing\":10}"
    );
    task.nothing().await;
    rig.commit(&records);
    task.stop().await;
    // What was seen is not known after a restart: the stretch comes once more.
    let mut task = rig.start(&pairs).await;
    assert_eq!(task.take(9).await.len(), 9);
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn timestamps_that_come_late_are_found() {
    let rig = Rig::new(&format!("{TABLE}; INSERT INTO t VALUES (1, 'a', 100000), (2, 'b', 105000)")).await;
    for (mode, offset) in [
        (
            [("mode", "timestamp"), ("timestamp.column.name", "ts")],
            r#"{"timestamp_nanos":0,"timestamp":105000}"#,
        ),
        (
            [("mode", "timestamp+incrementing"), ("timestamp.column.name", "ts")],
            r#"{"timestamp_nanos":0,"incrementing":2,"timestamp":105000}"#,
        ),
    ] {
        let pairs = with(&mode, &[("incrementing.column.name", "id"), ("lookback.ms", "10000")]);
        let mut task = rig.start(&pairs).await;
        assert_eq!(names(&task.take(2).await), ["a", "b"]);
        rig.run("INSERT INTO t VALUES (3, 'late', 104000), (4, 'too late', 94000)").await;
        assert_eq!(placed(&task.take(1).await), format!("late {offset}"));
        task.nothing().await;
        task.stop().await;
        rig.run("DELETE FROM t WHERE id > 2").await;
    }
}

#[tokio::test]
async fn what_goes_together_and_what_does_not() {
    let rig = numbered(1).await;
    let timestamp = [("mode", "timestamp"), ("timestamp.column.name", "ts")];
    for (pairs, key) in [
        (with(&timestamp, &[("snapshot.splits", "2")]), "snapshot.splits"),
        (with(&timestamp, &[("lookback.rows", "2")]), "lookback.rows"),
        (with(&INCREMENTING, &[("lookback.ms", "2")]), "lookback.ms"),
    ] {
        let refused = rig.start_of(JdbcSourceConnector::confluent(), &pairs).await;
        let error = refused.err().expect("a refusal").to_string();
        assert!(error.contains(key), "{error}");
    }
}
