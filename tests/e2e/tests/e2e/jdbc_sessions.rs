//! Several sessions on one database, MariaDB and PostgreSQL alike: one that is lost, some that make the same table, some that wait for
//! each other.

use crate::support::PATIENCE;
use crate::support::database::AnyDatabase;
use crate::support::jdbc::*;
use anyhow::{Context, Result, ensure};
use connect_api::Value;
use testkit::eventually;

/// Rows as words, NULL for null.
async fn rows(db: &AnyDatabase, sql: &str) -> Result<Vec<String>> {
    Ok(words(&db.query(sql).await?))
}

#[tokio::test]
async fn a_lost_connection_is_replaced() -> Result<()> {
    for db in AnyDatabase::one_of_each("sessions").await? {
        let schema = id_name();
        let mut task = start(&sink_config(&db, UPSERT)).await?;
        put(&mut task, &named(&schema, &[(1, "a")])).await?;
        match &db {
            AnyDatabase::MariaDb(maria) => {
                let sql = format!(
                    "SELECT id FROM information_schema.processlist WHERE db = '{}' AND id <> CONNECTION_ID()",
                    maria.name
                );
                // Those that have said goodbye are listed until the server has heard it.
                let session = eventually("the task's session alone", PATIENCE, async || {
                    let sessions = rows(&db, &sql).await?;
                    ensure!(sessions.len() == 1, "{sessions:?}");
                    Ok(sessions.into_iter().next())
                })
                .await;
                db.execute(&format!("KILL {session}")).await?;
            }
            AnyDatabase::Postgres(_) => {
                let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                            WHERE datname = current_database() AND application_name = 'connect-worker'";
                ensure!(rows(&db, kill).await? == ["t"]);
            }
        }
        let retries = put(&mut task, &named(&schema, &[(1, "b")])).await?;
        assert_eq!((retries, rows(&db, "SELECT * FROM t").await?), (1, vec!["1 b".to_owned()]));

        db.execute("DROP TABLE t").await?;
        assert_eq!(put(&mut task, &named(&schema, &[(2, "c")])).await?, 1);
        assert_eq!(rows(&db, "SELECT * FROM t").await?, ["2 c"]);
    }
    Ok(())
}

#[tokio::test]
async fn tasks_that_create_and_evolve_at_once_all_succeed() -> Result<()> {
    for db in AnyDatabase::one_of_each("sessions").await? {
        let mut running = Vec::new();
        for number in 0..6 {
            let mut task = start(&sink_config(&db, UPSERT)).await?;
            running.push(tokio::spawn(async move {
                let narrow = id_name();
                let wide =
                    schema([("id", int()), ("x", int().optional()), ("y", text().with_default("?".into()))]);
                let mut records = named(&narrow, &[(number, "a")]);
                records.push(record(1, &wide, vec![Value::Int32(number + 100), Value::Null, Value::Null]));
                put(&mut task, &records).await
            }));
        }
        for task in running {
            task.await?.context("a task failed")?;
        }
        let sql = "SELECT COUNT(*), COUNT(name), COUNT(x), MIN(y), MAX(y) FROM t";
        assert_eq!(rows(&db, sql).await?, ["12 6 0 ? ?"]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlocks_are_retried() -> Result<()> {
    for db in AnyDatabase::one_of_each("sessions").await? {
        db.execute("CREATE TABLE t(id INT PRIMARY KEY, name TEXT)").await?;
        if let AnyDatabase::Postgres(pg) = &db {
            // So that the test does not take a second for each.
            pg.execute(&format!("ALTER DATABASE \"{}\" SET deadlock_timeout = '20ms'", pg.name)).await?;
        }
        let mut running = Vec::new();
        for upwards in [true, false] {
            // Small statements, so that the two transactions lock one row after the other.
            let patient = [UPSERT, &[("batch.size", "1"), ("max.retries", "100")]].concat();
            let mut task = start(&sink_config(&db, &patient)).await?;
            running.push(tokio::spawn(async move {
                for round in 0..20 {
                    let ids: Vec<i32> = if upwards { (0..60).collect() } else { (0..60).rev().collect() };
                    let records = pairs(&id_name(), ids.into_iter().map(|id| (id, format!("{round}"))));
                    put(&mut task, &records).await?;
                }
                anyhow::Ok(())
            }));
        }
        for task in running {
            task.await??;
        }
        assert_eq!(rows(&db, "SELECT COUNT(*), MIN(name), MAX(name) FROM t").await?, ["60 19 19"]);
    }
    Ok(())
}
