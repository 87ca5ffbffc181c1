//! A source connector reads a table into a topic; beside it a plain client that reads the same rows.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::TryStreamExt;
use mysql_async::prelude::Queryable;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use testkit::kafka_client::{Topics, create_topic};

use super::database::Db;
use super::orders::Orders;
use super::report::Sample;
use super::worker::Worker;
use super::{Bench, Case, Who};
use crate::worker::Side;

const SELECT: &str = "SELECT * FROM orders ORDER BY id ASC";

pub(super) async fn run(bench: &mut Bench, case: Case, who: Who, orders: &Orders) -> anyhow::Result<()> {
    if who == Who::Java {
        // Maven Central has no JDBC source for Kafka Connect.
        return Ok(());
    }
    let db = Db::create(case.engine).await?;
    fill(&db, orders).await?;
    let sample = match who {
        Who::Own => Sample { seconds: plain(&db, case.records).await?, ..Sample::default() },
        _ => connector(bench, &db, case.records).await?,
    };
    bench.samples.push(case, who, sample);
    Ok(())
}

async fn fill(db: &Db, orders: &Orders) -> anyhow::Result<()> {
    let columns = "user_id VARCHAR(64) NOT NULL, product_id VARCHAR(64) NOT NULL, qty INT NOT NULL, price INT NOT NULL, \
                   created_at TIMESTAMP NOT NULL";
    // From one number each, so that the server fills the table by itself.
    let values = "'user-', 'CATALOG-1234', 7, 1999, '2026-11-21 12:00:00'";
    match db {
        Db::MariaDb(_) => {
            db.execute(&format!("CREATE TABLE orders(id BIGINT PRIMARY KEY AUTO_INCREMENT, {columns})"))
                .await?;
            db.execute(&format!(
                "INSERT INTO orders(user_id, product_id, qty, price, created_at) SELECT {values} FROM seq_1_to_{}",
                orders.records
            ))
            .await
        }
        Db::Postgres(_) => {
            db.execute(&format!("CREATE TABLE orders(id BIGSERIAL PRIMARY KEY, {columns})")).await?;
            db.execute(&format!(
                "INSERT INTO orders(user_id, product_id, qty, price, created_at) SELECT {} FROM generate_series(1, {})",
                values.replace("'2026-11-21 12:00:00'", "TIMESTAMP '2026-11-21 12:00:00'"),
                orders.records
            ))
            .await
        }
    }
}

/// Reads every row and takes a value of each out of it.
async fn plain(db: &Db, records: u64) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let mut rows = 0_u64;
    let seconds = match db {
        Db::MariaDb(_) => {
            let mut conn = mysql_async::Conn::new(mysql_async::Opts::from_url(&db.url())?).await?;
            let begun = Instant::now();
            let mut result = conn.exec_iter(SELECT, ()).await?;
            while let Some(row) = result.next().await? {
                rows += u64::from(row.as_ref(0).is_some());
            }
            begun.elapsed()
        }
        Db::Postgres(_) => {
            let mut conn = PgConnection::connect(&format!("{}?sslmode=disable", db.url())).await?;
            let begun = Instant::now();
            let mut stream = sqlx::query(SELECT).fetch(&mut conn);
            while let Some(row) = stream.try_next().await? {
                rows += u64::from(row.try_get::<i64, _>(0).is_ok());
            }
            begun.elapsed()
        }
    };
    if rows != records {
        bail!("a plain client reads {rows} rows in {:.1} s", begun.elapsed().as_secs_f64());
    }
    Ok(seconds.as_secs_f64())
}

async fn connector(bench: &Bench, db: &Db, records: u64) -> anyhow::Result<Sample> {
    let prefix = testkit::unique("bench_source");
    let topic = format!("{prefix}_orders");
    create_topic(&bench.bootstrap, &topic, 1, &[]).await?;
    let _topics = Topics::removed_at_the_end(&bench.bootstrap, [topic.clone()]);
    let mut worker = Worker::start(bench, Side::Ours).await?;
    let mut config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "tasks.max": "1",
        "mode": "incrementing",
        "incrementing.column.name": "id",
        "table.whitelist": "orders",
        "topic.prefix": format!("{prefix}_"),
    });
    if let (Some(config), Value::Object(connection)) = (config.as_object_mut(), db.connection()) {
        config.extend(connection.into_iter().filter(|(key, _)| key != "connection.username"));
    }
    let before = worker.usage()?;
    worker.create("source", &config).await?;
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &bench.bootstrap)
        .set("group.id", "bench")
        .create()
        .context("cannot create a consumer")?;
    let counting = tokio::task::spawn_blocking(move || -> anyhow::Result<Duration> {
        let (mut begun, waiting) = (None, Instant::now());
        loop {
            let (_, end) = client.fetch_watermarks(&topic, 0, Duration::from_secs(10))?;
            let begun = if end > 0 { Some(*begun.get_or_insert_with(Instant::now)) } else { None };
            if let Some(begun) = begun.filter(|_| end.unsigned_abs() >= records) {
                return Ok(begun.elapsed());
            }
            if waiting.elapsed() > Duration::from_secs(600) {
                bail!("the topic has {end} records only");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let took = worker.watched(async { counting.await? }).await?;
    let usage = worker.usage()?;
    worker.stop().await?;
    Ok(Sample {
        seconds: took.as_secs_f64(),
        cpu: Some(usage.cpu_seconds - before.cpu_seconds),
        peak: Some(usage.peak),
        ..Sample::default()
    })
}
