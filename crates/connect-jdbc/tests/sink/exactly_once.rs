//! Positions in the database: each record is written once, whatever is repeated.

use crate::support::*;
use connect_api::{PutError, Rejected, SinkConnector, SinkRecord, SinkTask, TopicPartition};
use connect_jdbc::JdbcSinkConnector;

const ONCE: &[(&str, &str)] = &[("exactly.once.enabled", "true")];

/// Without a key, so that a record that comes twice is two rows.
const TABLE: &str = "CREATE TABLE t(id INTEGER, name TEXT CHECK(name <> 'bad'))";

async fn database() -> File {
    let file = File::new();
    file.run(TABLE).await;
    file
}

async fn ids(file: &File) -> Vec<String> {
    file.texts("SELECT CAST(id AS TEXT) FROM t ORDER BY id").await
}

fn texts(numbers: std::ops::Range<i64>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

async fn position(file: &File) -> Vec<String> {
    file.texts(
        "SELECT connector || '/' || topic || '-' || \"partition\" || '=' || next_offset FROM __connect_offsets",
    )
    .await
}

async fn open(task: &mut Box<dyn SinkTask>) -> Vec<(TopicPartition, i64)> {
    task.open(&[partition()]).await.unwrap()
}

async fn put(task: &mut Box<dyn SinkTask>, records: &[SinkRecord]) {
    assert_eq!(indexes(&task.put(records).await.unwrap()), [0; 0]);
}

fn sought(result: Result<Vec<Rejected>, PutError>) -> Vec<(TopicPartition, i64)> {
    match result {
        Err(PutError::Seek { positions, .. }) => positions,
        other => panic!("{other:?}"),
    }
}

fn rejected_first(result: Result<Vec<Rejected>, PutError>) -> Vec<usize> {
    match result {
        Err(PutError::RejectFirst(rejected)) => indexes(&rejected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_comes_again_is_not_written_again() {
    let file = database().await;
    let mut first = task(&file, false, ONCE).await;
    assert_eq!(open(&mut first).await, []);
    put(&mut first, &items(0..10)).await;
    put(&mut first, &items(10..20)).await;
    assert_eq!(position(&file).await, ["sink/t-0=20"]);
    first.stop().await;

    let mut next = task(&file, false, ONCE).await;
    assert_eq!(open(&mut next).await, [(partition(), 20)]);
    put(&mut next, &items(5..25)).await;
    put(&mut next, &items(0..25)).await;
    assert_eq!(ids(&file).await, texts(0..25));
    assert_eq!(position(&file).await, ["sink/t-0=25"]);
}

#[tokio::test]
async fn who_has_lost_a_partition_writes_nothing_and_goes_where_the_table_is() {
    let file = database().await;
    let (mut one, mut other) = (task(&file, true, ONCE).await, task(&file, true, ONCE).await);
    // Both believe to be the first.
    assert_eq!((open(&mut one).await, open(&mut other).await), (vec![], vec![]));
    put(&mut one, &items(0..10)).await;
    assert_eq!(sought(other.put(&items(0..5)).await), [(partition(), 10)]);
    put(&mut other, &items(10..20)).await;
    // Now the first has lost it.
    assert_eq!(sought(one.put(&items(10..15)).await), [(partition(), 20)]);
    put(&mut one, &items(20..30)).await;
    assert_eq!(ids(&file).await, texts(0..30));
}

#[tokio::test]
async fn a_seek_names_all_partitions_of_the_put() {
    let file = database().await;
    let mut task = task(&file, false, ONCE).await;
    let other = TopicPartition { topic: "t".into(), partition: 1 };
    task.open(&[partition(), other.clone()]).await.unwrap();
    put(&mut task, &items(0..10)).await;
    // As if a commit had succeeded whose outcome did not arrive.
    file.run("UPDATE __connect_offsets SET next_offset = 15").await;
    let mut records = items(10..15);
    records.extend(items(3..6).into_iter().map(|record| SinkRecord { partition: 1, ..record }));
    assert_eq!(sought(task.put(&records).await), [(partition(), 15), (other.clone(), 3)]);
    put(&mut task, &records[5..]).await;
    assert_eq!(position(&file).await, ["sink/t-0=15", "sink/t-1=6"]);
}

#[tokio::test]
async fn a_table_that_could_not_be_asked_is_asked_by_the_first_put() {
    let file = database().await;
    let mut first = task(&file, false, ONCE).await;
    put(&mut first, &items(0..10)).await;
    let mut next = task(&file, false, ONCE).await;
    // The group's committed offset is behind: what is written already is left out.
    put(&mut next, &items(5..12)).await;
    // It is ahead: records in between are fetched.
    let mut last = task(&file, false, ONCE).await;
    assert_eq!(sought(last.put(&items(15..20)).await), [(partition(), 12)]);
    put(&mut last, &items(12..20)).await;
    assert_eq!(ids(&file).await, texts(0..20));
}

#[tokio::test]
async fn bad_records_are_seen_off_before_the_position_passes_them() {
    let file = database().await;
    let schema = item_schema();
    let mut task = task(&file, true, ONCE).await;
    open(&mut task).await;
    let mut records = items(0..10);
    records[4] = item(&schema, 4, "bad");
    records[9] = item(&schema, 9, "bad");
    assert_eq!(rejected_first(task.put(&records).await), [4, 9]);
    assert_eq!(ids(&file).await, texts(0..0), "nothing is written yet");
    assert_eq!(position(&file).await, [""; 0]);
    records.remove(9);
    records.remove(4);
    put(&mut task, &records).await;
    assert_eq!(ids(&file).await, ["0", "1", "2", "3", "5", "6", "7", "8"]);
    assert_eq!(position(&file).await, ["sink/t-0=10"], "past the bad record at the end");

    // All are bad.
    let bad: Vec<_> = (10..13).map(|offset| item(&schema, offset, "bad")).collect();
    assert_eq!(rejected_first(task.put(&bad).await), [0, 1, 2]);
    put(&mut task, &[]).await;
    assert_eq!(position(&file).await, ["sink/t-0=13"]);
}

#[tokio::test]
async fn what_was_left_of_a_batch_and_got_lost_is_not_skipped() {
    let file = database().await;
    let schema = item_schema();
    let mut task = task(&file, true, ONCE).await;
    open(&mut task).await;
    put(&mut task, &items(0..2)).await;
    let mut records = items(2..5);
    records.push(item(&schema, 5, "bad"));
    assert_eq!(rejected_first(task.put(&records).await), [3]);
    // The partition is somebody else's now, so the rest does not come.
    put(&mut task, &[]).await;
    assert_eq!(position(&file).await, ["sink/t-0=2"]);
}

#[tokio::test]
async fn what_is_not_tolerated_leaves_the_position_before_it() {
    let file = database().await;
    let schema = item_schema();
    let mut task = task(&file, false, ONCE).await;
    let mut records = items(0..10);
    records[4] = item(&schema, 4, "bad");
    assert_eq!(bad_record(task.put(&records).await).index, 4);
    assert_eq!((ids(&file).await, position(&file).await), (texts(0..0), vec![]));
}

#[tokio::test]
async fn offsets_set_by_hand_change_the_table() {
    let file = database().await;
    let mut task = task(&file, false, ONCE).await;
    put(&mut task, &items(0..10)).await;
    task.stop().await;
    let config = config(&file, ONCE);
    let other = TopicPartition { topic: "t".into(), partition: 7 };
    let offsets = [(partition(), Some(4)), (other.clone(), Some(2))];
    assert!(JdbcSinkConnector::confluent().alter_offsets(&config, &offsets).await.unwrap());
    assert_eq!(position(&file).await, ["sink/t-0=4", "sink/t-7=2"]);
    let removed = [(other, None)];
    assert!(JdbcSinkConnector::confluent().alter_offsets(&config, &removed).await.unwrap());
    assert_eq!(position(&file).await, ["sink/t-0=4"]);

    let mut again = self::task(&file, false, ONCE).await;
    assert_eq!(open(&mut again).await, [(partition(), 4)]);
    put(&mut again, &items(4..6)).await;
    assert_eq!(file.number("SELECT count(*) FROM t").await, 12, "as the user wanted");
}

#[tokio::test]
async fn a_position_that_has_gone_fails_the_task() {
    let file = database().await;
    let mut task = task(&file, false, ONCE).await;
    put(&mut task, &items(0..10)).await;
    file.run("DELETE FROM __connect_offsets").await;
    let error = fatal(task.put(&items(10..12)).await);
    assert!(error.contains("the position of t-0 has gone from table __connect_offsets"), "{error}");
    assert_eq!(ids(&file).await, texts(0..10));
}
