//! Values as fields of LOAD DATA, for tab, newline and backslash as the file's special characters. A field gives the very
//! same stored value as the value bound to a statement, if it goes to a column of its [`LoadKind`](super::LoadKind). Bytes are
//! hexadecimal digits, since the file has a character set.

use super::{Cell, date_from_days, datetime_from_clock};
use connect_api::Value;
use jiff::civil::{Date, DateTime};
use std::io::Write;

/// Appends the field, without what separates it from the next. The plan has checked every value; what fails here was not
/// checked.
pub(crate) fn write_load_field(cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), String> {
    let beyond = || format!("{cell:?} does not fit into a column");
    let value = match cell {
        Cell::Value(value) => value,
        Cell::Text(text) => {
            escape(text.as_bytes(), out);
            return Ok(());
        }
        Cell::Integer(value) => {
            number(value, out);
            return Ok(());
        }
        Cell::DateTime { seconds, nanos } => {
            let time = datetime_from_clock(seconds, nanos).ok_or_else(beyond)?;
            return write_datetime(time, out).ok_or_else(beyond);
        }
        Cell::Date(days) => {
            let date = i32::try_from(days).ok().and_then(date_from_days).ok_or_else(beyond)?;
            return write_date(date, out).ok_or_else(beyond);
        }
        Cell::Time { nanos } => return write_time(nanos, out).ok_or_else(beyond),
    };
    match value {
        Value::Null => out.extend(b"\\N"),
        Value::Boolean(value) => out.push(if *value { b'1' } else { b'0' }),
        Value::Int8(value) => number((*value).into(), out),
        Value::Int16(value) => number((*value).into(), out),
        Value::Int32(value) => number((*value).into(), out),
        Value::Int64(value) => number(*value, out),
        // As the wider number, which a bound value is as well.
        Value::Float32(value) => float((*value).into(), out).ok_or_else(beyond)?,
        Value::Float64(value) => float(*value, out).ok_or_else(beyond)?,
        Value::String(text) => escape(text.as_bytes(), out),
        Value::Bytes(bytes) => hex(bytes, out),
        Value::Decimal(decimal) => out.extend(decimal.to_string().as_bytes()),
        Value::Date(days) => {
            date_from_days(*days).and_then(|date| write_date(date, out)).ok_or_else(beyond)?;
        }
        Value::Time(millis) => {
            let nanos = u64::try_from(*millis).map_err(|_| beyond())? * 1_000_000;
            write_time(nanos, out).ok_or_else(beyond)?;
        }
        Value::Timestamp(millis) => {
            let time =
                datetime_from_clock(millis.div_euclid(1000), millis.rem_euclid(1000) as u32 * 1_000_000);
            time.and_then(|time| write_datetime(time, out)).ok_or_else(beyond)?;
        }
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => return Err(beyond()),
    }
    Ok(())
}

/// Runs of harmless bytes are copied whole.
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r' | 0)) {
        out.extend_from_slice(&rest[..at]);
        let letter = match rest[at] {
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            0 => b'0',
            other => other,
        };
        out.extend([b'\\', letter]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn number(value: i64, out: &mut Vec<u8>) {
    /// As long as the longest number.
    const LENGTH: usize = 20;
    let mut digits = [0; LENGTH];
    let mut at = LENGTH;
    let mut left = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn float(value: f64, out: &mut Vec<u8>) -> Option<()> {
    // Debug, not Display: with an exponent where the number is long.
    value.is_finite().then_some(())?;
    write!(out, "{value:?}").ok()
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn padded(value: u64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10_u64.pow(place) % 10) as u8);
    }
}

/// The years that the columns have.
fn write_date(date: Date, out: &mut Vec<u8>) -> Option<()> {
    let year = u64::try_from(date.year()).ok().filter(|year| *year > 0)?;
    padded(year, 4, out);
    out.push(b'-');
    padded(date.month() as u64, 2, out);
    out.push(b'-');
    padded(date.day() as u64, 2, out);
    Some(())
}

fn write_time(nanos: u64, out: &mut Vec<u8>) -> Option<()> {
    let seconds = nanos / 1_000_000_000;
    if seconds >= 86_400 {
        return None;
    }
    padded(seconds / 3600, 2, out);
    out.push(b':');
    padded(seconds / 60 % 60, 2, out);
    out.push(b':');
    padded(seconds % 60, 2, out);
    out.push(b'.');
    // A bound value has microseconds, too.
    padded(nanos % 1_000_000_000 / 1000, 6, out);
    Some(())
}

fn write_datetime(time: DateTime, out: &mut Vec<u8>) -> Option<()> {
    write_date(time.date(), out)?;
    out.push(b' ');
    let time = time.time();
    let seconds = time.hour() as u64 * 3600 + time.minute() as u64 * 60 + time.second() as u64;
    write_time(seconds * 1_000_000_000 + time.subsec_nanosecond() as u64, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_api::Decimal;
    use proptest::prelude::*;

    fn field(cell: Cell<'_>) -> Result<String, String> {
        let mut out = Vec::new();
        write_load_field(cell, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn fields() {
        for (value, expected) in [
            (Value::Null, "\\N"),
            (Value::Boolean(true), "1"),
            (Value::Int8(-128), "-128"),
            (Value::Int64(i64::MIN), "-9223372036854775808"),
            (Value::Int64(0), "0"),
            (Value::Float32(0.1), "0.10000000149011612"),
            (Value::Float64(-1e300), "-1e300"),
            (Value::from("\\N"), "\\\\N"),
            (Value::from("a\tb\nc\\d\r\0é😀'\""), "a\\tb\\nc\\\\d\\r\\0é😀'\""),
            (Value::from(""), ""),
            (Value::Bytes(vec![0, 255, 39].into()), "00FF27"),
            (Value::Decimal(Decimal::new(-5, 3)), "-0.005"),
            (Value::Date(-1), "1969-12-31"),
            (Value::Date(-719_162), "0001-01-01"),
            (Value::Time(86_399_999), "23:59:59.999000"),
            (Value::Timestamp(-1), "1969-12-31 23:59:59.999000"),
            (Value::Timestamp(253_402_300_799_999), "9999-12-31 23:59:59.999000"),
        ] {
            assert_eq!(field(Cell::Value(&value)).as_deref(), Ok(expected), "{value:?}");
        }
        for (cell, expected) in [
            (Cell::Text("a\tb"), "a\\tb"),
            (Cell::Integer(-7), "-7"),
            (Cell::DateTime { seconds: -1, nanos: 123_456_789 }, "1969-12-31 23:59:59.123456"),
            (Cell::Date(19_000), "2022-01-08"),
            (Cell::Time { nanos: 1_000 }, "00:00:00.000001"),
        ] {
            assert_eq!(field(cell).as_deref(), Ok(expected), "{cell:?}");
        }
    }

    #[test]
    fn what_no_column_holds_is_refused() {
        for value in [
            Value::Float64(f64::NAN),
            Value::Float32(f32::INFINITY),
            Value::Timestamp(i64::MAX),
            Value::Timestamp(i64::MIN),
            Value::Date(i32::MIN),
            Value::Date(-719_163),
            Value::Time(-1),
            Value::Time(86_400_000),
            Value::Array(vec![]),
        ] {
            assert!(field(Cell::Value(&value)).is_err(), "{value:?}");
        }
        assert!(field(Cell::Time { nanos: u64::MAX }).is_err());
        assert!(field(Cell::Date(i64::MAX)).is_err());
    }

    /// As the server reads a field: a backslash takes the next character along.
    fn read(field: &str) -> Option<String> {
        let mut text = String::new();
        let mut chars = field.chars();
        while let Some(c) = chars.next() {
            text.push(match c {
                '\\' => match chars.next()? {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    '0' => '\0',
                    '\\' => '\\',
                    _ => return None,
                },
                '\t' | '\n' => return None,
                c => c,
            });
        }
        Some(text)
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in any::<String>()) {
            prop_assert_eq!(read(&field(Cell::Text(&text)).unwrap()), Some(text));
        }

        #[test]
        fn every_number_comes_back(integer in any::<i64>(), double in any::<f64>(), single in any::<f32>()) {
            prop_assert_eq!(field(Cell::Integer(integer)).unwrap().parse(), Ok(integer));
            if double.is_finite() {
                let text = field(Cell::Value(&Value::Float64(double))).unwrap();
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), double.to_bits());
            }
            if single.is_finite() {
                let text = field(Cell::Value(&Value::Float32(single))).unwrap();
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), f64::from(single).to_bits());
                prop_assert_eq!((text.parse::<f64>().unwrap() as f32).to_bits(), single.to_bits());
            }
        }

        #[test]
        fn every_moment_has_its_text(millis in -62_135_596_800_000_i64..=253_402_300_799_999) {
            let text = field(Cell::Value(&Value::Timestamp(millis))).unwrap();
            let read: DateTime = text.parse().unwrap();
            prop_assert_eq!(super::super::datetime_from_millis(millis), Some(read));
        }
    }
}
