//! Connections: the only place with database I/O.

mod bulk;
mod error;
mod hang;
mod mysql;
mod postgres;
mod read;
mod sqlite;

pub(crate) use bulk::{Bulk, BulkRows, Load};
pub(crate) use error::{DbError, ErrorKind};
pub(crate) use hang::unless_hung;
pub(crate) use read::{ColumnKind, Parameter, Query, ResultColumn, SqlValue};

use crate::dialect::{
    Cell, Dialect, MySql, Postgres, Quoting, Sqlite, StringColumns, TableColumn, TableDefinition, TableId,
    Wire,
};
use crate::url::JdbcUrl;
use mysql::MySqlConnection;
use postgres::PostgresSession;
use sqlite::SqliteFile;
use std::sync::Arc;
use std::time::Duration;

/// The dialect in which a source reads. How it would write strings is all the same to it.
pub(crate) fn source_dialect(url: &JdbcUrl, quoting: Quoting) -> Arc<dyn Dialect> {
    match url {
        JdbcUrl::Sqlite(_) => Arc::new(Sqlite::for_reading(quoting)),
        url => sink_dialect(url, quoting, StringColumns::Text),
    }
}

/// The dialect in which a sink writes.
pub(crate) fn sink_dialect(url: &JdbcUrl, quoting: Quoting, strings: StringColumns) -> Arc<dyn Dialect> {
    match url {
        JdbcUrl::MySql(_) => Arc::new(MySql { quoting, strings }),
        JdbcUrl::Postgres(_) => Arc::new(Postgres { quoting }),
        JdbcUrl::Sqlite(_) => Arc::new(Sqlite::for_writing(quoting)),
    }
}

/// An open connection. Dropping it without [`close`](Connection::close) rolls back as well, only later.
pub(crate) enum Connection {
    MySql(Box<MySqlConnection>),
    Postgres(PostgresSession),
    Sqlite(SqliteFile),
}

/// How long closing and rolling back may take; what is stuck is dropped.
const GOODBYE: Duration = Duration::from_secs(2);

impl Connection {
    pub(crate) async fn open(url: &JdbcUrl) -> Result<Self, DbError> {
        match url {
            JdbcUrl::MySql(url) => Ok(Self::MySql(Box::new(MySqlConnection::open(url).await?))),
            JdbcUrl::Postgres(url) => Ok(Self::Postgres(PostgresSession::open(url).await?)),
            JdbcUrl::Sqlite(url) => Ok(Self::Sqlite(SqliteFile::open(url).await?)),
        }
    }

    /// Whether the database can be reached, leaving nothing behind there.
    pub(crate) async fn probe(url: &JdbcUrl) -> Result<(), DbError> {
        match url {
            JdbcUrl::MySql(_) | JdbcUrl::Postgres(_) => {
                Self::open(url).await?.close().await;
                Ok(())
            }
            JdbcUrl::Sqlite(url) => SqliteFile::probe(url).await,
        }
    }

    /// What one statement's values may add up to.
    pub(crate) fn max_statement_bytes(&self) -> usize {
        match self {
            Self::MySql(connection) => connection.max_statement_bytes(),
            Self::Postgres(_) => PostgresSession::MAX_STATEMENT_BYTES,
            Self::Sqlite(_) => SqliteFile::MAX_STATEMENT_BYTES,
        }
    }

    /// What one row may take at all. MariaDB drops the connection of a client that sends more, which would look like a
    /// failure that passes.
    pub(crate) fn max_row_bytes(&self) -> usize {
        match self {
            Self::MySql(connection) => connection.max_allowed_packet(),
            // PostgreSQL's limit of 1 GiB is beyond what Kafka delivers.
            Self::Postgres(_) | Self::Sqlite(_) => usize::MAX,
        }
    }

    pub(crate) async fn is_alive(&mut self) -> bool {
        match self {
            Self::MySql(connection) => connection.ping().await.is_ok(),
            Self::Postgres(connection) => connection.is_alive().await,
            Self::Sqlite(_) => true,
        }
    }

    /// The table as it is now; `None` if there is no such table.
    pub(crate) async fn describe(
        &mut self,
        dialect: &dyn Dialect,
        table: &TableId,
    ) -> Result<Option<TableDefinition>, DbError> {
        let sql = dialect.describe(table);
        match self {
            Self::MySql(connection) => connection.describe(&sql, table).await,
            Self::Postgres(connection) => connection.describe(sql).await,
            Self::Sqlite(connection) => connection.describe(sql).await,
        }
    }

    /// The statement that gives columns other types and leaves all else of them as it is; `None` if none is known.
    pub(crate) async fn change_types(
        &mut self,
        quoting: Quoting,
        table: &TableId,
        changes: &[(TableColumn, String)],
    ) -> Result<Option<String>, DbError> {
        match self {
            Self::MySql(connection) => connection.change_types(&MySql::new(quoting), table, changes).await,
            Self::Postgres(_) => Ok(Some(Postgres { quoting }.change_types(table, changes))),
            Self::Sqlite(_) => Ok(None),
        }
    }

    /// Whether two rows with the same values in `columns` cannot both be in the table.
    pub(crate) async fn is_unique(&mut self, table: &TableId, columns: &[&str]) -> Result<bool, DbError> {
        match self {
            Self::MySql(connection) => connection.is_unique(table, columns).await,
            // These refuse an ON CONFLICT that no unique key covers.
            Self::Postgres(_) | Self::Sqlite(_) => Ok(true),
        }
    }

    /// Runs a statement without parameters.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        match self {
            Self::MySql(connection) => connection.run(sql).await,
            Self::Postgres(connection) => connection.run(sql).await,
            Self::Sqlite(connection) => connection.run(sql).await,
        }
    }

    pub(crate) async fn begin(&mut self) -> Result<(), DbError> {
        match self {
            Self::MySql(connection) => connection.run("START TRANSACTION").await,
            Self::Postgres(connection) => connection.run("BEGIN").await,
            // Takes the write lock now: a transaction that reads first and then cannot have it would fail at once.
            Self::Sqlite(connection) => connection.run("BEGIN IMMEDIATE").await,
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), DbError> {
        self.run("COMMIT").await
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), DbError> {
        self.run("ROLLBACK").await
    }

    /// Rolls back if a transaction is open.
    pub(crate) async fn end_transaction(&mut self) -> Result<(), DbError> {
        match (self.roll_back().await, &self) {
            // Nothing to roll back, which the others do not mind.
            (Err(error), Self::Sqlite(_)) if error.kind == ErrorKind::Permanent => Ok(()),
            (result, _) => result,
        }
    }

    /// Sets the place in the transaction that [`undo`](Self::undo) goes back to, instead of the last one.
    pub(crate) async fn mark(&mut self, again: bool) -> Result<(), DbError> {
        match self {
            // Setting it again moves it.
            Self::MySql(connection) => connection.run("SAVEPOINT row_fault").await,
            // Setting it again would pile them up.
            Self::Postgres(connection) if again => {
                connection.run("RELEASE SAVEPOINT row_fault; SAVEPOINT row_fault").await
            }
            Self::Postgres(connection) => connection.run("SAVEPOINT row_fault").await,
            Self::Sqlite(connection) => {
                if again {
                    connection.run("RELEASE SAVEPOINT row_fault").await?;
                }
                connection.run("SAVEPOINT row_fault").await
            }
        }
    }

    /// Takes back what was written since the [`mark`](Self::mark), which stays.
    pub(crate) async fn undo(&mut self) -> Result<(), DbError> {
        self.run("ROLLBACK TO SAVEPOINT row_fault").await
    }

    /// Whether a statement that fails leaves the transaction as it was before it.
    pub(crate) fn undoes_failed_statements(&self) -> bool {
        match self {
            Self::MySql(_) => true,
            // The transaction as a whole has failed then; and in SQLite a trigger may end it.
            Self::Postgres(_) | Self::Sqlite(_) => false,
        }
    }

    /// From here on, constraints speak when a row breaks them, not at the end.
    pub(crate) async fn check_at_once(&mut self) -> Result<(), DbError> {
        match self {
            Self::Postgres(connection) => connection.run("SET CONSTRAINTS ALL IMMEDIATE").await,
            // MariaDB and MySQL know no others, and SQLite's foreign keys are not switched on.
            Self::MySql(_) | Self::Sqlite(_) => Ok(()),
        }
    }

    /// Rows of `(text, int, bigint)` for one text parameter: what the sink's table of offsets is asked.
    pub(crate) async fn positions(
        &mut self,
        sql: &str,
        of: &str,
    ) -> Result<Vec<(String, i32, i64)>, DbError> {
        match self {
            Self::MySql(connection) => connection.positions(sql, of).await,
            Self::Postgres(connection) => connection.positions(sql, of).await,
            Self::Sqlite(connection) => connection.positions(sql, of).await,
        }
    }

    /// Runs a prepared statement and says how many rows it changed; `cells` are its `count` parameters in order, `wires` tells of
    /// the columns of one row how their values travel, which only PostgreSQL asks.
    pub(crate) async fn execute<'a>(
        &mut self,
        sql: &Arc<str>,
        wires: &[Option<Wire>],
        count: usize,
        cells: impl Iterator<Item = Cell<'a>> + Send,
    ) -> Result<u64, DbError> {
        match self {
            Self::MySql(connection) => connection.execute(sql, count, cells).await,
            Self::Postgres(connection) => connection.execute(sql, wires, count, cells).await,
            Self::Sqlite(connection) => connection.execute(sql, count, cells).await,
        }
    }

    /// Frees locks at once, as far as the connection still works.
    pub(crate) async fn roll_back_and_close(mut self) {
        let _gone_either_way = tokio::time::timeout(GOODBYE, self.roll_back()).await;
        self.close().await;
    }

    /// Lets the connection go where it stands, without reading what is still to come.
    pub(crate) fn abandon(self) {
        if matches!(self, Self::MySql(_)) {
            // Its library reads the rest of a result before it says goodbye, in a task of the runtime that it is dropped in. A thread
            // has none, and closes the socket.
            std::thread::spawn(move || drop(self));
        }
    }

    pub(crate) async fn close(self) {
        let closing = async {
            match self {
                Self::MySql(connection) => connection.close().await,
                Self::Postgres(connection) => connection.close().await,
                Self::Sqlite(connection) => connection.close().await,
            }
        };
        let _gone_either_way = tokio::time::timeout(GOODBYE, closing).await;
    }
}
