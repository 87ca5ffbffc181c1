//! Which columns the records of one schema have, and where in a record their values stand: `pk.mode`, `pk.fields` and
//! `fields.whitelist` worked out once per schema.

use super::config::{InsertMode, KAFKA_PK, SinkConfig};
use super::convert::{Conversion, Times};
use super::key_columns::key_columns;
use super::plan::Operation;
use super::row::Row;
use super::short_cut::ShortCut;
use crate::dialect::{Cell, Column, ColumnDdl, Dialect, TableId};
use connect_api::{Schema, SchemaRef, Type, Value};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Longer statements gain little and cost the server memory for each that it keeps prepared.
pub(super) const MAX_ROWS: usize = 1024;

/// Records with the same schemas for the same table.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) table: Arc<TableId>,
    key_schema: Option<SchemaRef>,
    /// None where rows are deleted.
    value_schema: Option<SchemaRef>,
    /// Key columns first.
    pub(super) columns: Vec<ShapeColumn>,
    /// How many of the columns are the key.
    pub(super) keys: usize,
    /// The most rows of one statement, a power of two.
    pub(super) max_rows: usize,
    pub(super) operation: Operation,
    pub(super) times: Times,
    /// Set when the database found rows of one statement to have the same key though their values differ, by a rule of its
    /// own (a collation, a type that reads different texts as the same): from then on each row has its statement.
    pub(super) one_by_one: AtomicBool,
    /// Loads straight into the table.
    pub(super) short_cut: ShortCut,
}

#[derive(Debug)]
pub(super) struct ShapeColumn {
    pub(super) column: Column,
    pub(super) ddl: ColumnDdl,
    source: Source,
    conversion: Option<Conversion>,
    /// What is written where the record has null.
    default: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    Topic,
    Partition,
    Offset,
    /// The record's key, which is no struct.
    Key,
    KeyField(usize),
    /// The record's value, which is a text.
    Value,
    ValueField(usize),
}

impl Shape {
    /// Why not is said without the record, which the caller names. Without a value's schema, rows are deleted.
    pub(super) fn new(
        config: &SinkConfig,
        dialect: &dyn Dialect,
        table: Arc<TableId>,
        key_schema: Option<&SchemaRef>,
        value_schema: Option<&SchemaRef>,
    ) -> Result<Self, String> {
        let operation = match (value_schema, config.insert_mode) {
            (None, _) => Operation::Delete,
            (Some(_), InsertMode::Insert) => Operation::Insert,
            (Some(_), InsertMode::Update) => Operation::Update,
            (Some(_), InsertMode::Upsert) => Operation::Upsert,
        };
        let mut found = key_columns(config, &table, key_schema, value_schema)?;
        let keys = found.len();
        if let Some(schema) = value_schema {
            found.extend(other_columns(config, &table, schema, &found)?);
        }
        if found.is_empty() {
            return Err(format!(
                "No fields found using key and value schemas for table: {table}; check pk.fields and fields.whitelist"
            ));
        }
        if keys == 0 && operation != Operation::Insert {
            return Err(format!(
                "Write to table '{table}' in {} mode requires key field names to be known, check the primary key \
                 configuration",
                format!("{operation:?}").to_uppercase()
            ));
        }
        let times = match dialect.dates_are_numbers() {
            true => config.times.for_numbers(),
            false => config.times.clone(),
        };
        let columns = found
            .into_iter()
            .map(|(column, source)| ShapeColumn::new(config, dialect, &times, column, source))
            .collect::<Result<Vec<_>, String>>()?;
        let max_rows = (dialect.max_placeholders() / columns.len()).min(config.batch_size).clamp(1, MAX_ROWS);
        Ok(Self {
            table,
            key_schema: key_schema.cloned(),
            value_schema: value_schema.cloned(),
            columns,
            keys,
            max_rows: floor_power_of_two(max_rows),
            operation,
            times,
            one_by_one: AtomicBool::new(false),
            short_cut: ShortCut::default(),
        })
    }

    /// Whether this is the shape for these schemas. Converters share schemas, so the pointers decide nearly always.
    pub(super) fn fits(&self, key_schema: Option<&SchemaRef>, value_schema: Option<&SchemaRef>) -> bool {
        let same = |ours: &Option<SchemaRef>, theirs: Option<&SchemaRef>| match (ours, theirs) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs) || ours == theirs,
            _ => false,
        };
        same(&self.value_schema, value_schema) && same(&self.key_schema, key_schema)
    }

    pub(super) fn key_names(&self) -> Vec<&str> {
        self.columns[..self.keys].iter().map(|column| &*column.column.name).collect()
    }

    /// The columns in the order of the statement: an UPDATE has the key at its end.
    pub(super) fn in_statement(&self) -> impl Iterator<Item = &ShapeColumn> + Send {
        let first = if self.operation == Operation::Update { self.keys } else { 0 };
        self.columns[first..].iter().chain(&self.columns[..first])
    }

    /// The values of the row's key columns.
    pub(super) fn key_cells<'a>(&'a self, row: &'a Row<'_>) -> impl Iterator<Item = Cell<'a>> + Send {
        self.columns[..self.keys].iter().map(move |column| column.cell(&self.times, row))
    }

    /// The columns as CREATE TABLE has them: topic, partition and offset, then the value's fields in their order, then
    /// what only the key has by name.
    pub(super) fn create_columns(&self) -> Vec<ColumnDdl> {
        let mut columns: Vec<&ShapeColumn> = self.columns.iter().collect();
        columns.sort_by_key(|column| {
            let name = &*column.column.name;
            let kafka = KAFKA_PK.iter().position(|known| *known == name);
            let in_value = self.value_schema.as_ref().and_then(|schema| schema.field_index(name));
            match (kafka, in_value) {
                (Some(position), _) => (0, position, ""),
                (None, Some(index)) => (1, index, ""),
                (None, None) => (2, 0, name),
            }
        });
        columns.into_iter().map(|column| column.ddl.clone()).collect()
    }
}

impl ShapeColumn {
    fn new(
        config: &SinkConfig,
        dialect: &dyn Dialect,
        times: &Times,
        mut column: Column,
        source: Source,
    ) -> Result<Self, String> {
        let listed = config.timestamp_fields.iter().any(|name| **name == *column.name);
        let conversion = Conversion::of(&column.schema, listed);
        let default = column.schema.default.clone().filter(|default| !default.is_null());
        if let (Some(conversion), Some(value)) = (conversion, &default) {
            let shown = times.shown_default(conversion, value);
            let shown =
                shown.map_err(|what| format!("field '{}': its default value: {what}", column.name))?;
            let schema = match conversion {
                Conversion::Epoch => Schema::timestamp(),
                _ => Schema { default: None, ..(*column.schema).clone() },
            };
            column.schema =
                Arc::new(Schema { optional: column.schema.optional, ..schema.with_default(shown) });
        } else if conversion == Some(Conversion::Epoch) {
            column.schema = Arc::new(Schema { optional: column.schema.optional, ..Schema::timestamp() });
        }
        column.timestamp_field = conversion == Some(Conversion::Epoch);
        let ddl = dialect.column_ddl(&column).map_err(|error| error.to_string())?;
        let replaced = config.null_with_default || column.key;
        Ok(Self { column, ddl, source, conversion, default: default.filter(|_| replaced) })
    }

    /// A null becomes the field's default where it has one. The plan has checked that the value can be converted.
    pub(super) fn cell<'a>(&'a self, times: &Times, row: &'a Row<'_>) -> Cell<'a> {
        static NULL: Value = Value::Null;
        self.try_cell(times, row).unwrap_or(Cell::Value(&NULL))
    }

    pub(super) fn try_cell<'a>(&'a self, times: &Times, row: &'a Row<'_>) -> Result<Cell<'a>, String> {
        static NULL: Value = Value::Null;
        let field = |value: &'a Value, index: usize| match value {
            Value::Struct(values) => values.get(index).unwrap_or(&NULL),
            _ => &NULL,
        };
        let value = match self.source {
            Source::Topic => return Ok(Cell::Text(&row.record.topic)),
            Source::Partition => return Ok(Cell::Integer(row.record.partition.into())),
            Source::Offset => return Ok(Cell::Integer(row.record.offset)),
            Source::Key => row.key(),
            Source::KeyField(index) => field(row.key(), index),
            Source::Value => row.value(),
            Source::ValueField(index) => field(row.value(), index),
        };
        let value = match (value, &self.default) {
            (Value::Null, Some(default)) => default,
            _ => value,
        };
        match self.conversion {
            None => Ok(Cell::Value(value)),
            Some(conversion) => times.cell(conversion, value),
        }
    }
}

/// The columns that are not of the key.
fn other_columns(
    config: &SinkConfig,
    table: &TableId,
    schema: &SchemaRef,
    keys: &[(Column, Source)],
) -> Result<Vec<(Column, Source)>, String> {
    let column = |name: &str, schema: SchemaRef| Column {
        name: name.into(),
        schema,
        key: false,
        timestamp_field: false,
    };
    let is_key = |name: &str| keys.iter().any(|(column, _)| *column.name == *name);
    if let (Type::String, Some(name)) = (&schema.ty, &config.string_column) {
        if is_key(name) {
            return Err(format!(
                "Configured string.output.value.column.name '{name}' conflicts with a primary key column for table '{table}'"
            ));
        }
        return Ok(vec![(column(name, Arc::new(Schema::new(Type::String).optional())), Source::Value)]);
    }
    let listed = |name: &str| config.whitelist.is_empty() || config.whitelist.iter().any(|one| one == name);
    Ok(schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| listed(&field.name) && !is_key(&field.name))
        .map(|(index, field)| (column(&field.name, field.schema.clone()), Source::ValueField(index)))
        .collect())
}

/// The largest power of two that is not above `number`, which is not 0.
pub(super) fn floor_power_of_two(number: usize) -> usize {
    1 << number.ilog2()
}

#[cfg(test)]
mod tests;
