//! From a plain JSON value to what a column holds: exactly, or not at all.

use super::text;
use crate::dialect::{Dialect, TableColumn};
use crate::sink::convert;
use connect_api::{Decimal, Logical, Schema, SchemaRef, Type, Value};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use std::sync::Arc;

/// What the values of the column are; `None` where nothing can be written.
pub(super) fn schema(dialect: &dyn Dialect, column: &TableColumn) -> Option<SchemaRef> {
    let schema = dialect.column_schema(column)?;
    let schema = match schema.logical() {
        // A text may have smaller parts of a second than Connect's own type.
        Some(Logical::Timestamp) => convert::micros_schema(),
        _ => schema,
    };
    Some(Arc::new(schema.optional()))
}

/// `None` where the value does not fit.
pub(super) fn to_column(value: &Value, schema: &Schema, column: &TableColumn) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    if let Some(logical) = schema.logical() {
        return match logical {
            Logical::Decimal { .. } => decimal(value).map(Value::Decimal),
            Logical::Date => date(value).map(Value::Date),
            Logical::Time => time(value).map(Value::Time),
            Logical::Timestamp => micros(value).map(Value::Int64),
        };
    }
    Some(match &schema.ty {
        Type::Boolean => match value {
            Value::Boolean(value) => Value::Boolean(*value),
            other => Value::Boolean(match integer(other)? {
                0 => false,
                1 => true,
                _ => return None,
            }),
        },
        Type::Int8 => Value::Int8(integer(value)?.try_into().ok()?),
        Type::Int16 => Value::Int16(integer(value)?.try_into().ok()?),
        Type::Int32 => Value::Int32(integer(value)?.try_into().ok()?),
        Type::Int64 => Value::Int64(integer(value)?),
        Type::Float32 => Value::Float32(float(value)? as f32),
        Type::Float64 => Value::Float64(float(value)?),
        Type::String if is_json(column) => Value::String(text::json(value).into()),
        Type::String => Value::String(text::of(value).into()),
        Type::Bytes => match value {
            Value::Bytes(_) => value.clone(),
            Value::String(text) => Value::Bytes(base64(text)?.into()),
            _ => return None,
        },
        Type::Array(element) => match value {
            Value::Array(values) => Value::Array(
                values.iter().map(|value| to_column(value, element, column)).collect::<Option<_>>()?,
            ),
            _ => return None,
        },
        Type::Map { .. } | Type::Struct(_) => return None,
    })
}

fn is_json(column: &TableColumn) -> bool {
    matches!(column.base_type().as_str(), "json" | "jsonb")
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Boolean(value) => Some((*value).into()),
        Value::Int8(number) => Some((*number).into()),
        Value::Int16(number) => Some((*number).into()),
        Value::Int32(number) => Some((*number).into()),
        Value::Int64(number) => Some(*number),
        Value::Float64(number) => {
            // Beyond this a fraction's neighbours are whole numbers, and no longer each of them.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            (number.fract() == 0.0 && number.abs() <= EXACT).then_some(*number as i64)
        }
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float32(number) => Some((*number).into()),
        Value::Float64(number) => Some(*number),
        Value::String(text) => text.parse().ok(),
        other => integer(other).map(|number| number as f64),
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(decimal) => Some(decimal.clone()),
        // The shortest digits that mean this number: what the JSON text had, as far as it had not too many.
        Value::Float64(number) if number.is_finite() => parse_decimal(&format!("{number}")),
        Value::String(text) => parse_decimal(text),
        other => integer(other).map(|number| Decimal::new(number, 0)),
    }
}

/// A sign or none, digits, perhaps a point among them.
fn parse_decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(digits) || !is_digits(fraction) || digits.len() + fraction.len() == 0 {
        return None;
    }
    let unscaled = format!("{whole}{fraction}").parse().ok()?;
    Some(Decimal { unscaled, scale: i32::try_from(fraction.len()).ok()? })
}

/// `2024-05-06`, or days since 1970-01-01.
fn date(value: &Value) -> Option<i32> {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    match value {
        Value::Date(days) => Some(*days),
        Value::String(text) => {
            let days = text.parse::<Date>().ok()?.since((jiff::Unit::Day, EPOCH)).ok()?;
            Some(days.get_days())
        }
        Value::Int64(days) => i32::try_from(*days).ok(),
        _ => None,
    }
}

/// `10:11:12.123`, or milliseconds since midnight.
fn time(value: &Value) -> Option<i32> {
    match value {
        Value::Time(millis) => Some(*millis),
        Value::String(text) => {
            let time: Time = text.parse().ok()?;
            let seconds =
                i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
            // A column may keep more than milliseconds, which this form cannot carry.
            (time.subsec_nanosecond() % 1_000_000 == 0)
                .then(|| seconds * 1000 + i32::from(time.millisecond()))
        }
        Value::Int64(millis) => i32::try_from(*millis).ok(),
        _ => None,
    }
}

/// `2024-05-06T10:11:12.123Z`, with any offset; without one it is UTC. Or milliseconds since 1970.
fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::Timestamp(millis) | Value::Int64(millis) => millis.checked_mul(1000),
        Value::String(text) => {
            let moment = text.parse::<Timestamp>().ok().or_else(|| {
                text.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
            });
            moment.map(|moment| moment.as_microsecond())
        }
        _ => None,
    }
}

/// Connect's own form of bytes in JSON.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for byte in group {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(digit);
        }
        let bytes = match group.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        bits <<= 6 * (4 - group.len());
        out.extend(&bits.to_be_bytes()[1..=bytes]);
    }
    Some(out)
}
