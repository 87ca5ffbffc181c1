//! Values in PostgreSQL's binary form, each in the type that the statement's text states for its parameter.

use crate::dialect::{Cell, Element, Wire, clock_micros_since_2000, days_since_2000, micros_since_2000};
use crate::driver::bulk::ColumnArray;
use connect_api::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, Postgres};

pub(super) struct Parameter<'a> {
    pub(super) wire: Wire,
    pub(super) cell: Cell<'a>,
}

impl sqlx::Type<Postgres> for Parameter<'_> {
    fn type_info() -> PgTypeInfo {
        type_info(Wire { element: Element::Text, array: false })
    }
}

impl sqlx::Encode<'_, Postgres> for Parameter<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if self.cell.is_null() {
            return Ok(IsNull::Yes);
        }
        write(self.wire, self.cell, buffer)?;
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(type_info(self.wire))
    }
}

impl sqlx::Type<Postgres> for ColumnArray {
    fn type_info() -> PgTypeInfo {
        type_info(Wire { element: Element::Text, array: true })
    }
}

impl sqlx::Encode<'_, Postgres> for ColumnArray {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        array_head(self.element, self.rows, self.nulls, buffer);
        buffer.extend(&self.values);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(type_info(Wire { element: self.element, array: true }))
    }
}

fn type_info(wire: Wire) -> PgTypeInfo {
    let (element, array) = oids(wire.element);
    PgTypeInfo::with_oid(Oid(if wire.array { array } else { element }))
}

/// The types' numbers, of one value and of an array; they are the same in every server.
fn oids(element: Element) -> (u32, u32) {
    match element {
        Element::Bool => (16, 1000),
        Element::Int2 => (21, 1005),
        Element::Int4 => (23, 1007),
        Element::Int8 => (20, 1016),
        Element::Float4 => (700, 1021),
        Element::Float8 => (701, 1022),
        Element::Text | Element::Numeric => (25, 1009),
        Element::Bytea => (17, 1001),
        Element::Date => (1082, 1182),
        Element::Time => (1083, 1183),
        Element::Timestamp => (1114, 1115),
    }
}

/// An element of an array: the length and the very bytes that a statement with this parameter would send.
pub(in crate::driver) fn write_element(wire: Wire, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), String> {
    if cell.is_null() {
        out.extend((-1_i32).to_be_bytes());
        return Ok(());
    }
    let start = out.len();
    out.extend([0; 4]);
    write(wire, cell, out)?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| "a value is too long".to_owned())?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn write(wire: Wire, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), String> {
    match (cell, wire.element) {
        (Cell::Value(Value::Array(values)), element) if wire.array => write_array(values, element, out)?,
        (Cell::Value(value), element) if !wire.array => write_value(value, element, out)?,
        (Cell::Text(text), Element::Text) => out.extend(text.as_bytes()),
        (Cell::Integer(value), Element::Int4) => {
            let value = i32::try_from(value).map_err(|_| format!("{value} is no int32"))?;
            out.extend(value.to_be_bytes());
        }
        (Cell::Integer(value), Element::Int8) => out.extend(value.to_be_bytes()),
        (Cell::DateTime { seconds, nanos }, Element::Timestamp) => {
            let micros = clock_micros_since_2000(seconds, nanos);
            out.extend(micros.ok_or_else(|| format!("{cell:?} does not fit into a column"))?.to_be_bytes());
        }
        (Cell::Date(days), Element::Date) => {
            let days = i32::try_from(days).ok().and_then(days_since_2000);
            out.extend(days.ok_or_else(|| format!("{cell:?} does not fit into a column"))?.to_be_bytes());
        }
        (Cell::Time { nanos }, Element::Time) => out.extend(((nanos / 1000) as i64).to_be_bytes()),
        (cell, _) => return Err(format!("{cell:?} is not of its column's type")),
    }
    Ok(())
}

/// Number of dimensions, whether there are nulls, type; length and first index of the dimension; the elements follow.
fn array_head(element: Element, length: i32, nulls: bool, out: &mut Vec<u8>) {
    for number in [i32::from(length > 0), i32::from(nulls)] {
        out.extend(number.to_be_bytes());
    }
    out.extend(oids(element).0.to_be_bytes());
    if length > 0 {
        out.extend(length.to_be_bytes());
        out.extend(1_i32.to_be_bytes());
    }
}

fn write_array(values: &[Value], element: Element, out: &mut Vec<u8>) -> Result<(), String> {
    let too_long = |_| "an array or an element of it is too long".to_owned();
    let nulls = values.iter().any(Value::is_null);
    array_head(element, i32::try_from(values.len()).map_err(too_long)?, nulls, out);
    for value in values {
        if value.is_null() {
            out.extend((-1_i32).to_be_bytes());
            continue;
        }
        let start = out.len();
        out.extend([0; 4]);
        write_value(value, element, out)?;
        let length = i32::try_from(out.len() - start - 4).map_err(too_long)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn write_value(value: &Value, element: Element, out: &mut Vec<u8>) -> Result<(), String> {
    // The plan has checked every value; what fails here was not checked.
    let unfit = || format!("{value:?} does not fit into a column");
    match (value, element) {
        (Value::Boolean(value), Element::Bool) => out.push(u8::from(*value)),
        (Value::Int8(value), Element::Int2) => out.extend(i16::from(*value).to_be_bytes()),
        (Value::Int16(value), Element::Int2) => out.extend(value.to_be_bytes()),
        (Value::Int32(value), Element::Int4) => out.extend(value.to_be_bytes()),
        (Value::Int64(value), Element::Int8) => out.extend(value.to_be_bytes()),
        (Value::Float32(value), Element::Float4) => out.extend(value.to_be_bytes()),
        (Value::Float64(value), Element::Float8) => out.extend(value.to_be_bytes()),
        (Value::String(text), Element::Text) => out.extend(text.as_bytes()),
        (Value::Bytes(bytes), Element::Bytea) => out.extend(bytes.iter()),
        (Value::Decimal(decimal), Element::Numeric) => out.extend(decimal.to_string().into_bytes()),
        (Value::Date(days), Element::Date) => {
            out.extend(days_since_2000(*days).ok_or_else(unfit)?.to_be_bytes());
        }
        (Value::Time(millis), Element::Time) => out.extend((i64::from(*millis) * 1000).to_be_bytes()),
        (Value::Timestamp(millis), Element::Timestamp) => {
            out.extend(micros_since_2000(*millis).ok_or_else(unfit)?.to_be_bytes());
        }
        _ => return Err(format!("{value:?} is not of its column's type")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(element: Element, array: bool, value: &Value) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        write(Wire { element, array }, Cell::Value(value), &mut out).map(|()| out)
    }

    #[test]
    fn dates_and_times_are_counted_from_2000_in_utc() {
        assert_eq!(bytes(Element::Date, false, &Value::Date(10_957)), Ok(vec![0; 4]));
        assert_eq!(bytes(Element::Date, false, &Value::Date(10_956)), Ok(vec![255; 4]));
        let one_ms = Value::Timestamp(946_684_800_001);
        assert_eq!(bytes(Element::Timestamp, false, &one_ms), Ok(1000_i64.to_be_bytes().to_vec()));
        assert!(bytes(Element::Timestamp, false, &Value::Timestamp(i64::MAX)).is_err());
        assert!(bytes(Element::Date, false, &Value::Date(i32::MIN)).is_err());
    }

    /// Checked against `TimestampUtils` of pgjdbc 42.7.7.
    #[test]
    fn nanoseconds_are_rounded_half_up_into_the_next_second_and_day() {
        const MIDNIGHT: i64 = 946_684_800; // of 2000-01-01
        for (seconds, nanos, micros) in [
            (MIDNIGHT, 0, 0),
            (MIDNIGHT, 499, 0),
            (MIDNIGHT, 500, 1),
            (MIDNIGHT, 1_499, 1),
            (MIDNIGHT, 123_456_500, 123_457),
            (MIDNIGHT, 999_999_499, 999_999),
            (MIDNIGHT, 999_999_500, 1_000_000),
            (MIDNIGHT - 1, 999_999_499, -1),
            (MIDNIGHT - 1, 999_999_500, 0),
            (-1, 999_999_999, -MIDNIGHT * 1_000_000),
            (-1, 500, (-MIDNIGHT - 1) * 1_000_000 + 1),
        ] {
            let mut out = Vec::new();
            let wire = Wire { element: Element::Timestamp, array: false };
            write(wire, Cell::DateTime { seconds, nanos }, &mut out).unwrap();
            assert_eq!(out, micros.to_be_bytes(), "{seconds} s and {nanos} ns");
        }
    }

    #[test]
    fn a_field_of_a_copy_has_its_length() {
        let mut out = Vec::new();
        let wire = |element| Wire { element, array: false };
        write_element(wire(Element::Text), Cell::Text("ab"), &mut out).unwrap();
        write_element(wire(Element::Int4), Cell::Value(&Value::Null), &mut out).unwrap();
        write_element(wire(Element::Int4), Cell::Integer(1), &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 2, b'a', b'b', 255, 255, 255, 255, 0, 0, 0, 4, 0, 0, 0, 1]);
        assert!(write_element(wire(Element::Int4), Cell::Text("ab"), &mut out).is_err());
    }

    #[test]
    fn an_array_has_its_length_and_its_nulls() {
        let values = Value::Array(vec![Value::Int8(-1), Value::Null]);
        let words: [i32; 5] = [1, 1, 21, 2, 1];
        let mut expected: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        expected.extend([0, 0, 0, 2, 255, 255, 255, 255, 255, 255]);
        assert_eq!(bytes(Element::Int2, true, &values), Ok(expected));
        let empty: Vec<u8> = [0, 0, 25].iter().flat_map(|word: &i32| word.to_be_bytes()).collect();
        assert_eq!(bytes(Element::Text, true, &Value::Array(vec![])), Ok(empty));
    }

    #[test]
    fn a_value_of_another_type_is_an_error() {
        assert!(bytes(Element::Int4, false, &Value::Int64(1)).is_err());
        assert!(bytes(Element::Int4, true, &Value::Int32(1)).is_err());
        assert!(bytes(Element::Text, false, &Value::Array(vec![])).is_err());
    }
}
