//! Reading rows: one query, its columns as the database describes them, and its rows one by one.
//!
//! Nothing here holds a whole result: what has not been asked for yet waits in the server or in the socket. A result that is not
//! read to its end is best left by closing the connection, since the next statement on it would have to read the rest first.

mod mysql;
mod postgres;
mod sqlite;

pub(crate) use mysql::MySqlRows;
pub(crate) use postgres::PostgresRows;
pub(crate) use sqlite::SqliteRows;

use super::{Connection, DbError};
use crate::url::JdbcUrl;
use bytes::Bytes;
use bytestring::ByteString;
use connect_api::Decimal;
use jiff::civil::DateTime;
use std::sync::Arc;

/// A statement with its parameters; placeholders as the dialect has them (`?`, `$1`).
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) sql: Arc<str>,
    pub(crate) parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parameter {
    Integer(i64),
    /// For what SQLite keeps as text.
    Text(String),
    /// What a clock on the wall shows: for `DATETIME`, MariaDB's `TIMESTAMP` and PostgreSQL's `timestamp`.
    DateTime(DateTime),
    /// A point in time, as microseconds since the epoch: for PostgreSQL's `timestamptz`.
    Instant {
        micros: i64,
    },
}

/// A value as the database sent it, not yet mapped to a schema.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum SqlValue {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f32),
    Double(f64),
    Text(ByteString),
    Bytes(Bytes),
    Decimal(Decimal),
    /// Days since 1970-01-01, proleptic Gregorian.
    Date(i64),
    /// A time of day; MariaDB's may be negative or beyond a day.
    Time {
        micros: i64,
    },
    /// A time of day in UTC; what the value's own zone shows may be a day off.
    TimeTz {
        micros: i64,
    },
    /// A date and time without zone: seconds from 1970-01-01T00:00 on the same clock.
    DateTime {
        seconds: i64,
        nanos: u32,
    },
    /// A point in time: seconds since the epoch.
    Instant {
        seconds: i64,
        nanos: u32,
    },
    /// `infinity` and `-infinity` of PostgreSQL's dates and times.
    Infinity {
        negative: bool,
    },
}

/// The type of a column, in the words of `java.sql.Types` as the databases' Java drivers use them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Boolean,
    /// A bit string of this length; one bit is a boolean already.
    Bit {
        length: u32,
    },
    TinyInt {
        unsigned: bool,
    },
    SmallInt {
        unsigned: bool,
    },
    Integer {
        unsigned: bool,
    },
    BigInt {
        unsigned: bool,
    },
    Real,
    Double,
    /// `NUMERIC`, which `numeric.mapping` speaks of. A precision of 0 says that none is declared; the scale is then
    /// [`UNLIMITED_SCALE`](Self::UNLIMITED_SCALE), or 0 if it is to be found out from the values.
    Numeric {
        precision: u32,
        scale: i32,
    },
    /// `DECIMAL`, which `numeric.mapping` leaves alone.
    Decimal {
        precision: u32,
        scale: i32,
    },
    Text,
    Bytes,
    Date,
    /// SQLite's `DATETIME`, in which the Java driver sees a date.
    DateOrTimestamp,
    /// MariaDB's `YEAR`: the first of January.
    Year,
    Time,
    Timestamp,
    /// No schema is known for it; the column is left out. Holds the database's name of the type.
    Unsupported {
        type_name: Box<str>,
    },
}

impl ColumnKind {
    /// What the Java connector takes for the scale of a `numeric` that declares none.
    pub(crate) const UNLIMITED_SCALE: i32 = 127;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResultColumn {
    /// The label: the alias if there is one.
    pub(crate) name: Box<str>,
    /// The table it comes from, without schema; none for an expression.
    pub(crate) table: Option<Box<str>>,
    pub(crate) kind: ColumnKind,
    /// As far as the database says; what it does not say is nullable.
    pub(crate) nullable: bool,
    pub(crate) auto_increment: bool,
}

/// A result that is being read.
pub(crate) enum Rows<'c> {
    MySql(MySqlRows<'c>),
    Postgres(PostgresRows<'c>),
    Sqlite(SqliteRows<'c>),
}

impl Rows<'_> {
    pub(crate) fn columns(&self) -> &[ResultColumn] {
        match self {
            Self::MySql(rows) => rows.columns(),
            Self::Postgres(rows) => rows.columns(),
            Self::Sqlite(rows) => rows.columns(),
        }
    }

    /// Puts the next row's values into `row`, one per column, in their order; `false` at the end.
    pub(crate) async fn next(&mut self, row: &mut Vec<SqlValue>) -> Result<bool, DbError> {
        row.clear();
        match self {
            Self::MySql(rows) => rows.next(row).await,
            Self::Postgres(rows) => rows.next(row).await,
            Self::Sqlite(rows) => rows.next(row).await,
        }
    }
}

impl Connection {
    /// Opens a connection to read from. MariaDB shows the points in time of a `TIMESTAMP` in the session's zone, and `db.timezone` says which zone
    /// that is: the server's own, as with the Java driver, unless the URL chooses one.
    pub(crate) async fn open_to_read(url: &JdbcUrl) -> Result<Self, DbError> {
        let mut connection = Self::open(url).await?;
        if let JdbcUrl::MySql(url) = url
            && !url.session_variables.iter().any(|(name, _)| name.eq_ignore_ascii_case("time_zone"))
        {
            connection.run("SET SESSION time_zone = @@GLOBAL.time_zone").await?;
        }
        Ok(connection)
    }

    /// Begins to read the result of `query`.
    pub(crate) async fn read(&mut self, query: &Query) -> Result<Rows<'_>, DbError> {
        match self {
            Self::MySql(connection) => Ok(Rows::MySql(connection.read(query).await?)),
            Self::Postgres(connection) => Ok(Rows::Postgres(connection.read(query).await?)),
            Self::Sqlite(connection) => Ok(Rows::Sqlite(connection.read(query).await?)),
        }
    }
}
