//! `exactly.once.enabled` with plain inserts into a table without a key: whatever is killed, each record is one row.

use crate::support::PATIENCE;
use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::folder::Folder;
use crate::support::jdbc::{sink_config, words};
use crate::support::worker::Worker;
use anyhow::{Result, ensure};
use connect_api::{SinkConnector, TopicPartition};
use connect_jdbc::JdbcSinkConnector;
use serde_json::json;
use std::time::Duration;
use testkit::kafka_client::{self, Record, Topics};
use testkit::{Database, OwnEngine, PgDatabase, eventually, unique};

const TABLE: &str = "CREATE TABLE t(id INT, name VARCHAR(9))";
const BATCH: i32 = 3000;

/// Every hundredth of the bad kind where it is asked for.
fn message(n: i32, bad: bool) -> Record {
    let name = if bad && n % 100 == 42 { "much too long" } else { "good" };
    let value = json!({
        "schema": {"type": "struct", "optional": false, "fields": [
            {"field": "id", "type": "int32", "optional": false},
            {"field": "name", "type": "string", "optional": false},
        ]},
        "payload": {"id": n, "name": name},
    });
    Record { partition: Some(n % 3), ..Record::new(n.to_string(), value.to_string()) }
}

fn properties(db: &AnyDatabase, name: &str, topic: &str, more: &str) -> String {
    let connection = db.connection();
    format!(
        "name={name}\nconnector.class=io.confluent.connect.jdbc.JdbcSinkConnector\ntasks.max=2\ntopics={topic}\n\
         table.name.format=t\nkey.converter=org.apache.kafka.connect.storage.StringConverter\nconnection.url={}\n\
         connection.user={}\nconnection.password={}\nexactly.once.enabled=true\nmax.retries=1000\nretry.backoff.ms=100\n\
         consumer.override.max.poll.records=50\nbatch.size=50\n{more}",
        connection.url, connection.user, connection.password
    )
}

/// Kills the worker, or what `kill` kills, again and again while records come.
async fn story(
    db: &AnyDatabase,
    more: &str,
    bad: bool,
    rounds: i32,
    mut kill: impl AsyncFnMut(&mut Worker) -> Result<()>,
) -> Result<()> {
    let kafka = testkit::kafka()?;
    let (topic, name) = (unique("once"), unique("once"));
    kafka_client::create_topic(&kafka, &topic, 3, &[]).await?;
    let dlq = format!("{topic}.dlq");
    let _topics = Topics::removed_at_the_end(&kafka, [&topic, &dlq]);
    db.execute(TABLE).await?;
    let folder = Folder::new("once")?;
    let more = more.replace("DLQ", &dlq);
    let file = folder.write("sink.properties", &properties(db, &name, &topic, &more))?;
    let offsets = folder.text("connect.offsets");
    let mut worker = Worker::start_with(
        &[("offset.flush.interval.ms", "500"), ("offset.storage.file.filename", &offsets)],
        &[file],
    )
    .await?;
    let mut last = 0;
    for round in 0..rounds {
        let records = (round * BATCH..(round + 1) * BATCH).map(|n| message(n, bad));
        kafka_client::produce_all(&kafka, &topic, records).await?;
        // While rows are being written, by chance sooner or later.
        let before = last;
        eventually("more rows", PATIENCE, async || {
            last = db.count("t").await?;
            Ok((last > before).then_some(()))
        })
        .await;
        tokio::time::sleep(some_millis(300)).await;
        kill(&mut worker).await?;
    }
    let sent = rounds * BATCH;
    let good = if bad { sent - sent / 100 } else { sent };
    eventually("all rows", PATIENCE * 2, async || {
        let count = db.count("t").await?;
        ensure!(count >= good as u64, "{count} of {good}");
        Ok(Some(()))
    })
    .await;
    // Nothing comes twice, also not later.
    worker.task_state(&name, "RUNNING").await;
    worker.process.terminate();
    ensure!(worker.process.wait_exit(Duration::from_secs(15)).await?.success());
    let counted = words(&db.query("SELECT COUNT(*), COUNT(DISTINCT id) FROM t").await?);
    assert_eq!(counted, [format!("{good} {good}")]);
    let positions = db.query("SELECT SUM(next_offset) FROM __connect_offsets").await?;
    assert_eq!(words(&positions), [sent.to_string()]);
    if bad {
        let dead = kafka_client::consume_all(&kafka, &dlq).await?;
        let mut keys: Vec<i32> =
            dead.iter().filter_map(|dead| dead.key_str()).map(str::parse).collect::<Result<_, _>>()?;
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys, (0..sent).filter(|n| n % 100 == 42).collect::<Vec<_>>(), "each bad one is there");
    }
    Ok(())
}

/// By chance, and in the middle of things.
fn some_millis(most: u64) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    Duration::from_millis(RandomState::new().hash_one(0) % most)
}

async fn kill_worker(worker: &mut Worker) -> Result<()> {
    worker.process.kill9();
    worker.start_again().await;
    Ok(())
}

#[tokio::test]
async fn each_record_is_one_row_though_the_worker_is_killed_on_mariadb() -> Result<()> {
    let db = AnyDatabase::MariaDb(Database::create(&unique("once")).await?);
    story(&db, "", false, 5, kill_worker).await
}

#[tokio::test]
async fn each_record_is_one_row_though_the_worker_is_killed_on_postgresql() -> Result<()> {
    let db = AnyDatabase::Postgres(PgDatabase::create(&unique("once")).await?);
    story(&db, "", false, 5, kill_worker).await
}

#[tokio::test]
async fn bad_rows_reach_the_dead_letter_topic_though_the_worker_is_killed() -> Result<()> {
    let db = AnyDatabase::Postgres(PgDatabase::create(&unique("once")).await?);
    let tolerant = "errors.tolerance=all\nerrors.deadletterqueue.topic.name=DLQ\n\
                    errors.deadletterqueue.topic.replication.factor=1\n";
    story(&db, tolerant, true, 4, kill_worker).await
}

#[tokio::test]
async fn each_record_is_one_row_though_the_database_is_killed() -> Result<()> {
    let mut engine = OwnEngine::mariadb(&[]).await?;
    let db = AnyDatabase::MariaDb(Database::create_on(engine.mariadb_server(), &unique("once")).await?);
    story(&db, "", false, 5, async |_| {
        engine.process.kill9();
        engine.start_again().await;
        Ok(())
    })
    .await
}

/// The positions of a stopped connector are those of the table.
#[tokio::test]
async fn positions_are_set_by_hand() -> Result<()> {
    for db in AnyDatabase::one_of_each("once").await? {
        let mut config = sink_config(&db, &[("exactly.once.enabled", "true"), ("name", "once")]);
        let place = |partition| TopicPartition { topic: "t".into(), partition };
        for next in [7, 5] {
            let offsets = [(place(0), Some(next)), (place(1), Some(1))];
            ensure!(JdbcSinkConnector::confluent().alter_offsets(&config, &offsets).await?);
        }
        ensure!(JdbcSinkConnector::confluent().alter_offsets(&config, &[(place(1), None)]).await?);
        let rows = db.query("SELECT connector, topic, next_offset FROM __connect_offsets").await?;
        assert_eq!(words(&rows), ["once t 5"]);
        config.insert("exactly.once.enabled".into(), "false".into());
        ensure!(
            !JdbcSinkConnector::confluent().alter_offsets(&config, &[(place(0), None)]).await?,
            "not looked at"
        );
    }
    Ok(())
}
