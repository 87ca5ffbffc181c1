//! Rows that the database refuses, among good ones, on MariaDB and PostgreSQL.

use crate::support::PATIENCE;
use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::jdbc::*;
use crate::support::worker::{Worker, jdbc_sink};
use anyhow::{Context, Result, ensure};
use connect_api::{Rejected, Value};
use serde_json::json;
use std::collections::BTreeMap;
use testkit::kafka_client::{self, Record, Topics};
use testkit::{eventually, unique};

const TABLE: &str = "CREATE TABLE t(id INT PRIMARY KEY, name VARCHAR(9) NOT NULL)";

fn header<'a>(rejected: &'a Rejected, name: &str) -> Option<&'a str> {
    let name = format!("__connect.errors.{name}");
    rejected.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// Id and name of record `n`: every hundredth is too long, null, or has the key of another, by turns.
fn row(n: i32) -> (i32, Option<&'static str>) {
    match n % 300 {
        7 => (n, Some("much too long")),
        107 => (n, None),
        207 => (n - 1, Some("again")),
        _ => (n, Some("good")),
    }
}

/// What the server says of it.
fn state(db: &AnyDatabase, n: i32) -> &'static str {
    match (n % 300, db) {
        (7, _) => "22001",
        (_, AnyDatabase::MariaDb(_)) => "23000",
        (107, _) => "23502",
        (_, _) => "23505",
    }
}

#[tokio::test]
async fn exactly_the_bad_rows_are_rejected_with_the_databases_word() -> Result<()> {
    for db in AnyDatabase::one_of_each("bad_rows").await? {
        db.execute(TABLE).await?;
        let mut task = start_tolerant(&sink_config(&db, &[])).await?;
        let schema = id_name();
        let value = |n| {
            let (id, name) = row(n);
            vec![Value::Int32(id), name.map_or(Value::Null, Value::from)]
        };
        let records: Vec<_> = (0..3000).map(|n| record(n.into(), &schema, value(n))).collect();
        let rejected = task.put(&records).await.map_err(text_of)?;
        let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
        assert_eq!(indexes, (0..3000).filter(|n| n % 100 == 7).collect::<Vec<_>>());
        for rejected in &rejected {
            let n = rejected.index as i32;
            assert_eq!(header(rejected, "sqlstate"), Some(state(&db, n)), "{n}");
            ensure!(header(rejected, "sqlmessage").is_some_and(|message| !message.is_empty()), "{n}");
            let text = rejected.error.to_string();
            let place =
                format!("(topic='t',partition=3,offset={n},timestamp=null) cannot be written to table t");
            ensure!(text.contains(&place), "{text}");
            if n % 300 == 107 {
                ensure!(text.ends_with("table t, column 'name'"), "{text}");
            }
        }
        assert_eq!(db.count("t").await?, 2970);
        assert_eq!(words(&db.query("SELECT DISTINCT name FROM t").await?), ["good"]);
    }
    Ok(())
}

#[tokio::test]
async fn of_a_key_that_comes_twice_the_first_stays_if_the_second_is_bad() -> Result<()> {
    for db in AnyDatabase::one_of_each("bad_rows").await? {
        db.execute(TABLE).await?;
        let mut task = start_tolerant(&sink_config(&db, UPSERT)).await?;
        let rows = [(1, "one"), (2, "two"), (1, "much too long"), (2, "second"), (3, "much too long")];
        let rejected = task.put(&named(&id_name(), &rows)).await.map_err(text_of)?;
        let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
        assert_eq!(indexes, [2, 4]);
        assert_eq!(words(&db.query("SELECT id, name FROM t ORDER BY id").await?), ["1 one", "2 second"]);
    }
    Ok(())
}

/// A constraint that PostgreSQL checks at the end of the transaction, and what a trigger says on both.
#[tokio::test]
async fn a_row_that_is_refused_late_is_found() -> Result<()> {
    for db in AnyDatabase::one_of_each("bad_rows").await? {
        db.execute(TABLE).await?;
        match &db {
            AnyDatabase::MariaDb(_) => {
                db.execute(
                    "CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW IF NEW.name = 'bad' THEN SIGNAL SQLSTATE '45000' \
                     SET MESSAGE_TEXT = 'we do not want it'; END IF",
                )
                .await?
            }
            AnyDatabase::Postgres(_) => {
                db.execute(
                    "CREATE TABLE names(name VARCHAR(9) PRIMARY KEY); INSERT INTO names VALUES('good'); ALTER TABLE t ADD FOREIGN \
                     KEY (name) REFERENCES names DEFERRABLE INITIALLY DEFERRED",
                )
                .await?
            }
        }
        let mut task = start_tolerant(&sink_config(&db, &[])).await?;
        let names = (0..200).map(|n| (n, if n % 50 == 33 { "bad" } else { "good" }));
        let rows: Vec<(i32, &str)> = names.collect();
        let rejected = task.put(&named(&id_name(), &rows)).await.map_err(text_of)?;
        let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
        assert_eq!(indexes, [33, 83, 133, 183]);
        assert_eq!(db.count("t").await?, 196);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_too_large_for_the_server_is_rejected_alone() -> Result<()> {
    let [db, _] = AnyDatabase::one_of_each("bad_rows").await?;
    db.execute("CREATE TABLE t(id INT PRIMARY KEY, name LONGTEXT)").await?;
    let limit: usize =
        words(&db.query("SELECT @@max_allowed_packet").await?).first().context("no limit")?.parse()?;
    let mut task = start_tolerant(&sink_config(&db, &[])).await?;
    let huge = "x".repeat(limit + 1);
    let rejected = task.put(&named(&id_name(), &[(1, "a"), (2, &huge), (3, "b")])).await.map_err(text_of)?;
    assert_eq!(rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>(), [1]);
    ensure!(rejected[0].error.chain().contains("max_allowed_packet"), "{}", rejected[0].error.chain());
    assert_eq!(words(&db.query("SELECT id, name FROM t ORDER BY id").await?), ["1 a", "3 b"]);
    Ok(())
}

fn message(n: i32) -> Record {
    let (id, name) = row(n);
    let value = json!({
        "schema": {"type": "struct", "optional": false, "fields": [
            {"field": "id", "type": "int32", "optional": false},
            {"field": "name", "type": "string", "optional": true},
        ]},
        "payload": {"id": id, "name": name},
    });
    Record { partition: Some(n % 2), ..Record::new(n.to_string(), value.to_string()) }
}

/// The whole way, through a worker: the dead-letter topic holds exactly the bad ones, and the task goes on.
#[tokio::test]
async fn the_dead_letter_topic_holds_exactly_the_bad_rows() -> Result<()> {
    let kafka = testkit::kafka()?;
    let worker = Worker::start(&[]).await?;
    for db in AnyDatabase::one_of_each("bad_rows").await? {
        let (topic, name) = (unique("rows"), unique("bad-rows"));
        let dlq = format!("{topic}.dlq");
        kafka_client::create_topic(&kafka, &topic, 2, &[]).await?;
        let _topics = Topics::removed_at_the_end(&kafka, [&topic, &dlq]);
        db.execute(TABLE).await?;
        // 207 has the key of 206, which is in the other partition and may come later.
        let bad = |n: i32| n % 100 == 7 && n % 300 != 207;
        let sent = || (0..3000).filter(|n| n % 300 != 207);
        kafka_client::produce_all(&kafka, &topic, sent().map(message)).await?;
        let own = json!({
            "table.name.format": "t",
            "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": dlq,
            "errors.deadletterqueue.topic.replication.factor": "1",
            "errors.deadletterqueue.context.headers.enable": "true",
        });
        let config = jdbc_sink(&db, &topic, own);
        assert_eq!(worker.create(&name, &config).await?.status, 201);
        let good = sent().filter(|n| !bad(*n)).count() as u64;
        eventually("all good rows", PATIENCE, async || Ok((db.count("t").await? == good).then_some(())))
            .await;

        let dead = kafka_client::consume_all(&kafka, &dlq).await?;
        let mut keys: Vec<i32> = Vec::new();
        for dead in &dead {
            let headers: BTreeMap<&str, &str> = dead
                .headers
                .iter()
                .filter_map(|(name, value)| {
                    let name = name.strip_prefix("__connect.errors.")?;
                    Some((name, std::str::from_utf8(value.as_deref()?).ok()?))
                })
                .collect();
            let n: i32 = dead.key_str().context("no key")?.parse()?;
            keys.push(n);
            assert_eq!(dead.value, message(n).value, "the record as it came");
            for (header, expected) in [
                ("topic", topic.as_str()),
                ("partition", if n % 2 == 0 { "0" } else { "1" }),
                ("connector.name", name.as_str()),
                ("task.id", "0"),
                ("stage", "TASK_PUT"),
                ("class.name", "org.apache.kafka.connect.sink.SinkTask"),
                ("exception.class.name", "org.apache.kafka.connect.errors.ConnectException"),
                ("sqlstate", state(&db, n)),
            ] {
                assert_eq!(headers.get(header), Some(&expected), "{header} of {n}");
            }
            for header in ["offset", "exception.message", "exception.stacktrace", "sqlmessage"] {
                ensure!(headers.get(header).is_some_and(|text| !text.is_empty()), "{header} of {n}");
            }
            ensure!(!format!("{headers:?}").contains(db.connection().password), "a secret in the headers");
        }
        keys.sort_unstable();
        assert_eq!(keys, sent().filter(|n| bad(*n)).collect::<Vec<_>>());
        worker.task_state(&name, "RUNNING").await;
        assert_eq!(worker.delete(&name).await?.status, 204);
        let committed = kafka_client::committed(&kafka, &format!("connect-{name}"), &topic).await?;
        assert_eq!(committed.values().sum::<i64>(), sent().count() as i64, "all is done");
    }
    Ok(())
}

#[tokio::test]
async fn without_tolerance_the_task_fails_names_the_row_and_dead_letters_it() -> Result<()> {
    let kafka = testkit::kafka()?;
    let worker = Worker::start(&[]).await?;
    for db in AnyDatabase::one_of_each("bad_rows").await? {
        let (topic, name) = (unique("rows"), unique("strict-rows"));
        kafka_client::create_topic(&kafka, &topic, 1, &[]).await?;
        let dlq = format!("{topic}.dlq");
        let _topics = Topics::removed_at_the_end(&kafka, [&topic, &dlq]);
        db.execute(TABLE).await?;
        let records = (90..110).map(|n| Record { partition: Some(0), ..message(n) });
        kafka_client::produce_all(&kafka, &topic, records).await?;
        let own = json!({
            "table.name.format": "t",
            "errors.deadletterqueue.topic.name": dlq,
            "errors.deadletterqueue.topic.replication.factor": "1",
        });
        let config = jdbc_sink(&db, &topic, own);
        assert_eq!(worker.create(&name, &config).await?.status, 201);
        let status = worker.task_state(&name, "FAILED").await;
        let trace = status["tasks"][0]["trace"].as_str().unwrap_or_default();
        let place = format!("(topic='{topic}',partition=0,offset=17,");
        for part in [place.as_str(), "cannot be written to table t, column 'name'", state(&db, 107)] {
            ensure!(trace.contains(part), "no {part:?} in {trace}");
        }
        let dead = kafka_client::consume_all(&kafka, &dlq).await?;
        assert_eq!(dead.iter().map(|dead| dead.key_str()).collect::<Vec<_>>(), [Some("107")]);
        assert_eq!(worker.delete(&name).await?.status, 204);
        let committed = kafka_client::committed(&kafka, &format!("connect-{name}"), &topic).await?;
        ensure!(committed.values().sum::<i64>() <= 17, "{committed:?}");
    }
    Ok(())
}
