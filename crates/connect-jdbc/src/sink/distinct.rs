//! Keys of rows as bytes: for keeping one row per key, which some statements need, and for telling keys apart.
//!
//! Within a group keeping the last row of each key gives the same table, since its rows have the same columns.

use super::plan::Group;
use super::row::Row;
use super::shape::Shape;
use crate::dialect::Cell;
use connect_api::{Decimal, Value};
use std::collections::HashSet;

/// Keeps the last row of each key, in its place. Keys that only the database finds equal are left alone.
pub(super) fn keep_last(group: &mut Group<'_>) {
    if group.rows.len() < 2 {
        return;
    }
    let shape = group.shape.clone();
    let mut seen = HashSet::with_capacity(group.rows.len());
    let mut keep: Vec<bool> = group.rows.iter().rev().map(|row| seen.insert(key(&shape, row))).collect();
    if seen.len() == keep.len() {
        return;
    }
    keep.reverse();
    let mut kept = keep.iter();
    group.rows.retain(|_| kept.next() == Some(&true));
    let mut kept = keep.iter();
    group.bytes.retain(|_| kept.next() == Some(&true));
}

fn key(shape: &Shape, row: &Row<'_>) -> Vec<u8> {
    let mut key = Vec::with_capacity(shape.keys * 16);
    shape.key_cells(row).for_each(|cell| write_cell(cell, &mut key));
    key
}

/// The row's key, if no database finds it equal to a key with other bytes.
pub(super) fn certain_key(shape: &Shape, row: &Row<'_>) -> Option<Vec<u8>> {
    shape.key_cells(row).all(is_certain).then(|| key(shape, row))
}

/// Texts may be equal by a collation or by a type that reads them, fractions by rounding; not so the texts of UUIDs, of
/// which every character counts and none has another form.
fn is_certain(cell: Cell<'_>) -> bool {
    match cell {
        Cell::Text(text) => is_uuid(text),
        Cell::Integer(_) | Cell::Date(_) => true,
        Cell::DateTime { .. } | Cell::Time { .. } => false,
        Cell::Value(value) => match value {
            Value::Boolean(_)
            | Value::Int8(_)
            | Value::Int16(_)
            | Value::Int32(_)
            | Value::Int64(_)
            | Value::Date(_) => true,
            Value::String(text) => is_uuid(text),
            _ => false,
        },
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Bytes that are the same for the same value; numbers of different width are the same. Other types need not be told
/// apart, since cells of one column have one; lengths keep the cells apart.
fn write_cell(cell: Cell<'_>, key: &mut Vec<u8>) {
    match cell {
        Cell::Text(text) => write_bytes(text.as_bytes(), key),
        Cell::Integer(value) | Cell::Date(value) => key.extend(value.to_be_bytes()),
        Cell::DateTime { seconds, nanos } => {
            key.extend(seconds.to_be_bytes());
            key.extend(nanos.to_be_bytes());
        }
        Cell::Time { nanos } => key.extend(nanos.to_be_bytes()),
        Cell::Value(value) => write_value(value, key),
    }
}

fn write_value(value: &Value, key: &mut Vec<u8>) {
    match value {
        Value::Null => key.push(0),
        Value::Boolean(value) => key.extend(i64::from(*value).to_be_bytes()),
        Value::Int8(value) => key.extend(i64::from(*value).to_be_bytes()),
        Value::Int16(value) => key.extend(i64::from(*value).to_be_bytes()),
        Value::Int32(value) | Value::Date(value) | Value::Time(value) => {
            key.extend(i64::from(*value).to_be_bytes());
        }
        Value::Int64(value) | Value::Timestamp(value) => key.extend(value.to_be_bytes()),
        Value::Float32(value) => write_float(f64::from(*value), key),
        Value::Float64(value) => write_float(*value, key),
        Value::String(text) => write_bytes(text.as_bytes(), key),
        Value::Bytes(bytes) => write_bytes(bytes, key),
        Value::Decimal(decimal) => write_bytes(plain(decimal).as_bytes(), key),
        Value::Array(values) | Value::Struct(values) => {
            key.extend(values.len().to_be_bytes());
            for value in values {
                // A null among values has to differ from each of them.
                key.push(u8::from(!value.is_null()));
                write_value(value, key);
            }
        }
        Value::Map(entries) => {
            key.extend(entries.len().to_be_bytes());
            for (name, value) in entries {
                write_value(name, key);
                write_value(value, key);
            }
        }
    }
}

fn write_bytes(bytes: &[u8], key: &mut Vec<u8>) {
    key.extend(bytes.len().to_be_bytes());
    key.extend(bytes);
}

/// The two zeros are one number to a database, and all that is no number is the same.
fn write_float(value: f64, key: &mut Vec<u8>) {
    let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
    key.extend(value.to_bits().to_be_bytes());
}

/// Without the zeros that make 1.0 and 1.00 look different.
fn plain(decimal: &Decimal) -> String {
    let text = decimal.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, MySql, Postgres, Quoting};
    use crate::sink::fixtures::{config, item, item_schema, record};
    use crate::sink::plan::{Context, Planner};

    const UPSERT: &[(&str, &str)] =
        &[("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "id")];

    fn offsets(dialect: &dyn Dialect, pairs: &[(&str, &str)]) -> Vec<i64> {
        let schema = item_schema();
        let records: Vec<_> = [(1, "a"), (2, "b"), (1, "c"), (3, "d"), (1, "e")]
            .into_iter()
            .zip(0..)
            .map(|((id, name), offset)| record("t", offset, &schema, item(id, name)))
            .collect();
        let groups = Planner::default()
            .plan(&Context { config: &config(pairs), dialect, connector: "sink" }, records.iter().enumerate())
            .groups;
        assert!(groups.iter().all(|group| group.rows.len() == group.bytes.len()));
        groups.iter().flat_map(|group| group.rows.iter().map(|row| row.record.offset)).collect()
    }

    #[test]
    fn the_last_row_of_each_key_stays_in_its_place() {
        let postgres = Postgres { quoting: Quoting::Always };
        assert_eq!(offsets(&postgres, UPSERT), [1, 3, 4]);
        assert_eq!(offsets(&postgres, &[]), [0, 1, 2, 3, 4], "an insert keeps every row");
        assert_eq!(offsets(&MySql::new(Quoting::Always), UPSERT), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn keys_are_equal_when_their_values_are() {
        let key = |value: &Value| {
            let mut key = Vec::new();
            write_cell(Cell::Value(value), &mut key);
            key
        };
        let decimal = |unscaled: i64, scale| Value::Decimal(Decimal::new(unscaled, scale));
        for (one, other) in [
            (Value::Float64(0.0), Value::Float64(-0.0)),
            (Value::Float32(f32::NAN), Value::Float32(-f32::NAN)),
            (decimal(10, 1), decimal(1, 0)),
            (decimal(100, 0), decimal(1, -2)),
        ] {
            assert_eq!(key(&one), key(&other), "{one:?} {other:?}");
        }
        for (one, other) in [
            (decimal(100, 0), decimal(1, 0)),
            (decimal(-1, 1), decimal(1, 1)),
            (Value::from("a"), Value::from("A")),
            (Value::Array(vec![Value::Null]), Value::Array(vec![])),
            (Value::Array(vec![Value::Null]), Value::Array(vec![Value::Boolean(false)])),
            (Value::Array(vec!["ab".into(), "c".into()]), Value::Array(vec!["a".into(), "bc".into()])),
        ] {
            assert_ne!(key(&one), key(&other), "{one:?} {other:?}");
        }
    }
}
