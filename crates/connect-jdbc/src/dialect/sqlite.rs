//! SQLite. Dates and times are integers, milliseconds since the epoch, as sqlite-jdbc writes them.

use super::mysql::hex;
use super::{ColumnDdl, Dialect, Quoting, TableColumn, TableId, check_scale};
use connect_api::{Logical, Schema, Type, Value};

#[derive(Clone, Copy, Debug)]
pub struct Sqlite {
    quoting: Quoting,
    mark: char,
}

impl Sqlite {
    /// For the sink. A name in `"` is a text to SQLite where no column has it: an UPDATE by a key that is gone would find no row, and
    /// say nothing.
    pub const fn for_writing(quoting: Quoting) -> Self {
        Self { quoting, mark: '`' }
    }

    /// For the source: as sqlite-jdbc quotes them, names stand in tasks' configurations, which the Java connector reads too.
    pub const fn for_reading(quoting: Quoting) -> Self {
        Self { quoting, mark: '"' }
    }
}

pub(crate) const MILLIS_PER_DAY: i64 = 86_400_000;

/// The integer that stands for a date.
pub(crate) fn date_millis(days: i32) -> i64 {
    i64::from(days) * MILLIS_PER_DAY
}

impl Dialect for Sqlite {
    fn quoting(&self) -> Quoting {
        self.quoting
    }

    fn quotation_mark(&self) -> char {
        self.mark
    }

    fn max_placeholders(&self) -> usize {
        32_766
    }

    fn column_type(&self, schema: &Schema, _key: bool) -> Option<String> {
        let name = match (schema.logical(), &schema.ty) {
            (Some(Logical::Decimal { .. } | Logical::Date | Logical::Time | Logical::Timestamp), _) => {
                "NUMERIC"
            }
            (None, Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 | Type::Boolean) => "INTEGER",
            (None, Type::Float32 | Type::Float64) => "REAL",
            (None, Type::String) => "TEXT",
            (None, Type::Bytes) => "BLOB",
            (None, Type::Array(_) | Type::Map { .. } | Type::Struct(_)) => return None,
        };
        Some(name.into())
    }

    fn default_literal(&self, value: &Value, _schema: &Schema, _key: bool) -> Option<String> {
        self.check_value(value).ok()?;
        Some(match value {
            Value::Boolean(value) => u8::from(*value).to_string(),
            Value::Int8(value) => value.to_string(),
            Value::Int16(value) => value.to_string(),
            Value::Int32(value) => value.to_string(),
            Value::Int64(value) => value.to_string(),
            // SQLite has no word for infinity, but this overflows to it.
            Value::Float64(value) if value.is_infinite() => format!("{}9e999", sign(*value)),
            Value::Float32(value) if value.is_infinite() => format!("{}9e999", sign((*value).into())),
            Value::Float32(value) => format!("{:?}", f64::from(*value)),
            Value::Float64(value) => format!("{value:?}"),
            Value::String(text) => quote(text),
            Value::Bytes(bytes) => format!("X'{}'", hex(bytes)),
            Value::Decimal(decimal) => decimal.to_string(),
            Value::Date(days) => date_millis(*days).to_string(),
            Value::Time(millis) => millis.to_string(),
            Value::Timestamp(millis) => millis.to_string(),
            Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => return None,
        })
    }

    fn on_conflict(&self, keys: &[&str], others: &[&str]) -> String {
        let keys = self.list(keys);
        if others.is_empty() {
            return format!("ON CONFLICT({keys}) DO NOTHING");
        }
        let updates: Vec<String> = others
            .iter()
            .map(|name| {
                let name = self.identifier(name);
                format!("{name}=excluded.{name}")
            })
            .collect();
        format!("ON CONFLICT({keys}) DO UPDATE SET {}", updates.join(","))
    }

    fn add_columns(&self, table: &TableId, columns: &[ColumnDdl]) -> Vec<String> {
        let table = self.table(table);
        columns
            .iter()
            .map(|column| format!("ALTER TABLE {table} \nADD {}", self.column_text(column)))
            .collect()
    }

    fn check_value(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Float32(value) if value.is_nan() => Err("SQLite would write NaN as NULL".into()),
            Value::Float64(value) if value.is_nan() => Err("SQLite would write NaN as NULL".into()),
            Value::Decimal(decimal) => check_scale(decimal),
            Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                Err(format!("no column can hold a value of type {}", value.type_name()))
            }
            _ => Ok(()),
        }
    }

    fn describe(&self, table: &TableId) -> String {
        let name = quote(&table.name);
        let database =
            table.database.as_deref().map_or(String::new(), |database| format!(", {}", quote(database)));
        let master = match &table.database {
            Some(database) => format!("{}.sqlite_master", self.identifier(database)),
            None => "sqlite_master".into(),
        };
        // The kind is that of the first table of this name where the engine looks: temporary ones have no place here.
        format!(
            "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden, \
             (SELECT type FROM {master} WHERE name = {name} COLLATE NOCASE AND type IN ('table', 'view')) \
             FROM pragma_table_xinfo({name}{database}) WHERE hidden <> 1"
        )
    }

    fn dates_are_numbers(&self) -> bool {
        true
    }

    fn check_table(&self, table: &TableId) -> Result<(), String> {
        match &table.catalog {
            None => Ok(()),
            Some(_) => Err(format!("{table} has three parts, but SQLite has DATABASE.TABLE only")),
        }
    }

    fn timestamp_field_type(&self) -> &'static str {
        "NUMERIC"
    }

    /// By the affinity that SQLite itself reads from the declared type.
    fn column_schema(&self, column: &TableColumn) -> Option<Schema> {
        let declared = column.sql_type.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        Some(if has(&["BOOL"]) {
            Schema::new(Type::Boolean)
        } else if has(&["INT"]) {
            Schema::new(Type::Int64)
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Schema::new(Type::String)
        } else if has(&["BLOB"]) {
            Schema::new(Type::Bytes)
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Schema::new(Type::Float64)
        } else if has(&["DATETIME", "TIMESTAMP"]) {
            Schema::timestamp()
        } else if has(&["DATE"]) {
            Schema::date()
        } else if has(&["TIME"]) {
            Schema::time()
        } else if has(&["DEC", "NUM"]) {
            Schema::decimal(column.type_lengths().get(1).map_or(0, |scale| *scale as i32))
        } else {
            // No declared type, or one of the author's own: a text goes anywhere.
            Schema::new(Type::String)
        })
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn sign(value: f64) -> &'static str {
    if value.is_sign_negative() { "-" } else { "" }
}
