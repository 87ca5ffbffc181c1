//! One record on its way to a table: whether it can be a row, and its place for error texts.

use super::config::{PkMode, SinkConfig};
use super::convert;
use super::plan::Context;
use super::shape::Shape;
use crate::dialect::{Cell, Dialect, cell_bytes};
use connect_api::{ConnectError, SchemaRef, SinkRecord, Type, Value};

/// A record on its way to a table.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) record: &'a SinkRecord,
    /// Key and value in the form of a schema, where the record's own have none.
    made: Option<Box<Made>>,
}

#[derive(Clone, Debug)]
struct Made {
    key: Option<Value>,
    value: Option<Value>,
}

impl<'a> Row<'a> {
    pub(super) fn new(record: &'a SinkRecord) -> Self {
        Self { record, made: None }
    }

    pub(super) fn made(record: &'a SinkRecord, key: Option<Value>, value: Option<Value>) -> Self {
        Self { made: Some(Box::new(Made { key, value })), ..Self::new(record) }
    }

    pub(super) fn key(&self) -> &Value {
        self.made.as_ref().and_then(|made| made.key.as_ref()).unwrap_or(&self.record.key)
    }

    pub(super) fn value(&self) -> &Value {
        self.made.as_ref().and_then(|made| made.value.as_ref()).unwrap_or(&self.record.value)
    }
}

/// Where a record came from, in the reference's form.
pub(super) fn place(record: &SinkRecord) -> String {
    let timestamp = record.timestamp.map_or("null".to_owned(), |timestamp| timestamp.to_string());
    format!(
        "(topic='{}',partition={},offset={},timestamp={timestamp})",
        record.topic, record.partition, record.offset
    )
}

/// Whether the record says that a row is to go.
pub(super) fn is_delete(config: &SinkConfig, record: &SinkRecord) -> bool {
    config.deletes && record.value.is_null()
}

/// Whether the record's key is what the configuration needs.
pub(super) fn check_key(
    context: &Context<'_>,
    record: &SinkRecord,
    schema: Option<&SchemaRef>,
) -> Result<(), ConnectError> {
    if context.config.pk_mode != PkMode::RecordKey {
        return Ok(());
    }
    let usable = schema.is_some_and(|schema| !matches!(schema.ty, Type::Array(_) | Type::Map { .. }));
    if usable && !record.key.is_null() {
        return Ok(());
    }
    Err(ConnectError::data(format!(
        "{} requires records with a non-null key and non-null Struct or primitive key schema, but found record at {} \
         with a {} key and {} key schema. Give the records keys, use a key.converter with a schema (e.g. \
         StringConverter), or another pk.mode",
        configured(context),
        place(record),
        record.key.type_name(),
        schema_name(schema),
    )))
}

/// Whether the record's value can be written; only for records that delete nothing.
pub(super) fn check_value(
    context: &Context<'_>,
    record: &SinkRecord,
    schema: Option<&SchemaRef>,
) -> Result<(), ConnectError> {
    let config = context.config;
    match schema.filter(|_| !record.value.is_null()).map(|schema| &schema.ty) {
        Some(Type::Struct(_)) => return Ok(()),
        Some(Type::String) if config.string_column.is_some() => return check_options_for_text(context),
        _ => {}
    }
    let wanted = match &config.string_column {
        Some(_) => "non-null Struct or String value and non-null Struct or String schema",
        None => "non-null Struct value and non-null Struct schema",
    };
    Err(ConnectError::data(format!(
        "{} requires records with a {wanted}, but found record at {} with a {} value and {} value schema. {}",
        configured(context),
        place(record),
        record.value.type_name(),
        schema_name(schema),
        if record.value.is_null() {
            "Records without a value (tombstones) cannot be written as rows: set delete.enabled=true (with \
             pk.mode=record_key) to delete rows, or filter them out (Filter transform with the RecordIsTombstone predicate)"
        } else {
            "Write the records with a schema (JsonConverter: an object with \"schema\" and \"payload\", and \
             value.converter.schemas.enable=true), or set schemaless.values to table or infer"
        },
    )))
}

/// A text has no fields for these to work on.
fn check_options_for_text(context: &Context<'_>) -> Result<(), ConnectError> {
    let config = context.config;
    let given = [
        ("fields.whitelist", !config.whitelist.is_empty()),
        ("timestamp.fields.list", !config.timestamp_fields.is_empty()),
    ];
    let names: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(ConnectError::data(format!(
        "Sink connector '{}' is configured with field-level options that are not applicable to String values: {}. Remove \
         these options, or have the upstream producer emit Struct values instead.",
        context.connector,
        names.join(", ")
    )))
}

fn configured(context: &Context<'_>) -> String {
    format!(
        "Sink connector '{}' is configured with 'delete.enabled={}' and 'pk.mode={}' and therefore",
        context.connector,
        context.config.deletes,
        context.config.pk_mode.name()
    )
}

fn schema_name(schema: Option<&SchemaRef>) -> String {
    schema.map_or("null".to_owned(), |schema| schema.ty.name().to_ascii_lowercase())
}

/// Checks each value against its column; returns about how many bytes the row takes.
pub(super) fn check(
    shape: &Shape,
    dialect: &dyn Dialect,
    row: &Row<'_>,
    trim: bool,
) -> Result<usize, ConnectError> {
    let mut bytes = 0;
    for (index, column) in shape.columns.iter().enumerate() {
        let wrong = |what: &str| wrong(shape, row.record, &column.column.name, what, trim);
        let cell = column.try_cell(&shape.times, row).map_err(|what| wrong(&what))?;
        bytes += cell_bytes(&cell);
        if index < shape.keys && cell.is_null() {
            return Err(wrong("a key column cannot be null"));
        }
        match cell {
            Cell::Value(value) => dialect.check_value(value),
            other => convert::as_value(other).map_or(Ok(()), |value| dialect.check_value(&value)),
        }
        .map_err(|what| wrong(&what))?;
    }
    Ok(bytes)
}

/// What is wrong may quote the value.
fn wrong(shape: &Shape, record: &SinkRecord, field: &str, what: &str, trim: bool) -> ConnectError {
    let what = if trim { "its value cannot be written (trim.sensitive.log hides why)" } else { what };
    ConnectError::data(format!(
        "the record at {} cannot be written to table {}: field '{field}': {what}; correct the record, or leave the field \
         out (fields.whitelist, ReplaceField transform)",
        place(record),
        shape.table
    ))
}
