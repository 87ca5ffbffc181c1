//! SQL text and type rules per database. Pure: nothing here talks to one.

mod civil;
mod mysql;
mod postgres;
mod sqlite;

pub use mysql::MySql;
pub use postgres::Postgres;
pub use sqlite::Sqlite;

pub(crate) use civil::{date_from_days, datetime_from_clock, datetime_from_millis};
pub(crate) use mysql::clock;
pub(crate) use postgres::{Element, Wire, clock_micros_since_2000, days_since_2000, micros_since_2000};
pub(crate) use sqlite::{MILLIS_PER_DAY, date_millis};

use connect_api::{Decimal, Schema, SchemaRef, Value};
use std::fmt;

/// `quote.sql.identifiers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    Always,
    Never,
}

/// A table, by the name the user gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableId {
    /// The database (MariaDB, MySQL), schema (PostgreSQL) or attached database (SQLite) if it is not the connection's own.
    pub database: Option<String>,
    pub name: String,
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(database) => write!(f, "{database}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A column as the records describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: Box<str>,
    pub schema: SchemaRef,
    /// Part of the primary key.
    pub key: bool,
}

/// A column as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    pub name: String,
    /// The type to which a text must be cast to be written here; none where it can be written as it is.
    pub text_cast: Option<String>,
}

/// A column of a statement: the records' column under the name that the table has for it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub name: &'a str,
    pub schema: &'a Schema,
    pub text_cast: Option<&'a str>,
}

/// A column as CREATE TABLE or ALTER TABLE states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDdl {
    pub name: String,
    pub sql_type: String,
    /// A literal of the dialect.
    pub default: Option<String>,
    pub nullable: bool,
}

/// Why a field cannot be a column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// The reference's sentence with the field in front.
    #[error(
        "field '{field}': {schema_name} ({schema_type}) type doesn't have a mapping to the SQL database column type; \
         flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)"
    )]
    Unmapped { field: String, schema_name: String, schema_type: &'static str },
    #[error(
        "field '{field}': its default value cannot be the default of a column; correct the schema or leave the field out"
    )]
    Default { field: String },
}

/// One value of a row, not copied yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Value(&'a Value),
    Text(&'a str),
    Integer(i64),
    /// A date and time as a clock in the column's zone shows it, in seconds since that clock showed 1970-01-01T00:00.
    DateTime {
        seconds: i64,
        nanos: u32,
    },
    /// Days since 1970-01-01, proleptic Gregorian.
    Date(i64),
    /// Since midnight.
    Time {
        nanos: u64,
    },
}

impl Cell<'_> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Cell::Value(Value::Null))
    }
}

/// What differs between databases.
pub trait Dialect: fmt::Debug + Send + Sync {
    fn quoting(&self) -> Quoting;

    /// The most parameters one statement may have.
    fn max_placeholders(&self) -> usize;

    /// The column type for a schema (`None`: there is none), for a column of the primary key or another.
    fn column_type(&self, schema: &Schema, key: bool) -> Option<String>;

    /// A default as DDL text; `None` if it cannot be written down.
    fn default_literal(&self, value: &Value, schema: &Schema, key: bool) -> Option<String>;

    /// What follows the VALUES list so that an existing row's `others` are overwritten.
    fn on_conflict(&self, keys: &[&str], others: &[&str]) -> String;

    /// The statements that add columns.
    fn add_columns(&self, table: &TableId, columns: &[ColumnDdl]) -> Vec<String>;

    /// Whether the value can be written at all, or what is wrong with it.
    fn check_value(&self, value: &Value) -> Result<(), String>;

    /// The statement that lists the columns of a table, the name first.
    fn describe(&self, table: &TableId) -> String;

    /// The parameter with this number, from 1, for a value of the column.
    fn placeholder(&self, _number: usize, _column: &Target<'_>) -> String {
        "?".into()
    }

    /// Whether a statement that upserts must not have two rows with the same key.
    fn one_row_per_key(&self) -> bool {
        false
    }

    /// The name that the database stores for a column of this name.
    fn stored_name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn identifier(&self, name: &str) -> String {
        match self.quoting() {
            Quoting::Always => format!("`{}`", name.replace('`', "``")),
            Quoting::Never => name.to_owned(),
        }
    }

    fn table(&self, table: &TableId) -> String {
        match &table.database {
            Some(database) => format!("{}.{}", self.identifier(database), self.identifier(&table.name)),
            None => self.identifier(&table.name),
        }
    }

    /// The column list of CREATE TABLE for these columns, in their order.
    fn column_ddl(&self, column: &Column) -> Result<ColumnDdl, ColumnError> {
        let schema = &column.schema;
        let sql_type = self.column_type(schema, column.key).ok_or_else(|| ColumnError::Unmapped {
            field: column.name.to_string(),
            schema_name: schema.name.as_deref().unwrap_or("null").to_owned(),
            schema_type: schema.ty.name(),
        })?;
        let default = match &schema.default {
            None | Some(Value::Null) => None,
            Some(value) => {
                let literal = self.default_literal(value, schema, column.key);
                Some(literal.ok_or_else(|| ColumnError::Default { field: column.name.to_string() })?)
            }
        };
        // A key column never holds NULL, whatever the schema of the field says: MySQL refuses it and SQLite would let
        // rows without a key pile up.
        let nullable = !column.key && (schema.optional || default.is_some());
        Ok(ColumnDdl { name: column.name.to_string(), sql_type, default, nullable })
    }

    /// `` `name` TYPE DEFAULT x NOT NULL``
    fn column_text(&self, column: &ColumnDdl) -> String {
        let mut text = format!("{} {}", self.identifier(&column.name), column.sql_type);
        if let Some(default) = &column.default {
            text.push_str(" DEFAULT ");
            text.push_str(default);
        }
        match (column.nullable, &column.default) {
            (false, _) => text.push_str(" NOT NULL"),
            (true, None) => text.push_str(" NULL"),
            (true, Some(_)) => {}
        }
        text
    }

    fn create_table(&self, table: &TableId, columns: &[ColumnDdl], keys: &[&str]) -> String {
        let mut lines: Vec<String> = columns.iter().map(|column| self.column_text(column)).collect();
        if !keys.is_empty() {
            lines.push(format!("PRIMARY KEY({})", self.list(keys)));
        }
        format!("CREATE TABLE {} (\n{})", self.table(table), lines.join(",\n"))
    }

    /// One INSERT with `rows` groups of placeholders.
    fn insert(&self, table: &TableId, columns: &[Target<'_>], rows: usize) -> String {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let mut sql = format!("INSERT INTO {}({}) VALUES", self.table(table), self.list(&names));
        let mut number = 0;
        for row in 0..rows {
            if row > 0 {
                sql.push(',');
            }
            for (index, column) in columns.iter().enumerate() {
                number += 1;
                sql.push(if index > 0 { ',' } else { '(' });
                sql.push_str(&self.placeholder(number, column));
            }
            sql.push(')');
        }
        sql
    }

    /// One INSERT that overwrites the listed columns of rows whose key is there; other columns keep their values. The
    /// first `keys` columns are the key.
    fn upsert(&self, table: &TableId, columns: &[Target<'_>], keys: usize, rows: usize) -> String {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let mut sql = self.insert(table, columns, rows);
        sql.push(' ');
        sql.push_str(&self.on_conflict(&names[..keys], &names[keys..]));
        sql
    }

    /// One UPDATE of one row: the last `keys` columns say which.
    fn update(&self, table: &TableId, columns: &[Target<'_>], keys: usize) -> String {
        let pairs: Vec<String> = columns
            .iter()
            .zip(1..)
            .map(|(column, number)| {
                format!("{} = {}", self.identifier(column.name), self.placeholder(number, column))
            })
            .collect();
        let (set, matched) = pairs.split_at(columns.len() - keys);
        format!("UPDATE {} SET {} WHERE {}", self.table(table), set.join(", "), matched.join(" AND "))
    }

    /// One DELETE of the rows with these keys; all columns are the key.
    fn delete(&self, table: &TableId, keys: &[Target<'_>], rows: usize) -> String {
        let mut number = 0;
        let mut next = |column: &Target<'_>| {
            number += 1;
            self.placeholder(number, column)
        };
        let matched = match keys {
            keys if rows == 1 => keys
                .iter()
                .map(|key| format!("{} = {}", self.identifier(key.name), next(key)))
                .collect::<Vec<_>>()
                .join(" AND "),
            [key] => {
                let values: Vec<String> = (0..rows).map(|_| next(key)).collect();
                format!("{} IN ({})", self.identifier(key.name), values.join(","))
            }
            keys => {
                let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
                let tuples: Vec<String> = (0..rows)
                    .map(|_| format!("({})", keys.iter().map(&mut next).collect::<Vec<_>>().join(",")))
                    .collect();
                format!("({}) IN ({}{})", self.list(&names), self.tuples_begin(), tuples.join(","))
            }
        };
        format!("DELETE FROM {} WHERE {matched}", self.table(table))
    }

    /// What a list of tuples begins with after IN.
    fn tuples_begin(&self) -> &'static str {
        ""
    }

    fn list(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.identifier(name)).collect::<Vec<_>>().join(",")
    }
}

/// The columns that a sink with `pk.mode=record_value` and these `pk.fields` creates for a value schema: what a
/// migration that makes the table beforehand has to agree with.
pub fn table_columns(
    dialect: &dyn Dialect,
    value_schema: &Schema,
    pk_fields: &[&str],
) -> Result<Vec<ColumnDdl>, ColumnError> {
    value_schema
        .fields()
        .iter()
        .map(|field| {
            dialect.column_ddl(&Column {
                name: field.name.clone(),
                schema: field.schema.clone(),
                key: pk_fields.contains(&&*field.name),
            })
        })
        .collect()
}

/// A decimal is written out in digits, and a few bytes may claim billions of them.
fn check_scale(decimal: &Decimal) -> Result<(), String> {
    const MAX: u32 = 1000;
    if decimal.scale.unsigned_abs() > MAX {
        return Err(format!("the scale {} of the decimal is beyond {MAX}", decimal.scale));
    }
    Ok(())
}

/// About how many bytes a value takes in a statement's message; never less than it does.
pub(crate) fn cell_bytes(cell: &Cell<'_>) -> usize {
    /// Type, length prefix and null bit, generously.
    const OVERHEAD: usize = 16;
    let content = match cell {
        Cell::Text(text) => text.len(),
        Cell::Value(Value::String(text)) => text.len(),
        Cell::Value(Value::Bytes(bytes)) => bytes.len(),
        // Each bit gives less than a third of a decimal digit.
        Cell::Value(Value::Decimal(decimal)) => {
            decimal.unscaled.bits() as usize / 3 + decimal.scale.unsigned_abs() as usize + 3
        }
        Cell::Value(Value::Array(values)) => values.iter().map(|value| cell_bytes(&Cell::Value(value))).sum(),
        _ => 0,
    };
    OVERHEAD + content
}

#[cfg(test)]
mod tests;
