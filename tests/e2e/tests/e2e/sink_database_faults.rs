//! A database that is away, busy, full, read-only or frozen for a while.

use crate::support::PATIENCE;
use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::jdbc::*;
use crate::support::worker::{Worker, jdbc_sink};
use anyhow::{Result, bail, ensure};
use connect_api::{PutError, SinkRecord, SinkTask};
use serde_json::json;
use std::time::Duration;
use testkit::kafka_client::{self, Record, Topics};
use testkit::{Database, OwnEngine, PgDatabase, eventually, unique};

const TABLE: &str = "CREATE TABLE t(id INT PRIMARY KEY, name VARCHAR(9))";

/// The error of a put that may be repeated.
async fn passing(task: &mut Box<dyn SinkTask>, records: &[SinkRecord]) -> Result<String> {
    match task.put(records).await {
        Err(PutError::Retriable { error, .. }) => Ok(error.chain()),
        other => bail!("not retriable: {other:?}"),
    }
}

#[tokio::test]
async fn a_lock_is_waited_for() -> Result<()> {
    for db in AnyDatabase::one_of_each("faults").await? {
        db.execute(TABLE).await?;
        db.execute("INSERT INTO t VALUES(1, 'a')").await?;
        let (url, hold) = match &db {
            AnyDatabase::MariaDb(db) => (
                format!("{}?sessionVariables=innodb_lock_wait_timeout=1", db.jdbc_url("mariadb")),
                "SLEEP(3)",
            ),
            AnyDatabase::Postgres(pg) => {
                pg.execute(&format!("ALTER DATABASE \"{}\" SET lock_timeout = '100ms'", pg.name)).await?;
                (pg.jdbc_url(), "pg_sleep(3)")
            }
        };
        let mut task = start(&sink_config(&db, &[UPSERT, &[("connection.url", &url)]].concat())).await?;
        // In a session of its own, for three seconds.
        let hold = match &db {
            AnyDatabase::MariaDb(_) => format!("UPDATE t SET name = {hold}"),
            AnyDatabase::Postgres(_) => format!("BEGIN; UPDATE t SET name = 'held'; SELECT {hold}; COMMIT"),
        };
        let held = match &db {
            AnyDatabase::MariaDb(_) => {
                "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE t SET name = SLEEP%'"
            }
            AnyDatabase::Postgres(_) => {
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            }
        };
        let (held, retries) = tokio::join!(db.execute(&hold), async {
            eventually("the lock to be held", PATIENCE, async || {
                Ok((words(&db.query(held).await?) == ["1"]).then_some(()))
            })
            .await;
            put(&mut task, &named(&id_name(), &[(1, "b")])).await
        });
        held?;
        retries?;
        assert_eq!(words(&db.query("SELECT * FROM t").await?), ["1 b"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_read_only_server_is_waited_for() -> Result<()> {
    let mut engine = OwnEngine::mariadb(&[]).await?;
    let maria = Database::create_on(engine.mariadb_server(), &unique("faults")).await?;
    maria.execute(TABLE).await?;
    maria.execute("CREATE USER app IDENTIFIED BY 'pw'").await?;
    maria.execute(&format!("GRANT ALL ON `{}`.* TO app", maria.name)).await?;
    let app = [("connection.user", "app"), ("connection.password", "pw")];
    let mut task = start(&sink_config(&maria, &app)).await?;
    let records = named(&id_name(), &[(1, "a")]);
    maria.execute("SET GLOBAL read_only = 1").await?;
    let error = passing(&mut task, &records).await?;
    ensure!(error.contains("error 1290"), "{error}");
    maria.execute("SET GLOBAL read_only = 0").await?;
    put(&mut task, &records).await?;
    assert_eq!(maria.count("t").await?, 1);
    drop(maria);
    engine.process.kill9();

    let pg = PgDatabase::create(&unique("faults")).await?;
    pg.execute(TABLE).await?;
    pg.execute(&format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", pg.name)).await?;
    let mut task = start(&sink_config(&pg, &[])).await?;
    let error = passing(&mut task, &records).await?;
    ensure!(error.contains("SQLSTATE 25006"), "{error}");
    // Said in the postgres database, since this one is read-only.
    let admin = PgDatabase::create(&unique("admin")).await?;
    admin.execute(&format!("ALTER DATABASE \"{}\" RESET default_transaction_read_only", pg.name)).await?;
    put(&mut task, &records).await?;
    assert_eq!(pg.count("t").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_server_with_too_many_connections_is_waited_for() -> Result<()> {
    let records = named(&id_name(), &[(1, "a")]);
    for db in AnyDatabase::one_of_each("faults").await? {
        db.execute(TABLE).await?;
        let user = unique("few");
        let remove = match &db {
            AnyDatabase::MariaDb(maria) => {
                maria
                    .execute(&format!("CREATE USER {user} IDENTIFIED BY 'pw' WITH MAX_USER_CONNECTIONS 1"))
                    .await?;
                maria.execute(&format!("GRANT ALL ON `{}`.* TO {user}", maria.name)).await?;
                format!("DROP USER {user}")
            }
            AnyDatabase::Postgres(pg) => {
                pg.execute(&format!("CREATE ROLE {user} LOGIN PASSWORD 'pw' CONNECTION LIMIT 1")).await?;
                pg.execute(&format!("GRANT ALL ON TABLE t TO {user}")).await?;
                format!("DROP OWNED BY {user}; DROP ROLE {user}")
            }
        };
        let few = [("connection.user", user.as_str()), ("connection.password", "pw")];
        let mut first = start(&sink_config(&db, &few)).await?;
        put(&mut first, &records).await?;
        let mut second = start(&sink_config(&db, &few)).await?;
        let more = named(&id_name(), &[(2, "b")]);
        let error = passing(&mut second, &more).await?;
        ensure!(error.contains("Could not connect") && error.contains("onnection"), "{error}");
        first.stop().await;
        put(&mut second, &more).await?;
        assert_eq!(db.count("t").await?, 2);
        second.stop().await;
        db.execute(&remove).await?;
    }
    Ok(())
}

/// Error 1114 is what a full disk or table space says, too; a table in memory is full sooner.
#[tokio::test]
async fn a_full_table_is_waited_for() -> Result<()> {
    let engine = OwnEngine::mariadb(&["--max-heap-table-size=16384"]).await?;
    let db = Database::create_on(engine.mariadb_server(), &unique("faults")).await?;
    db.execute("CREATE TABLE t(id INT PRIMARY KEY, name VARCHAR(1000)) ENGINE=MEMORY").await?;
    let mut task = start(&sink_config(&db, UPSERT)).await?;
    let records = pairs(&id_name(), (0..1000).map(|id| (id, format!("{id}"))));
    let error = passing(&mut task, &records).await?;
    ensure!(error.contains("error 1114"), "{error:.300}");
    db.execute("SET GLOBAL max_heap_table_size = 64000000").await?;
    db.execute("ALTER TABLE t MAX_ROWS = 100000").await?;
    put(&mut task, &records).await?;
    assert_eq!(db.count("t").await?, 1000);
    Ok(())
}

fn message(n: i32) -> Record {
    let value = json!({
        "schema": {"type": "struct", "optional": false, "fields": [{"field": "id", "type": "int32", "optional": false}]},
        "payload": {"id": n},
    });
    Record::new(n.to_string(), value.to_string())
}

/// Killed, and frozen, under a worker: the status says since when and why, nothing is lost or doubled, and a task that is told to stop
/// does not wait for a frozen server.
#[tokio::test]
async fn a_server_that_is_killed_or_freezes_is_survived() -> Result<()> {
    let kafka = testkit::kafka()?;
    let mut engine = OwnEngine::mariadb(&[]).await?;
    let db = Database::create_on(engine.mariadb_server(), &unique("faults")).await?;
    db.execute("CREATE TABLE t(id INT PRIMARY KEY)").await?;
    let (topic, name) = (unique("rows"), unique("faults"));
    kafka_client::create_topic(&kafka, &topic, 1, &[]).await?;
    let _topics = Topics::removed_at_the_end(&kafka, [&topic]);
    let mut worker = Worker::start(&[]).await?;
    let own = json!({
        "table.name.format": "t",
        "insert.mode": "upsert",
        "pk.mode": "record_value",
        "pk.fields": "id",
        "max.retries": "1000",
        "retry.backoff.ms": "200",
    });
    let config = jdbc_sink(&db, &topic, own);
    assert_eq!(worker.create(&name, &config).await?.status, 201);
    kafka_client::produce_all(&kafka, &topic, (0..100).map(message)).await?;
    let rows = async |count: u64| {
        eventually(format!("{count} rows"), PATIENCE, async || {
            Ok((db.count("t").await? == count).then_some(()))
        })
        .await
    };
    rows(100).await;

    engine.process.kill9();
    kafka_client::produce_all(&kafka, &topic, (100..200).map(message)).await?;
    let retrying = async |why: &str| {
        eventually(format!("a status that says {why}"), PATIENCE * 2, async || {
            let status = worker.get(&format!("/connectors/{name}/status")).await?.body;
            ensure!(status["tasks"][0]["state"] == "RUNNING", "{status}");
            ensure!(status.to_string().contains(why), "{status}");
            Ok(Some(status))
        })
        .await
    };
    let status = retrying("Could not connect to database").await;
    ensure!(!status.to_string().contains(db.connection().password), "{status}");
    engine.start_again().await;
    rows(200).await;

    engine.process.signal("STOP");
    kafka_client::produce_all(&kafka, &topic, (200..300).map(message)).await?;
    retrying("o answer").await;
    engine.process.signal("CONT");
    rows(300).await;

    engine.process.signal("STOP");
    kafka_client::produce_all(&kafka, &topic, (300..400).map(message)).await?;
    // Nobody says when the records are on their way to a server that says nothing; too soon is another test, but no failure.
    tokio::time::sleep(Duration::from_secs(2)).await;
    worker.process.terminate();
    assert!(worker.process.wait_exit(Duration::from_secs(10)).await?.success());
    engine.process.signal("CONT");
    Ok(())
}
