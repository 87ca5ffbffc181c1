//! SQLite's rows. A column has a declared type, which says little, and every value has its own: as the Java driver does, what the
//! declaration leaves open is taken from the first row.

use super::{ColumnKind, Parameter, Query, ResultColumn, SqlValue};
use crate::driver::error::sqlite::db_error;
use crate::driver::sqlite::SqliteFile;
use crate::driver::{DbError, ErrorKind};
use bytes::Bytes;
use bytestring::ByteString;
use futures::TryStreamExt;
use futures::stream::BoxStream;

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ColumnOrigin, Executor, Row, SqlSafeStr, Statement, TypeInfo, ValueRef,
};
use std::collections::HashMap;

pub(crate) struct SqliteRows<'c> {
    stream: BoxStream<'c, Result<SqliteRow, sqlx::Error>>,
    columns: Vec<ResultColumn>,
    first: Option<SqliteRow>,
}

/// What `PRAGMA table_info` says of a column.
struct Declared {
    sql_type: String,
    not_null: bool,
    auto_increment: bool,
}

type Declarations = HashMap<(String, String), Declared>;

impl SqliteFile {
    pub(super) async fn read(&mut self, query: &Query) -> Result<SqliteRows<'_>, DbError> {
        let mut arguments = SqliteArguments::default();
        for parameter in &query.parameters {
            bind(parameter, &mut arguments)?;
        }
        let conn = self.conn();
        // Looked at before the statement runs, since a connection runs one at a time.
        let statement =
            conn.prepare(AssertSqlSafe(query.sql.clone()).into_sql_str()).await.map_err(db_error)?;
        let origins: Vec<(String, Option<(String, String)>)> = statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), origin(&column.origin())))
            .collect();
        let declarations = declarations(conn, &origins).await?;
        let mut stream = sqlx::query_with(AssertSqlSafe(query.sql.clone()), arguments).fetch(conn);
        let first = stream.try_next().await.map_err(db_error)?;
        let columns = origins
            .into_iter()
            .enumerate()
            .map(|(index, (name, origin))| {
                let declared = origin.as_ref().and_then(|origin| declarations.get(origin));
                describe(
                    name,
                    origin.as_ref().map(|(table, _)| table.as_str()),
                    declared,
                    first.as_ref(),
                    index,
                )
            })
            .collect::<Result<_, _>>()?;
        Ok(SqliteRows { stream, columns, first })
    }
}

impl SqliteRows<'_> {
    pub(super) fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    pub(super) async fn next(&mut self, row: &mut Vec<SqlValue>) -> Result<bool, DbError> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.stream.try_next().await.map_err(db_error)?,
        };
        let Some(next) = next else { return Ok(false) };
        for index in 0..self.columns.len() {
            row.push(value(&next, index)?);
        }
        Ok(true)
    }
}

fn bind(parameter: &Parameter, arguments: &mut SqliteArguments) -> Result<(), DbError> {
    let added = match parameter {
        Parameter::Integer(value) => arguments.add(*value),
        Parameter::Text(text) => arguments.add(text.clone()),
        // The form of CURRENT_TIMESTAMP, with what is below a second.
        Parameter::DateTime(value) => arguments.add(value.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()),
        Parameter::Instant { micros } => arguments.add(micros.div_euclid(1000)),
    };
    added.map_err(|error| DbError::new(ErrorKind::Permanent, error.to_string()))
}

fn origin(origin: &ColumnOrigin) -> Option<(String, String)> {
    match origin {
        ColumnOrigin::Table(column) => Some((column.table.to_string(), column.name.to_string())),
        ColumnOrigin::Expression | ColumnOrigin::Unknown => None,
    }
}

async fn declarations(
    conn: &mut sqlx::SqliteConnection,
    origins: &[(String, Option<(String, String)>)],
) -> Result<Declarations, DbError> {
    // AUTOINCREMENT stands nowhere but in the text of the table.
    const SQL: &str = "SELECT c.name, c.type, c.\"notnull\", \
                       upper(c.type) = 'INTEGER' AND c.pk = 1 AND m.sql LIKE '%AUTOINCREMENT%' \
                       FROM pragma_table_info(?1) AS c LEFT JOIN sqlite_schema AS m ON m.type = 'table' AND m.name = ?1";
    let mut tables: Vec<&str> =
        origins.iter().filter_map(|(_, origin)| Some(origin.as_ref()?.0.as_str())).collect();
    tables.sort_unstable();
    tables.dedup();
    let mut found = Declarations::new();
    for table in tables {
        let mut arguments = SqliteArguments::default();
        // sqlx names the schema too where there are several.
        let name = table.rsplit_once('.').map_or(table, |(_, name)| name);
        bind(&Parameter::Text(name.to_owned()), &mut arguments)?;
        let rows = sqlx::query_with(SQL, arguments).fetch_all(&mut *conn).await.map_err(db_error)?;
        for row in rows {
            let name: String = row.try_get(0).map_err(db_error)?;
            let declared = Declared {
                sql_type: row.try_get(1).map_err(db_error)?,
                not_null: row.try_get(2).map_err(db_error)?,
                auto_increment: row.try_get::<Option<bool>, _>(3).map_err(db_error)?.unwrap_or_default(),
            };
            found.insert((table.to_owned(), name), declared);
        }
    }
    Ok(found)
}

fn describe(
    name: String,
    table: Option<&str>,
    declared: Option<&Declared>,
    first: Option<&SqliteRow>,
    index: usize,
) -> Result<ResultColumn, DbError> {
    let sample = first.map(|row| value(row, index)).transpose()?.unwrap_or_default();
    Ok(ResultColumn {
        name: name.into(),
        table: table.map(|table| table.rsplit_once('.').map_or(table, |(_, name)| name).into()),
        kind: kind(declared.map_or("", |declared| &declared.sql_type), &sample),
        nullable: !declared.is_some_and(|declared| declared.not_null),
        auto_increment: declared.is_some_and(|declared| declared.auto_increment),
    })
}

/// The kind of a column of this declared type whose first value is `sample`.
pub(super) fn kind(declared: &str, sample: &SqlValue) -> ColumnKind {
    let (name, size) = match declared.split_once('(') {
        Some((name, rest)) => (name, rest.split(')').next().unwrap_or_default()),
        None => (declared, ""),
    };
    let mut numbers = size.split(',').map(|number| number.trim().parse::<u32>().unwrap_or_default());
    let precision = numbers.next().unwrap_or_default();
    let scale = numbers.next().and_then(|scale| i32::try_from(scale).ok()).unwrap_or_default();
    let name = name.trim().to_ascii_uppercase();
    match (name.as_str(), sample) {
        // Whatever the first value is: later ones may have a fraction.
        ("NUMERIC", SqlValue::Null | SqlValue::Int(_) | SqlValue::Double(_)) => {
            ColumnKind::Numeric { precision, scale }
        }
        ("DECIMAL", SqlValue::Null | SqlValue::Int(_) | SqlValue::Double(_)) if precision > 0 => {
            ColumnKind::Decimal { precision, scale }
        }
        ("DECIMAL", SqlValue::Null | SqlValue::Int(_) | SqlValue::Double(_)) => {
            ColumnKind::Numeric { precision, scale }
        }
        ("DATE", SqlValue::Null | SqlValue::Int(_) | SqlValue::Text(_)) => ColumnKind::Date,
        ("DATETIME", SqlValue::Null | SqlValue::Int(_) | SqlValue::Text(_)) => ColumnKind::DateOrTimestamp,
        ("TIMESTAMP", SqlValue::Null | SqlValue::Int(_) | SqlValue::Text(_)) => ColumnKind::Timestamp,
        ("BOOLEAN", SqlValue::Null | SqlValue::Int(_)) => ColumnKind::Boolean,
        // The Java driver calls only INTEGER, NUMERIC and REAL signed.
        ("TINYINT", SqlValue::Null | SqlValue::Int(_)) => ColumnKind::TinyInt { unsigned: true },
        ("SMALLINT" | "INT2", SqlValue::Null | SqlValue::Int(_)) => ColumnKind::SmallInt { unsigned: true },
        (_, SqlValue::Int(_)) => ColumnKind::BigInt { unsigned: false },
        ("REAL", SqlValue::Null | SqlValue::Double(_)) => ColumnKind::Real,
        (_, SqlValue::Double(_)) => ColumnKind::Double,
        (_, SqlValue::Text(_)) => ColumnKind::Text,
        (_, SqlValue::Bytes(_)) => ColumnKind::Bytes,
        (name, _) => by_affinity(name),
    }
}

/// What a column without a value is likely to hold, after SQLite's own rules for the affinity of a declared type; where these say
/// nothing, the type that everything can be shown in.
fn by_affinity(name: &str) -> ColumnKind {
    let has = |part: &str| name.contains(part);
    if has("INT") {
        ColumnKind::BigInt { unsigned: false }
    } else if has("BLOB") {
        ColumnKind::Bytes
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        ColumnKind::Double
    } else {
        ColumnKind::Text
    }
}

fn value(row: &SqliteRow, index: usize) -> Result<SqlValue, DbError> {
    let raw = row.try_get_raw(index).map_err(db_error)?;
    if raw.is_null() {
        return Ok(SqlValue::Null);
    }
    let info = raw.type_info().into_owned();
    drop(raw);
    // The value's own type, not the column's.
    Ok(match info.name() {
        "INTEGER" => SqlValue::Int(row.try_get_unchecked(index).map_err(db_error)?),
        "REAL" => SqlValue::Double(row.try_get_unchecked(index).map_err(db_error)?),
        "TEXT" => {
            SqlValue::Text(ByteString::from(row.try_get_unchecked::<&str, _>(index).map_err(db_error)?))
        }
        _ => SqlValue::Bytes(Bytes::copy_from_slice(row.try_get_unchecked(index).map_err(db_error)?)),
    })
}
