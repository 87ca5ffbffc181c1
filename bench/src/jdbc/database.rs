//! A database of either server, with the orders' table.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Database, PgDatabase};

use super::{Engine, What};

pub(crate) enum Db {
    MariaDb(Database),
    Postgres(PgDatabase),
}

impl Db {
    pub(crate) async fn create(engine: Engine) -> anyhow::Result<Db> {
        let name = testkit::unique("bench");
        Ok(match engine {
            Engine::Mariadb => Db::MariaDb(Database::create(&name).await?),
            Engine::Postgres => Db::Postgres(PgDatabase::create(&name).await?),
        })
    }

    /// The table that all sides write to: an insert's without a key, as auto.create makes it.
    pub(crate) async fn create_table(&self, what: What) -> anyhow::Result<()> {
        let key = if what == What::Insert { "" } else { ", PRIMARY KEY(order_id)" };
        self.execute(&format!(
            "CREATE TABLE orders(order_id VARCHAR(64) NOT NULL, user_id TEXT NOT NULL, product_id TEXT NOT NULL, qty INT NOT NULL, \
             unit_price INT NOT NULL, total_price INT NOT NULL, created_at TEXT NOT NULL{key})"
        ))
        .await
    }

    pub(crate) async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Db::MariaDb(database) => database.execute(sql).await,
            Db::Postgres(database) => database.execute(sql).await,
        }
    }

    pub(crate) async fn count(&self, table: &str) -> anyhow::Result<u64> {
        match self {
            Db::MariaDb(database) => database.count(table).await,
            Db::Postgres(database) => database.count(table).await,
        }
    }

    /// A number that grows while rows are written and costs the server nothing to tell, unlike COUNT(*).
    pub(crate) async fn progress(&self) -> anyhow::Result<u64> {
        let (rows, column) = match self {
            Db::MariaDb(database) => {
                (database.query("SHOW GLOBAL STATUS LIKE 'Innodb_rows_inserted'").await?, 1)
            }
            Db::Postgres(database) => (database.query("SELECT pg_relation_size('orders')").await?, 0),
        };
        let cell = rows.first().and_then(|row| row.get(column)?.clone()).context("no progress is told")?;
        cell.parse().context("the progress is not a number")
    }

    /// Connection settings as both sinks call them.
    pub(crate) fn connection(&self) -> Value {
        match self {
            Db::MariaDb(database) => json!({
                "connection.url": database.jdbc_url("mariadb"),
                "connection.user": database.server.user,
                "connection.username": database.server.user,
                "connection.password": database.server.password,
            }),
            Db::Postgres(database) => json!({
                "connection.url": database.jdbc_url(),
                "connection.user": database.server.user,
                "connection.username": database.server.user,
                "connection.password": database.server.password,
            }),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Db::MariaDb(database) => database.url(),
            Db::Postgres(database) => database.url(),
        }
    }
}
