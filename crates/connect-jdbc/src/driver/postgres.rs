//! PostgreSQL over sqlx.

pub(super) mod encode;

use super::bulk::ColumnArray;
use super::error::postgres::db_error;
use super::{DbError, ErrorKind};
use crate::dialect::{Cell, TableColumn, TableDefinition, TableKind, Wire};
use crate::url::PostgresUrl;
use encode::Parameter;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, PgSslMode, Postgres as Server};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Row};
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The question whether somebody is there at all.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Statement texts are few: row counts are powers of two.
const CACHED_STATEMENTS: usize = 128;
/// Backslashes in the DDL's literals are backslashes, whatever the server's default is. (sqlx sets the time zone to UTC.)
const SESSION: &str = "SET standard_conforming_strings = on";

pub(crate) struct PostgresSession {
    conn: PgConnection,
    prepare: bool,
    /// How long a statement may take; none means as long as it likes.
    limit: Option<Duration>,
}

impl PostgresSession {
    /// Beyond this a longer statement saves nothing, but costs memory on both sides.
    pub(super) const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

    pub(super) async fn open(url: &PostgresUrl) -> Result<Self, DbError> {
        // Not from ~/.pgpass: what the connector's configuration does not say is not guessed.
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&url.host)
            .port(url.port)
            .password(url.password.as_ref().map_or("", |password| &password.0))
            .application_name(url.application_name.as_deref().unwrap_or("connect-worker"))
            .ssl_mode(PgSslMode::Disable)
            .statement_cache_capacity(CACHED_STATEMENTS)
            .disable_statement_logging();
        if let Some(user) = &url.user {
            options = options.username(user);
        }
        let database = url.database.clone().unwrap_or_else(|| options.get_username().to_owned());
        options = options.database(&database);
        let limit = url.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let opening = async {
            let mut conn = options.connect().await.map_err(connect_error)?;
            execute_text(&mut conn, SESSION).await.map_err(connect_error)?;
            if let Some(schemas) = &url.current_schema {
                let mut arguments = PgArguments::default();
                Arguments::add(&mut arguments, schemas).map_err(|error| unfit(&error.to_string()))?;
                sqlx::query_with("SELECT set_config('search_path', $1, false)", arguments)
                    .persistent(false)
                    .execute(&mut conn)
                    .await
                    .map_err(connect_error)?;
            }
            Ok(Self { conn, prepare: url.prepare, limit: url.socket_timeout })
        };
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| {
            Err(DbError::new(ErrorKind::Connect, format!("no answer within {} ms", limit.as_millis())))
        })
    }

    pub(super) fn conn(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    pub(super) async fn is_alive(&mut self) -> bool {
        matches!(tokio::time::timeout(PING_TIMEOUT, self.conn.ping()).await, Ok(Ok(())))
    }

    pub(super) async fn describe(&mut self, sql: String) -> Result<Option<TableDefinition>, DbError> {
        let limit = self.limit;
        let rows =
            within(limit, query(sql.into(), PgArguments::default(), false).fetch_all(&mut self.conn)).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let kind = match first.try_get::<String, _>(8).map_err(db_error)?.as_str() {
            "p" => TableKind::Partitioned,
            "v" => TableKind::View,
            _ => TableKind::Table,
        };
        let columns = rows.iter().map(table_column).collect::<Result<_, sqlx::Error>>().map_err(db_error)?;
        Ok(Some(TableDefinition { kind, columns }))
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        let limit = self.limit;
        within(limit, execute_text(&mut self.conn, sql)).await
    }

    pub(super) async fn execute<'a>(
        &mut self,
        sql: &Arc<str>,
        wires: &[Option<Wire>],
        count: usize,
        cells: impl Iterator<Item = Cell<'a>> + Send,
    ) -> Result<u64, DbError> {
        let mut arguments = PgArguments::default();
        arguments.reserve(count, 0);
        for (cell, wire) in cells.zip(wires.iter().cycle()) {
            let wire = wire.ok_or_else(|| unfit("a column has a type that PostgreSQL is not sent"))?;
            arguments.add(Parameter { wire, cell }).map_err(|error| unfit(&error.to_string()))?;
        }
        let limit = self.limit;
        let done = within(limit, query(sql.clone(), arguments, self.prepare).execute(&mut self.conn)).await?;
        Ok(done.rows_affected())
    }

    pub(super) async fn execute_arrays(
        &mut self,
        sql: Arc<str>,
        arrays: Vec<ColumnArray>,
    ) -> Result<u64, DbError> {
        let mut arguments = PgArguments::default();
        let bytes = arrays.iter().map(|array| array.values.len() + 32).sum();
        arguments.reserve(arrays.len(), bytes);
        for array in arrays {
            arguments.add(array).map_err(|error| unfit(&error.to_string()))?;
        }
        let limit = self.limit;
        let done = within(limit, query(sql, arguments, self.prepare).execute(&mut self.conn)).await?;
        Ok(done.rows_affected())
    }

    pub(super) async fn positions(
        &mut self,
        sql: &str,
        of: &str,
    ) -> Result<Vec<(String, i32, i64)>, DbError> {
        let limit = self.limit;
        let sql = AssertSqlSafe(sql.to_owned());
        within(limit, sqlx::query_as(sql).bind(of).persistent(false).fetch_all(&mut self.conn)).await
    }

    pub(super) async fn close(self) {
        let _gone_either_way = self.conn.close().await;
    }
}

/// A row of what `Postgres::describe` asks.
fn table_column(row: &PgRow) -> Result<TableColumn, sqlx::Error> {
    Ok(TableColumn {
        name: row.try_get(0)?,
        sql_type: row.try_get(1)?,
        text_cast: row.try_get(2)?,
        nullable: row.try_get(3)?,
        has_default: row.try_get(4)?,
        generated: row.try_get(5)?,
        key: row.try_get(6)?,
        loose_text: row.try_get(7)?,
    })
}

async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbError> {
    let Some(limit) = limit else { return work.await.map_err(db_error) };
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(db_error),
        Err(_) => Err(DbError::new(
            ErrorKind::Transient,
            format!("no answer within the socketTimeout of {} s", limit.as_secs()),
        )),
    }
}

/// The one place that vouches for SQL text: all of it comes from the dialect, which quotes every name, and values are
/// parameters.
fn query(
    sql: Arc<str>,
    arguments: PgArguments,
    keep: bool,
) -> sqlx::query::Query<'static, Server, PgArguments> {
    sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(keep)
}

/// Without parameters, in the simple protocol; from the dialect as well.
async fn execute_text(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.map(|_| ())
}

fn unfit(what: &str) -> DbError {
    DbError::new(ErrorKind::Permanent, what)
}

fn connect_error(error: sqlx::Error) -> DbError {
    db_error(error).while_connecting()
}
