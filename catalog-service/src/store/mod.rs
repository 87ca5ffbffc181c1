//! The catalog's own database. Entities stay in here; what comes out are domain and contract types.

mod decisions;
mod migration;
mod products;
mod seed;

use crate::config::DatabaseUrl;
use sea_orm::{
    ConnectOptions, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::time::{Duration, Instant};

pub use decisions::DecidedOrder;
pub use products::Insert;

/// `action` says what was tried; the source says why it failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed to {action}")]
    Database {
        action: &'static str,
        #[source]
        source: DbErr,
    },
    #[error(
        "DATABASE_URL cannot be read; write mysql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded"
    )]
    Url,
    /// Cannot happen while the row is locked; if it does, the transaction must not be committed.
    #[error("the stock of product {0} changed under the lock")]
    StockChanged(i64),
    #[error("the decision stored for order {0} cannot be read")]
    StoredDecision(String),
}

pub type StoreResult<T> = Result<T, StoreError>;

pub(crate) fn cannot(action: &'static str) -> impl FnOnce(DbErr) -> StoreError {
    move |source| StoreError::Database { action, source }
}

const WAIT_FOR_SERVER: Duration = Duration::from_secs(30);

/// No server has answered; one that refuses (a wrong password) has, and will again. PostgreSQL answers while it is starting,
/// which sqlx knows as transient.
fn is_away(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return true;
    };
    error.as_database_error().is_none_or(|answer| answer.is_transient_in_connect_phase())
}

#[derive(Clone, Debug)]
pub struct Store {
    db: DatabaseConnection,
}

impl Store {
    /// Connects to a server when first needed: a service starts before its database does, and says so in
    /// `/health/ready`. The file of a SQLite database is created, empty, if there is none.
    pub async fn lazy(url: &DatabaseUrl) -> StoreResult<Self> {
        let mut options = ConnectOptions::new(url.as_str());
        options
            .connect_lazy(true)
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(5))
            .connect_timeout(Duration::from_secs(5))
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|sqlite| {
                // Readers do not wait for the writer, writers wait for each other.
                let sqlite = sqlite.create_if_missing(true).pragma("journal_mode", "WAL");
                sqlite.busy_timeout(Duration::from_secs(10))
            });
        let result = Database::connect(options).await;
        let db = match result {
            Ok(db) => db,
            Err(source) if url.is_sqlite() => return Err(cannot("open its file")(source)),
            // No server was asked yet, so the text is wrong; sea-orm's error would repeat it with the password.
            Err(_) => return Err(StoreError::Url),
        };
        Ok(Self { db })
    }

    /// Connects now; a server that is still starting is waited for, up to half a minute.
    pub async fn eager(url: &DatabaseUrl) -> StoreResult<Self> {
        let store = Self::lazy(url).await?;
        let deadline = Instant::now() + WAIT_FOR_SERVER;
        let mut told = false;
        loop {
            match store.db.ping().await {
                Ok(()) => return Ok(store),
                Err(error) if !url.is_sqlite() && is_away(&error) && Instant::now() < deadline => {
                    if !told {
                        tracing::info!("waiting up to 30 s for the database");
                        told = true;
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Err(source) => return Err(cannot("answer")(source)),
            }
        }
    }

    /// Creates what is missing of the tables.
    pub async fn migrate(&self) -> StoreResult<()> {
        migration::up(&self.db).await.map_err(cannot("create the tables"))
    }

    /// Inserts the sample products unless there is any product; says how many.
    pub async fn seed(&self) -> StoreResult<usize> {
        seed::run(self).await
    }

    /// Whether the database answers and has its tables.
    pub async fn check(&self) -> StoreResult<()> {
        products::check(&self.db).await
    }

    /// Begins a transaction that sees what others commit meanwhile, and whose locks are rows and not gaps: the order of
    /// the statements (lock, then look) makes it correct, not a snapshot.
    pub async fn begin(&self) -> StoreResult<Transaction> {
        let options = match self.db.get_database_backend() {
            // SQLite has one writer. Claiming that place first means never failing to get it in the middle.
            DatabaseBackend::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            },
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::ReadCommitted),
                ..Default::default()
            },
        };
        let tx = self.db.begin_with_options(options).await.map_err(cannot("begin a transaction"))?;
        Ok(Transaction { tx })
    }

    pub async fn close(self) {
        // Closing is a courtesy to the server; nothing is lost without it.
        let _ = self.db.close().await;
    }
}

/// Rolled back when dropped.
#[derive(Debug)]
pub struct Transaction {
    tx: DatabaseTransaction,
}

impl Transaction {
    pub async fn commit(self) -> StoreResult<()> {
        self.tx.commit().await.map_err(cannot("commit the transaction"))
    }
}
