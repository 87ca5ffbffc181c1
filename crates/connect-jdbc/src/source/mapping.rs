//! From columns to a Connect schema, and from rows to structs of that schema. Pure.

mod column;
mod decimal;
mod shown;
mod temporal;

use super::config::{Calendar, Granularity, NumericMapping, SourceConfig};
use crate::driver::{ColumnKind, ResultColumn, SqlValue};
use column::ColumnMapper;
use connect_api::{Field, Schema, SchemaRef, Type, Value};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// What the configuration says about values.
#[derive(Clone, Debug)]
pub(crate) struct MappingOptions {
    pub(crate) numeric: NumericMapping,
    /// `numeric.mapping.decimals`: [`numeric`](Self::numeric) speaks of `DECIMAL` columns too.
    pub(crate) numeric_decimals: bool,
    pub(crate) granularity: Granularity,
    /// `db.timezone`: the zone of dates and times without one.
    pub(crate) time_zone: TimeZone,
    pub(crate) calendar: Calendar,
}

impl From<&SourceConfig> for MappingOptions {
    fn from(config: &SourceConfig) -> Self {
        Self {
            numeric: config.numeric,
            numeric_decimals: config.numeric_decimals,
            granularity: config.granularity,
            time_zone: config.time_zone.clone(),
            calendar: config.calendar,
        }
    }
}

/// Maps the rows of one result.
#[derive(Debug)]
pub(crate) struct RowMapper {
    schema: SchemaRef,
    /// One per column of the result; `None` is left out.
    columns: Vec<Option<ColumnMapper>>,
    fields: usize,
    time_zone: TimeZone,
}

impl RowMapper {
    /// `schema_name` is the name of the value's schema: the table's name, none for a query. Columns without a schema are left
    /// out with one warning for all.
    pub(crate) fn new(options: &MappingOptions, schema_name: Option<&str>, columns: &[ResultColumn]) -> Self {
        let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
        let mut left_out: Vec<String> = Vec::new();
        let mut mappers = Vec::with_capacity(columns.len());
        for column in columns {
            let mapper = ColumnMapper::new(options, column);
            match (&mapper, &column.kind) {
                (Some(mapper), _) => {
                    fields.push(Field { name: column.name.clone(), schema: Arc::new(mapper.schema()) });
                }
                (None, ColumnKind::Unsupported { type_name }) => {
                    left_out.push(format!("{} ({type_name})", column.name))
                }
                (None, _) => left_out.push(column.name.to_string()),
            }
            mappers.push(mapper);
        }
        if !left_out.is_empty() {
            tracing::warn!(
                table = schema_name,
                columns = left_out.join(", "),
                "columns are left out of the records since their types have no schema; a query that casts them (to text, for example) \
                 carries them"
            );
        }
        let count = fields.len();
        let mut schema = Schema::new(Type::Struct(fields));
        schema.name = schema_name.map(Into::into);
        Self {
            schema: Arc::new(schema),
            columns: mappers,
            fields: count,
            time_zone: options.time_zone.clone(),
        }
    }

    /// The schema of the value that [`map`](Self::map) gave last, so ask after each row; comparing pointers is enough. It changes where a
    /// column says too little about its values: the scale of PostgreSQL's `numeric` without precision is that of the longest
    /// fraction so far, and SQLite's `DATETIME` is a date until a value with a time of day comes.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The row as a struct; takes the values out of `row`. The error names the column, and what to do.
    pub(crate) fn map(&mut self, row: &mut [SqlValue]) -> Result<Value, String> {
        let mut values = Vec::with_capacity(self.fields);
        for (column, value) in self.columns.iter_mut().zip(row) {
            let Some(column) = column else { continue };
            let value = std::mem::take(value);
            if column.adapt(&value) {
                replace(&mut self.schema, values.len(), column.schema());
            }
            values.push(column.map(value, &self.time_zone)?);
        }
        Ok(Value::Struct(values))
    }
}

/// Gives a field another schema; earlier records keep the one they were given.
fn replace(schema: &mut SchemaRef, index: usize, field_schema: Schema) {
    if let Type::Struct(fields) = &mut Arc::make_mut(schema).ty
        && let Some(field) = fields.get_mut(index)
    {
        field.schema = Arc::new(field_schema);
    }
}

#[cfg(test)]
mod tests;
