//! Values in error texts.

use super::temporal;
use crate::driver::SqlValue;

const SECONDS_PER_DAY: i64 = 86_400;

/// A value for an error text: numbers and dates whole, of texts and bytes the length only, since they may be private.
pub(super) fn shown(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => "NULL".into(),
        SqlValue::Bool(value) => value.to_string(),
        SqlValue::Int(value) => value.to_string(),
        SqlValue::UInt(value) => value.to_string(),
        SqlValue::Float(value) => value.to_string(),
        SqlValue::Double(value) => value.to_string(),
        SqlValue::Decimal(value) => value.to_string(),
        SqlValue::Text(text) => format!("(a text of {} bytes)", text.len()),
        SqlValue::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        SqlValue::Date(days) => {
            let (year, month, day) = temporal::civil(*days);
            format!("{year:04}-{month:02}-{day:02}")
        }
        SqlValue::Time { micros } | SqlValue::TimeTz { micros } => {
            let sign = if *micros < 0 { "-" } else { "" };
            let seconds = micros.unsigned_abs() / 1_000_000;
            format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        SqlValue::DateTime { seconds, .. } | SqlValue::Instant { seconds, .. } => {
            let (year, month, day) = temporal::civil(seconds.div_euclid(SECONDS_PER_DAY));
            format!("{year:04}-{month:02}-{day:02} and a time")
        }
        SqlValue::Infinity { negative } => if *negative { "-infinity" } else { "infinity" }.into(),
    }
}
