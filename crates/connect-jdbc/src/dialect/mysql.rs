//! MariaDB and MySQL.

use super::{
    Dialect, Longest, Quoting, TableColumn, TableId, Target, check_scale, date_from_days,
    datetime_from_millis, widen,
};
use connect_api::{Logical, Schema, Type, Value};

#[derive(Clone, Copy, Debug)]
pub struct MySql {
    pub quoting: Quoting,
    pub strings: StringColumns,
}

/// What column a string gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StringColumns {
    /// TEXT; VARCHAR(255) as a key.
    #[default]
    Text,
    /// Always VARCHAR(256), as Aiven's connector has it.
    VarChar256,
}

/// What InnoDB indexes in every row format and character set; TEXT cannot be a key without a prefix length.
const KEY_STRING: &str = "VARCHAR(255)";

impl Dialect for MySql {
    fn quoting(&self) -> Quoting {
        self.quoting
    }

    fn quotation_mark(&self) -> char {
        '`'
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
            Type::String if self.strings == StringColumns::VarChar256 => "VARCHAR(256)",
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
        let is_text = schema.ty == Type::String && self.column_type(schema, key).as_deref() == Some("TEXT");
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
        format!("SHOW FULL COLUMNS FROM {}", self.table(table))
    }

    fn check_table(&self, table: &TableId) -> Result<(), String> {
        match &table.catalog {
            None => Ok(()),
            Some(_) => {
                Err(format!("{table} has three parts, but MariaDB and MySQL have DATABASE.TABLE only"))
            }
        }
    }

    fn timestamp_field_type(&self) -> &'static str {
        "DATETIME(6)"
    }

    fn column_schema(&self, column: &TableColumn) -> Option<Schema> {
        let unsigned = column.is_unsigned();
        let lengths = column.type_lengths();
        let integer = |signed: Type, wider: Type| Schema::new(if unsigned { wider } else { signed });
        Some(match column.base_type().as_str() {
            "tinyint" if lengths == [1] => Schema::new(Type::Boolean),
            "tinyint" => integer(Type::Int8, Type::Int16),
            "smallint" => integer(Type::Int16, Type::Int32),
            "mediumint" => Schema::new(Type::Int32),
            "int" | "integer" => integer(Type::Int32, Type::Int64),
            "bigint" if unsigned => Schema::decimal(0),
            "bigint" => Schema::new(Type::Int64),
            "bit" if lengths == [1] => Schema::new(Type::Boolean),
            "bit" => Schema::new(Type::Int64),
            "year" => Schema::new(Type::Int16),
            "float" => Schema::new(Type::Float32),
            "double" => Schema::new(Type::Float64),
            "decimal" => Schema::decimal(lengths.get(1).map_or(0, |scale| *scale as i32)),
            "date" => Schema::date(),
            "time" => Schema::time(),
            "datetime" | "timestamp" => Schema::timestamp(),
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                Schema::new(Type::Bytes)
            }
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" | "vector" => return None,
            _ => Schema::new(Type::String),
        })
    }

    fn widened(&self, column: &TableColumn, schema: &Schema, longest: Longest) -> Option<String> {
        widen::mysql(column, schema, longest)
    }

    /// A decimal travels as text, which the server would compare as an inexact number.
    fn compared(&self, number: usize, column: &Target<'_>) -> String {
        match column.schema.logical() {
            Some(Logical::Decimal { scale }) if scale <= MAX_CAST_SCALE => {
                format!("CAST(? AS DECIMAL(65,{}))", scale.max(0))
            }
            _ => self.placeholder(number, column),
        }
    }

    /// An IN list of one column; where the key has several, ORs: the optimizer uses no index for lists of rows.
    fn delete(&self, table: &TableId, keys: &[Target<'_>], rows: usize) -> String {
        let table = self.table(table);
        if let ([key], 2..) = (keys, rows) {
            let list = vec![self.compared(1, key); rows].join(",");
            return format!("DELETE FROM {table} WHERE {} IN ({list})", self.identifier(key.name));
        }
        let row: Vec<String> = keys.iter().map(|key| self.equals(1, key)).collect();
        let row = row.join(" AND ");
        match rows {
            1 => format!("DELETE FROM {table} WHERE {row}"),
            _ => format!("DELETE FROM {table} WHERE {}", vec![format!("({row})"); rows].join(" OR ")),
        }
    }

    fn max_delete_rows(&self, _keys: &[Target<'_>]) -> usize {
        // From 1000 on MariaDB makes a subquery of the list, which compares in its own way.
        512
    }
}

/// The most decimals that both MariaDB and MySQL have.
const MAX_CAST_SCALE: i32 = 30;

impl MySql {
    pub const fn new(quoting: Quoting) -> Self {
        Self { quoting, strings: StringColumns::Text }
    }

    /// The statement that tells a view from a table.
    pub(crate) fn table_type(&self, table: &TableId) -> String {
        let database = self.database(table);
        let name = quote(&table.name);
        format!(
            "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {name} \
             ORDER BY TABLE_NAME = BINARY {name} DESC LIMIT 1"
        )
    }

    /// The table's database as an expression.
    pub(super) fn database(&self, table: &TableId) -> String {
        table.database.as_deref().map_or("DATABASE()".to_owned(), quote)
    }

    /// The statement that lists the columns to which the table gives numbers.
    pub(crate) fn counters(&self, table: &TableId) -> String {
        format!("SHOW COLUMNS FROM {} WHERE Extra LIKE '%auto_increment%'", self.table(table))
    }

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
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
