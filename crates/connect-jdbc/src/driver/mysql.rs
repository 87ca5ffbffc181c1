//! MariaDB and MySQL over mysql_async.

use super::bulk::{MySqlBulk, infile::Infile};
use super::error::mysql::db_error;
use super::{DbError, ErrorKind};
use crate::dialect::{
    Cell, Dialect, MySql, Quoting, TableColumn, TableDefinition, TableId, TableKind, date_from_days,
    datetime_from_clock, datetime_from_millis, modify_clause,
};
use crate::url::MySqlUrl;
use connect_api::Value;
use jiff::civil::{Date, DateTime};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params, Row, Value as Bound};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that vanished without a word is noticed after about this long.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Statement texts are few: row counts are powers of two.
const CACHED_STATEMENTS: usize = 128;

/// Beyond this a longer statement saves nothing, but costs memory on both sides.
const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

/// Whatever the server's default: a value that does not fit is an error, not a shorter value; and a backslash escapes. A
/// TIMESTAMP column holds points in time and takes them in the session's zone: UTC, as every zone with winter and summer
/// has an hour twice. A note (a decimal rounded, spaces cut off) is no error in any mode, so it must not be taken for a
/// warning.
const SESSION: &str = "SET SESSION sql_mode = \
                       CONCAT(REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ',STRICT_TRANS_TABLES,STRICT_ALL_TABLES'), \
                       SESSION autocommit = 1, SESSION time_zone = '+00:00', SESSION sql_notes = 0";

/// The user's own variables first: what is needed for exact values comes after them.
fn session(url: &MySqlUrl) -> Vec<String> {
    let own = url.session_variables.iter().map(|(name, value)| format!("SET SESSION {name} = {value}"));
    own.chain([SESSION.to_owned()]).collect()
}

const FACTS: &str = "SELECT @@max_allowed_packet, @@local_infile, @@version";

pub(crate) struct MySqlConnection {
    pub(super) conn: Conn,
    max_allowed_packet: usize,
    /// How long a statement may take; none means as long as it likes.
    pub(super) limit: Option<Duration>,
    pub(super) bulk: MySqlBulk,
}

impl MySqlConnection {
    pub(super) async fn open(url: &MySqlUrl) -> Result<Self, DbError> {
        let infile = Infile::default();
        let opts = OptsBuilder::default()
            .ip_or_hostname(url.host.clone())
            .tcp_port(url.port)
            .db_name(url.database.clone())
            .user(url.user.clone())
            .pass(url.password.as_ref().map(|password| password.0.clone()))
            // The URL names a host and a port, so that is where to go, not to a socket file the server mentions.
            .prefer_socket(false)
            .tcp_keepalive(url.keep_alive.then_some(KEEPALIVE))
            .local_infile_handler(url.local_infile.then(|| infile.clone()))
            .stmt_cache_size(CACHED_STATEMENTS);
        let limit = url.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let opening = async {
            let mut conn = Conn::new(opts).await.map_err(connect_error)?;
            for statement in session(url) {
                conn.query_drop(statement).await.map_err(connect_error)?;
            }
            let facts: Option<(usize, bool, String)> =
                conn.query_first(FACTS).await.map_err(connect_error)?;
            let (max_allowed_packet, local_infile, version) =
                facts.unwrap_or((MAX_STATEMENT_BYTES, false, String::new()));
            let is_mariadb = version.contains("MariaDB");
            if is_mariadb && url.local_infile && !local_infile {
                tracing::info!(
                    host = url.host,
                    "local_infile is off on the server, so rows are written by statements, which takes longer"
                );
            }
            // On MySQL none of this was tried.
            let bulk = MySqlBulk::new(is_mariadb && url.local_infile && local_infile, infile);
            Ok(Self { conn, max_allowed_packet, limit: url.socket_timeout, bulk })
        };
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| {
            Err(DbError::new(ErrorKind::Connect, format!("no answer within {} ms", limit.as_millis())))
        })
    }

    pub(super) fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    pub(super) fn max_statement_bytes(&self) -> usize {
        (self.max_allowed_packet / 2).min(MAX_STATEMENT_BYTES)
    }

    pub(super) fn max_allowed_packet(&self) -> usize {
        self.max_allowed_packet
    }

    pub(super) async fn ping(&mut self) -> Result<(), DbError> {
        self.conn.ping().await.map_err(db_error)
    }

    pub(super) async fn describe(
        &mut self,
        sql: &str,
        table: &TableId,
    ) -> Result<Option<TableDefinition>, DbError> {
        const NO_SUCH_TABLE: &str = "1146";
        let rows: Vec<Row> = match within(self.limit, self.conn.query(sql)).await {
            Err(error) if error.code.as_deref() == Some(NO_SUCH_TABLE) => return Ok(None),
            rows => rows?,
        };
        let columns = rows.iter().map(table_column).collect::<Result<_, _>>()?;
        let sql = MySql::new(Quoting::Always).table_type(table);
        let kind: Option<String> = within(self.limit, self.conn.query_first(sql)).await?;
        let kind = match kind.as_deref() {
            Some("VIEW" | "SYSTEM VIEW") => TableKind::View,
            _ => TableKind::Table,
        };
        Ok(Some(TableDefinition { kind, columns }))
    }

    pub(super) async fn change_types(
        &mut self,
        dialect: &MySql,
        table: &TableId,
        changes: &[(TableColumn, String)],
    ) -> Result<Option<String>, DbError> {
        let table = dialect.table(table);
        let row: Option<Row> =
            within(self.limit, self.conn.query_first(format!("SHOW CREATE TABLE {table}"))).await?;
        let Some(row) = row else { return Ok(None) };
        let create = text(&row, "Create Table")?;
        let clauses: Option<Vec<String>> =
            changes.iter().map(|(column, sql_type)| modify_clause(&create, column, sql_type)).collect();
        Ok(clauses.map(|clauses| format!("ALTER TABLE {table} \n{}", clauses.join(",\n"))))
    }

    pub(super) async fn is_unique(&mut self, table: &TableId, columns: &[&str]) -> Result<bool, DbError> {
        let sql = MySql::new(Quoting::Always).unique_keys(table);
        let rows: Vec<Row> = within(self.limit, self.conn.query(sql)).await?;
        let mut keys: HashMap<String, bool> = HashMap::new();
        for row in &rows {
            let column = text(row, "Column_name")?;
            let known = columns.iter().any(|name| name.eq_ignore_ascii_case(&column));
            *keys.entry(text(row, "Key_name")?).or_insert(true) &= known;
        }
        Ok(keys.values().any(|covered| *covered))
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        within(self.limit, self.conn.query_drop(sql)).await
    }

    pub(super) async fn execute<'a>(
        &mut self,
        sql: &Arc<str>,
        count: usize,
        cells: impl Iterator<Item = Cell<'a>> + Send,
    ) -> Result<u64, DbError> {
        let mut bound = Vec::with_capacity(count);
        for cell in cells {
            bound.push(bind(cell)?);
        }
        within(self.limit, self.conn.exec_drop(sql.clone(), Params::Positional(bound))).await?;
        Ok(self.conn.affected_rows())
    }

    pub(super) async fn positions(
        &mut self,
        sql: &str,
        of: &str,
    ) -> Result<Vec<(String, i32, i64)>, DbError> {
        within(self.limit, self.conn.exec(sql, (of,))).await
    }

    pub(super) async fn close(self) {
        let _gone_either_way = self.conn.disconnect().await;
    }
}

async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, mysql_async::Error>>,
) -> Result<T, DbError> {
    let Some(limit) = limit else { return work.await.map_err(db_error) };
    tokio::time::timeout(limit, work).await.map_err(|_| no_answer(limit))?.map_err(db_error)
}

/// The connection is of no use any more: the answer may still come.
pub(super) fn no_answer(limit: Duration) -> DbError {
    DbError::new(
        ErrorKind::Transient,
        format!("no answer within the socketTimeout of {} ms", limit.as_millis()),
    )
}

/// A row of SHOW FULL COLUMNS.
fn table_column(row: &Row) -> Result<TableColumn, DbError> {
    let extra = text(row, "Extra")?.to_ascii_uppercase();
    let default = row.get_opt::<Option<String>, _>("Default").and_then(Result::ok).flatten();
    Ok(TableColumn {
        name: text(row, "Field")?,
        sql_type: text(row, "Type")?,
        nullable: text(row, "Null")?.eq_ignore_ascii_case("yes"),
        has_default: default.is_some() || extra.contains("AUTO_INCREMENT"),
        // MySQL says DEFAULT_GENERATED of a default that is an expression.
        generated: extra.replace("DEFAULT_GENERATED", "").contains("GENERATED"),
        key: text(row, "Key")?.eq_ignore_ascii_case("pri"),
        text_cast: None,
        loose_text: true,
    })
}

pub(super) fn text(row: &Row, column: &str) -> Result<String, DbError> {
    row.get_opt::<String, _>(column).and_then(Result::ok).ok_or_else(|| {
        DbError::new(ErrorKind::Permanent, format!("the server's answer has no text {column}"))
    })
}

fn bind(cell: Cell<'_>) -> Result<Bound, DbError> {
    let value = match cell {
        Cell::Value(value) => value,
        Cell::Text(text) => return Ok(Bound::Bytes(text.as_bytes().to_vec())),
        Cell::Integer(value) => return Ok(Bound::Int(value)),
        Cell::DateTime { seconds, nanos } => {
            return datetime_from_clock(seconds, nanos).and_then(datetime).ok_or_else(|| beyond(cell));
        }
        Cell::Date(days) => {
            let date = i32::try_from(days).ok().and_then(date_from_days).and_then(date);
            return date.ok_or_else(|| beyond(cell));
        }
        Cell::Time { nanos } => return time(nanos).ok_or_else(|| beyond(cell)),
    };
    // The plan has checked every value; what fails here was not checked.
    let unfit = || DbError::new(ErrorKind::Permanent, format!("{value:?} does not fit into a column"));
    Ok(match value {
        Value::Null => Bound::NULL,
        Value::Boolean(value) => Bound::Int((*value).into()),
        Value::Int8(value) => Bound::Int((*value).into()),
        Value::Int16(value) => Bound::Int((*value).into()),
        Value::Int32(value) => Bound::Int((*value).into()),
        Value::Int64(value) => Bound::Int(*value),
        Value::Float32(value) => Bound::Float(*value),
        Value::Float64(value) => Bound::Double(*value),
        Value::String(text) => Bound::Bytes(text.as_bytes().to_vec()),
        Value::Bytes(bytes) => Bound::Bytes(bytes.to_vec()),
        Value::Decimal(decimal) => Bound::Bytes(decimal.to_string().into_bytes()),
        Value::Date(days) => date_from_days(*days).and_then(date).ok_or_else(unfit)?,
        Value::Time(millis) => {
            u64::try_from(*millis).ok().and_then(|millis| time(millis * 1_000_000)).ok_or_else(unfit)?
        }
        Value::Timestamp(millis) => datetime_from_millis(*millis).and_then(datetime).ok_or_else(unfit)?,
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => return Err(unfit()),
    })
}

/// The plan has checked every cell; what fails here was not checked.
fn beyond(cell: Cell<'_>) -> DbError {
    DbError::new(ErrorKind::Permanent, format!("{cell:?} does not fit into a column"))
}

fn date(date: Date) -> Option<Bound> {
    Some(Bound::Date(date.year().try_into().ok()?, date.month() as u8, date.day() as u8, 0, 0, 0, 0))
}

/// Microseconds are the most that the protocol has.
fn datetime(time: DateTime) -> Option<Bound> {
    Some(Bound::Date(
        time.year().try_into().ok()?,
        time.month() as u8,
        time.day() as u8,
        time.hour() as u8,
        time.minute() as u8,
        time.second() as u8,
        time.subsec_nanosecond() as u32 / 1000,
    ))
}

fn time(nanos: u64) -> Option<Bound> {
    const DAY: u64 = 86_400;
    let seconds = Some(nanos / 1_000_000_000).filter(|seconds| *seconds < DAY)?;
    let micros = (nanos % 1_000_000_000 / 1000) as u32;
    Some(Bound::Time(
        false,
        0,
        (seconds / 3600) as u8,
        (seconds / 60 % 60) as u8,
        (seconds % 60) as u8,
        micros,
    ))
}

fn connect_error(error: mysql_async::Error) -> DbError {
    db_error(error).while_connecting()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_strict_and_in_utc_whatever_the_url_says() {
        let text = "jdbc:mariadb://h/d?sessionVariables=time_zone='%2B09:00',lock_wait_timeout=5";
        let url = match crate::url::JdbcUrl::parse(text, &[]) {
            Ok(crate::url::JdbcUrl::MySql(url)) => url,
            other => panic!("{other:?}"),
        };
        let statements = session(&url);
        assert_eq!(statements[0], "SET SESSION lock_wait_timeout = 5");
        assert!(
            statements[1].contains("STRICT_TRANS_TABLES") && statements[1].contains("time_zone = '+00:00'")
        );
        assert_eq!((statements.len(), url.ignored), (2, vec!["sessionVariables time_zone".to_owned()]));
    }

    #[test]
    fn dates_and_times_are_bound_in_utc() {
        let cases = [
            (Value::Timestamp(-1), Bound::Date(1969, 12, 31, 23, 59, 59, 999_000)),
            (Value::Timestamp(1_700_000_000_123), Bound::Date(2023, 11, 14, 22, 13, 20, 123_000)),
            (Value::Date(-1), Bound::Date(1969, 12, 31, 0, 0, 0, 0)),
            (Value::Time(86_399_999), Bound::Time(false, 0, 23, 59, 59, 999_000)),
        ];
        for (value, bound) in cases {
            assert_eq!(bind(Cell::Value(&value)), Ok(bound));
        }
        assert!(bind(Cell::Value(&Value::Timestamp(i64::MAX))).is_err());
    }
}
