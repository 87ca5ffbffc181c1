//! PostgreSQL.

use super::mysql::hex;
use super::{
    Dialect, Element, Longest, Quoting, TableColumn, TableId, Target, Wire, check_scale, clock,
    date_from_days, datetime_from_millis, days_since_2000, micros_since_2000, update_one, widen,
};
use connect_api::{Schema, Type, Value};

#[derive(Clone, Copy, Debug)]
pub struct Postgres {
    pub quoting: Quoting,
}

/// The server cuts longer names off, so these are the names it knows.
const MAX_NAME_BYTES: usize = 63;

impl Dialect for Postgres {
    fn quoting(&self) -> Quoting {
        self.quoting
    }

    fn quotation_mark(&self) -> char {
        '"'
    }

    fn max_placeholders(&self) -> usize {
        65_535
    }

    fn column_type(&self, schema: &Schema, _key: bool) -> Option<String> {
        let wire = Wire::of(schema)?;
        Some(format!("{}{}", wire.element.column_type(), if wire.array { "[]" } else { "" }))
    }

    fn default_literal(&self, value: &Value, schema: &Schema, key: bool) -> Option<String> {
        self.check_value(value).ok()?;
        Some(match value {
            Value::Boolean(value) => if *value { "TRUE" } else { "FALSE" }.into(),
            Value::Int8(value) => value.to_string(),
            Value::Int16(value) => value.to_string(),
            Value::Int32(value) => value.to_string(),
            Value::Int64(value) => value.to_string(),
            Value::Float32(value) => float(f64::from(*value), format!("{value:?}")),
            Value::Float64(value) => float(*value, format!("{value:?}")),
            Value::String(text) => quote(text),
            Value::Bytes(bytes) => format!("'\\x{}'", hex(bytes)),
            Value::Decimal(decimal) => decimal.to_string(),
            Value::Date(days) => {
                format!("'{}'", date_from_days(*days).filter(|date| date.year() > 0)?)
            }
            Value::Time(millis) => {
                let (hours, minutes, seconds, millis) = clock(*millis)?;
                format!("'{hours:02}:{minutes:02}:{seconds:02}.{millis:03}'")
            }
            Value::Timestamp(millis) => {
                let time = datetime_from_millis(*millis).filter(|time| time.year() > 0)?;
                format!("'{}'", time.strftime("%Y-%m-%d %H:%M:%S.%3f"))
            }
            Value::Array(values) => {
                let Type::Array(element) = &schema.ty else { return None };
                let literals: Option<Vec<String>> = values
                    .iter()
                    .map(|value| match value {
                        Value::Null => Some("NULL".into()),
                        value => self.default_literal(value, element, key),
                    })
                    .collect();
                format!("ARRAY[{}]::{}", literals?.join(","), self.column_type(schema, key)?)
            }
            Value::Null | Value::Map(_) | Value::Struct(_) => return None,
        })
    }

    fn on_conflict(&self, keys: &[&str], others: &[&str]) -> String {
        let keys = self.list(keys);
        if others.is_empty() {
            return format!("ON CONFLICT ({keys}) DO NOTHING");
        }
        let updates: Vec<String> = others
            .iter()
            .map(|name| {
                let name = self.identifier(name);
                format!("{name}=EXCLUDED.{name}")
            })
            .collect();
        format!("ON CONFLICT ({keys}) DO UPDATE SET {}", updates.join(","))
    }

    fn check_value(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) if text.as_bytes().contains(&0) => {
                Err("the text holds a NUL character (U+0000), which PostgreSQL cannot store".into())
            }
            Value::Date(days) if days_since_2000(*days).is_none() => {
                Err(format!("day {days} since 1970-01-01 is not in the years 4713 BC to 5874897"))
            }
            Value::Timestamp(millis) if micros_since_2000(*millis).is_none() => {
                Err(format!("{millis} ms since 1970-01-01 is not in the years 4713 BC to 294276"))
            }
            Value::Time(millis) if clock(*millis).is_none() => {
                Err(format!("{millis} ms is not a time of day (0 to 86399999)"))
            }
            Value::Decimal(decimal) => check_scale(decimal),
            Value::Array(values) => values.iter().try_for_each(|value| match value {
                Value::Array(_) => Err("no column can hold an array of arrays".into()),
                value => self.check_value(value),
            }),
            Value::Map(_) | Value::Struct(_) => {
                Err(format!("no column can hold a value of type {}", value.type_name()))
            }
            _ => Ok(()),
        }
    }

    /// The third column is the cast that a text needs, if any. Not with the column's own length: a cast cuts off what is
    /// too long, the assignment after it refuses that. Texts are not cast to bytea, which would read them as escapes.
    /// What not every version of the catalogue has is read by way of JSON.
    fn describe(&self, table: &TableId) -> String {
        format!(
            "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), \
             CASE WHEN t.typname <> 'citext' AND t.typcategory = 'S' OR t.oid = 'pg_catalog.bytea'::pg_catalog.regtype \
             THEN NULL ELSE pg_catalog.format_type(t.oid, -1) END, \
             NOT (a.attnotnull OR t.typnotnull), \
             a.atthasdef OR t.typdefault IS NOT NULL OR COALESCE(pg_catalog.to_jsonb(a)->>'attidentity', '') <> '', \
             COALESCE(pg_catalog.to_jsonb(a)->>'attgenerated', '') <> '', \
             COALESCE(a.attnum = ANY (i.indkey), false), \
             t.typcategory <> 'S' OR t.typname = 'citext' \
             OR COALESCE(pg_catalog.to_jsonb(co)->>'collisdeterministic' = 'false', false), \
             c.relkind::text \
             FROM pg_catalog.pg_attribute a \
             JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary \
             LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation \
             WHERE c.oid = pg_catalog.to_regclass({}) AND c.relkind IN ('r', 'p', 'v', 'f') \
             AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            quote(&self.table(table))
        )
    }

    /// The server itself refuses another catalogue than that of the connection.
    fn check_table(&self, _table: &TableId) -> Result<(), String> {
        Ok(())
    }

    fn timestamp_field_type(&self) -> &'static str {
        "TIMESTAMP"
    }

    fn column_schema(&self, column: &TableColumn) -> Option<Schema> {
        let base = column.base_type();
        if let Some(element) = base.strip_suffix("[]") {
            let element = TableColumn { sql_type: element.to_owned(), ..column.clone() };
            let schema = self.column_schema(&element)?;
            return Some(Schema::new(Type::Array(std::sync::Arc::new(schema.optional()))));
        }
        Some(match base.as_str() {
            "boolean" => Schema::new(Type::Boolean),
            "smallint" => Schema::new(Type::Int16),
            "integer" => Schema::new(Type::Int32),
            "bigint" => Schema::new(Type::Int64),
            "real" => Schema::new(Type::Float32),
            "double precision" => Schema::new(Type::Float64),
            "numeric" => Schema::decimal(column.type_lengths().get(1).map_or(0, |scale| *scale as i32)),
            "bytea" => Schema::new(Type::Bytes),
            "date" => Schema::date(),
            "time without time zone" => Schema::time(),
            "timestamp without time zone" | "timestamp with time zone" => Schema::timestamp(),
            // The server reads a text into a column of any type.
            _ => Schema::new(Type::String),
        })
    }

    fn widened(&self, column: &TableColumn, schema: &Schema, longest: Longest) -> Option<String> {
        widen::postgres(column, schema, longest)
    }

    /// Many rows at once from a list of values. Their types are stated, so that each comparison and assignment is that of
    /// a statement for one row.
    fn update(&self, table: &TableId, columns: &[Target<'_>], keys: usize, rows: usize) -> String {
        if rows == 1 {
            return update_one(self, table, columns, keys);
        }
        let names: Vec<String> = columns.iter().map(|column| self.identifier(column.name)).collect();
        let (others, key_names) = names.split_at(names.len() - keys);
        let set = if others.is_empty() { key_names } else { others };
        let sets: Vec<String> = set.iter().map(|name| format!("{name} = v.{name}")).collect();
        let wheres: Vec<String> = key_names.iter().map(|name| format!("t.{name} = v.{name}")).collect();
        let mut sql = format!("UPDATE {} AS t SET {} FROM (VALUES ", self.table(table), sets.join(", "));
        self.push_rows(&mut sql, columns, rows);
        sql.push_str(&format!(") AS v({}) WHERE {}", names.join(","), wheres.join(" AND ")));
        sql
    }

    /// Of two rows with the same key in one statement the server takes any, so there must be none: not where texts that
    /// differ may be the same key.
    fn max_update_rows(&self, columns: &[Target<'_>], keys: usize) -> usize {
        let key_columns = &columns[columns.len() - keys..];
        let loose = key_columns.iter().any(|key| {
            key.schema.ty == Type::String && key.column.is_none_or(|column| column.loose_text)
                || matches!(key.schema.ty, Type::Array(_))
        });
        if keys == 0 || loose { 1 } else { usize::MAX }
    }

    /// `(k,l) IN ((..),(..))`
    fn delete(&self, table: &TableId, keys: &[Target<'_>], rows: usize) -> String {
        let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        let mut sql = format!("DELETE FROM {} WHERE ", self.table(table));
        if rows == 1 {
            let equals: Vec<String> =
                keys.iter().zip(1..).map(|(key, number)| self.equals(number, key)).collect();
            sql.push_str(&equals.join(" AND "));
            return sql;
        }
        sql.push_str(&format!("({}) IN (", self.list(&names)));
        self.push_rows(&mut sql, keys, rows);
        sql.push(')');
        sql
    }

    fn max_delete_rows(&self, _keys: &[Target<'_>]) -> usize {
        usize::MAX
    }

    /// Says in which type the value is sent, so that statements whose values are sent differently have different texts and
    /// are prepared separately; then what it must become.
    fn placeholder(&self, number: usize, column: &Target<'_>) -> String {
        match Wire::of(column.schema) {
            Some(wire) => format!("${number}::{}{}", wire.sql_type(), casts(wire, column)),
            None => format!("${number}"),
        }
    }

    fn one_row_per_key(&self) -> bool {
        true
    }

    fn stored_name(&self, name: &str) -> String {
        let name = match self.quoting {
            Quoting::Always => name.to_owned(),
            Quoting::Never => name.to_ascii_lowercase(),
        };
        let end = (0..=MAX_NAME_BYTES.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
        name[..end.unwrap_or(0)].to_owned()
    }
}

impl Postgres {
    /// The statement that gives columns other types.
    pub(crate) fn change_types(&self, table: &TableId, changes: &[(TableColumn, String)]) -> String {
        let clauses: Vec<String> = changes
            .iter()
            .map(|(column, sql_type)| format!("ALTER {} TYPE {sql_type}", self.identifier(&column.name)))
            .collect();
        format!("ALTER TABLE {} \n{}", self.table(table), clauses.join(",\n"))
    }
}

impl Postgres {
    /// One INSERT of rows whose values come as one array per column; an upsert if the first `upsert_keys` columns are its key.
    pub(crate) fn insert_arrays(
        &self,
        table: &TableId,
        columns: &[Target<'_>],
        upsert_keys: Option<usize>,
    ) -> String {
        let mut parameters = Vec::new();
        let mut values = Vec::new();
        let mut aliases = Vec::new();
        for (column, number) in columns.iter().zip(1..) {
            let wire = Wire::of(column.schema).unwrap_or(Wire { element: Element::Text, array: false });
            parameters.push(format!("${number}::{}[]", wire.element.parameter_type()));
            aliases.push(format!("c{number}"));
            values.push(format!("c{number}{}", casts(wire, column)));
        }
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let mut sql = format!(
            "INSERT INTO {}({}) SELECT {} FROM unnest({}) AS bulk({})",
            self.table(table),
            self.list(&names),
            values.join(","),
            parameters.join(","),
            aliases.join(",")
        );
        if let Some(keys) = upsert_keys {
            sql.push(' ');
            sql.push_str(&self.on_conflict(&names[..keys], &names[keys..]));
        }
        sql
    }
}

/// What a value must become after its journey, to be assigned to the column.
fn casts(wire: Wire, column: &Target<'_>) -> String {
    let brackets = if wire.array { "[]" } else { "" };
    match (wire.element, column.text_cast()) {
        (Element::Numeric, _) => format!("::numeric{brackets}"),
        (Element::Text, Some(cast)) => format!("::{cast}"),
        _ => String::new(),
    }
}

/// The driver sets standard_conforming_strings, so a backslash stands for itself.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn float(value: f64, finite: String) -> String {
    if value.is_nan() {
        "'NaN'".into()
    } else if value.is_infinite() {
        if value > 0.0 { "'Infinity'".into() } else { "'-Infinity'".into() }
    } else {
        finite
    }
}
