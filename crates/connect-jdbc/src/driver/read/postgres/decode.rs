//! PostgreSQL's binary forms.

use super::super::SqlValue;
use bytes::Bytes;
use bytestring::ByteString;
use connect_api::Decimal;
use jiff::civil::DateTime;
use std::fmt::Write as _;

/// Where the server's dates and times begin.
pub(super) const EPOCH: DateTime = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;
const EPOCH_DAYS: i64 = 10_957;

pub(super) const MONEY: u32 = 790;
pub(super) const TIMESTAMP: u32 = 1114;
pub(super) const TIMESTAMPTZ: u32 = 1184;

/// How the values of a type travel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Money {
        scale: i32,
    },
    Text,
    /// The type `"char"`: one byte.
    Char,
    Jsonb,
    Uuid,
    Bytea,
    Bits,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    LeftOut,
}

impl Wire {
    /// By the numbers of the built-in types, which are the same in every server.
    pub(super) fn of(oid: u32, money_scale: i32) -> Self {
        match oid {
            16 => Self::Bool,
            21 => Self::Int2,
            23 => Self::Int4,
            20 => Self::Int8,
            26 => Self::Oid,
            700 => Self::Float4,
            701 => Self::Float8,
            1700 => Self::Numeric,
            MONEY => Self::Money { scale: money_scale },
            18 => Self::Char,
            // name, text, json, xml, bpchar, varchar
            19 | 25 | 114 | 142 | 1042 | 1043 => Self::Text,
            3802 => Self::Jsonb,
            2950 => Self::Uuid,
            17 => Self::Bytea,
            1560 => Self::Bits,
            1082 => Self::Date,
            1083 => Self::Time,
            1266 => Self::TimeTz,
            TIMESTAMP => Self::Timestamp,
            TIMESTAMPTZ => Self::TimestampTz,
            _ => Self::LeftOut,
        }
    }
}

/// `None` if the bytes are no value of this form.
pub(super) fn value(wire: Wire, bytes: &[u8]) -> Option<SqlValue> {
    Some(match wire {
        Wire::Bool => SqlValue::Bool(*bytes.first()? != 0),
        Wire::Int2 => SqlValue::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Wire::Int4 => SqlValue::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Wire::Int8 => SqlValue::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        Wire::Oid => SqlValue::Int(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Wire::Float4 => SqlValue::Float(f32::from_be_bytes(bytes.try_into().ok()?)),
        Wire::Float8 => SqlValue::Double(f64::from_be_bytes(bytes.try_into().ok()?)),
        Wire::Numeric => numeric(bytes)?,
        Wire::Money { scale } => {
            // As exact as dividing two whole numbers is.
            let units = i64::from_be_bytes(bytes.try_into().ok()?);
            SqlValue::Double(units as f64 / 10_f64.powi(scale))
        }
        Wire::Text => text(bytes)?,
        // Beyond ASCII the server shows the byte in octal.
        Wire::Char => match bytes {
            [] | [0] => SqlValue::Text(ByteString::new()),
            [byte @ 1..=127] => SqlValue::Text(char::from(*byte).to_string().into()),
            [byte] => SqlValue::Text(format!("\\{byte:03o}").into()),
            _ => return None,
        },
        // A number of the version of the form, then the text.
        Wire::Jsonb => text(bytes.strip_prefix(&[1])?)?,
        Wire::Uuid => SqlValue::Text(uuid(bytes.try_into().ok()?)),
        Wire::Bytea => SqlValue::Bytes(Bytes::copy_from_slice(bytes)),
        Wire::Bits => bits(bytes)?,
        Wire::Date => match i32::from_be_bytes(bytes.try_into().ok()?) {
            i32::MAX => SqlValue::Infinity { negative: false },
            i32::MIN => SqlValue::Infinity { negative: true },
            days => SqlValue::Date(i64::from(days) + EPOCH_DAYS),
        },
        Wire::Time => SqlValue::Time { micros: i64::from_be_bytes(bytes.try_into().ok()?) },
        Wire::TimeTz => {
            let (micros, zone) = bytes.split_first_chunk::<8>()?;
            // Seconds west of Greenwich.
            let zone = i64::from(i32::from_be_bytes(zone.try_into().ok()?));
            SqlValue::TimeTz { micros: i64::from_be_bytes(*micros) + zone * 1_000_000 }
        }
        Wire::Timestamp | Wire::TimestampTz => match i64::from_be_bytes(bytes.try_into().ok()?) {
            i64::MAX => SqlValue::Infinity { negative: false },
            i64::MIN => SqlValue::Infinity { negative: true },
            micros => {
                let seconds = micros.div_euclid(1_000_000) + EPOCH_DAYS * 86_400;
                let nanos = (micros.rem_euclid(1_000_000) * 1000) as u32;
                match wire {
                    Wire::Timestamp => SqlValue::DateTime { seconds, nanos },
                    _ => SqlValue::Instant { seconds, nanos },
                }
            }
        },
        Wire::LeftOut => SqlValue::Null,
    })
}

fn text(bytes: &[u8]) -> Option<SqlValue> {
    std::str::from_utf8(bytes).ok().map(|text| SqlValue::Text(text.into()))
}

fn uuid(bytes: &[u8; 16]) -> ByteString {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

/// The number of bits, then the bits from the left, filled up with zeros: up to a byte of them as a number, more as the digits 0 and 1,
/// which is what the Java driver makes bytes of.
fn bits(bytes: &[u8]) -> Option<SqlValue> {
    let (count, bytes) = bytes.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    if count > bytes.len() * 8 {
        return None;
    }
    Some(match (count, bytes) {
        (..=8, [byte]) => SqlValue::Int((u32::from(*byte) >> (8 - count)).into()),
        _ => {
            let digit = |at: usize| b'0' + (bytes[at / 8] >> (7 - at % 8) & 1);
            SqlValue::Bytes((0..count).map(digit).collect())
        }
    })
}

/// Digits of base 10000, the first of which counts `10000^weight`, shown with `scale` digits after the point.
fn numeric(bytes: &[u8]) -> Option<SqlValue> {
    const NAN: u16 = 0xC000;
    const INFINITY: u16 = 0xD000;
    const NEGATIVE_INFINITY: u16 = 0xF000;
    const NEGATIVE: u16 = 0x4000;
    let (head, digits) = bytes.split_first_chunk::<8>()?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (weight, sign, scale) = (word(2) as i16, word(4), i32::from(word(6)));
    match sign {
        NAN => return Some(SqlValue::Double(f64::NAN)),
        INFINITY => return Some(SqlValue::Double(f64::INFINITY)),
        NEGATIVE_INFINITY => return Some(SqlValue::Double(f64::NEG_INFINITY)),
        _ => {}
    }
    let digits = digits.chunks_exact(2).map(|digit| u16::from_be_bytes([digit[0], digit[1]]));
    let count = i32::try_from(digits.len()).ok()?;
    // How many decimal digits the digits stand for that are behind the point, less those to be shown.
    let surplus = 4 * (count - 1 - i32::from(weight)) - scale;
    let mut unscaled = if count <= 9 {
        let small = digits.fold(0_i128, |sum, digit| sum * 10_000 + i128::from(digit));
        num_bigint::BigInt::from(small)
    } else {
        digits.fold(num_bigint::BigInt::ZERO, |sum, digit| sum * 10_000 + digit)
    };
    let power = num_bigint::BigInt::from(10).pow(surplus.unsigned_abs());
    if surplus > 0 {
        // The last digit's zeros.
        unscaled /= power;
    } else if surplus < 0 {
        unscaled *= power;
    }
    if sign == NEGATIVE {
        unscaled = -unscaled;
    }
    Some(SqlValue::Decimal(Decimal::new(unscaled, scale)))
}
