//! A disk that is full: the task says so and since when, and goes on when there is room.
//!
//! Not the machine's disk, which is others' as well, but a tablespace that may not grow: to the client it is the same error (1114, "the table
//! is full"), and dropping a table makes room.

use crate::support::PATIENCE;
use crate::support::worker::{Worker, jdbc_sink};
use serde_json::json;
use std::time::Duration;
use testkit::kafka_client::{self, Record, Topics};
use testkit::{Database, OwnEngine, eventually};

const RECORDS: usize = 12_000;

#[tokio::test]
async fn a_full_disk_is_waited_for() -> anyhow::Result<()> {
    let engine = OwnEngine::mariadb(&[
        "--innodb-file-per-table=0",
        "--innodb-data-file-path=ibdata1:12M:autoextend:max:44M",
        "--innodb-autoextend-increment=1",
    ])
    .await?;
    let database = Database::create_on(engine.mariadb_server(), "full").await?;
    database
        .execute("CREATE TABLE filler AS SELECT seq, REPEAT('x', 1000) AS text FROM seq_1_to_14000")
        .await?;

    let bootstrap = testkit::kafka()?;
    let topic = testkit::unique("full");
    kafka_client::create_topic(&bootstrap, &topic, 1, &[]).await?;
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let schema = json!({"type": "struct", "fields": [
        {"field": "id", "type": "int32"},
        {"field": "text", "type": "string"},
    ]});
    let text = "y".repeat(1500);
    let records = (0..RECORDS).map(|id| {
        let value = json!({"schema": schema, "payload": {"id": id, "text": text}});
        Record::new(id.to_string(), value.to_string())
    });
    kafka_client::produce_all(&bootstrap, &topic, records).await?;

    let worker = Worker::start(&[]).await?;
    let own = json!({
        "auto.create": "true",
        "insert.mode": "upsert",
        "pk.mode": "record_value",
        "pk.fields": "id",
        "max.retries": "1000000",
        "retry.backoff.ms": "100",
    });
    let config = jdbc_sink(&database, &topic, own);
    let name = testkit::unique("full-sink");
    assert_eq!(worker.create(&name, &config).await?.status, 201);
    let status = eventually("the task to say what it waits for", PATIENCE, async || {
        let status = worker.get(&format!("/connectors/{name}/status")).await?.body;
        anyhow::ensure!(status["tasks"][0].to_string().contains("is full"), "{status}");
        Ok(Some(status))
    })
    .await;
    assert_eq!(status["tasks"][0]["state"], "RUNNING", "it waits for room: {status}");
    let before = database.count(&topic).await?;
    assert!(before < RECORDS as u64, "{before} rows are there although the disk is full");

    // Longer than one retry: what is full stays full until somebody makes room.
    tokio::time::sleep(Duration::from_secs(1)).await;
    database.execute("DROP TABLE filler").await?;
    eventually("all rows", PATIENCE, async || {
        let rows = database.count(&topic).await?;
        anyhow::ensure!(rows == RECORDS as u64, "{rows} rows");
        Ok(Some(()))
    })
    .await;
    let status = worker.task_state(&name, "RUNNING").await;
    assert!(!status["tasks"][0].to_string().contains("is full"), "{status}");
    eprintln!("{before} rows before the disk was full");
    Ok(())
}
