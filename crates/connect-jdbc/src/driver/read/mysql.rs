//! MariaDB's and MySQL's rows, in the binary protocol: numbers and dates come as such, and a FLOAT with all its digits.

use super::{ColumnKind, Parameter, Query, ResultColumn, SqlValue};
use crate::driver::error::mysql::db_error;
use crate::driver::mysql::MySqlConnection;
use crate::driver::{DbError, ErrorKind};
use bytes::Bytes;
use bytestring::ByteString;
use jiff::civil::Date;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable;
use mysql_async::{BinaryProtocol, Column, Conn, Params, QueryResult, Value as Sent};

/// The collation of what is no text.
const BINARY: u16 = 63;
/// How long a UUID is as text: the server tells of one as of a `CHAR` of this length.
const UUID_LENGTH: u32 = 36;
const EPOCH: Date = Date::constant(1970, 1, 1);

pub(crate) struct MySqlRows<'c> {
    result: QueryResult<'c, 'static, BinaryProtocol>,
    columns: Vec<ResultColumn>,
    forms: Vec<Form>,
}

/// What the bytes of a value are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Text,
    Bytes,
    Bits,
    Year { two_digits: bool },
    Other,
}

impl MySqlConnection {
    pub(super) async fn read(&mut self, query: &Query) -> Result<MySqlRows<'_>, DbError> {
        let parameters = query.parameters.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let conn = self.conn();
        let statement = conn.prep(&*query.sql).await.map_err(db_error)?;
        let uuids = uuids(conn, &statement.columns()).await?;
        let result = conn.exec_iter(statement, Params::Positional(parameters)).await.map_err(db_error)?;
        let described = result.columns().unwrap_or_else(|| Vec::new().into());
        let columns = described.iter().map(|column| describe(column, &uuids)).collect();
        let forms = described.iter().map(form).collect();
        Ok(MySqlRows { result, columns, forms })
    }
}

impl MySqlRows<'_> {
    pub(super) fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    pub(super) async fn next(&mut self, row: &mut Vec<SqlValue>) -> Result<bool, DbError> {
        let Some(sent) = self.result.next().await.map_err(db_error)? else { return Ok(false) };
        for (index, value) in sent.unwrap_raw().into_iter().enumerate() {
            let form = self.forms.get(index).copied().unwrap_or(Form::Other);
            let value = decode(value.unwrap_or(Sent::NULL), form).map_err(|what| {
                let column = self.columns.get(index).map_or("", |column| &column.name);
                DbError::new(ErrorKind::Permanent, format!("column {column}: {what}"))
            })?;
            row.push(value);
        }
        Ok(true)
    }
}

fn bind(parameter: &Parameter) -> Result<Sent, DbError> {
    Ok(match parameter {
        Parameter::Integer(value) => Sent::Int(*value),
        Parameter::Text(text) => Sent::Bytes(text.as_bytes().to_vec()),
        Parameter::DateTime(value) => {
            let year = u16::try_from(value.year()).map_err(|_| {
                DbError::new(
                    ErrorKind::Permanent,
                    format!("the server has no date of the year {}", value.year()),
                )
            })?;
            let part = i8::unsigned_abs;
            Sent::Date(
                year,
                part(value.month()),
                part(value.day()),
                part(value.hour()),
                part(value.minute()),
                part(value.second()),
                value.subsec_nanosecond().unsigned_abs() / 1000,
            )
        }
        Parameter::Instant { .. } => {
            return Err(DbError::new(
                ErrorKind::Permanent,
                "the server has no type for points in time with a zone",
            ));
        }
    })
}

/// The columns that are UUIDs, as (database, table, column). The protocol as mysql_async speaks it does not tell them from text.
async fn uuids(conn: &mut Conn, columns: &[Column]) -> Result<Vec<(String, String, String)>, DbError> {
    const SQL: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS \
                       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND DATA_TYPE = 'uuid'";
    let mut tables: Vec<(String, String)> = Vec::new();
    for column in columns {
        let table = (column.schema_str().into_owned(), column.org_table_str().into_owned());
        if may_be_uuid(column) && !tables.contains(&table) {
            tables.push(table);
        }
    }
    let mut found = Vec::new();
    for table in tables {
        found.extend(conn.exec::<(String, String, String), _, _>(SQL, table).await.map_err(db_error)?);
    }
    Ok(found)
}

fn may_be_uuid(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_STRING
        && !column.org_table_ref().is_empty()
        && column.column_length().is_multiple_of(UUID_LENGTH)
        && !column.flags().intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG)
}

fn describe(column: &Column, uuids: &[(String, String, String)]) -> ResultColumn {
    let table = column.org_table_str();
    ResultColumn {
        name: column.name_str().into(),
        table: (!table.is_empty()).then(|| table.clone().into()),
        kind: if may_be_uuid(column) && uuids.iter().any(|uuid| is_column(uuid, column)) {
            ColumnKind::Unsupported { type_name: "uuid".into() }
        } else {
            kind(column)
        },
        nullable: !column.flags().contains(ColumnFlags::NOT_NULL_FLAG),
        auto_increment: column.flags().contains(ColumnFlags::AUTO_INCREMENT_FLAG),
    }
}

fn is_column((database, table, name): &(String, String, String), column: &Column) -> bool {
    *database == column.schema_str() && *table == column.org_table_str() && *name == column.org_name_str()
}

fn kind(column: &Column) -> ColumnKind {
    use ColumnType::*;
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let length = column.column_length();
    match column.column_type() {
        MYSQL_TYPE_TINY if length == 1 => ColumnKind::Boolean,
        // The Java driver names an unsigned type by the next greater signed one and says that it is unsigned all the same.
        MYSQL_TYPE_TINY if unsigned => ColumnKind::SmallInt { unsigned },
        MYSQL_TYPE_TINY => ColumnKind::TinyInt { unsigned },
        MYSQL_TYPE_SHORT if unsigned => ColumnKind::Integer { unsigned },
        MYSQL_TYPE_SHORT => ColumnKind::SmallInt { unsigned },
        MYSQL_TYPE_INT24 => ColumnKind::Integer { unsigned },
        MYSQL_TYPE_LONG if unsigned => ColumnKind::BigInt { unsigned: false },
        MYSQL_TYPE_LONG => ColumnKind::Integer { unsigned },
        MYSQL_TYPE_LONGLONG => ColumnKind::BigInt { unsigned },
        MYSQL_TYPE_FLOAT => ColumnKind::Real,
        MYSQL_TYPE_DOUBLE => ColumnKind::Double,
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => {
            let scale = column.decimals();
            // The length counts the point and the sign.
            let signs = u32::from(scale > 0) + u32::from(!unsigned);
            ColumnKind::Decimal { precision: length.saturating_sub(signs), scale: scale.into() }
        }
        MYSQL_TYPE_BIT if length == 1 => ColumnKind::Boolean,
        MYSQL_TYPE_BIT => ColumnKind::Bit { length },
        MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => ColumnKind::Date,
        MYSQL_TYPE_YEAR => ColumnKind::Year,
        MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => ColumnKind::Time,
        MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_TIMESTAMP2 | MYSQL_TYPE_DATETIME | MYSQL_TYPE_DATETIME2 => {
            ColumnKind::Timestamp
        }
        MYSQL_TYPE_GEOMETRY => ColumnKind::Bytes,
        MYSQL_TYPE_JSON => ColumnKind::Text,
        MYSQL_TYPE_VARCHAR
        | MYSQL_TYPE_VAR_STRING
        | MYSQL_TYPE_STRING
        | MYSQL_TYPE_ENUM
        | MYSQL_TYPE_SET
        | MYSQL_TYPE_TINY_BLOB
        | MYSQL_TYPE_MEDIUM_BLOB
        | MYSQL_TYPE_LONG_BLOB
        | MYSQL_TYPE_BLOB => {
            if column.character_set() == BINARY {
                ColumnKind::Bytes
            } else {
                ColumnKind::Text
            }
        }
        other => ColumnKind::Unsupported { type_name: format!("{other:?}").into() },
    }
}

fn form(column: &Column) -> Form {
    match kind(column) {
        ColumnKind::Text | ColumnKind::Decimal { .. } => Form::Text,
        ColumnKind::Bytes => Form::Bytes,
        ColumnKind::Bit { length: 9.. } => Form::Bytes,
        ColumnKind::Boolean | ColumnKind::Bit { .. } => Form::Bits,
        ColumnKind::Year => Form::Year { two_digits: column.column_length() == 2 },
        _ => Form::Other,
    }
}

fn decode(value: Sent, form: Form) -> Result<SqlValue, String> {
    Ok(match value {
        Sent::NULL => SqlValue::Null,
        Sent::Int(value) => match form {
            Form::Year { two_digits } => year(value, two_digits),
            _ => SqlValue::Int(value),
        },
        Sent::UInt(value) => match (form, i64::try_from(value)) {
            (Form::Year { two_digits }, Ok(value)) => year(value, two_digits),
            (_, Ok(value)) => SqlValue::Int(value),
            _ => SqlValue::UInt(value),
        },
        Sent::Float(value) => SqlValue::Float(value),
        Sent::Double(value) => SqlValue::Double(value),
        Sent::Bytes(bytes) => match form {
            Form::Text => SqlValue::Text(
                ByteString::try_from(Bytes::from(bytes))
                    .map_err(|_| "the server has sent a text that is not UTF-8".to_owned())?,
            ),
            Form::Bits if bytes.len() <= 8 => {
                let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
                i64::try_from(bits).map_or(SqlValue::UInt(bits), SqlValue::Int)
            }
            Form::Bits | Form::Bytes | Form::Year { .. } | Form::Other => SqlValue::Bytes(bytes.into()),
        },
        // Zero dates, and those with a zero in them, are no dates.
        Sent::Date(_, 0, ..) | Sent::Date(_, _, 0, ..) => SqlValue::Null,
        Sent::Date(year, month, day, hour, minute, second, micros) => {
            let days = days(year, month, day)?;
            let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
            SqlValue::DateTime { seconds: days * 86_400 + of_day, nanos: micros * 1000 }
        }
        Sent::Time(negative, days, hours, minutes, seconds, micros) => {
            let seconds = i64::from(days) * 86_400
                + i64::from(hours) * 3600
                + i64::from(minutes) * 60
                + i64::from(seconds);
            let micros = seconds * 1_000_000 + i64::from(micros);
            SqlValue::Time { micros: if negative { -micros } else { micros } }
        }
    })
}

fn days(year: u16, month: u8, day: u8) -> Result<i64, String> {
    let unfit = || format!("{year:04}-{month:02}-{day:02} is no date");
    let part = |part: u8| i8::try_from(part).map_err(|_| unfit());
    let year = i16::try_from(year).map_err(|_| unfit())?;
    let date = Date::new(year, part(month)?, part(day)?).map_err(|_| unfit())?;
    Ok((date - EPOCH).get_days().into())
}

fn year(value: i64, two_digits: bool) -> SqlValue {
    match value {
        0..=69 if two_digits => SqlValue::Int(value + 2000),
        70..=99 if two_digits => SqlValue::Int(value + 1900),
        // The zero date of this type.
        0 => SqlValue::Null,
        _ => SqlValue::Int(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_the_java_driver() {
        use ColumnType::*;
        let unsigned = ColumnFlags::UNSIGNED_FLAG;
        let none = ColumnFlags::empty();
        let text = 45;
        for (column_type, flags, length, decimals, charset, expected) in [
            (MYSQL_TYPE_TINY, none, 1, 0, BINARY, ColumnKind::Boolean),
            (MYSQL_TYPE_TINY, none, 4, 0, BINARY, ColumnKind::TinyInt { unsigned: false }),
            (MYSQL_TYPE_TINY, unsigned, 3, 0, BINARY, ColumnKind::SmallInt { unsigned: true }),
            (MYSQL_TYPE_SHORT, unsigned, 5, 0, BINARY, ColumnKind::Integer { unsigned: true }),
            (MYSQL_TYPE_INT24, unsigned, 8, 0, BINARY, ColumnKind::Integer { unsigned: true }),
            (MYSQL_TYPE_LONG, none, 11, 0, BINARY, ColumnKind::Integer { unsigned: false }),
            (MYSQL_TYPE_LONG, unsigned, 10, 0, BINARY, ColumnKind::BigInt { unsigned: false }),
            (MYSQL_TYPE_LONGLONG, unsigned, 20, 0, BINARY, ColumnKind::BigInt { unsigned: true }),
            (MYSQL_TYPE_NEWDECIMAL, none, 12, 2, BINARY, ColumnKind::Decimal { precision: 10, scale: 2 }),
            (MYSQL_TYPE_NEWDECIMAL, unsigned, 10, 0, BINARY, ColumnKind::Decimal { precision: 10, scale: 0 }),
            (MYSQL_TYPE_BIT, unsigned, 1, 0, BINARY, ColumnKind::Boolean),
            (MYSQL_TYPE_BIT, unsigned, 12, 0, BINARY, ColumnKind::Bit { length: 12 }),
            (MYSQL_TYPE_VAR_STRING, none, 80, 0, text, ColumnKind::Text),
            (MYSQL_TYPE_VAR_STRING, none, 80, 0, BINARY, ColumnKind::Bytes),
            (MYSQL_TYPE_BLOB, none, 80, 0, text, ColumnKind::Text),
            (MYSQL_TYPE_YEAR, unsigned, 4, 0, BINARY, ColumnKind::Year),
            (
                MYSQL_TYPE_NULL,
                none,
                0,
                0,
                BINARY,
                ColumnKind::Unsupported { type_name: "MYSQL_TYPE_NULL".into() },
            ),
        ] {
            let column = Column::new(column_type)
                .with_flags(flags)
                .with_column_length(length)
                .with_decimals(decimals)
                .with_character_set(charset);
            assert_eq!(kind(&column), expected, "{column_type:?} {flags:?} {length}");
        }
    }

    #[test]
    fn values_are_what_was_sent() {
        let text = |text: &str| Ok(SqlValue::Text(text.into()));
        for (sent, form, expected) in [
            (Sent::NULL, Form::Other, Ok(SqlValue::Null)),
            (Sent::UInt(u64::MAX), Form::Other, Ok(SqlValue::UInt(u64::MAX))),
            (Sent::Bytes("ä".into()), Form::Text, text("ä")),
            (
                Sent::Bytes(vec![0xff]),
                Form::Text,
                Err("the server has sent a text that is not UTF-8".to_owned()),
            ),
            (Sent::Bytes(vec![0x81]), Form::Bits, Ok(SqlValue::Int(129))),
            (Sent::Int(0), Form::Year { two_digits: false }, Ok(SqlValue::Null)),
            (Sent::Int(69), Form::Year { two_digits: true }, Ok(SqlValue::Int(2069))),
            (Sent::Date(0, 0, 0, 0, 0, 0, 0), Form::Other, Ok(SqlValue::Null)),
            (Sent::Date(2020, 0, 15, 0, 0, 0, 0), Form::Other, Ok(SqlValue::Null)),
            (
                Sent::Date(1969, 12, 31, 23, 59, 59, 999_999),
                Form::Other,
                Ok(SqlValue::DateTime { seconds: -1, nanos: 999_999_000 }),
            ),
            (Sent::Date(2023, 2, 30, 0, 0, 0, 0), Form::Other, Err("2023-02-30 is no date".to_owned())),
            (Sent::Time(true, 1, 1, 0, 0, 5), Form::Other, Ok(SqlValue::Time { micros: -90_000_000_005 })),
        ] {
            let name = format!("{sent:?} as {form:?}");
            assert_eq!(decode(sent, form), expected, "{name}");
        }
    }
}
