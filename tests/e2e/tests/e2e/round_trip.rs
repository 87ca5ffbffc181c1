//! One worker, five connectors: MariaDB -> topic -> PostgreSQL -> topic -> SQLite -> topic. What was written into the first table stands in
//! the last one, and the topics say the same of it.

use crate::support::PATIENCE;
use crate::support::database::JdbcTarget;
use crate::support::jdbc_source::SqliteDatabase;
use crate::support::worker::Worker;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::Row;
use testkit::kafka_client::{self, Topics};
use testkit::{Database, PgDatabase, eventually, unique};

const TABLE: &str = "CREATE TABLE origin (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, tiny TINYINT, small SMALLINT, big BIGINT, flag BOOLEAN, \
     f FLOAT, d DOUBLE, amount DECIMAL(14,4), name VARCHAR(50) NOT NULL, bin VARBINARY(16), day DATE, clock TIME(3), at DATETIME(3))";

const ROWS: &str = "INSERT INTO origin (tiny, small, big, flag, f, d, amount, name, bin, day, clock, at) VALUES \
     (-128, -32768, -9223372036854775808, TRUE, 0.5, -1234.25, -0.0001, 'ä €😀 \\'\"`', x'00FF27', '2024-02-29', '23:59:59.999', '2024-02-29 12:34:56.789'), \
     (127, 32767, 9223372036854775807, FALSE, -0.25, 0.1, 1234567890.1234, '', x'', '1969-12-31', '00:00:00', '1969-12-31 23:59:59.999'), \
     (NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'nothing', NULL, NULL, NULL, NULL), \
     (0, 0, 0, FALSE, 0, 0, 0, 'old', x'00', '1500-01-01', '12:00:00', '1500-01-01 00:00:00')";

/// How many rows [`ROWS`] are; the last one is from before the Gregorian calendar.
const COUNT: usize = 4;

const ON_MARIADB: &str = "SELECT id, tiny, small, big, flag, f, d, amount, name, lower(hex(bin)), day, clock, at FROM origin ORDER BY id";
const ON_POSTGRES: &str = "SELECT id, tiny, small, big, flag::int, f, d, amount, name, encode(bin, 'hex'), day, to_char(clock, 'HH24:MI:SS.MS'), \
     to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS') FROM half_way ORDER BY id";
/// SQLite keeps dates and times as milliseconds, and its own calendar has no Julian dates.
const ON_SQLITE: &str = "SELECT id || '', tiny || '', small || '', big || '', flag || '', iif(f IS NULL, f, printf('%g', f)), \
     iif(d IS NULL, d, printf('%g', d)), iif(amount IS NULL, amount, printf('%.4f', amount)), name, iif(bin IS NULL, bin, lower(hex(bin))), \
     date(day / 1000, 'unixepoch'), strftime('%H:%M:%f', clock / 1000.0, 'unixepoch'), strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') \
     FROM arrival WHERE id < 4 ORDER BY id";

/// The payloads in the order of their ids, decimals with four digits.
async fn payloads(topic: &str) -> Result<Vec<Value>> {
    let bootstrap = testkit::kafka()?;
    let messages = eventually(format!("{COUNT} records in {topic}"), PATIENCE, async || {
        let messages = kafka_client::consume_all(&bootstrap, topic).await?;
        ensure!(messages.len() >= COUNT, "{} so far", messages.len());
        Ok(Some(messages))
    })
    .await;
    let mut values = Vec::new();
    for message in &messages {
        let value: Value = serde_json::from_str(message.value_str().context("no text")?)?;
        let mut payload = value["payload"].clone();
        if let Some(amount) = payload["amount"].as_f64() {
            payload["amount"] = json!(format!("{amount:.4}"));
        }
        values.push(payload);
    }
    values.sort_by_key(|payload| payload["id"].as_i64());
    Ok(values)
}

fn connector(database: &impl JdbcTarget, class: &str, keys: Value) -> Value {
    let connection = database.connection();
    let mut config = json!({
        "connector.class": format!("io.confluent.connect.jdbc.{class}"),
        "connection.url": connection.url,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.decimal.format": "NUMERIC",
    });
    if !connection.user.is_empty() {
        config["connection.user"] = json!(connection.user);
        config["connection.password"] = json!(connection.password);
    }
    for (key, value) in keys.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

fn source(database: &impl JdbcTarget, table: &str, prefix: &str) -> Value {
    let keys = json!({
        "mode": "incrementing", "incrementing.column.name": "id", "table.whitelist": table, "topic.prefix": prefix,
        "poll.interval.ms": "200", "table.poll.interval.ms": "500",
    });
    connector(database, "JdbcSourceConnector", keys)
}

fn sink(database: &impl JdbcTarget, topic: &str, table: &str) -> Value {
    let keys = json!({
        "topics": topic, "table.name.format": table, "auto.create": "true", "insert.mode": "upsert", "pk.mode": "record_value",
        "pk.fields": "id",
    });
    connector(database, "JdbcSinkConnector", keys)
}

#[tokio::test]
async fn rows_stay_what_they_are() -> Result<()> {
    let first = Database::create(&unique("trip")).await?;
    let second = PgDatabase::create(&unique("trip")).await?;
    let third = SqliteDatabase::create("trip").await?;
    let prefix = format!("{}-", unique("trip"));
    let topics = ["origin", "half_way", "arrival"].map(|table| format!("{prefix}{table}"));
    let _topics = Topics::removed_at_the_end(&testkit::kafka()?, topics.iter());
    let offsets = std::env::temp_dir().join(format!("{prefix}offsets"));
    let path = offsets.display().to_string();
    let worker = Worker::start(&[("offset.storage.file.filename", &path)]).await?;
    first.execute(TABLE).await?;
    first.execute(ROWS).await?;

    for (name, config) in [
        ("origin", source(&first, "origin", &prefix)),
        ("to-half-way", sink(&second, &topics[0], "half_way")),
        ("half-way", source(&second, "half_way", &prefix)),
        ("to-arrival", sink(&third, &topics[1], "arrival")),
        ("arrival", source(&third, "arrival", &prefix)),
    ] {
        let created = worker.create(name, &config).await?;
        ensure!(created.status == 201, "{name}: {}", created.body);
    }
    let sent = payloads(&topics[0]).await?;
    let again = payloads(&topics[1]).await?;
    assert_eq!(sent, again);

    let origin = first.query(ON_MARIADB).await?;
    ensure!(origin.len() == COUNT, "{origin:?}");
    assert_eq!(second.query(ON_POSTGRES).await?, origin);

    let arrived = payloads(&topics[2]).await?;
    let mut conn = third.connect().await?;
    let rows = sqlx::query(ON_SQLITE).fetch_all(&mut conn).await?;
    let rows = rows
        .iter()
        .map(|row| (0..row.len()).map(|index| row.try_get(index)).collect::<Result<Vec<Option<String>>, _>>())
        .collect::<Result<Vec<_>, _>>()?;
    assert_eq!(rows, origin[..COUNT - 1]);
    for (sent, arrived) in sent.iter().zip(&arrived) {
        for field in ["id", "big", "f", "d", "amount", "name", "bin"] {
            assert_eq!(arrived[field], sent[field], "{field} of {sent}");
        }
    }
    drop(worker);
    let _ = std::fs::remove_file(offsets);
    Ok(())
}
