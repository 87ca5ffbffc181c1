//! One record: whether it can become a row, and its place for error texts.

use super::config::{PkMode, SinkConfig};
use super::shape::Shape;
use crate::dialect::{Cell, Dialect, cell_bytes};
use connect_api::{ConnectError, SchemaRef, SinkRecord, Type};

/// A record on its way to a table.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    /// Which record of the put this is.
    pub(super) index: usize,
    pub(super) record: &'a SinkRecord,
}

impl<'a> Row<'a> {
    pub(super) fn new(index: usize, record: &'a SinkRecord) -> Self {
        Self { index, record }
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

/// The record's value schema, if the record has what the configuration needs.
pub(super) fn value_schema<'a>(
    config: &SinkConfig,
    connector: &str,
    record: &'a SinkRecord,
) -> Result<&'a SchemaRef, ConnectError> {
    let schema_name = |schema: &Option<SchemaRef>| {
        schema.as_ref().map_or("null".to_owned(), |schema| schema.ty.name().to_ascii_lowercase())
    };
    let mode = config.pk_mode.name();
    if config.pk_mode == PkMode::RecordKey && (record.key.is_null() || record.key_schema.is_none()) {
        return Err(ConnectError::failed(format!(
            "Sink connector '{connector}' is configured with 'delete.enabled=false' and 'pk.mode={mode}' and therefore \
             requires records with a non-null key and non-null Struct or primitive key schema, but found record at {} \
             with a {} key and {} key schema. Give the records keys, use a key.converter with a schema (e.g. \
             StringConverter), or another pk.mode",
            place(record),
            record.key.type_name(),
            schema_name(&record.key_schema),
        )));
    }
    match &record.value_schema {
        Some(schema) if matches!(schema.ty, Type::Struct(_)) && !record.value.is_null() => Ok(schema),
        _ => Err(ConnectError::failed(format!(
            "Sink connector '{connector}' is configured with 'delete.enabled=false' and 'pk.mode={mode}' and therefore \
             requires records with a non-null Struct value and non-null Struct schema, but found record at {} with a {} \
             value and {} value schema. {}",
            place(record),
            record.value.type_name(),
            schema_name(&record.value_schema),
            if record.value.is_null() {
                "Records without a value (tombstones) cannot be written as rows: filter them out (Filter transform with \
                 the RecordIsTombstone predicate)"
            } else {
                "Write the records with a schema (JsonConverter: an object with \"schema\" and \"payload\", and \
                 value.converter.schemas.enable=true)"
            },
        ))),
    }
}

/// Checks each value against its column; returns about how many bytes the row takes.
pub(super) fn check(shape: &Shape, dialect: &dyn Dialect, row: &Row<'_>) -> Result<usize, ConnectError> {
    let record = row.record;
    let mut bytes = 0;
    for (index, column) in shape.columns.iter().enumerate() {
        let cell = column.cell(row);
        bytes += cell_bytes(&cell);
        if index < shape.keys && cell.is_null() {
            return Err(wrong(shape, record, &column.column.name, "a key column cannot be null"));
        }
        if let Cell::Value(value) = cell {
            dialect.check_value(value).map_err(|what| wrong(shape, record, &column.column.name, &what))?;
        }
    }
    Ok(bytes)
}

fn wrong(shape: &Shape, record: &SinkRecord, field: &str, what: &str) -> ConnectError {
    ConnectError::data(format!(
        "the record at {} cannot be written to table {}: field '{field}': {what}; correct the record, or leave the field \
         out (fields.whitelist, ReplaceField transform)",
        place(record),
        shape.table
    ))
}
