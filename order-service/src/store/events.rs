//! The cure: this service writes to Kafka only, a connector writes the tables, and every instance reads the same ones.

use super::database::{DatabaseUrl, Engine};
use super::{KeyLookup, ReadTables, StoreError, StoredOrder, judge, query};
use crate::domain::{Cursor, IdempotencyKey, UserId};
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use service_kit::health::Readiness;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a new order may be held up by the look-up of its key, which is only a courtesy: the id alone already makes
/// a retry the same order.
const LOOKUP_TIMEOUT: Duration = Duration::from_millis(300);
const PROBE_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct EventStore {
    database: DatabaseConnection,
    engine: Engine,
    place: String,
    tables: ReadTables,
    /// So that new orders do not wait for a database of which the last attempt said that it is away.
    down: AtomicBool,
    readiness: Readiness,
}

impl EventStore {
    /// Does not touch the database yet.
    pub async fn new(url: &DatabaseUrl, tables: ReadTables, readiness: Readiness) -> Result<Self, DbErr> {
        Ok(Self {
            database: url.connect_lazily().await?,
            engine: url.engine(),
            place: url.to_string(),
            tables,
            down: AtomicBool::new(false),
            readiness,
        })
    }

    pub(super) async fn order(&self, id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        Ok(self.read(query::with_id(self.select(), id), READ_TIMEOUT).await?.pop())
    }

    pub(super) async fn newest(
        &self,
        user: Option<&UserId>,
        after: Option<&Cursor>,
        limit: u64,
    ) -> Result<Vec<StoredOrder>, StoreError> {
        let select = query::newest(self.select(), self.engine, user, after, limit)?;
        self.read(select, READ_TIMEOUT).await
    }

    /// What the tables already show of a key. They lag behind Kafka and may be away: then nothing is known.
    pub async fn lookup(&self, user: &UserId, key: &IdempotencyKey, id: Uuid) -> KeyLookup {
        match self.read(query::with_key(self.select(), user, key), LOOKUP_TIMEOUT).await {
            Ok(found) => judge(id, found),
            Err(_) => KeyLookup::Unknown,
        }
    }

    /// Looks after the database for as long as it is polled. One log line per change.
    pub async fn watch(&self) {
        loop {
            let _ = self.attempt(query::probe(&self.tables), READ_TIMEOUT).await;
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }

    fn select(&self) -> SelectStatement {
        query::select(&self.tables.orders, Some(&self.tables.decisions))
    }

    async fn read(&self, select: SelectStatement, timeout: Duration) -> Result<Vec<StoredOrder>, StoreError> {
        if self.down.load(Ordering::Relaxed) {
            return Err(StoreError::KnownDown);
        }
        self.attempt(select, timeout).await
    }

    async fn attempt(
        &self,
        select: SelectStatement,
        timeout: Duration,
    ) -> Result<Vec<StoredOrder>, StoreError> {
        let query = async {
            let rows = self.database.query_all(&select).await?;
            rows.iter().map(|row| query::read(self.engine, row, true)).collect::<Result<Vec<_>, DbErr>>()
        };
        let result = match tokio::time::timeout(timeout, query).await {
            Ok(result) => result.map_err(StoreError::from),
            Err(_) => Err(StoreError::Timeout(timeout)),
        };
        match &result {
            Ok(_) => self.is_up(),
            // A busy database may miss the short deadline of a look-up without being away.
            Err(StoreError::Timeout(LOOKUP_TIMEOUT)) => {}
            Err(error) => self.is_down(error),
        }
        result
    }

    fn is_up(&self) {
        if self.down.swap(false, Ordering::Relaxed) {
            tracing::info!(database = self.place, "the read tables are there");
        }
        self.readiness.set_optional("database", Ok(()));
    }

    fn is_down(&self, error: &StoreError) {
        let text = match error {
            StoreError::Database(error) if is_missing_table(error) => format!(
                "no tables {} and {} in {}; run 'order-service migrate'",
                self.tables.orders, self.tables.decisions, self.place
            ),
            _ => format!("waiting for the database at {}", self.place),
        };
        if !self.down.swap(true, Ordering::Relaxed) {
            let reason: &dyn std::error::Error = match error {
                StoreError::Database(source) => source,
                other => other,
            };
            tracing::warn!(%reason, "{text}; orders are accepted, reads are not");
        }
        self.readiness.set_optional("database", Err(text));
    }
}

fn is_missing_table(error: &DbErr) -> bool {
    let text = error.to_string();
    // SQLite has no code of its own for this; 1146 is MariaDB's and MySQL's. Of PostgreSQL only the words are shown.
    text.contains("no such table")
        || text.contains("1146 (42S02)")
        || (text.contains("relation \"") && text.contains("does not exist"))
}
