//! SQLite over sqlx.

use super::error::sqlite::db_error;
use super::{DbError, ErrorKind};
use crate::dialect::{Cell, MILLIS_PER_DAY, TableColumn, TableDefinition, TableKind, date_millis};
use crate::url::SqliteUrl;
use connect_api::Value;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Row};
use std::sync::Arc;

pub(crate) struct SqliteFile {
    conn: SqliteConnection,
}

impl SqliteFile {
    /// The engine has no limit worth naming; this bounds our own memory.
    pub(super) const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

    pub(super) async fn open(url: &SqliteUrl) -> Result<Self, DbError> {
        Self::connect(url, true).await
    }

    /// A file that is not there yet is made by the first write, not by a check.
    pub(super) async fn probe(url: &SqliteUrl) -> Result<(), DbError> {
        match tokio::fs::metadata(&url.path).await {
            Ok(_) => {
                let mut file = Self::connect(url, false).await?;
                // Opening does not read: this does, and fails where the file is no database.
                file.run("PRAGMA schema_version").await?;
                file.close().await;
                Ok(())
            }
            Err(_) => {
                let folder = url.path.parent().filter(|folder| !folder.as_os_str().is_empty());
                match folder {
                    None => Ok(()),
                    Some(folder) if folder.is_dir() => Ok(()),
                    Some(folder) => Err(DbError::new(
                        ErrorKind::Connect,
                        format!("the folder {} does not exist", folder.display()),
                    )),
                }
            }
        }
    }

    async fn connect(url: &SqliteUrl, create: bool) -> Result<Self, DbError> {
        let mut options = SqliteConnectOptions::new()
            .filename(&url.path)
            .create_if_missing(create)
            .busy_timeout(url.busy_timeout)
            // As SQLite itself has it; sqlx would switch them on.
            .foreign_keys(false)
            .disable_statement_logging();
        for (pragma, value) in &url.pragmas {
            options = options.pragma(*pragma, *value);
        }
        let conn = options.connect().await.map_err(|error| db_error(error).while_connecting())?;
        Ok(Self { conn })
    }

    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    pub(super) async fn describe(&mut self, sql: String) -> Result<Option<TableDefinition>, DbError> {
        let rows = query(sql.into(), SqliteArguments::default())
            .fetch_all(&mut self.conn)
            .await
            .map_err(db_error)?;
        let Some(first) = rows.first() else { return Ok(None) };
        let kind = match first.try_get::<Option<String>, _>(6).map_err(db_error)?.as_deref() {
            Some("view") => TableKind::View,
            _ => TableKind::Table,
        };
        let mut columns: Vec<TableColumn> =
            rows.iter().map(table_column).collect::<Result<_, sqlx::Error>>().map_err(db_error)?;
        // A lone INTEGER PRIMARY KEY numbers its rows by itself.
        let mut keys = columns.iter_mut().filter(|column| column.key);
        if let (Some(key), None) = (keys.next(), keys.next())
            && key.sql_type.eq_ignore_ascii_case("integer")
        {
            key.has_default = true;
        }
        Ok(Some(TableDefinition { kind, columns }))
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        query(sql.into(), SqliteArguments::default()).execute(&mut self.conn).await.map_err(db_error)?;
        Ok(())
    }

    pub(super) async fn execute<'a>(
        &mut self,
        sql: &Arc<str>,
        count: usize,
        cells: impl Iterator<Item = Cell<'a>> + Send,
    ) -> Result<u64, DbError> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(count, 0);
        for cell in cells {
            bind(cell, &mut arguments)?;
        }
        let done = query(sql.clone(), arguments).execute(&mut self.conn).await.map_err(db_error)?;
        Ok(done.rows_affected())
    }

    pub(super) async fn positions(
        &mut self,
        sql: &str,
        of: &str,
    ) -> Result<Vec<(String, i32, i64)>, DbError> {
        sqlx::query_as(AssertSqlSafe(sql.to_owned()))
            .bind(of)
            .fetch_all(&mut self.conn)
            .await
            .map_err(db_error)
    }

    pub(super) async fn close(self) {
        let _gone_either_way = self.conn.close().await;
    }
}

/// A row of what `Sqlite::describe` asks.
fn table_column(row: &SqliteRow) -> Result<TableColumn, sqlx::Error> {
    Ok(TableColumn {
        name: row.try_get(0)?,
        sql_type: row.try_get(1)?,
        nullable: row.try_get::<i64, _>(2)? == 0,
        has_default: row.try_get::<i64, _>(3)? != 0,
        key: row.try_get::<i64, _>(4)? != 0,
        generated: row.try_get::<i64, _>(5)? != 0,
        text_cast: None,
        // A column may have a collation of its own, which its description does not tell.
        loose_text: true,
    })
}

/// The one place that vouches for SQL text: all of it comes from the dialect, which quotes every name, and values are
/// parameters.
fn query(
    sql: Arc<str>,
    arguments: SqliteArguments,
) -> sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments> {
    sqlx::query_with(AssertSqlSafe(sql), arguments)
}

fn bind(cell: Cell<'_>, arguments: &mut SqliteArguments) -> Result<(), DbError> {
    let value = match cell {
        Cell::Value(value) => value,
        Cell::Text(text) => return add(arguments, Arc::<str>::from(text)),
        Cell::Integer(value) => return add(arguments, value),
        Cell::DateTime { seconds, nanos } => {
            let millis = seconds.saturating_mul(1000).saturating_add(i64::from(nanos / 1_000_000));
            return add(arguments, millis);
        }
        Cell::Date(days) => return add(arguments, days.saturating_mul(MILLIS_PER_DAY)),
        Cell::Time { nanos } => return add(arguments, (nanos / 1_000_000) as i64),
    };
    match value {
        Value::Null => add(arguments, None::<i64>),
        Value::Boolean(value) => add(arguments, i64::from(*value)),
        Value::Int8(value) => add(arguments, i64::from(*value)),
        Value::Int16(value) => add(arguments, i64::from(*value)),
        Value::Int32(value) => add(arguments, i64::from(*value)),
        Value::Int64(value) => add(arguments, *value),
        Value::Float32(value) => add(arguments, f64::from(*value)),
        Value::Float64(value) => add(arguments, *value),
        Value::String(text) => add(arguments, Arc::<str>::from(&**text)),
        Value::Bytes(bytes) => add(arguments, bytes.to_vec()),
        // As text: a NUMERIC column turns it into the number it stands for.
        Value::Decimal(decimal) => add(arguments, decimal.to_string()),
        Value::Date(days) => add(arguments, date_millis(*days)),
        Value::Time(millis) => add(arguments, i64::from(*millis)),
        Value::Timestamp(millis) => add(arguments, *millis),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => Err(DbError::new(
            ErrorKind::Permanent,
            format!("no column can hold a value of type {}", value.type_name()),
        )),
    }
}

fn add<'t, T>(arguments: &mut SqliteArguments, value: T) -> Result<(), DbError>
where
    T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    Arguments::add(arguments, value).map_err(|error| DbError::new(ErrorKind::Permanent, error.to_string()))
}
