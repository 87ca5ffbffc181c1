//! Every row that was committed is in the topic, and first seen in the order of its id.

use super::world::{Kind, World};
use crate::support::database::AnyDatabase;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::eventually;
use testkit::kafka_client;

const TOPIC: &str = "src_items";
const CALM: Duration = Duration::from_secs(120);

fn config() -> Value {
    json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "tasks.max": "1",
        "mode": "incrementing",
        "incrementing.column.name": "id",
        "table.whitelist": "items",
        "topic.prefix": "src_",
        "poll.interval.ms": "100",
        "connection.attempts": "100000",
        "connection.backoff.ms": "200",
    })
}

/// Inserts until it is told to stop. Whether the insert of a dying server has happened only its table knows, which is asked at the end.
fn writer(database: Arc<AnyDatabase>, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let names: Vec<_> = (0..50).map(|number| format!("('name {number}')")).collect();
        let insert = format!("INSERT INTO items (name) VALUES {}", names.join(","));
        while !stop.load(Ordering::Relaxed) {
            let _ = database.execute(&insert).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

async fn story(kind: Kind, ddl: &str) -> anyhow::Result<()> {
    let mut world = World::start(kind, "items-source", async |bootstrap, database| {
        kafka_client::create_topic(bootstrap, TOPIC, 1, &[]).await?;
        database.execute(ddl).await?;
        Ok(config())
    })
    .await?;
    let bootstrap = world.kafka.bootstrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = writer(world.database.clone(), stop.clone());
    world.suffer().await?;
    stop.store(true, Ordering::Relaxed);
    writer.await?;

    let rows = world.database.query("SELECT id FROM items ORDER BY id").await?;
    let expected: Vec<i64> = rows
        .iter()
        .map(|row| Ok(row[0].as_deref().unwrap_or_default().parse()?))
        .collect::<anyhow::Result<_>>()?;
    anyhow::ensure!(expected.len() > 1000, "only {} rows were inserted", expected.len());
    let (seen, records) = eventually("every row to be in the topic", CALM, async || {
        let messages = kafka_client::consume_all(&bootstrap, TOPIC).await?;
        let (mut known, mut seen) = (BTreeSet::new(), Vec::new());
        for message in &messages {
            let id = message.json()?["payload"]["id"].as_i64().unwrap_or(-1);
            if known.insert(id) {
                seen.push(id);
            }
        }
        anyhow::ensure!(seen.len() >= expected.len(), "{} of {}", seen.len(), expected.len());
        Ok(Some((seen, messages.len())))
    })
    .await;
    assert!(seen == expected, "{} rows, {} seen, and not in their order", expected.len(), seen.len());
    eprintln!("{} rows, {records} records", expected.len());
    Ok(())
}

#[tokio::test]
async fn rows_of_mariadb() -> anyhow::Result<()> {
    story(Kind::MariaDb, "CREATE TABLE items (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await
}

#[tokio::test]
async fn rows_of_postgres() -> anyhow::Result<()> {
    story(Kind::Postgres, "CREATE TABLE items (id BIGSERIAL PRIMARY KEY, name VARCHAR(20))").await
}
