//! A sink connector empties a topic into a table.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Value, json};

use super::database::{Db, Watch};
use super::orders::Topic;
use super::report::Sample;
use super::worker::Worker;
use super::{Bench, Case, What, Who};
use crate::worker::Side;

/// Nothing is written any more when nothing was for so long.
const QUIET: Duration = Duration::from_secs(1);

/// Without any progress for so long something is broken.
const STUCK: Duration = Duration::from_secs(120);

pub(super) async fn run(
    bench: &mut Bench,
    case: Case,
    who: Who,
    side: Side,
    topic: &Topic,
) -> anyhow::Result<()> {
    let db = Db::create(case.engine).await?;
    db.create_table(case.what).await?;
    let mut worker = Worker::start(bench, side).await?;
    // What connecting and loading classes costs is a worker's start, which `bench worker` measures.
    let config = config(side, case.what, &db, &topic.name, topic.partitions, bench.batch);
    let before = worker.usage()?;
    let mut watch = Watch::open(&db).await?;
    let floor = watch.progress().await?;
    // A name of its own, since the group of that name remembers how far it has come.
    worker.create(&testkit::unique("sink"), &config).await?;
    let (rest, table) = (&worker, &db);
    let watching = async {
        let mut begun: Option<Instant> = None;
        let mut last = (floor, Instant::now());
        loop {
            let now = watch.progress().await?;
            if now != last.0 {
                last = (now, Instant::now());
                begun.get_or_insert(last.1);
            }
            let quiet = last.1.elapsed();
            if let Some(begun) = begun.filter(|_| quiet > QUIET) {
                let rows = table.count("orders").await?;
                if rows >= case.records {
                    ensure!(rows == case.records, "the table has {rows} rows");
                    return Ok(last.1 - begun);
                }
            }
            if quiet > QUIET {
                rest.check().await?;
            }
            if quiet > STUCK {
                bail!("nothing is written any more, {} rows are there", table.count("orders").await?);
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    };
    let seconds = tokio::time::timeout(Duration::from_secs(1800), watching).await;
    let took: anyhow::Result<Duration> = seconds.unwrap_or_else(|_| bail!("it takes too long"));
    let took = worker.watched(std::future::ready(took)).await?;
    let usage = worker.usage()?;
    worker.stop().await?;
    let sample = Sample {
        seconds: took.as_secs_f64(),
        cpu: Some(usage.cpu_seconds - before.cpu_seconds),
        peak: Some(usage.peak),
        ..Sample::default()
    };
    bench.samples.push(case, who, sample);
    Ok(())
}

/// The same work for both connectors.
pub(super) fn config(side: Side, what: What, db: &Db, topic: &str, tasks: i32, batch: u32) -> Value {
    let mut config = json!({
        "tasks.max": tasks.to_string(),
        "topics": topic,
        "insert.mode": if what == What::Insert { "insert" } else { "upsert" },
        "batch.size": batch.to_string(),
        "consumer.override.max.poll.records": batch.to_string(),
        "consumer.override.auto.offset.reset": "earliest",
    });
    let more = match side {
        Side::Ours => json!({
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
            "table.name.format": "orders",
            "auto.create": "false",
            "pk.mode": if what == What::Insert { "none" } else { "record_value" },
            "pk.fields": if what == What::Insert { "" } else { "order_id" },
        }),
        Side::Java => json!({
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "collection.name.format": "orders",
            "schema.evolution": "none",
            "primary.key.mode": if what == What::Insert { "none" } else { "record_value" },
            "primary.key.fields": "order_id",
        }),
    };
    for settings in [more, db.connection()] {
        if let (Some(config), Value::Object(settings)) = (config.as_object_mut(), settings) {
            // Each connector has its own name for the user.
            let other = if side == Side::Ours { "connection.username" } else { "connection.user" };
            config.extend(settings.into_iter().filter(|(key, _)| key != other));
        }
    }
    config
}
