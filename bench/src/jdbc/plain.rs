//! A client without a worker: what it takes to bring one record from its topic into the table is the least that a sink can take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use mysql_async::prelude::Queryable;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;
use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::database::Db;
use super::orders::COLUMNS;

/// Writes each record of the topic in a transaction of its own, in a thread of its own.
pub(crate) struct Plain {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Plain {
    pub(crate) fn start(bootstrap: &str, topic: &str, db: &Db) -> anyhow::Result<Plain> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", topic)
            .set("enable.auto.commit", "false")
            .create()
            .context("cannot create a consumer")?;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(topic, 0, Offset::Beginning)?;
        consumer.assign(&partitions)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (told, mariadb, url) = (stop.clone(), matches!(db, Db::MariaDb(_)), db.url());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut table = runtime.block_on(Table::open(mariadb, &url))?;
            while !told.load(Ordering::Relaxed) {
                let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
                let message = message.context("cannot read the topic")?;
                let value: Value = serde_json::from_slice(message.payload().unwrap_or_default())?;
                runtime.block_on(table.upsert(&value["payload"]))?;
            }
            Ok(())
        });
        Ok(Plain { stop, thread })
    }

    /// Whether it still writes; only an error makes it stop by itself.
    pub(crate) fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("the plain client panicked"))?
            .context("the plain client failed")
    }
}

enum Table {
    MariaDb(mysql_async::Conn),
    Postgres(PgConnection),
}

impl Table {
    async fn open(mariadb: bool, url: &str) -> anyhow::Result<Table> {
        Ok(if mariadb {
            Table::MariaDb(mysql_async::Conn::new(mysql_async::Opts::from_url(url)?).await?)
        } else {
            Table::Postgres(PgConnection::connect(&format!("{url}?sslmode=disable")).await?)
        })
    }

    async fn upsert(&mut self, order: &Value) -> anyhow::Result<()> {
        let columns = COLUMNS.join(",");
        let updates = |update: fn(&str) -> String| {
            COLUMNS[1..].iter().map(|name| update(name)).collect::<Vec<_>>().join(",")
        };
        let text = |name: &str| order[name].as_str().with_context(|| format!("the order has no {name}"));
        let number = |name: &str| {
            let number = order[name].as_i64().and_then(|number| i32::try_from(number).ok());
            number.with_context(|| format!("the order has no {name}"))
        };
        let [id, user, product, qty, price, total, created] = COLUMNS;
        let (id, user, product, created) = (text(id)?, text(user)?, text(product)?, text(created)?);
        let (qty, price, total) = (number(qty)?, number(price)?, number(total)?);
        match self {
            Table::MariaDb(conn) => {
                let sql = format!(
                    "INSERT INTO orders({columns}) VALUES(?,?,?,?,?,?,?) ON DUPLICATE KEY UPDATE {}",
                    updates(|name| format!("{name}=VALUES({name})"))
                );
                conn.exec_drop(sql, (id, user, product, qty, price, total, created)).await?;
            }
            Table::Postgres(conn) => {
                let sql = format!(
                    "INSERT INTO orders({columns}) VALUES($1,$2,$3,$4,$5,$6,$7) ON CONFLICT(order_id) DO UPDATE SET {}",
                    updates(|name| format!("{name}=EXCLUDED.{name}"))
                );
                let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(user).bind(product);
                query.bind(qty).bind(price).bind(total).bind(created).execute(conn).await?;
            }
        }
        Ok(())
    }
}
