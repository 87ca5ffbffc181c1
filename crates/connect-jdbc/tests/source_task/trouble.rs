use crate::rig::{Rig, names};
use connect_jdbc::JdbcSourceConnector;
use std::time::Duration;

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name TEXT, ts TIMESTAMP); INSERT INTO t VALUES (1, 'a', 1)";

#[tokio::test]
async fn columns_that_cannot_be_followed() {
    let rig = Rig::new(&format!(
        "{TABLE}; CREATE TABLE u (id INTEGER, name TEXT); INSERT INTO u VALUES (1, 'a'), (NULL, 'b')"
    ))
    .await;
    for (pairs, message) in [
        (
            vec![("mode", "incrementing"), ("incrementing.column.name", "number")],
            "Incrementing column: number does not exist in table 't'",
        ),
        (
            vec![("mode", "timestamp"), ("timestamp.column.name", "ts,at")],
            "Timestamp columns: at do not exist in table 't'",
        ),
        (
            vec![("mode", "timestamp"), ("timestamp.column.name", "ts")],
            "Cannot make incremental queries using timestamp columns ts on t because all of these columns are nullable.",
        ),
        (
            vec![("mode", "incrementing"), ("incrementing.column.name", "id"), ("tables", "\"u\"")],
            "Cannot make incremental queries using incrementing column id on u because this column is nullable.",
        ),
        (vec![("mode", "incrementing")], "table t has no column that the database counts up"),
        (
            vec![
                ("mode", "incrementing"),
                ("incrementing.column.name", "name"),
                ("validate.non.null", "false"),
            ],
            "Invalid type for incrementing column: STRING",
        ),
        (
            vec![
                ("mode", "timestamp"),
                ("timestamp.column.name", "name"),
                ("validate.non.null", "false"),
                ("timestamp.initial", "-5000000000000000"),
            ],
            "no moment that the database could compare",
        ),
        (vec![("mode", "bulk"), ("tables", "\"gone\"")], "no such table: gone"),
    ] {
        let mut task = rig.start(&pairs).await;
        let error = task.failure().await;
        assert!(error.contains(message), "{error} instead of {message}");
        task.stop().await;
    }
}

#[tokio::test]
async fn tasks_without_work() {
    let rig = Rig::new(TABLE).await;
    let confluent = JdbcSourceConnector::confluent;
    let pairs = [("mode", "bulk"), ("tables", "")];
    let refused = rig.start_of(confluent(), &pairs).await.err().expect("a refusal").to_string();
    assert!(refused.contains("was not assigned a table nor a query"), "{refused}");
    let pairs = [("mode", "bulk"), ("query", "SELECT 1"), ("tables", "\"t\"")];
    let refused = rig.start_of(confluent(), &pairs).await.err().expect("a refusal").to_string();
    assert!(refused.contains("cannot have both a table and a query"), "{refused}");
    // The connector has not found out yet which tables there are.
    let pairs = [("mode", "bulk"), ("tables", ""), ("tables.fetched", "false")];
    let mut task = rig.start(&pairs).await;
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn a_query_that_must_not_be_seen() {
    let rig = Rig::new(TABLE).await;
    let pairs = [("mode", "bulk"), ("query.masked", "SELECT hunter2 FROM t"), ("topic.prefix", "q")];
    let error = rig.start(&pairs).await.failure().await;
    assert!(error.contains("reading the query from") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_busy_is_waited_for() {
    let rig = Rig::new(TABLE).await;
    let url = format!("jdbc:sqlite:{}?busy_timeout=10", rig.file.display());
    let pairs =
        [("mode", "incrementing"), ("incrementing.column.name", "id"), ("connection.url", url.as_str())];
    let lock = Lock::take(&rig).await;
    let mut task = rig.start(&pairs).await;
    let (trouble, backoff) = task.trouble().await;
    assert!(trouble.contains("locked"), "{trouble}");
    assert!(backoff <= Duration::from_secs(1), "{backoff:?}");
    let (again, _) = task.trouble().await;
    assert!(again.contains("locked"), "{again}");
    lock.free().await;
    loop {
        match task.poll().await {
            Ok(records) if !records.is_empty() => {
                assert_eq!(names(&records), ["a"]);
                break;
            }
            Ok(_) => {}
            Err(error) => assert!(format!("{error:?}").contains("locked"), "{error:?}"),
        }
    }
    task.nothing().await;
    task.stop().await;
}

#[tokio::test]
async fn attempts_end_where_the_user_said() {
    let rig = Rig::new(TABLE).await;
    let url = format!("jdbc:sqlite:{}?busy_timeout=10", rig.file.display());
    let pairs = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        ("connection.url", url.as_str()),
        ("query.retry.attempts", "3"),
    ];
    let lock = Lock::take(&rig).await;
    let mut task = rig.start(&pairs).await;
    let error = task.failure().await;
    assert!(error.contains("(3 attempts in a row; see query.retry.attempts)"), "{error}");
    task.stop().await;
    lock.free().await;
}

#[tokio::test]
async fn stopping_in_the_middle_of_a_table() {
    let rig = Rig::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, name TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) INSERT INTO t SELECT i, 'n' FROM n",
    )
    .await;
    let pairs = [("mode", "incrementing"), ("incrementing.column.name", "id"), ("batch.max.rows", "10")];
    let mut task = rig.start(&pairs).await;
    assert!(!task.take(10).await.is_empty());
    tokio::time::timeout(Duration::from_secs(20), task.stop()).await.expect("the task stops");
    // Nobody holds the file any more.
    rig.run("DROP TABLE t").await;
}

/// A transaction of somebody else that lets nobody read.
struct Lock(sqlx::SqliteConnection);

impl Lock {
    async fn take(rig: &Rig) -> Lock {
        use sqlx::{ConnectOptions, Executor};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&rig.file);
        let mut conn = options.connect().await.unwrap();
        conn.execute("BEGIN EXCLUSIVE").await.unwrap();
        Lock(conn)
    }

    async fn free(mut self) {
        use sqlx::{Connection, Executor};
        self.0.execute("COMMIT").await.unwrap();
        self.0.close().await.unwrap();
    }
}
