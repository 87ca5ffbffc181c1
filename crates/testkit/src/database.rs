//! A MariaDB database of the test's own.

use anyhow::Context;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Value};

use crate::engines::{MariaDb, mariadb};

/// Rows as text, NULL as `None`: what the server prints, so that a test compares with what a person would see.
pub type Rows = Vec<Vec<Option<String>>>;

/// A database that exists as long as the value does.
#[derive(Debug)]
pub struct Database {
    pub name: String,
    pub server: MariaDb,
}

impl Database {
    /// Creates the database, empty, on the server of this test run; take the name from [`crate::unique`].
    pub async fn create(name: &str) -> anyhow::Result<Database> {
        Self::create_on(mariadb()?, name).await
    }

    /// Creates the database, empty, on this server.
    pub async fn create_on(server: MariaDb, name: &str) -> anyhow::Result<Database> {
        let mut conn = connect(&server.url_root).await?;
        conn.query_drop(format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"))
            .await
            .with_context(|| format!("cannot create database {name}"))?;
        conn.disconnect().await?;
        Ok(Database { name: name.to_owned(), server })
    }

    /// `mysql://user:password@host:port/name`, as our services take it.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server.url_root, self.name)
    }

    /// `jdbc:<scheme>://host:port/name`, as a connector takes it; the scheme is `mysql` or `mariadb`.
    pub fn jdbc_url(&self, scheme: &str) -> String {
        format!("jdbc:{scheme}://{}:{}/{}", self.server.host, self.server.port, self.name)
    }

    /// Runs one query and returns its rows.
    pub async fn query(&self, sql: &str) -> anyhow::Result<Rows> {
        let mut conn = connect(&self.url()).await?;
        let rows: Vec<mysql_async::Row> =
            conn.query(sql).await.with_context(|| format!("query failed: {sql}"))?;
        conn.disconnect().await?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect())
    }

    /// Runs one statement that returns no rows.
    pub async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let mut conn = connect(&self.url()).await?;
        conn.query_drop(sql).await.with_context(|| format!("statement failed: {sql}"))?;
        conn.disconnect().await?;
        Ok(())
    }

    /// `SELECT COUNT(*)` of a table.
    pub async fn count(&self, table: &str) -> anyhow::Result<u64> {
        let rows = self.query(&format!("SELECT COUNT(*) FROM `{table}`")).await?;
        let cell = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
        cell.context("COUNT(*) returned no row")?.parse().context("COUNT(*) is not a number")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // On a thread with a runtime of its own: a drop cannot await, and the test's runtime may be the one unwinding.
        let (url, name) = (self.server.url_root.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut conn = connect(&url).await?;
                // A transaction that a killed program left open may hold the tables until the server notices.
                conn.query_drop("SET lock_wait_timeout = 10").await?;
                conn.query_drop(format!("DROP DATABASE IF EXISTS `{name}`")).await?;
                Ok(conn.disconnect().await?)
            })
        })
        .join();
        if let Ok(Err(error)) = dropped {
            eprintln!("testkit: database {} was left behind: {error:#}", self.name);
        }
    }
}

/// An error unless the server serves clients.
pub(crate) async fn ping(url_root: &str) -> anyhow::Result<()> {
    Ok(connect(url_root).await?.disconnect().await?)
}

async fn connect(url: &str) -> anyhow::Result<Conn> {
    let opts = Opts::from_url(url).ok().context("not a mysql:// URL")?;
    let place = format!("{}:{}", opts.ip_or_hostname(), opts.tcp_port());
    Conn::new(opts).await.with_context(|| format!("cannot connect to MariaDB at {place}"))
}

/// In the text protocol every value arrives as the server prints it.
fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true)),
    }
}
