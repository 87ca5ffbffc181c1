//! The JDBC source through the worker into Kafka: each mode on both servers, a worker that is killed while it reads, a database
//! that goes away, and a table much larger than the memory.

use crate::support::PATIENCE;
use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::worker::Worker;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use testkit::kafka_client::{self, Message, Tail, Topics};
use testkit::{Database, OwnEngine, PgDatabase, eventually};

/// For a million rows with a debug build on a busy machine.
const LONG: Duration = Duration::from_secs(900);

/// Tables of several rows, `made` and `zoned` half a second apart; the values are those of the clock in Seoul.
fn tables(database: &AnyDatabase) -> [String; 2] {
    let (id, made, zoned) = match database {
        AnyDatabase::MariaDb(_) => ("INT AUTO_INCREMENT PRIMARY KEY", "DATETIME(6)", "DATETIME(6)"),
        AnyDatabase::Postgres(_) => ("SERIAL PRIMARY KEY", "TIMESTAMP(6)", "TIMESTAMPTZ(6)"),
    };
    let zone = if matches!(database, AnyDatabase::Postgres(_)) { "+09" } else { "" };
    [
        format!(
            "CREATE TABLE items (id {id}, name VARCHAR(20), made {made} NOT NULL, zoned {zoned} NOT NULL)"
        ),
        format!(
            "INSERT INTO items (name, made, zoned) VALUES \
             ('a', '2024-01-01 09:00:00', '2024-01-01 09:00:00{zone}'), \
             ('b', '2024-01-01 09:00:00.5', '2024-01-01 09:00:00.5{zone}'), \
             ('c', '2024-01-01 09:00:00.5', '2024-01-01 09:00:00.5{zone}')"
        ),
    ]
}

fn source(database: &impl JdbcTarget, prefix: &str, more: &[(&str, &str)]) -> Value {
    let connection = database.connection();
    let mut config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "tasks.max": "1",
        "connection.url": connection.url,
        "connection.user": connection.user,
        "connection.password": connection.password,
        "topic.prefix": prefix,
        "table.whitelist": "items",
        "poll.interval.ms": "200",
    });
    for (key, value) in more {
        config[*key] = json!(value);
    }
    if more.iter().any(|(key, _)| *key == "query") {
        config.as_object_mut().expect("an object").remove("table.whitelist");
    }
    config
}

fn names(messages: &[Message]) -> Vec<String> {
    let name = |message: &Message| {
        let value = message.json().unwrap();
        value["payload"]["name"].as_str().unwrap_or_default().to_owned()
    };
    messages.iter().map(name).collect()
}

/// The topic's rows as soon as there are `count`.
async fn rows(topic: &str, count: usize) -> Vec<String> {
    eventually(format!("{count} rows in {topic}"), PATIENCE, async || {
        let messages = kafka_client::consume_all(&testkit::kafka()?, topic).await?;
        let names = names(&messages);
        ensure!(names.len() >= count, "{names:?}");
        Ok(Some(names))
    })
    .await
}

/// `GET /connectors/NAME/offsets` as soon as it says this.
async fn offsets_are(worker: &Worker, name: &str, partition: &Value, offset: &Value) {
    eventually(format!("the offsets of {name}"), PATIENCE, async || {
        let offsets = worker.get(&format!("/connectors/{name}/offsets")).await?.body;
        ensure!(offsets == json!({"offsets": [{"partition": partition, "offset": offset}]}), "{offsets}");
        Ok(Some(()))
    })
    .await
}

async fn every_mode(database: &AnyDatabase, table: &str) -> Result<()> {
    let bootstrap = testkit::kafka()?;
    for sql in tables(database) {
        database.execute(&sql).await?;
    }
    let offsets = std::env::temp_dir().join(testkit::unique("offsets"));
    let worker = Worker::start(&[
        ("offset.storage.file.filename", &offsets.display().to_string()),
        ("offset.flush.interval.ms", "300"),
    ])
    .await?;
    let both = "SELECT id, name, made, zoned FROM items";
    let midnight = 1_704_067_200_000_i64;
    let seoul = ("db.timezone", "Asia/Seoul");
    let (made, zoned) = (("timestamp.column.name", "made"), ("timestamp.column.name", "zoned"));
    let id = ("incrementing.column.name", "id");
    let counted = json!({"incrementing": 3});
    let timed = json!({"timestamp": midnight + 500, "timestamp_nanos": 500_000_000});
    let exact = json!({"timestamp": midnight + 500, "timestamp_nanos": 500_000_000, "incrementing": 3});
    let of_table = json!({"protocol": "1", "table": table});
    let of_query = json!({"query": "query"});
    type Mode<'a> = (&'a str, Vec<(&'a str, &'a str)>, Option<(&'a Value, &'a Value)>);
    let modes: [Mode<'_>; 9] = [
        ("bulk", vec![("mode", "bulk"), ("poll.interval.ms", "3600000")], None),
        ("incrementing", vec![("mode", "incrementing")], Some((&of_table, &counted))),
        ("timestamp", vec![("mode", "timestamp"), made, seoul], Some((&of_table, &timed))),
        ("zoned", vec![("mode", "timestamp"), zoned, seoul], Some((&of_table, &timed))),
        (
            "both",
            vec![
                ("mode", "timestamp+incrementing"),
                zoned,
                id,
                seoul,
                ("timestamp.delay.interval.ms", "1000"),
            ],
            Some((&of_table, &exact)),
        ),
        (
            "suffix",
            vec![("mode", "incrementing"), id, ("query.suffix", "LIMIT 1")],
            Some((&of_table, &counted)),
        ),
        ("query", vec![("mode", "incrementing"), id, ("query", both)], Some((&of_query, &counted))),
        (
            "queried-zone",
            vec![("mode", "timestamp"), zoned, seoul, ("query", both)],
            Some((&of_query, &timed)),
        ),
        (
            "extensions",
            vec![
                ("mode", "incrementing"),
                ("record.key.primary.key", "true"),
                ("lookback.rows", "10"),
                ("snapshot.splits", "2"),
                ("batch.max.rows", "1"),
                ("transaction.isolation.mode", "READ_COMMITTED"),
            ],
            Some((&of_table, &counted)),
        ),
    ];
    let mut topics = BTreeMap::new();
    let mut removed = Vec::new();
    for (name, more, _) in &modes {
        let prefix = testkit::unique(name);
        let queried = more.iter().any(|(key, _)| *key == "query");
        let topic = if queried { prefix.clone() } else { format!("{prefix}items") };
        let created = worker.create(name, &source(&DatabaseOf(database), &prefix, more)).await?;
        ensure!(created.status == 201, "{name}: {}", created.body);
        removed.push(topic.clone());
        topics.insert(*name, topic);
    }
    let _topics = Topics::removed_at_the_end(&bootstrap, removed);
    for (name, _, stored) in &modes {
        let mut found = rows(&topics[name], 3).await;
        found.sort();
        assert_eq!(found, ["a", "b", "c"], "{name}");
        if let Some((partition, offset)) = stored {
            offsets_are(&worker, name, partition, offset).await;
        }
    }
    // A new row and a changed one, now on the database's own clock.
    database
        .execute("INSERT INTO items (name, made, zoned) VALUES ('d', '2024-01-02', '2024-01-02')")
        .await?;
    database
        .execute("UPDATE items SET name = 'A', made = '2024-01-03', zoned = '2024-01-03' WHERE id = 1")
        .await?;
    for (name, more, _) in &modes {
        let new: &[&str] = match more.iter().find(|(key, _)| *key == "mode") {
            Some((_, "bulk")) => continue,
            Some((_, "incrementing")) => &["d"],
            _ => &["d", "A"],
        };
        let found = rows(&topics[name], 3 + new.len()).await;
        assert_eq!(found[3..], *new, "{name}");
    }
    let keyed = kafka_client::consume_all(&bootstrap, &topics["extensions"]).await?;
    let key: Value = serde_json::from_str(keyed[3].key_str().context("a key")?)?;
    assert_eq!((&key["payload"], &key["schema"]["name"]), (&json!({"id": 4}), &json!("items.Key")));
    let _ = std::fs::remove_file(offsets);
    Ok(())
}

/// A borrowed database is a target as well.
struct DatabaseOf<'a>(&'a AnyDatabase);

impl JdbcTarget for DatabaseOf<'_> {
    fn connection(&self) -> crate::support::database::Connection<'_> {
        self.0.connection()
    }
}

#[tokio::test]
async fn every_mode_on_mariadb() -> Result<()> {
    let database = Database::create(&testkit::unique("modes")).await?;
    let table = format!("{}.items", database.name);
    every_mode(&AnyDatabase::MariaDb(database), &table).await
}

#[tokio::test]
async fn every_mode_on_postgresql() -> Result<()> {
    let database = PgDatabase::create(&testkit::unique("modes")).await?;
    every_mode(&AnyDatabase::Postgres(database), "public.items").await
}

/// Rows 1 to `count`.
async fn fill(database: &AnyDatabase, count: usize) -> Result<()> {
    let (table, numbers) = match database {
        AnyDatabase::MariaDb(_) => (
            "CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(200))",
            format!("seq, CONCAT('row ', seq, REPEAT('.', 80)) FROM seq_1_to_{count}"),
        ),
        AnyDatabase::Postgres(_) => (
            "CREATE TABLE items (id SERIAL PRIMARY KEY, name VARCHAR(200))",
            format!("n, 'row ' || n || repeat('.', 80) FROM generate_series(1, {count}) n"),
        ),
    };
    database.execute(table).await?;
    database.execute(&format!("INSERT INTO items (id, name) SELECT {numbers}")).await
}

fn id(message: &Message) -> Result<i64> {
    message.json()?["payload"]["id"].as_i64().context("a number")
}

/// A worker is killed again and again while it reads a table; every row gets to Kafka.
async fn killed_while_reading(database: &AnyDatabase, more: &[(&str, &str)]) -> Result<()> {
    const ROWS: usize = 30_000;
    let bootstrap = testkit::kafka()?;
    fill(database, ROWS).await?;
    let (prefix, name) = (testkit::unique("killed"), "killed");
    let topic = format!("{prefix}items");
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let offsets = std::env::temp_dir().join(testkit::unique("offsets"));
    let mut pairs = vec![("mode", "incrementing"), ("batch.max.rows", "100")];
    pairs.extend(more);
    let file = connector_file(name, &source(&DatabaseOf(database), &prefix, &pairs))?;
    let extra = [
        ("offset.storage.file.filename", &*offsets.display().to_string()),
        ("offset.flush.interval.ms", "100"),
    ];
    let mut worker = Worker::start_with(&extra, std::slice::from_ref(&file)).await?;
    let (mut tail, mut seen, mut read) = (Tail::new(&bootstrap, &topic)?, BTreeSet::new(), 0_usize);
    let mut kills = 0;
    eventually("every row", LONG, async || {
        for message in tail.more().await? {
            seen.insert(id(&message)?);
            read += 1;
        }
        // Each time another part of the table is there.
        if kills < 4 && seen.len() > (kills + 1) * ROWS / 8 {
            kills += 1;
            worker.process.kill9();
            worker.start_again().await;
        }
        ensure!(seen.len() >= ROWS, "{} rows, {kills} kills", seen.len());
        Ok(Some(()))
    })
    .await;
    assert_eq!(seen, (1..=ROWS as i64).collect(), "each row");
    println!("{ROWS} rows, {kills} kills, {} rows twice", read - ROWS);
    assert!(kills > 0, "the table was read before the worker could be killed");
    let _ = std::fs::remove_file(offsets);
    let _ = std::fs::remove_file(file);
    Ok(())
}

/// A connector as a file of the command line.
fn connector_file(name: &str, config: &Value) -> Result<PathBuf> {
    let file = std::env::temp_dir().join(format!("{}.properties", testkit::unique(name)));
    let mut text = format!("name={name}\n");
    for (key, value) in config.as_object().context("an object")? {
        text.push_str(&format!("{key}={}\n", value.as_str().context("a text")?));
    }
    std::fs::write(&file, text)?;
    Ok(file)
}

#[tokio::test]
async fn a_worker_killed_while_reading_mariadb_loses_nothing() -> Result<()> {
    let database = AnyDatabase::MariaDb(Database::create(&testkit::unique("killed")).await?);
    killed_while_reading(&database, &[]).await
}

#[tokio::test]
async fn a_worker_killed_while_reading_postgresql_in_parts_loses_nothing() -> Result<()> {
    let database = AnyDatabase::Postgres(PgDatabase::create(&testkit::unique("killed")).await?);
    killed_while_reading(&database, &[("snapshot.splits", "3")]).await
}

/// The database is killed while it is read from, and comes back.
async fn database_away(engine: &mut OwnEngine, database: &AnyDatabase) -> Result<()> {
    const ROWS: i64 = 20_000;
    let bootstrap = testkit::kafka()?;
    fill(database, ROWS as usize).await?;
    let prefix = testkit::unique("away");
    let topic = format!("{prefix}items");
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let worker = Worker::start(&[]).await?;
    let pairs = [("mode", "incrementing"), ("batch.max.rows", "50"), ("connection.backoff.ms", "300")];
    let created = worker.create("away", &source(&DatabaseOf(database), &prefix, &pairs)).await?;
    ensure!(created.status == 201, "{}", created.body);
    let (mut tail, mut ids) = (Tail::new(&bootstrap, &topic)?, Vec::new());
    eventually("the first rows", PATIENCE, async || {
        for message in tail.more().await? {
            ids.push(id(&message)?);
        }
        Ok((ids.len() > 500).then_some(()))
    })
    .await;
    engine.process.kill9();
    let status = eventually("the trouble in the status", PATIENCE, async || {
        let status = worker.get("/connectors/away/status").await?.body;
        ensure!(status["tasks"][0]["retrying"]["reason"].is_string(), "{status}");
        Ok(Some(status))
    })
    .await;
    assert_eq!(status["tasks"][0]["state"], "RUNNING");
    let reason = status["tasks"][0]["retrying"]["reason"].to_string();
    println!("{reason}");
    assert!(reason.contains("connect") || reason.contains("reading table"), "{reason}");
    engine.start_again().await;
    database.execute("INSERT INTO items (id, name) VALUES (1000000, 'after')").await?;
    eventually("every row, and the one after", LONG, async || {
        for message in tail.more().await? {
            ids.push(id(&message)?);
        }
        ensure!(ids.iter().max() > Some(&ROWS), "{} rows", ids.len());
        Ok(Some(()))
    })
    .await;
    let all: BTreeSet<i64> = ids.iter().copied().collect();
    assert!((1..=ROWS).all(|id| all.contains(&id)), "{} of {ROWS} rows", all.len());
    println!("{} rows twice", ids.len() - all.len());
    eventually("a status without trouble", PATIENCE, async || {
        let status = worker.get("/connectors/away/status").await?.body;
        ensure!(status["tasks"][0]["retrying"].is_null(), "{status}");
        Ok(Some(()))
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn mariadb_goes_away_and_comes_back() -> Result<()> {
    let mut engine = OwnEngine::mariadb(&[]).await?;
    let database = Database::create_on(engine.mariadb_server(), "away").await?;
    database_away(&mut engine, &AnyDatabase::MariaDb(database)).await
}

#[tokio::test]
async fn postgresql_goes_away_and_comes_back() -> Result<()> {
    let mut engine = OwnEngine::postgres(&[]).await?;
    let database = PgDatabase::create_on(engine.postgres_server(), "away").await?;
    database_away(&mut engine, &AnyDatabase::Postgres(database)).await
}

/// The most memory that the process ever had, in kB.
fn peak(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// The peak of a worker that reads `rows` rows.
async fn peak_of(database: &AnyDatabase, rows: usize) -> Result<u64> {
    let bootstrap = testkit::kafka()?;
    fill(database, rows).await?;
    let prefix = testkit::unique("big");
    let topic = format!("{prefix}items");
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let offsets = std::env::temp_dir().join(testkit::unique("offsets"));
    let worker = Worker::start(&[
        ("offset.storage.file.filename", &offsets.display().to_string()),
        ("offset.flush.interval.ms", "200"),
        ("value.converter.schemas.enable", "false"),
    ])
    .await?;
    let created =
        worker.create("big", &source(&DatabaseOf(database), &prefix, &[("mode", "incrementing")])).await?;
    ensure!(created.status == 201, "{}", created.body);
    eventually(format!("{rows} rows"), LONG, async || {
        let offsets = worker.get("/connectors/big/offsets").await?.body;
        ensure!(offsets["offsets"][0]["offset"]["incrementing"] == json!(rows), "{offsets}");
        Ok(Some(()))
    })
    .await;
    let peak = peak(worker.process.pid)?;
    println!("{rows} rows: peak of the worker {} MB", peak / 1024);
    let _ = std::fs::remove_file(offsets);
    Ok(peak)
}

/// Ten times the rows take about the same memory.
async fn memory_is_bounded(small: &AnyDatabase, large: &AnyDatabase) -> Result<()> {
    let (few, many) = (peak_of(small, 100_000).await?, peak_of(large, 1_000_000).await?);
    assert!(many < few + 40 * 1024, "{few} kB for 100,000 rows, {many} kB for 1,000,000");
    Ok(())
}

#[tokio::test]
async fn a_large_table_of_mariadb_takes_little_memory() -> Result<()> {
    let small = AnyDatabase::MariaDb(Database::create(&testkit::unique("small")).await?);
    let large = AnyDatabase::MariaDb(Database::create(&testkit::unique("large")).await?);
    memory_is_bounded(&small, &large).await
}

#[tokio::test]
async fn a_large_table_of_postgresql_takes_little_memory() -> Result<()> {
    let small = AnyDatabase::Postgres(PgDatabase::create(&testkit::unique("small")).await?);
    let large = AnyDatabase::Postgres(PgDatabase::create(&testkit::unique("large")).await?);
    memory_is_bounded(&small, &large).await
}
