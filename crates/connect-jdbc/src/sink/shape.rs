//! Which columns the records of one schema have, and where in a record their values stand: `pk.mode`, `pk.fields` and
//! `fields.whitelist` worked out once per schema.

use super::config::{InsertMode, KAFKA_PK, PkMode, SinkConfig};
use super::plan::Operation;
use super::row::Row;
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
    value_schema: SchemaRef,
    /// Key columns first.
    pub(super) columns: Vec<ShapeColumn>,
    /// How many of the columns are the key.
    pub(super) keys: usize,
    /// The most rows of one statement, a power of two.
    pub(super) max_rows: usize,
    pub(super) operation: Operation,
    /// Set when the database found rows of one statement to have the same key though their values differ, by a rule of its
    /// own (a collation, a type that reads different texts as the same): from then on each row has its statement.
    pub(super) one_by_one: AtomicBool,
}

#[derive(Debug)]
pub(super) struct ShapeColumn {
    pub(super) column: Column,
    pub(super) ddl: ColumnDdl,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    Topic,
    Partition,
    Offset,
    /// The record's key, which is no struct.
    Key,
    KeyField(usize),
    ValueField(usize),
}

impl Shape {
    /// Why not is said without the record, which the caller names.
    pub(super) fn new(
        config: &SinkConfig,
        dialect: &dyn Dialect,
        table: Arc<TableId>,
        key_schema: Option<&SchemaRef>,
        value_schema: &SchemaRef,
    ) -> Result<Self, String> {
        let mut found = key_columns(config, key_schema, value_schema)?;
        let keys = found.len();
        for (index, field) in value_schema.fields().iter().enumerate() {
            let listed =
                config.whitelist.is_empty() || config.whitelist.iter().any(|name| **name == *field.name);
            let is_key = found[..keys].iter().any(|(column, _)| column.name == field.name);
            if listed && !is_key {
                let column = Column {
                    name: field.name.clone(),
                    schema: field.schema.clone(),
                    key: false,
                    timestamp_field: false,
                };
                found.push((column, Source::ValueField(index)));
            }
        }
        if found.is_empty() {
            return Err(format!(
                "No fields found using key and value schemas for table: {table}; check pk.fields and fields.whitelist"
            ));
        }
        let columns = found
            .into_iter()
            .map(|(column, source)| {
                let ddl = dialect.column_ddl(&column).map_err(|error| error.to_string())?;
                Ok(ShapeColumn { column, ddl, source })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let max_rows = (dialect.max_placeholders() / columns.len()).min(config.batch_size).clamp(1, MAX_ROWS);
        Ok(Self {
            table,
            key_schema: key_schema.cloned(),
            value_schema: value_schema.clone(),
            columns,
            keys,
            max_rows: floor_power_of_two(max_rows),
            operation: match config.insert_mode {
                InsertMode::Insert => Operation::Insert,
                InsertMode::Update => Operation::Update,
                InsertMode::Upsert => Operation::Upsert,
            },
            one_by_one: AtomicBool::new(false),
        })
    }

    /// Whether this is the shape for these schemas. Converters share schemas, so the pointers decide nearly always.
    pub(super) fn fits(&self, key_schema: Option<&SchemaRef>, value_schema: &SchemaRef) -> bool {
        let same_key = match (&self.key_schema, key_schema) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs) || ours == theirs,
            _ => false,
        };
        same_key && (Arc::ptr_eq(&self.value_schema, value_schema) || self.value_schema == *value_schema)
    }

    pub(super) fn key_names(&self) -> Vec<&str> {
        self.columns[..self.keys].iter().map(|column| &*column.column.name).collect()
    }

    /// The columns in the order of the statement: an UPDATE has the key at its end.
    pub(super) fn in_statement(&self) -> impl Iterator<Item = &ShapeColumn> + Send {
        let first = if self.operation == Operation::Update { self.keys } else { 0 };
        self.columns[first..].iter().chain(&self.columns[..first])
    }

    /// The values of a row in the order of the statement. A null becomes the field's default where it has one.
    pub(super) fn cells<'a>(&'a self, row: &'a Row<'_>) -> impl Iterator<Item = Cell<'a>> + Send {
        self.in_statement().map(move |column| column.cell(row))
    }

    /// The values of the row's key columns.
    pub(super) fn key_cells<'a>(&'a self, row: &'a Row<'_>) -> impl Iterator<Item = Cell<'a>> + Send {
        self.columns[..self.keys].iter().map(move |column| column.cell(row))
    }

    /// The columns as CREATE TABLE has them: topic, partition and offset, then the value's fields in their order, then
    /// what only the key has by name.
    pub(super) fn create_columns(&self) -> Vec<ColumnDdl> {
        let mut columns: Vec<&ShapeColumn> = self.columns.iter().collect();
        columns.sort_by_key(|column| {
            let name = &*column.column.name;
            let kafka = KAFKA_PK.iter().position(|known| *known == name);
            match (kafka, self.value_schema.field_index(name)) {
                (Some(position), _) => (0, position, ""),
                (None, Some(index)) => (1, index, ""),
                (None, None) => (2, 0, name),
            }
        });
        columns.into_iter().map(|column| column.ddl.clone()).collect()
    }
}

impl ShapeColumn {
    /// A null becomes the field's default where it has one.
    pub(super) fn cell<'a>(&'a self, row: &'a Row<'_>) -> Cell<'a> {
        let record = row.record;
        static NULL: Value = Value::Null;
        let field = |value: &'a Value, index: usize| match value {
            Value::Struct(values) => values.get(index).unwrap_or(&NULL),
            _ => &NULL,
        };
        let value = match self.source {
            Source::Topic => return Cell::Text(&record.topic),
            Source::Partition => return Cell::Integer(record.partition.into()),
            Source::Offset => return Cell::Integer(record.offset),
            Source::Key => &record.key,
            Source::KeyField(index) => field(&record.key, index),
            Source::ValueField(index) => field(&record.value, index),
        };
        match (value, &self.column.schema.default) {
            (Value::Null, Some(default)) => Cell::Value(default),
            _ => Cell::Value(value),
        }
    }
}

fn key_columns(
    config: &SinkConfig,
    key_schema: Option<&SchemaRef>,
    value_schema: &SchemaRef,
) -> Result<Vec<(Column, Source)>, String> {
    let column = |name: &str, schema: SchemaRef| Column {
        name: name.into(),
        schema,
        key: true,
        timestamp_field: false,
    };
    match config.pk_mode {
        PkMode::None => Ok(Vec::new()),
        PkMode::Kafka => {
            let types = [Type::String, Type::Int32, Type::Int64];
            let sources = [Source::Topic, Source::Partition, Source::Offset];
            Ok(types
                .into_iter()
                .zip(sources)
                .enumerate()
                .map(|(index, (ty, source))| {
                    let name = config.pk_fields.get(index).map_or(KAFKA_PK[index], String::as_str);
                    (column(name, Arc::new(Schema::new(ty))), source)
                })
                .collect())
        }
        PkMode::RecordKey => {
            let schema = key_schema.ok_or("pk.mode=record_key needs a record key with a schema")?;
            if matches!(schema.ty, Type::Struct(_)) {
                return struct_columns(config, schema, "key", Source::KeyField);
            }
            match config.pk_fields.as_slice() {
                [name] => Ok(vec![(column(name, schema.clone()), Source::Key)]),
                names => Err(format!(
                    "pk.mode=record_key with a primitive key needs exactly one name in pk.fields, the column to hold the \
                     key, but there are {}; set pk.fields to one name",
                    names.len()
                )),
            }
        }
        PkMode::RecordValue => struct_columns(config, value_schema, "value", Source::ValueField),
    }
}

/// The fields that `pk.fields` names, in its order, or all.
fn struct_columns(
    config: &SinkConfig,
    schema: &Schema,
    side: &str,
    source: fn(usize) -> Source,
) -> Result<Vec<(Column, Source)>, String> {
    let at = |index: usize| {
        let field = &schema.fields()[index];
        (
            Column {
                name: field.name.clone(),
                schema: field.schema.clone(),
                key: true,
                timestamp_field: false,
            },
            source(index),
        )
    };
    if config.pk_fields.is_empty() {
        return Ok((0..schema.fields().len()).map(at).collect());
    }
    config
        .pk_fields
        .iter()
        .map(|name| {
            schema.field_index(name).map(at).ok_or_else(|| {
                let fields: Vec<&str> = schema.fields().iter().map(|field| &*field.name).collect();
                format!(
                    "PK mode is {} with pk.fields [{}], but the record {side} schema does not contain field: {name} (it has \
                     {}); correct pk.fields or the records",
                    config.pk_mode.name().to_ascii_uppercase(),
                    config.pk_fields.join(","),
                    fields.join(", ")
                )
            })
        })
        .collect()
}

/// The largest power of two that is not above `number`, which is not 0.
pub(super) fn floor_power_of_two(number: usize) -> usize {
    1 << number.ilog2()
}

#[cfg(test)]
mod tests;
