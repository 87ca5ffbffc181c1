//! The columns of a row's key: `pk.mode` with every form of `pk.fields`.

use super::config::{KAFKA_PK, PkMode, SinkConfig};
use super::shape::Source;
use crate::dialect::{Column, TableId};
use connect_api::{Schema, SchemaRef, Type};
use std::sync::Arc;

type Columns = Vec<(Column, Source)>;

pub(super) fn key_columns(
    config: &SinkConfig,
    table: &TableId,
    key_schema: Option<&SchemaRef>,
    value_schema: Option<&SchemaRef>,
) -> Result<Columns, String> {
    match config.pk_mode {
        PkMode::None => Ok(Vec::new()),
        PkMode::Kafka => Ok(kafka_columns(config)),
        PkMode::RecordKey => {
            let schema = key_schema.ok_or_else(|| {
                format!("PK mode for table '{table}' is RECORD_KEY, but record key schema is missing")
            })?;
            match (&schema.ty, config.pk_fields.as_slice()) {
                (Type::Struct(_), _) => struct_columns(config, table, schema, "key", Source::KeyField),
                (_, [name]) => Ok(vec![(column(name, schema.clone()), Source::Key)]),
                (_, names) => Err(format!(
                    "Need exactly one PK column defined since the key schema for records is a primitive type, defined \
                     columns are: [{}]; set pk.fields to one name, the column to hold the key",
                    names.join(", ")
                )),
            }
        }
        PkMode::RecordValue => {
            let schema = value_schema.ok_or_else(|| {
                format!("PK mode for table '{table}' is RECORD_VALUE, but record value schema is missing")
            })?;
            if schema.ty == Type::String {
                return Err("pk.mode record_value is not supported with String value schemas".into());
            }
            struct_columns(config, table, schema, "value", Source::ValueField)
        }
    }
}

fn column(name: &str, schema: SchemaRef) -> Column {
    Column { name: name.into(), schema, key: true, timestamp_field: false }
}

fn kafka_columns(config: &SinkConfig) -> Columns {
    let types = [Type::String, Type::Int32, Type::Int64];
    let sources = [Source::Topic, Source::Partition, Source::Offset];
    types
        .into_iter()
        .zip(sources)
        .enumerate()
        .map(|(index, (ty, source))| {
            let name = config.pk_fields.get(index).map_or(KAFKA_PK[index], String::as_str);
            (column(name, Arc::new(Schema::new(ty))), source)
        })
        .collect()
}

/// The fields that `pk.fields` names, in its order, or all.
fn struct_columns(
    config: &SinkConfig,
    table: &TableId,
    schema: &Schema,
    side: &str,
    source: fn(usize) -> Source,
) -> Result<Columns, String> {
    let at = |index: usize| {
        let field = &schema.fields()[index];
        (column(&field.name, field.schema.clone()), source(index))
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
                    "PK mode for table '{table}' is {} with configured PK fields [{}], but record {side} schema does not \
                     contain field: {name} (it has {}); correct pk.fields or the records",
                    config.pk_mode.name().to_ascii_uppercase(),
                    config.pk_fields.join(", "),
                    fields.join(", ")
                )
            })
        })
        .collect()
}
