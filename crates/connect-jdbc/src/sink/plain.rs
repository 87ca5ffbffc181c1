//! Records without a schema (`schemaless.values`): their fields get the schemas of the table's columns, and where there is
//! no column, one that follows from the value.

mod text;
mod to_column;

use super::config::{PkMode, Schemaless, SinkConfig};
use super::plan::Context;
use super::statements::find;
use crate::dialect::{Dialect, TableColumn, TableDefinition, TableId};
use connect_api::{Field, Schema, SchemaRef, SinkRecord, Type, Value};
use std::sync::{Arc, LazyLock};
use to_column::to_column;

/// Whether a part of the record that is needed comes without a schema and may.
pub(super) fn is_plain(config: &SinkConfig, record: &SinkRecord) -> bool {
    let value = record.value_schema.is_none() && matches!(record.value, Value::Map(_));
    config.schemaless != Schemaless::Reject && (value || is_plain_key(config, record))
}

fn is_plain_key(config: &SinkConfig, record: &SinkRecord) -> bool {
    config.pk_mode == PkMode::RecordKey && record.key_schema.is_none() && !record.key.is_null()
}

/// Key and value with schemas, as far as they had none.
pub(super) struct Made {
    pub(super) key: Option<(SchemaRef, Value)>,
    pub(super) value: Option<(SchemaRef, Value)>,
}

/// A table's columns as plain records see them.
#[derive(Debug, Default)]
pub(super) struct Table {
    known: bool,
    /// Whether the database has it.
    exists: bool,
    /// Those of the table, and those that records have brought and that the table is about to have.
    columns: Vec<TableColumn>,
    /// What each column's values are; `None`: nothing can be written there.
    schemas: Vec<Option<SchemaRef>>,
    /// Of whole records, so that records alike share one.
    structs: Vec<SchemaRef>,
}

/// Beyond this the oldest is forgotten.
const MAX_STRUCTS: usize = 64;

impl Table {
    pub(super) fn new(dialect: &dyn Dialect, definition: Option<&TableDefinition>) -> Self {
        let columns = definition.map(|table| table.columns.clone()).unwrap_or_default();
        let schemas = columns.iter().map(|column| to_column::schema(dialect, column)).collect();
        Self { known: true, exists: definition.is_some(), columns, schemas, structs: Vec::new() }
    }

    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    pub(super) fn give_schemas(
        &mut self,
        context: &Context<'_>,
        id: &TableId,
        record: &SinkRecord,
    ) -> Result<Made, String> {
        let config = context.config;
        let is_key = |name: &str| config.pk_fields.is_empty() || config.pk_fields.iter().any(|pk| pk == name);
        let key = match &record.key {
            _ if !is_plain_key(config, record) => None,
            Value::Map(entries) => Some(self.structure(context, id, entries, is_key)?),
            Value::Array(_) => {
                return Err("its key is a JSON array; only objects and single values can be keys".into());
            }
            value => {
                // Without exactly one name, the shape says what is missing.
                let name = config.pk_fields.first().map_or("", String::as_str);
                let given = self.field(context, id, name, value)?;
                given.or_else(|| Some((TEXT.clone(), Value::Null)))
            }
        };
        let is_listed = |name: &str| {
            config.whitelist.is_empty()
                || config.whitelist.iter().any(|one| one == name)
                || (config.pk_mode == PkMode::RecordValue && is_key(name))
        };
        let value = match (&record.value_schema, &record.value) {
            (None, Value::Map(entries)) => Some(self.structure(context, id, entries, is_listed)?),
            _ => None,
        };
        Ok(Made { key, value })
    }

    /// An object as a struct of the fields that are wanted.
    fn structure(
        &mut self,
        context: &Context<'_>,
        id: &TableId,
        entries: &[(Value, Value)],
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(SchemaRef, Value), String> {
        let mut fields: Vec<(&str, SchemaRef)> = Vec::with_capacity(entries.len());
        let mut values = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            let Value::String(name) = name else {
                return Err(format!("a key of the object is of type {}, not a text", name.type_name()));
            };
            if !is_wanted(name) {
                continue;
            }
            if let Some((schema, value)) = self.field(context, id, name, value)? {
                fields.push((name, schema));
                values.push(value);
            }
        }
        Ok((self.struct_schema(&fields), Value::Struct(values)))
    }

    /// `None` where there is nothing to write: no column, and a null that says nothing about its type.
    fn field(
        &mut self,
        context: &Context<'_>,
        id: &TableId,
        name: &str,
        value: &Value,
    ) -> Result<Option<(SchemaRef, Value)>, String> {
        if let Some(column) = find(context.dialect, &self.columns, name) {
            let at = self.columns.iter().position(|known| std::ptr::eq(known, column));
            let schema = at.and_then(|at| self.schemas[at].as_ref()).ok_or_else(|| {
                format!("field '{name}': no value can be written to its column of type {}", column.sql_type)
            })?;
            let value = to_column(value, schema, column).ok_or_else(|| {
                format!(
                    "field '{name}': a JSON value of type {} does not fit into its column of type {}",
                    value.type_name(),
                    column.sql_type
                )
            })?;
            return Ok(Some((schema.clone(), value)));
        }
        let may_be_new = context.config.schemaless == Schemaless::Infer || context.config.auto_evolve;
        if self.exists && !may_be_new {
            return Err(format!(
                "table {id} has no column for field '{name}'; add the column, set auto.evolve=true, or leave the field out \
                 (fields.whitelist)"
            ));
        }
        let inferred = infer(value);
        if let Some((schema, _)) = &inferred {
            // From now on the column is what its first value has made it, as it will be to tasks that find it there.
            self.columns.push(TableColumn::plain(name, schema.ty.name()));
            self.schemas.push(Some(schema.clone()));
        }
        Ok(inferred)
    }

    fn struct_schema(&mut self, fields: &[(&str, SchemaRef)]) -> SchemaRef {
        let is_same = |schema: &&SchemaRef| {
            let known = schema.fields();
            known.len() == fields.len()
                && known.iter().zip(fields).all(|(known, (name, schema))| {
                    *known.name == **name && (Arc::ptr_eq(&known.schema, schema) || known.schema == *schema)
                })
        };
        if let Some(known) = self.structs.iter().rev().find(is_same) {
            return known.clone();
        }
        let fields = fields
            .iter()
            .map(|(name, schema)| Field { name: (*name).into(), schema: schema.clone() })
            .collect();
        let schema = Arc::new(Schema::new(Type::Struct(fields)));
        if self.structs.len() == MAX_STRUCTS {
            self.structs.remove(0);
        }
        self.structs.push(schema.clone());
        schema
    }
}

static INTEGER: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Type::Int64).optional()));
static FRACTION: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Type::Float64).optional()));
static BOOLEAN: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Type::Boolean).optional()));
static TEXT: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Type::String).optional()));
static BYTES: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Type::Bytes).optional()));

/// The schema that follows from a value, the same for the same kind of value; none from null.
fn infer(value: &Value) -> Option<(SchemaRef, Value)> {
    let (schema, value): (&SchemaRef, Value) = match value {
        Value::Null => return None,
        Value::Boolean(_) => (&BOOLEAN, value.clone()),
        Value::Int8(number) => (&INTEGER, Value::Int64((*number).into())),
        Value::Int16(number) => (&INTEGER, Value::Int64((*number).into())),
        Value::Int32(number) => (&INTEGER, Value::Int64((*number).into())),
        Value::Int64(_) => (&INTEGER, value.clone()),
        Value::Float32(number) => (&FRACTION, Value::Float64((*number).into())),
        Value::Float64(_) => (&FRACTION, value.clone()),
        Value::Bytes(_) => (&BYTES, value.clone()),
        Value::String(_) => (&TEXT, value.clone()),
        other => (&TEXT, Value::String(text::of(other).into())),
    };
    Some((schema.clone(), value))
}

#[cfg(test)]
mod tests;
