//! Values as Java's `toString` prints them.
//!
//! Where Java's text is of no use to anybody (`[B@1b2c3d` for bytes) this prints base64 instead; dates are in UTC, where Java takes the
//! zone of its machine.

use super::{Decimal, Schema, Type, Value};
use std::fmt::Write as _;

/// The text of `value`, whose schema may be absent.
pub fn text(schema: Option<&Schema>, value: &Value) -> String {
    let mut out = String::new();
    push(&mut out, schema, value);
    out
}

fn push(out: &mut String, schema: Option<&Schema>, value: &Value) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => out.write_str("null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Int8(value) => write!(out, "{value}"),
        Value::Int16(value) => write!(out, "{value}"),
        Value::Int32(value) => write!(out, "{value}"),
        Value::Int64(value) => write!(out, "{value}"),
        Value::Float32(value) => out.write_str(&float(*value)),
        Value::Float64(value) => out.write_str(&double(*value)),
        Value::String(text) => out.write_str(text),
        Value::Bytes(bytes) => out.write_str(&base64(bytes)),
        Value::Decimal(value) => out.write_str(&decimal(value)),
        Value::Date(days) => out.write_str(&date(i64::from(*days) * 86_400)),
        Value::Time(millis) => out.write_str(&date(i64::from(*millis).div_euclid(1000))),
        Value::Timestamp(millis) => out.write_str(&date(millis.div_euclid(1000))),
        Value::Array(items) => {
            let item_schema = match schema.map(|schema| &schema.ty) {
                Some(Type::Array(item)) => Some(&**item),
                _ => None,
            };
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                push(out, item_schema, item);
            }
            out.write_char(']')
        }
        Value::Map(entries) => {
            let schemas = match schema.map(|schema| &schema.ty) {
                Some(Type::Map { key, value }) => Some((&**key, &**value)),
                _ => None,
            };
            out.push('{');
            for (index, (key, value)) in in_hash_order(entries).into_iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                push(out, schemas.map(|(key, _)| key), key);
                out.push('=');
                push(out, schemas.map(|(_, value)| value), value);
            }
            out.write_char('}')
        }
        Value::Struct(values) => {
            let fields = schema.map(Schema::fields).unwrap_or_default();
            out.push_str("Struct{");
            // Java leaves fields out that are null.
            let present = fields.iter().zip(values).filter(|(_, value)| !value.is_null());
            for (index, (field, value)) in present.enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                let _ = write!(out, "{}=", field.name);
                push(out, Some(&field.schema), value);
            }
            out.write_char('}')
        }
    };
}

/// `Double.toString`: the shortest digits that mean this double, at least one after the point.
pub fn double(value: f64) -> String {
    if !value.is_finite() {
        return special(value.is_nan(), value > 0.0);
    }
    let shortest = format!("{value:e}");
    // Java wants two digits, and of all with two the nearest: 4.9E-324, not 5.0E-324.
    notation(if shortest.contains('.') { shortest } else { format!("{value:.1e}") })
}

/// `Float.toString`.
pub fn float(value: f32) -> String {
    if !value.is_finite() {
        return special(value.is_nan(), value > 0.0);
    }
    let shortest = format!("{value:e}");
    notation(if shortest.contains('.') { shortest } else { format!("{value:.1e}") })
}

fn special(nan: bool, positive: bool) -> String {
    match (nan, positive) {
        (true, _) => "NaN",
        (_, true) => "Infinity",
        (_, false) => "-Infinity",
    }
    .to_owned()
}

/// From `-1.25e-5` to Java's form: plain from a thousandth to ten million, else with a capital E.
fn notation(scientific: String) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if digits.bytes().all(|digit| digit == b'0') {
        return format!("{sign}0.0");
    }
    let digits = digits.trim_end_matches('0');
    match exponent {
        0..7 => {
            let whole = exponent as usize + 1;
            let padded = format!("{digits:0<width$}", width = whole + 1);
            format!("{sign}{}.{}", &padded[..whole], &padded[whole..])
        }
        -3..0 => format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        _ => {
            let fraction = if digits.len() > 1 { &digits[1..] } else { "0" };
            format!("{sign}{}.{fraction}E{exponent}", &digits[..1])
        }
    }
}

/// `BigDecimal.toString`: plain unless the scale is negative or there are more than six zeros after the point.
pub fn decimal(value: &Decimal) -> String {
    let text = value.unscaled.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let adjusted = digits.len() as i64 - 1 - i64::from(value.scale);
    if value.scale >= 0 && adjusted >= -6 {
        return value.to_string();
    }
    let point = if digits.len() > 1 { "." } else { "" };
    let exponent = if adjusted == 0 { String::new() } else { format!("E{adjusted:+}") };
    format!("{sign}{}{point}{}{exponent}", &digits[..1], &digits[1..])
}

/// `java.util.Date.toString`, in UTC.
fn date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{} {} {day:02} {:02}:{:02}:{:02} UTC {year:04}",
        DAYS[days.rem_euclid(7) as usize],
        MONTHS[month as usize - 1],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a day number since 1970-01-01 (proleptic Gregorian), counted in eras of 400 years from 1 March of year 0.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let sextet = (group >> (18 - 6 * at) & 63) as usize;
            text.push(if at <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

/// The entries as a `java.util.HashMap` walks over them, which is what a converted map is in Java: by bucket, in a bucket in the
/// order they came. Keys whose hash Java would compute otherwise than here keep their order.
fn in_hash_order(entries: &[(Value, Value)]) -> Vec<(&Value, &Value)> {
    let mut sorted: Vec<_> = entries.iter().map(|(key, value)| (key, value)).collect();
    if sorted.iter().any(|(key, _)| hash(key).is_none()) {
        return sorted;
    }
    let mut buckets = 16_u32;
    while entries.len() as u64 > u64::from(buckets) * 3 / 4 && buckets < 1 << 30 {
        buckets *= 2;
    }
    sorted.sort_by_key(|(key, _)| {
        let hash = hash(key).unwrap_or_default();
        (hash ^ hash >> 16) & (buckets - 1)
    });
    sorted
}

/// `hashCode` of the key types that occur.
fn hash(key: &Value) -> Option<u32> {
    match key {
        Value::String(text) => Some(
            text.encode_utf16()
                .fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit))),
        ),
        Value::Int8(value) => Some(i32::from(*value) as u32),
        Value::Int16(value) => Some(i32::from(*value) as u32),
        Value::Int32(value) => Some(*value as u32),
        Value::Int64(value) => Some((*value ^ (*value as u64 >> 32) as i64) as u32),
        Value::Boolean(value) => Some(if *value { 1231 } else { 1237 }),
        Value::Null => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
