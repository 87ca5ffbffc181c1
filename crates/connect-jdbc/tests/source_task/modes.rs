use crate::rig::{Rig, field, names, number, partition, placed};
use connect_api::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const TABLE: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT, ts TIMESTAMP NOT NULL)";

async fn rig(rows: &str) -> Rig {
    Rig::new(&format!("{TABLE}; INSERT INTO t (name, ts) VALUES {rows}")).await
}

#[tokio::test]
async fn bulk_reads_everything_each_time() {
    let rig = rig("('a', 1), ('b', 2)").await;
    let mut task = rig.start(&[("mode", "bulk")]).await;
    for _ in 0..3 {
        let records = task.take(2).await;
        assert_eq!(placed(&records), "a none\nb none");
        assert_eq!(partition(&records[0]), r#"{"table":"t"}"#);
        assert_eq!((&*records[0].topic, &records[0].key), ("p-t", &Value::Null));
        let schema = records[0].value_schema.as_ref().unwrap();
        assert_eq!(schema.name.as_deref(), Some("t"));
    }
    task.stop().await;
}

#[tokio::test]
async fn incrementing_reads_what_is_new() {
    let rig = rig("('a', 1), ('b', 2)").await;
    // without a name: the column that counts up
    let mut task = rig.start(&[("mode", "incrementing")]).await;
    let records = task.take(2).await;
    assert_eq!(placed(&records), "a {\"incrementing\":1}\nb {\"incrementing\":2}");
    assert_eq!(partition(&records[0]), r#"{"protocol":"1","table":"t"}"#);
    rig.run("UPDATE t SET name = 'x' WHERE id = 1; INSERT INTO t VALUES (10, 'c', 3)").await;
    assert_eq!(placed(&task.take(1).await), "c {\"incrementing\":10}");
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn timestamps_find_updates_too() {
    let rig = rig("('a', 1000), ('b', 2000), ('c', 2000)").await;
    let pairs = [("mode", "timestamp"), ("timestamp.column.name", "ts")];
    let mut task = rig.start(&pairs).await;
    assert_eq!(
        placed(&task.take(3).await),
        "a {\"timestamp_nanos\":0,\"timestamp\":1000}\n\
         b {\"timestamp_nanos\":0,\"timestamp\":1000}\n\
         c {\"timestamp_nanos\":0,\"timestamp\":2000}"
    );
    rig.run("UPDATE t SET name = 'A', ts = 2001 WHERE name = 'a'").await;
    assert_eq!(placed(&task.take(1).await), "A {\"timestamp_nanos\":1000000,\"timestamp\":2001}");
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn the_first_timestamp_that_is_not_null_counts() {
    let rig = Rig::new(
        "CREATE TABLE t (name TEXT, updated TIMESTAMP, created TIMESTAMP NOT NULL);
         INSERT INTO t VALUES ('a', NULL, 3000), ('b', 1000, 500)",
    )
    .await;
    let pairs = [("mode", "timestamp"), ("timestamp.column.name", "updated,created")];
    let mut task = rig.start(&pairs).await;
    assert_eq!(names(&task.take(2).await), ["b", "a"]);
    rig.run("UPDATE t SET updated = 4000 WHERE name = 'a'").await;
    assert_eq!(names(&task.take(1).await), ["a"]);
    task.stop().await;
}

#[tokio::test]
async fn timestamp_and_number_tell_rows_of_one_moment_apart() {
    let rig = rig("('a', 1000), ('b', 1000)").await;
    let pairs = [
        ("mode", "timestamp+incrementing"),
        ("timestamp.column.name", "ts"),
        ("incrementing.column.name", "id"),
    ];
    let mut task = rig.start(&pairs).await;
    assert_eq!(
        placed(&task.take(2).await),
        "a {\"timestamp_nanos\":0,\"incrementing\":1,\"timestamp\":1000}\n\
         b {\"timestamp_nanos\":0,\"incrementing\":2,\"timestamp\":1000}"
    );
    rig.run("INSERT INTO t (name, ts) VALUES ('c', 1000); UPDATE t SET ts = 1500 WHERE id = 1").await;
    assert_eq!(
        placed(&task.take(2).await),
        "c {\"timestamp_nanos\":0,\"incrementing\":3,\"timestamp\":1000}\n\
         a {\"timestamp_nanos\":500000000,\"incrementing\":1,\"timestamp\":1500}"
    );
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn timestamps_as_sqlite_itself_writes_them() {
    let rig = Rig::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name TEXT, ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
         INSERT INTO t VALUES (1, 'a', '2024-01-01 10:00:00'), (2, 'b', '2024-01-01 10:00:00.250')",
    )
    .await;
    let pairs = [
        ("mode", "timestamp+incrementing"),
        ("timestamp.column.name", "ts"),
        ("incrementing.column.name", "id"),
        ("db.timezone", "Asia/Seoul"),
    ];
    let mut task = rig.start(&pairs).await;
    assert_eq!(
        placed(&task.take(2).await),
        "a {\"timestamp_nanos\":0,\"incrementing\":1,\"timestamp\":1704070800000}\n\
         b {\"timestamp_nanos\":250000000,\"incrementing\":2,\"timestamp\":1704070800250}"
    );
    rig.run("INSERT INTO t VALUES (3, 'c', '2024-01-01 10:00:00.250'), (4, 'd', '2024-01-01 10:00:01')")
        .await;
    assert_eq!(names(&task.take(2).await), ["c", "d"]);
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn a_query_is_read_in_every_mode() {
    let rig = rig("('a', 1000), ('b', 2000)").await;
    for (pairs, offset) in [
        (vec![("mode", "bulk")], "none"),
        (vec![("mode", "incrementing"), ("incrementing.column.name", "id")], r#"{"incrementing":2}"#),
        (
            vec![("mode", "timestamp"), ("timestamp.column.name", "ts")],
            r#"{"timestamp_nanos":0,"timestamp":2000}"#,
        ),
    ] {
        let mut pairs = pairs;
        pairs.extend([
            ("query", "SELECT * FROM (SELECT id, name || '!' AS name, ts FROM t)"),
            ("topic.prefix", "all"),
        ]);
        let mut task = rig.start(&pairs).await;
        let records = task.take(2).await;
        assert_eq!(names(&records), ["a!", "b!"]);
        assert!(placed(&records).ends_with(offset), "{}", placed(&records));
        assert_eq!(partition(&records[1]), r#"{"query":"query"}"#);
        assert_eq!(&*records[1].topic, "all");
        assert_eq!(records[1].value_schema.as_ref().unwrap().name, None);
        task.stop().await;
    }
}

#[tokio::test]
async fn the_suffix_ends_every_statement() {
    let rig = rig("('a', 1), ('b', 2), ('c', 3)").await;
    let mut task = rig.start(&[("mode", "incrementing"), ("query.suffix", " LIMIT 2 ")]).await;
    assert_eq!(names(&task.take(2).await), ["a", "b"]);
    assert_eq!(names(&task.take(1).await), ["c"]);
    task.stop().await;
}

#[tokio::test]
async fn rows_newer_than_the_delay_wait() {
    let rig = rig("('old', 1000)").await;
    rig.run("INSERT INTO t (name, ts) VALUES ('new', unixepoch() * 1000), ('future', (unixepoch() + 3600) * 1000)").await;
    let timestamps = [("mode", "timestamp"), ("timestamp.column.name", "ts")];
    let mut pairs = timestamps.to_vec();
    pairs.push(("timestamp.delay.interval.ms", "3600000"));
    let mut delayed = rig.start(&pairs).await;
    assert_eq!(names(&delayed.take(1).await), ["old"]);
    delayed.nothing().await;
    delayed.stop().await;
    let mut now = rig.start(&timestamps).await;
    assert_eq!(names(&now.take(2).await), ["old", "new"]);
    now.nothing().await;
    now.stop().await;
}

#[tokio::test]
async fn several_tables_take_turns_and_none_starves() {
    let rig = Rig::new(
        "CREATE TABLE a (id INTEGER PRIMARY KEY NOT NULL, name TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY NOT NULL, name TEXT);
         CREATE TABLE c (id INTEGER PRIMARY KEY NOT NULL, name TEXT); INSERT INTO b VALUES (1, 'b1');
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO a SELECT i, 'a' FROM n;
         INSERT INTO c VALUES (1, 'c1')",
    )
    .await;
    let pairs = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        ("tables", r#""a","b","c""#),
        ("batch.max.rows", "100"),
    ];
    let mut task = rig.start(&pairs).await;
    let records = task.take(2502).await;
    let topics: Vec<&str> = records.iter().map(|record| &*record.topic).collect();
    assert_eq!((topics[0], topics[2499], topics[2500], topics[2501]), ("p-a", "p-a", "p-b", "p-c"));
    rig.run("INSERT INTO c VALUES (2, 'c2'); INSERT INTO b VALUES (2, 'b2')").await;
    let found: BTreeSet<String> = names(&task.take(2).await).into_iter().collect();
    assert_eq!(found, ["b2", "c2"].map(String::from).into());
    task.stop().await;
}

#[tokio::test]
async fn batches_are_no_larger_than_asked_for() {
    let rig = Rig::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1050)
         INSERT INTO t SELECT i, 'n' || i FROM n",
    )
    .await;
    let pairs = [("mode", "incrementing"), ("incrementing.column.name", "id"), ("batch.max.rows", "100")];
    let mut task = rig.start(&pairs).await;
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    while ids.len() < 1050 {
        let records = task.poll().await.unwrap();
        ids.extend(records.iter().map(|record| number(record, "id")));
        sizes.push(records.len());
    }
    assert_eq!(ids, (1..=1050).collect::<Vec<i64>>());
    assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    task.stop().await;
}

#[tokio::test]
async fn large_rows_make_small_batches() {
    let rig = Rig::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name BLOB);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
         INSERT INTO t SELECT i, zeroblob(300000) FROM n",
    )
    .await;
    let mut task = rig.start(&[("mode", "bulk"), ("poll.interval.ms", "60000")]).await;
    let mut count = 0;
    while count < 20 {
        let records = task.poll().await.unwrap();
        assert!(records.len() <= 2, "{} records of 300 kB in a batch", records.len());
        count += records.len();
    }
    task.stop().await;
}

#[tokio::test]
async fn a_poll_answers_as_soon_as_there_are_rows_and_after_a_second_without() {
    let rig = rig("('a', 1)").await;
    let mut task = rig.start(&[("mode", "incrementing"), ("poll.linger.ms", "600000")]).await;
    assert_eq!(names(&task.take(1).await), ["a"]);
    let quiet = tokio::time::timeout(Duration::from_secs(20), task.poll()).await;
    assert!(quiet.expect("an answer, however long the linger").unwrap().is_empty());
    task.stop().await;
}

#[tokio::test]
async fn granularity_changes_the_value_and_not_the_offset() {
    let rig = rig("('a', 1500)").await;
    for (granularity, value) in [
        ("connect_logical", Value::Timestamp(1500)),
        ("micros_long", Value::Int64(1_500_000)),
        ("nanos_string", "1500000000".into()),
        ("nanos_iso_datetime_string", "1970-01-01T00:00:01.500000000".into()),
    ] {
        let pairs =
            [("mode", "timestamp"), ("timestamp.column.name", "ts"), ("timestamp.granularity", granularity)];
        let mut task = rig.start(&pairs).await;
        let records = task.take(1).await;
        assert_eq!(field(&records[0], "ts"), &value);
        assert_eq!(placed(&records), "a {\"timestamp_nanos\":500000000,\"timestamp\":1500}");
        task.stop().await;
    }
}
