//! MariaDB and MySQL.

use super::{ColumnDdl, Dialect, Quoting, TableId, check_scale, date_from_days, datetime_from_millis};
use connect_api::{Logical, Schema, Type, Value};

#[derive(Clone, Copy, Debug)]
pub struct MySql {
    pub quoting: Quoting,
}

/// What InnoDB indexes in every row format and character set; TEXT cannot be a key without a prefix length.
const KEY_STRING: &str = "VARCHAR(255)";

impl Dialect for MySql {
    fn quoting(&self) -> Quoting {
        self.quoting
    }

    fn max_placeholders(&self) -> usize {
        65_535
    }

    fn column_type(&self, schema: &Schema, key: bool) -> Option<String> {
        if let Some(logical) = schema.logical() {
            return Some(match logical {
                // Trailing zeros of a negative scale stand before the point.
                Logical::Decimal { scale } => format!("DECIMAL(65,{})", scale.max(0)),
                Logical::Date => "DATE".into(),
                Logical::Time => "TIME(3)".into(),
                Logical::Timestamp => "DATETIME(3)".into(),
            });
        }
        let name = match &schema.ty {
            Type::Int8 | Type::Boolean => "TINYINT",
            Type::Int16 => "SMALLINT",
            Type::Int32 => "INT",
            Type::Int64 => "BIGINT",
            Type::Float32 => "FLOAT",
            Type::Float64 => "DOUBLE",
            Type::String if key => KEY_STRING,
            Type::String => "TEXT",
            Type::Bytes => "VARBINARY(1024)",
            Type::Array(_) | Type::Map { .. } | Type::Struct(_) => return None,
        };
        Some(name.into())
    }

    fn default_literal(&self, value: &Value, schema: &Schema, key: bool) -> Option<String> {
        self.check_value(value).ok()?;
        let literal = match value {
            Value::Boolean(value) => u8::from(*value).to_string(),
            Value::Int8(value) => value.to_string(),
            Value::Int16(value) => value.to_string(),
            Value::Int32(value) => value.to_string(),
            Value::Int64(value) => value.to_string(),
            // Debug, not Display: with an exponent where the number is long.
            Value::Float32(value) => format!("{value:?}"),
            Value::Float64(value) => format!("{value:?}"),
            Value::String(text) => quote(text),
            Value::Bytes(bytes) => format!("X'{}'", hex(bytes)),
            Value::Decimal(decimal) => decimal.to_string(),
            Value::Date(days) => format!("'{}'", date_from_days(*days)?),
            Value::Time(millis) => {
                let (hours, minutes, seconds, millis) = clock(*millis)?;
                format!("'{hours:02}:{minutes:02}:{seconds:02}.{millis:03}'")
            }
            Value::Timestamp(millis) => {
                format!("'{}'", datetime_from_millis(*millis)?.strftime("%Y-%m-%d %H:%M:%S.%3f"))
            }
            Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => return None,
        };
        // MySQL takes a default for TEXT as an expression only, MariaDB takes both forms.
        let is_text = schema.ty == Type::String && !key;
        Some(if is_text { format!("({literal})") } else { literal })
    }

    fn on_conflict(&self, keys: &[&str], others: &[&str]) -> String {
        let updated = if others.is_empty() { keys } else { others };
        let updates: Vec<String> = updated
            .iter()
            .map(|name| {
                let name = self.identifier(name);
                format!("{name}=VALUES({name})")
            })
            .collect();
        format!("ON DUPLICATE KEY UPDATE {}", updates.join(","))
    }

    fn add_columns(&self, table: &TableId, columns: &[ColumnDdl]) -> Vec<String> {
        let added: Vec<String> =
            columns.iter().map(|column| format!("ADD {}", self.column_text(column))).collect();
        vec![format!("ALTER TABLE {} \n{}", self.table(table), added.join(",\n"))]
    }

    fn check_value(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Float32(value) if !value.is_finite() => Err(format!("MariaDB and MySQL have no {value}")),
            Value::Float64(value) if !value.is_finite() => Err(format!("MariaDB and MySQL have no {value}")),
            Value::Date(days) if date_from_days(*days).is_none_or(|date| date.year() <= 0) => {
                Err(format!("day {days} since 1970-01-01 is not in the years 1 to 9999"))
            }
            Value::Timestamp(millis) if datetime_from_millis(*millis).is_none_or(|time| time.year() <= 0) => {
                Err(format!("{millis} ms since 1970-01-01 is not in the years 1 to 9999"))
            }
            Value::Time(millis) if clock(*millis).is_none() => {
                Err(format!("{millis} ms is not a time of day (0 to 86399999)"))
            }
            Value::Decimal(decimal) => check_scale(decimal),
            Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                Err(format!("no column can hold a value of type {}", value.type_name()))
            }
            _ => Ok(()),
        }
    }

    fn describe(&self, table: &TableId) -> String {
        // The server resolves the name as it will for INSERT, upper and lower case included.
        format!("SHOW COLUMNS FROM {}", self.table(table))
    }
}

impl MySql {
    /// The statement that lists the columns of each unique key of a table.
    pub(crate) fn unique_keys(&self, table: &TableId) -> String {
        format!("SHOW INDEX FROM {} WHERE Non_unique = 0", self.table(table))
    }
}

/// Hours, minutes, seconds and milliseconds of a time of day.
pub(crate) fn clock(millis: i32) -> Option<(u8, u8, u8, u16)> {
    let millis = u32::try_from(millis).ok().filter(|millis| *millis < 86_400_000)?;
    let seconds = millis / 1000;
    Some(((seconds / 3600) as u8, (seconds / 60 % 60) as u8, (seconds % 60) as u8, (millis % 1000) as u16))
}

/// The driver takes NO_BACKSLASH_ESCAPES off the session, so a backslash always escapes.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
