//! What is in the topic is in the table, each good record once or as often as it came, and the bad ones are in the dead-letter topic.

use super::world::{Kind, World};
use crate::support::database::AnyDatabase;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::eventually;
use testkit::kafka_client::{self, Message, Record};

const TOPIC: &str = "readings";
const DEAD_LETTERS: &str = "readings.dlq";
const PARTITIONS: i32 = 4;

/// All of a group's work may have to wait for a session of the killed worker to end, and for Kafka's recovery.
const CALM: Duration = Duration::from_secs(120);

fn config(extra: Value) -> Value {
    let mut config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "tasks.max": "2",
        "topics": TOPIC,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": DEAD_LETTERS,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
        "max.retries": "100000",
        "retry.backoff.ms": "100",
        "connection.backoff.ms": "200",
        "connection.attempts": "100000",
        "consumer.override.session.timeout.ms": "6000",
    });
    let all = config.as_object_mut().expect("an object");
    all.extend(extra.as_object().cloned().unwrap_or_default());
    config
}

/// A name of more than the column's 20 characters cannot be written; one in a hundred is.
fn record(number: u64) -> Record {
    let name = match number % 100 {
        42 => format!("name that is much too long {number}"),
        _ => format!("name {number}"),
    };
    let value = json!({
        "schema": {"type": "struct", "optional": false, "fields": [
            {"field": "id", "type": "int64", "optional": false},
            {"field": "amount", "type": "int32", "optional": false},
            {"field": "name", "type": "string", "optional": true},
        ]},
        "payload": {"id": number % 5000, "amount": number % 1000, "name": name},
    });
    let partition = i32::try_from(number % 5000 % 4).expect("small");
    Record { partition: Some(partition), ..Record::new(number.to_string(), value.to_string()) }
}

/// Writes until it is told to stop. What a dying broker has not acknowledged may be in the topic or not, so the topic itself says what
/// there is to be found.
fn writer(bootstrap: String, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let records: Vec<_> = (number..number + 100).map(record).collect();
            number += 100;
            // Not acknowledged: the broker is being killed, which the test wants.
            let _ = kafka_client::produce_all(&bootstrap, TOPIC, records).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

struct Row {
    id: i64,
    amount: i64,
    name: String,
}

fn row(message: &Message) -> anyhow::Result<Row> {
    let json = message.json()?;
    let payload = &json["payload"];
    Ok(Row {
        id: payload["id"].as_i64().unwrap_or_default(),
        amount: payload["amount"].as_i64().unwrap_or_default(),
        name: payload["name"].as_str().unwrap_or_default().to_owned(),
    })
}

type Table = BTreeMap<(i64, i64, String), usize>;

/// The rows with how often each is there.
async fn table(database: &AnyDatabase) -> anyhow::Result<Table> {
    let mut rows = Table::new();
    for row in database.query("SELECT id, amount, name FROM readings").await? {
        let number =
            |index: usize| row[index].as_deref().and_then(|text| text.parse().ok()).unwrap_or(i64::MIN);
        *rows.entry((number(0), number(1), row[2].clone().unwrap_or_default())).or_default() += 1;
    }
    Ok(rows)
}

fn difference(expected: &Table, found: &Table) -> String {
    let some = |one: &Table, other: &Table| {
        let not_there = one.iter().filter(|(row, count)| other.get(*row) != Some(count));
        let rows: Vec<_> = not_there.clone().take(3).collect();
        format!("{} ({rows:?} ..)", not_there.count())
    };
    format!("expected and not so: {}; there and not so: {}", some(expected, found), some(found, expected))
}

/// Where the records of the dead-letter topic come from.
async fn dead_letters(bootstrap: &str) -> anyhow::Result<BTreeSet<(i32, i64)>> {
    if !kafka_client::topic_exists(bootstrap, DEAD_LETTERS).await? {
        return Ok(BTreeSet::new());
    }
    let mut places = BTreeSet::new();
    for message in kafka_client::consume_all(bootstrap, DEAD_LETTERS).await? {
        let header = |name: &str| message.header(&format!("__connect.errors.{name}")).unwrap_or_default();
        anyhow::ensure!(header("stage") == "TASK_PUT", "{:?}", message.headers);
        places.insert((header("partition").parse()?, header("offset").parse()?));
    }
    Ok(places)
}

async fn story(kind: Kind, ddl: &str, extra: Value, last_of_each_id: bool) -> anyhow::Result<()> {
    let mut world = World::start(kind, "readings-sink", async |bootstrap, database| {
        kafka_client::create_topic(bootstrap, TOPIC, PARTITIONS, &[]).await?;
        database.execute(ddl).await?;
        Ok(config(extra))
    })
    .await?;
    let bootstrap = world.kafka.bootstrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = writer(bootstrap.clone(), stop.clone());
    world.suffer().await?;
    stop.store(true, Ordering::Relaxed);
    writer.await?;

    let (mut expected, mut bad) = (Table::new(), BTreeSet::new());
    let mut last = BTreeMap::new();
    let messages = kafka_client::consume_all(&bootstrap, TOPIC).await?;
    for message in &messages {
        let Row { id, amount, name } = row(message)?;
        if name.chars().count() > 20 {
            bad.insert((message.partition, message.offset));
        } else if last_of_each_id {
            last.insert(id, (id, amount, name));
        } else {
            *expected.entry((id, amount, name)).or_default() += 1;
        }
    }
    expected.extend(last.into_values().map(|row| (row, 1)));
    anyhow::ensure!(messages.len() > 1000 && bad.len() > 5, "only {} records came through", messages.len());

    let database = &world.database;
    eventually("the table to be what the topic says", CALM, async || {
        let found = table(database).await?;
        anyhow::ensure!(found == expected, "{}", difference(&expected, &found));
        Ok(Some(()))
    })
    .await;
    eventually("the dead-letter topic to have the bad records", CALM, async || {
        let found = dead_letters(&bootstrap).await?;
        anyhow::ensure!(
            found == bad,
            "{} of {}; not bad: {:?}",
            found.len(),
            bad.len(),
            found.difference(&bad)
        );
        Ok(Some(()))
    })
    .await;
    let rows = expected.values().sum::<usize>();
    eprintln!("{} records, {rows} rows, {} dead letters", messages.len(), bad.len());

    // Nothing comes late.
    world.worker.process.terminate();
    world.worker.process.wait_exit(Duration::from_secs(30)).await?;
    let found = table(&world.database).await?;
    assert!(found == expected, "{}", difference(&expected, &found));
    assert_eq!(dead_letters(&bootstrap).await?, bad);
    Ok(())
}

const KEYED: &str = "CREATE TABLE readings (id BIGINT PRIMARY KEY, amount INT NOT NULL, name VARCHAR(20))";
const PLAIN: &str = "CREATE TABLE readings (id BIGINT, amount INT NOT NULL, name VARCHAR(20))";

fn upsert() -> Value {
    json!({"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
}

fn exactly_once() -> Value {
    json!({"insert.mode": "insert", "exactly.once.enabled": "true"})
}

#[tokio::test]
async fn upserts_into_mariadb() -> anyhow::Result<()> {
    story(Kind::MariaDb, KEYED, upsert(), true).await
}

#[tokio::test]
async fn upserts_into_postgres() -> anyhow::Result<()> {
    story(Kind::Postgres, KEYED, upsert(), true).await
}

#[tokio::test]
async fn each_record_once_into_mariadb() -> anyhow::Result<()> {
    story(Kind::MariaDb, PLAIN, exactly_once(), false).await
}

#[tokio::test]
async fn each_record_once_into_postgres() -> anyhow::Result<()> {
    story(Kind::Postgres, PLAIN, exactly_once(), false).await
}
