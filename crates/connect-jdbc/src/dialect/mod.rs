//! SQL text and type rules per database. Pure: nothing here talks to one.

mod civil;
mod definition;
mod mysql;
mod mysql_load;
mod mysql_straight;
mod postgres;
mod sqlite;
mod text_load;
mod widen;
mod wire;

pub use definition::{TableColumn, TableDefinition, TableId, TableKind};
pub use mysql::{MySql, StringColumns};
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub use widen::Longest;

pub(crate) use civil::{date_from_days, datetime_from_clock, datetime_from_millis};
pub(crate) use mysql::clock;
pub(crate) use mysql_load::{LoadKind, Staging};
pub(crate) use mysql_straight::{straight_load, takes_straight};
pub(crate) use sqlite::{MILLIS_PER_DAY, date_millis};
pub(crate) use text_load::write_load_field;
pub(crate) use widen::modify_clause;
pub(crate) use wire::{Element, Wire, clock_micros_since_2000, days_since_2000, micros_since_2000};

use connect_api::{Decimal, Schema, SchemaRef, Value};
use std::fmt::Debug;

/// `quote.sql.identifiers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    Always,
    Never,
}

/// A column as the records describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: Box<str>,
    pub schema: SchemaRef,
    /// Part of the primary key.
    pub key: bool,
    /// Of `timestamp.fields.list`: its schema is Timestamp here, but the column keeps smaller parts of a second.
    pub timestamp_field: bool,
}

/// A column of a statement: the records' column, and the table's if it is known.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// As the table spells it.
    pub name: &'a str,
    pub schema: &'a Schema,
    pub column: Option<&'a TableColumn>,
}

impl<'a> Target<'a> {
    pub(crate) fn text_cast(&self) -> Option<&'a str> {
        self.column.and_then(|column| column.text_cast.as_deref())
    }
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
pub trait Dialect: Debug + Send + Sync {
    fn quoting(&self) -> Quoting;

    /// Stands before and after a name, and twice where a name holds it.
    fn quotation_mark(&self) -> char;

    /// The most parameters one statement may have.
    fn max_placeholders(&self) -> usize;

    /// The column type for a schema (`None`: there is none), for a column of the primary key or another.
    fn column_type(&self, schema: &Schema, key: bool) -> Option<String>;

    /// A default as DDL text; `None` if it cannot be written down.
    fn default_literal(&self, value: &Value, schema: &Schema, key: bool) -> Option<String>;

    /// What follows the VALUES list so that an existing row's `others` are overwritten.
    fn on_conflict(&self, keys: &[&str], others: &[&str]) -> String;

    /// The statements that add columns: one, if the database takes several columns in one.
    fn add_columns(&self, table: &TableId, columns: &[ColumnDdl]) -> Vec<String> {
        let added: Vec<String> =
            columns.iter().map(|column| format!("ADD {}", self.column_text(column))).collect();
        vec![format!("ALTER TABLE {} \n{}", self.table(table), added.join(",\n"))]
    }

    /// Whether the value can be written at all, or what is wrong with it.
    fn check_value(&self, value: &Value) -> Result<(), String>;

    /// The statement that lists the columns of a table, in the form that the database's driver reads.
    fn describe(&self, table: &TableId) -> String;

    /// Whether the name has more parts than the database's names have.
    fn check_table(&self, table: &TableId) -> Result<(), String>;

    /// The column type of a field of `timestamp.fields.list`.
    fn timestamp_field_type(&self) -> &'static str;

    /// The schema whose values the column holds exactly: for values that come without one. `None`: nothing can be written
    /// there.
    fn column_schema(&self, column: &TableColumn) -> Option<Schema>;

    /// The type that the column needs to hold values of the schema and of that length, if its own does not and there is one
    /// that holds more. SQLite's columns hold everything as they are.
    fn widened(&self, _column: &TableColumn, _schema: &Schema, _longest: Longest) -> Option<String> {
        None
    }

    /// The parameter with this number, from 1, for a value of the column.
    fn placeholder(&self, _number: usize, _column: &Target<'_>) -> String {
        "?".into()
    }

    /// Whether a statement that upserts must not have two rows with the same key.
    fn one_row_per_key(&self) -> bool {
        false
    }

    /// Whether dates and times are kept as numbers, which no zone or calendar changes.
    fn dates_are_numbers(&self) -> bool {
        false
    }

    /// The name that the database stores for a column of this name.
    fn stored_name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn identifier(&self, name: &str) -> String {
        let name = self.stored_name(name);
        let mark = self.quotation_mark();
        match self.quoting() {
            Quoting::Always => format!("{mark}{}{mark}", name.replace(mark, &format!("{mark}{mark}"))),
            Quoting::Never => name,
        }
    }

    fn table(&self, table: &TableId) -> String {
        let parts = [table.catalog.as_ref(), table.database.as_ref(), Some(&table.name)];
        let names: Vec<String> = parts.into_iter().flatten().map(|name| self.identifier(name)).collect();
        names.join(".")
    }

    /// The column list of CREATE TABLE for these columns, in their order.
    fn column_ddl(&self, column: &Column) -> Result<ColumnDdl, ColumnError> {
        let schema = &column.schema;
        let known = if column.timestamp_field {
            Some(self.timestamp_field_type().to_owned())
        } else {
            self.column_type(schema, column.key)
        };
        let sql_type = known.ok_or_else(|| ColumnError::Unmapped {
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
        self.push_rows(&mut sql, columns, rows);
        sql
    }

    /// `(?,?),(?,?)`
    fn push_rows(&self, sql: &mut String, columns: &[Target<'_>], rows: usize) {
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

    /// An UPDATE of one row. Its parameters are not in the order of the others: the last `keys` columns are the key, in the
    /// statement as in the parameters.
    fn update(&self, table: &TableId, columns: &[Target<'_>], keys: usize, rows: usize) -> String {
        debug_assert_eq!(rows, 1);
        update_one(self, table, columns, keys)
    }

    /// The most rows of one UPDATE with these columns.
    fn max_update_rows(&self, _columns: &[Target<'_>], _keys: usize) -> usize {
        1
    }

    /// One DELETE of the rows with these keys. Its parameters are the keys' columns, row by row.
    fn delete(&self, table: &TableId, keys: &[Target<'_>], rows: usize) -> String {
        debug_assert_eq!(rows, 1);
        let equals: Vec<String> =
            keys.iter().zip(1..).map(|(key, number)| self.equals(number, key)).collect();
        format!("DELETE FROM {} WHERE {}", self.table(table), equals.join(" AND "))
    }

    /// The most rows of one DELETE by these keys.
    fn max_delete_rows(&self, _keys: &[Target<'_>]) -> usize {
        1
    }

    /// `k = ?`
    fn equals(&self, number: usize, column: &Target<'_>) -> String {
        format!("{} = {}", self.identifier(column.name), self.compared(number, column))
    }

    /// The parameter with this number for a comparison with the column.
    fn compared(&self, number: usize, column: &Target<'_>) -> String {
        self.placeholder(number, column)
    }

    fn list(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.identifier(name)).collect::<Vec<_>>().join(",")
    }
}

/// `UPDATE t SET a = ?,b = ? WHERE k = ?`, of all rows where there is no key.
fn update_one<D: Dialect + ?Sized>(
    dialect: &D,
    table: &TableId,
    columns: &[Target<'_>],
    keys: usize,
) -> String {
    let (others, keys) = columns.split_at(columns.len() - keys);
    let mut sets: Vec<String> = others
        .iter()
        .zip(1..)
        .map(|(column, number)| {
            format!("{} = {}", dialect.identifier(column.name), dialect.placeholder(number, column))
        })
        .collect();
    if sets.is_empty() {
        // There is nothing to change, but the statement must be one.
        sets.extend(keys.iter().map(|key| format!("{0} = {0}", dialect.identifier(key.name))));
    }
    let wheres: Vec<String> =
        keys.iter().zip(others.len() + 1..).map(|(key, number)| dialect.equals(number, key)).collect();
    let mut sql = format!("UPDATE {} SET {}", dialect.table(table), sets.join(", "));
    if !wheres.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&wheres.join(" AND "));
    }
    sql
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
                timestamp_field: false,
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
