//! From a row to what a record holds, and to the row's place in the order of reading. Pure.

use super::key::KeyMaker;
use super::moment;
use super::prepare::Prepared;
use super::progress::{Passed, Place};
use super::settings::{Job, Settings};
use crate::driver::{ResultColumn, SqlValue};
use crate::source::mapping::RowMapper;
use crate::source::offsets::Offset;
use connect_api::{ConnectError, Decimal, Schema, SchemaRef, SourceRecord, Value};
use jiff::tz::TimeZone;

/// A mapped row.
#[derive(Debug)]
pub(in crate::source) struct Row {
    key: Option<(SchemaRef, Value)>,
    schema: SchemaRef,
    value: Value,
    /// About how much it takes.
    pub(in crate::source) bytes: usize,
}

/// Maps the rows of one result, and of later ones with the same columns.
#[derive(Debug)]
pub(in crate::source) struct RowReader {
    columns: Vec<ResultColumn>,
    mapper: RowMapper,
    zone: TimeZone,
    /// Positions among the columns; the first that is not NULL counts.
    stamps: Vec<usize>,
    /// Position among the fields.
    id: Option<usize>,
    key: Option<KeyMaker>,
}

impl RowReader {
    pub(in crate::source) fn new(
        settings: &Settings,
        job: &Job,
        prepared: &Prepared,
        columns: &[ResultColumn],
    ) -> Result<Self, ConnectError> {
        let schema_name = job.table().map(|table| table.name.as_str());
        let mapper = RowMapper::new(&settings.mapping, schema_name, columns);
        let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
        let fields: Vec<&str> = mapper.schema().fields().iter().map(|field| &*field.name).collect();
        let stamps = prepared.criteria.timestamps().iter();
        let stamps = stamps.map(|name| position("Timestamp", name, &names)).collect::<Result<_, _>>()?;
        let id = prepared.criteria.id().map(|name| position("Incrementing", name, &fields)).transpose()?;
        let key = prepared.key.clone().zip(schema_name).map(|(columns, table)| KeyMaker::new(table, columns));
        let zone = settings.mapping.time_zone.clone();
        Ok(Self { columns: columns.to_vec(), mapper, zone, stamps, id, key })
    }

    pub(in crate::source) fn fits(&self, columns: &[ResultColumn]) -> bool {
        self.columns == columns
    }

    /// Takes the values out of `row`.
    pub(in crate::source) fn read(&mut self, row: &mut [SqlValue]) -> Result<(Place, Row), ConnectError> {
        let mut stamp = None;
        for column in &self.stamps {
            let (Some(value), Some(described)) = (row.get(*column), self.columns.get(*column)) else {
                continue;
            };
            stamp = moment::stamp(value, &described.kind, &self.zone)
                .map_err(|what| ConnectError::data(format!("timestamp column {} {what}", described.name)))?;
            if stamp.is_some() {
                break;
            }
        }
        let bytes = row.iter().map(size).sum();
        let value = self.mapper.map(row).map_err(ConnectError::data)?;
        let schema = self.mapper.schema().clone();
        let id = self.id.map(|field| number(&schema, &value, field)).transpose()?;
        let key = self.key.as_mut().map(|key| key.key(&schema, &value)).transpose()?;
        Ok((Place { stamp, id }, Row { key, schema, value, bytes }))
    }
}

/// A column's position: by its name, else by its name without regard to case.
fn position(what: &str, name: &str, names: &[&str]) -> Result<usize, ConnectError> {
    if let Some(position) = names.iter().position(|other| *other == name) {
        return Ok(position);
    }
    let mut alike = names.iter().enumerate().filter(|(_, other)| other.eq_ignore_ascii_case(name));
    match (alike.next(), alike.next()) {
        (Some((position, _)), None) => Ok(position),
        (None, _) => {
            Err(ConnectError::data(format!("{what} column {name} not found in {}", names.join(","))))
        }
        (Some(_), Some(_)) => Err(ConnectError::data(format!(
            "{what} column {name} not found in columns read from database: {}; several differ from it in case only, write the name \
             as the database has it",
            names.join(",")
        ))),
    }
}

/// The incrementing column's value; the reference's sentences.
fn number(schema: &Schema, value: &Value, field: usize) -> Result<i64, ConnectError> {
    let (Value::Struct(values), Some(described)) = (value, schema.fields().get(field)) else {
        return Err(ConnectError::failed("a row is no struct"));
    };
    let column = &described.name;
    match values.get(field).unwrap_or(&Value::Null) {
        Value::Int8(number) => Ok(i64::from(*number)),
        Value::Int16(number) => Ok(i64::from(*number)),
        Value::Int32(number) => Ok(i64::from(*number)),
        Value::Int64(number) => Ok(*number),
        Value::Decimal(decimal) => whole(decimal, column),
        Value::Null => Err(ConnectError::failed(format!(
            "Null value for incrementing column of type: {} (column {column}); a row without a number cannot be ordered",
            described.schema.ty.name()
        ))),
        _ => Err(ConnectError::failed(format!(
            "Invalid type for incrementing column: {} (column {column}); it has to be an integer, or a decimal of scale 0",
            described.schema.ty.name()
        ))),
    }
}

fn whole(decimal: &Decimal, column: &str) -> Result<i64, ConnectError> {
    if decimal.scale != 0 {
        return Err(ConnectError::failed(format!(
            "Scale of Decimal value for incrementing column must be 0 (column {column} holds {decimal})"
        )));
    }
    i64::try_from(&decimal.unscaled).map_err(|_| {
        ConnectError::failed(format!(
            "Decimal value for incrementing column exceeded Long.MAX_VALUE (column {column} holds {decimal})"
        ))
    })
}

/// About what a value takes in memory.
fn size(value: &SqlValue) -> usize {
    /// A value, and its share of the vectors around it.
    const FLAT: usize = 48;
    FLAT + match value {
        SqlValue::Text(text) => text.len(),
        SqlValue::Bytes(bytes) => bytes.len(),
        SqlValue::Decimal(decimal) => decimal.unscaled.bits() as usize / 8 + 8,
        _ => 0,
    }
}

impl Job {
    pub(in crate::source) fn record(&self, passed: Passed<Row>) -> SourceRecord {
        let Passed { row, offset } = passed;
        let (key_schema, key) = row.key.map_or((None, Value::Null), |(schema, key)| (Some(schema), key));
        SourceRecord {
            source_partition: Some(self.partition.clone()),
            source_offset: offset.map(Offset::carried),
            topic: self.topic.clone(),
            partition: None,
            timestamp: None,
            key_schema,
            key,
            value_schema: Some(row.schema),
            value: row.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn numbered(schema: Schema, value: Value) -> Result<i64, String> {
        let schema = Arc::new(Schema::structure([("id", schema)]));
        number(&schema, &Value::Struct(vec![value]), 0).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_of_every_width() {
        use connect_api::Type;
        for (ty, value, expected) in [
            (Type::Int8, Value::Int8(-3), -3),
            (Type::Int16, Value::Int16(300), 300),
            (Type::Int32, Value::Int32(70_000), 70_000),
            (Type::Int64, Value::Int64(i64::MAX), i64::MAX),
        ] {
            assert_eq!(numbered(Schema::new(ty), value), Ok(expected));
        }
        let largest = Value::Decimal(Decimal::new(i64::MAX, 0));
        assert_eq!(numbered(Schema::decimal(0), largest), Ok(i64::MAX));
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        use connect_api::Type;
        let beyond = Value::Decimal(Decimal::new(i128::from(i64::MAX) + 1, 0));
        for (schema, value, message) in [
            (Schema::decimal(0), beyond, "exceeded Long.MAX_VALUE (column id holds 9223372036854775808)"),
            (Schema::decimal(1), Value::Decimal(Decimal::new(15, 1)), "must be 0 (column id holds 1.5)"),
            (Schema::new(Type::Int64), Value::Null, "Null value for incrementing column of type: INT64"),
            (Schema::new(Type::String), "7".into(), "Invalid type for incrementing column: STRING"),
        ] {
            let error = numbered(schema, value).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let names = ["Id", "ts", "TS", "name"];
        assert_eq!(position("Timestamp", "TS", &names).ok(), Some(2));
        assert_eq!(position("Incrementing", "ID", &names).ok(), Some(0));
        let error = |name| position("Timestamp", name, &names).unwrap_err().to_string();
        assert_eq!(error("at"), "Timestamp column at not found in Id,ts,TS,name");
        assert!(error("Ts").contains("several differ from it in case only"));
    }
}
