//! A PostgreSQL database of the test's own.

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, ValueRef};

use crate::database::Rows;
use crate::engines::{Postgres, postgres};

/// A database that exists as long as the value does.
#[derive(Debug)]
pub struct PgDatabase {
    pub name: String,
    pub server: Postgres,
}

impl PgDatabase {
    /// Creates the database, empty, on the server of this test run; take the name from [`crate::unique`].
    pub async fn create(name: &str) -> anyhow::Result<PgDatabase> {
        Self::create_on(postgres()?, name).await
    }

    /// Creates the database, empty, on this server.
    pub async fn create_on(server: Postgres, name: &str) -> anyhow::Result<PgDatabase> {
        run(&server, "postgres", &format!("CREATE DATABASE \"{name}\"")).await?;
        Ok(PgDatabase { name: name.to_owned(), server })
    }

    /// `postgres://user:password@host:port/name`, as our services take it.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server.url_root, self.name)
    }

    /// `jdbc:postgresql://host:port/name`, as a connector takes it.
    pub fn jdbc_url(&self) -> String {
        format!("jdbc:postgresql://{}:{}/{}", self.server.host, self.server.port, self.name)
    }

    /// Runs one query and returns its rows.
    pub async fn query(&self, sql: &str) -> anyhow::Result<Rows> {
        let mut conn = connect(&self.server, &self.name).await?;
        // In the simple protocol every value arrives as the server prints it.
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut conn)
            .await
            .with_context(|| format!("query failed: {sql}"))?;
        conn.close().await?;
        rows.iter().map(|row| (0..row.len()).map(|index| text(row, index)).collect()).collect()
    }

    /// Runs statements that return no rows.
    pub async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        run(&self.server, &self.name, sql).await
    }

    /// `SELECT COUNT(*)` of a table.
    pub async fn count(&self, table: &str) -> anyhow::Result<u64> {
        let rows = self.query(&format!("SELECT COUNT(*) FROM \"{table}\"")).await?;
        let cell = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
        cell.context("COUNT(*) returned no row")?.parse().context("COUNT(*) is not a number")
    }
}

impl Drop for PgDatabase {
    fn drop(&mut self) {
        // On a thread with a runtime of its own: a drop cannot await, and the test's runtime may be the one unwinding.
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // By force, since a program that was killed may still count as connected.
            let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
            runtime.block_on(run(&server, "postgres", &sql))
        })
        .join();
        if let Ok(Err(error)) = dropped {
            eprintln!("testkit: database {} was left behind: {error:#}", self.name);
        }
    }
}

/// An error unless the server serves clients.
pub(crate) async fn ping(server: &Postgres) -> anyhow::Result<()> {
    Ok(connect(server, "postgres").await?.close().await?)
}

async fn run(server: &Postgres, database: &str, sql: &str) -> anyhow::Result<()> {
    let mut conn = connect(server, database).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut conn)
        .await
        .with_context(|| format!("statement failed: {sql}"))?;
    Ok(conn.close().await?)
}

async fn connect(server: &Postgres, database: &str) -> anyhow::Result<PgConnection> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .password(&server.password)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
        .disable_statement_logging();
    let place = format!("{}:{}", server.host, server.port);
    options.connect().await.with_context(|| format!("cannot connect to PostgreSQL at {place}"))
}

fn text(row: &sqlx::postgres::PgRow, index: usize) -> anyhow::Result<Option<String>> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().map_err(|error| anyhow::anyhow!("column {index} is no text: {error}"))?;
    Ok(Some(text.to_owned()))
}
