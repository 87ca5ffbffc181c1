//! PostgreSQL's rows, in the binary format.

mod decode;

use super::{ColumnKind, Parameter, Query, ResultColumn, SqlValue};
use crate::driver::error::postgres::db_error;
use crate::driver::postgres::PostgresSession;
use crate::driver::{DbError, ErrorKind};
use decode::Wire;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgColumn, PgRow, PgTypeInfo, PgTypeKind, Postgres};
use sqlx::{
    Arguments, AssertSqlSafe, Column, Connection, Executor, PgConnection, Row, SqlSafeStr, Statement,
    TypeInfo,
};
use std::collections::HashMap;

pub(crate) struct PostgresRows<'c> {
    stream: BoxStream<'c, Result<PgRow, sqlx::Error>>,
    columns: Vec<ResultColumn>,
    wires: Vec<Wire>,
    first: Option<PgRow>,
}

const INT8: u32 = 20;
const TEXT: u32 = 25;

/// What pg_attribute says of a column.
struct Attribute {
    table: String,
    modifier: i32,
    not_null: bool,
    auto_increment: bool,
}

const ATTRIBUTES: &str = "SELECT a.attrelid, a.attnum, c.relname::text, \
        CASE WHEN t.typtype = 'd' AND a.atttypmod = -1 THEN t.typtypmod ELSE a.atttypmod END, \
        a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), \
        a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%', false) \
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = ANY($1) AND a.attnum > 0";

type Attributes = HashMap<(u32, i16), Attribute>;

impl PostgresSession {
    pub(super) async fn read(&mut self, query: &Query) -> Result<PostgresRows<'_>, DbError> {
        let mut arguments = PgArguments::default();
        for parameter in &query.parameters {
            let added = match parameter {
                Parameter::Integer(value) => arguments.add(*value),
                Parameter::Text(text) => arguments.add(text),
                Parameter::DateTime(_) | Parameter::Instant { .. } => arguments.add(Moment(parameter)),
            };
            added.map_err(|error| DbError::new(ErrorKind::Permanent, error.to_string()))?;
        }
        let conn = self.conn();
        // The server refuses a statement that was prepared before its table changed, and would not tell of a column that has become NOT NULL.
        conn.clear_cached_statements().await.map_err(db_error)?;
        // Said, not left to the server: for an int column it would expect four bytes where a long has eight.
        let types: Vec<PgTypeInfo> = query.parameters.iter().map(parameter_type).collect();
        let sql = AssertSqlSafe(query.sql.clone()).into_sql_str();
        let statement = conn.prepare_with(sql, &types).await.map_err(db_error)?;
        let attributes = attributes(conn, statement.columns()).await?;
        let money = if statement.columns().iter().any(|column| oid(column) == decode::MONEY) {
            // As many digits as the server's lc_monetary says.
            let sql = "SELECT scale(0::money::numeric)";
            let row = sqlx::query(sql).fetch_one(&mut *conn).await.map_err(db_error)?;
            row.try_get(0).map_err(db_error)?
        } else {
            0
        };
        let columns = statement.columns().iter().map(|column| describe(column, &attributes)).collect();
        let wires = statement.columns().iter().map(|column| wire(column, money)).collect();
        let mut stream = sqlx::query_with(AssertSqlSafe(query.sql.clone()), arguments).fetch(conn);
        // A statement that fails at once fails here.
        let first = stream.try_next().await.map_err(db_error)?;
        Ok(PostgresRows { stream, columns, wires, first })
    }
}

impl PostgresRows<'_> {
    pub(super) fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    pub(super) async fn next(&mut self, row: &mut Vec<SqlValue>) -> Result<bool, DbError> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.stream.try_next().await.map_err(db_error)?,
        };
        let Some(next) = next else { return Ok(false) };
        for (index, (wire, column)) in self.wires.iter().zip(&self.columns).enumerate() {
            let raw = next.try_get_raw(index).map_err(db_error)?;
            let value = match raw.as_bytes() {
                Ok(bytes) if *wire != Wire::LeftOut => decode::value(*wire, bytes).ok_or_else(|| {
                    let what =
                        format!("column {}: the server has sent something else than its type", column.name);
                    DbError::new(ErrorKind::Permanent, what)
                })?,
                // NULL is the only other case.
                Ok(_) | Err(_) => SqlValue::Null,
            };
            row.push(value);
        }
        Ok(true)
    }
}

fn parameter_type(parameter: &Parameter) -> PgTypeInfo {
    PgTypeInfo::with_oid(Oid(match parameter {
        Parameter::Integer(_) => INT8,
        Parameter::Text(_) => TEXT,
        Parameter::DateTime(_) => decode::TIMESTAMP,
        Parameter::Instant { .. } => decode::TIMESTAMPTZ,
    }))
}

/// A parameter that is a date and time.
struct Moment<'p>(&'p Parameter);

impl sqlx::Type<Postgres> for Moment<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(decode::TIMESTAMP))
    }
}

impl sqlx::Encode<'_, Postgres> for Moment<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = match self.0 {
            Parameter::DateTime(value) => {
                let since = value.duration_since(decode::EPOCH);
                i64::try_from(since.as_micros()).map_err(|_| "a date beyond what PostgreSQL has")?
            }
            Parameter::Instant { micros } => {
                micros.checked_sub(decode::EPOCH_MICROS).ok_or("a date beyond what PostgreSQL has")?
            }
            Parameter::Integer(_) | Parameter::Text(_) => return Err("no date".into()),
        };
        buffer.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(match self.0 {
            Parameter::Instant { .. } => decode::TIMESTAMPTZ,
            _ => decode::TIMESTAMP,
        })))
    }
}

async fn attributes(conn: &mut PgConnection, columns: &[PgColumn]) -> Result<Attributes, DbError> {
    let mut tables: Vec<Oid> = Vec::new();
    for table in columns.iter().filter_map(PgColumn::relation_id) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    let mut found = Attributes::new();
    if tables.is_empty() {
        return Ok(found);
    }
    let rows = sqlx::query(ATTRIBUTES).bind(tables).fetch_all(conn).await.map_err(db_error)?;
    for row in &rows {
        let read = || -> Result<((u32, i16), Attribute), sqlx::Error> {
            let Oid(table) = row.try_get(0)?;
            let attribute = Attribute {
                table: row.try_get(2)?,
                modifier: row.try_get(3)?,
                not_null: row.try_get(4)?,
                auto_increment: row.try_get(5)?,
            };
            Ok(((table, row.try_get(1)?), attribute))
        };
        let (key, attribute) = read().map_err(db_error)?;
        found.insert(key, attribute);
    }
    Ok(found)
}

fn oid(column: &PgColumn) -> u32 {
    column.type_info().oid().map_or(0, |Oid(oid)| oid)
}

fn describe(column: &PgColumn, attributes: &Attributes) -> ResultColumn {
    let attribute = column
        .relation_id()
        .zip(column.relation_attribute_no())
        .and_then(|(Oid(table), number)| attributes.get(&(table, number)));
    ResultColumn {
        name: column.name().into(),
        table: attribute.map(|attribute| attribute.table.as_str().into()),
        kind: kind(column, attribute.map_or(-1, |attribute| attribute.modifier)),
        nullable: !attribute.is_some_and(|attribute| attribute.not_null),
        auto_increment: attribute.is_some_and(|attribute| attribute.auto_increment),
    }
}

/// The kind of a column with this type modifier; -1: none.
fn kind(column: &PgColumn, modifier: i32) -> ColumnKind {
    match wire(column, 0) {
        Wire::Bool => ColumnKind::Boolean,
        Wire::Int2 => ColumnKind::SmallInt { unsigned: false },
        Wire::Int4 => ColumnKind::Integer { unsigned: false },
        Wire::Int8 | Wire::Oid => ColumnKind::BigInt { unsigned: false },
        Wire::Float4 => ColumnKind::Real,
        Wire::Float8 | Wire::Money { .. } => ColumnKind::Double,
        Wire::Numeric => {
            // 4 bytes for the length of a header, then 16 bits of precision and 11 of scale.
            const HEADER: i32 = 4;
            let (precision, scale) = match modifier - HEADER {
                ..0 => (0, ColumnKind::UNLIMITED_SCALE),
                sizes => (sizes.unsigned_abs() >> 16, ((sizes & 0x7ff) ^ 1024) - 1024),
            };
            ColumnKind::Numeric { precision, scale }
        }
        // An expression's bit strings come without a length, and without one the type means a single bit.
        Wire::Bits => match u32::try_from(modifier) {
            Ok(1) | Err(_) => ColumnKind::Boolean,
            Ok(length) => ColumnKind::Bit { length },
        },
        Wire::Text | Wire::Jsonb | Wire::Uuid | Wire::Char => ColumnKind::Text,
        Wire::Bytea => ColumnKind::Bytes,
        Wire::Date => ColumnKind::Date,
        Wire::Time | Wire::TimeTz => ColumnKind::Time,
        Wire::Timestamp | Wire::TimestampTz => ColumnKind::Timestamp,
        Wire::LeftOut => {
            ColumnKind::Unsupported { type_name: column.type_info().name().to_lowercase().into() }
        }
    }
}

fn wire(column: &PgColumn, money_scale: i32) -> Wire {
    let mut info = column.type_info().clone();
    while let PgTypeKind::Domain(base) = info.kind() {
        info = base.clone();
    }
    match info.kind() {
        PgTypeKind::Enum(_) => Wire::Text,
        _ => Wire::of(info.oid().map_or(0, |Oid(oid)| oid), money_scale),
    }
}
