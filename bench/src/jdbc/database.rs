//! A database of either server, with the orders' table.

use mysql_async::prelude::Queryable;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
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

/// A client of its own that looks on.
pub(crate) enum Watch {
    MariaDb(mysql_async::Conn),
    Postgres(PgConnection),
}

impl Watch {
    pub(crate) async fn open(db: &Db) -> anyhow::Result<Watch> {
        Ok(match db {
            Db::MariaDb(_) => {
                Watch::MariaDb(mysql_async::Conn::new(mysql_async::Opts::from_url(&db.url())?).await?)
            }
            Db::Postgres(_) => {
                Watch::Postgres(PgConnection::connect(&format!("{}?sslmode=disable", db.url())).await?)
            }
        })
    }

    /// A number that changes while rows are written and costs the server next to nothing to tell, unlike COUNT(*): statements
    /// that write and commit, or the size of the table.
    pub(crate) async fn progress(&mut self) -> anyhow::Result<u64> {
        match self {
            Watch::MariaDb(conn) => {
                let counted: Vec<(String, u64)> = conn
                    .query(
                        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_insert', 'Com_insert_select', 'Com_load', 'Com_commit')",
                    )
                    .await?;
                Ok(counted.iter().map(|(_, count)| count).sum())
            }
            Watch::Postgres(conn) => {
                let row = sqlx::query("SELECT pg_relation_size('orders')").fetch_one(conn).await?;
                Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
            }
        }
    }

    /// Whether the order is there.
    pub(crate) async fn sees(&mut self, id: &str) -> anyhow::Result<bool> {
        Ok(match self {
            Watch::MariaDb(conn) => {
                let found: Option<u64> =
                    conn.exec_first("SELECT COUNT(*) FROM orders WHERE order_id = ?", (id,)).await?;
                found == Some(1)
            }
            Watch::Postgres(conn) => {
                let query = sqlx::query("SELECT COUNT(*) FROM orders WHERE order_id = $1").bind(id);
                query.fetch_one(conn).await?.try_get::<i64, _>(0)? == 1
            }
        })
    }
}
