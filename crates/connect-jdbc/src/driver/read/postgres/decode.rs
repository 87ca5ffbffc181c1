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

#[cfg(test)]
mod tests {
    use super::*;

    /// Of base-10000 digits, as the server sends them.
    fn sent(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        let head = [digits.len() as u16, weight as u16, sign, scale];
        head.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numerics_have_every_digit() {
        for (bytes, text) in [
            (sent(0, 0, 0, &[]), "0"),
            (sent(0, 0, 2, &[]), "0.00"),
            (sent(0, 0, 0, &[7]), "7"),
            (sent(0, 0x4000, 2, &[12, 5000]), "-12.50"),
            (sent(-1, 0, 5, &[0, 1000]), "0.00001"),
            (sent(-2, 0, 5, &[1000]), "0.00001"),
            (sent(1, 0, 0, &[1]), "10000"),
            (sent(2, 0, 1, &[1, 2345, 6789, 5000]), "123456789.5"),
            (sent(9, 0, 0, &[9; 10]), "9000900090009000900090009000900090009"),
        ] {
            let value = value(Wire::Numeric, &bytes);
            let Some(SqlValue::Decimal(decimal)) = value else { panic!("{value:?} for {text}") };
            assert_eq!(decimal.to_string(), text);
        }
        let nan = value(Wire::Numeric, &sent(0, 0xC000, 0, &[]));
        assert!(matches!(nan, Some(SqlValue::Double(value)) if value.is_nan()), "{nan:?}");
    }

    #[test]
    fn bits_are_a_number_up_to_a_byte_and_digits_beyond() {
        let sent = |count: u32, bytes: &[u8]| [&count.to_be_bytes()[..], bytes].concat();
        for (bytes, expected) in [
            (sent(3, &[0b1010_0000]), Some(SqlValue::Int(5))),
            (sent(8, &[0b1000_0001]), Some(SqlValue::Int(129))),
            (sent(10, &[0b1000_0000, 0b0100_0000]), Some(SqlValue::Bytes("1000000001".into()))),
            (sent(99, &[0]), None),
            (vec![0, 0], None),
        ] {
            assert_eq!(value(Wire::Bits, &bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn dates_and_times_count_from_2000() {
        let seconds = 946_684_800;
        for (wire, bytes, expected) in [
            (Wire::Date, 0_i32.to_be_bytes().to_vec(), SqlValue::Date(10_957)),
            (Wire::Date, i32::MIN.to_be_bytes().to_vec(), SqlValue::Infinity { negative: true }),
            (
                Wire::Timestamp,
                (-1_i64).to_be_bytes().to_vec(),
                SqlValue::DateTime { seconds: seconds - 1, nanos: 999_999_000 },
            ),
            (
                Wire::TimestampTz,
                1_500_000_i64.to_be_bytes().to_vec(),
                SqlValue::Instant { seconds: seconds + 1, nanos: 500_000_000 },
            ),
            (Wire::Timestamp, i64::MAX.to_be_bytes().to_vec(), SqlValue::Infinity { negative: false }),
            // 00:00 two hours east of Greenwich.
            (
                Wire::TimeTz,
                [&0_i64.to_be_bytes()[..], &(-7200_i32).to_be_bytes()].concat(),
                SqlValue::TimeTz { micros: -7_200_000_000 },
            ),
        ] {
            assert_eq!(value(wire, &bytes), Some(expected), "{wire:?}");
        }
    }

    #[test]
    fn texts_of_other_forms() {
        let text = |text: &str| Some(SqlValue::Text(text.into()));
        let uuid =
            [0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00];
        assert_eq!(value(Wire::Uuid, &uuid), text("123e4567-e89b-12d3-a456-426614174000"));
        assert_eq!(value(Wire::Jsonb, b"\x01{}"), text("{}"));
        assert_eq!(value(Wire::Jsonb, b"\x02{}"), None);
        assert_eq!(value(Wire::Char, b"a"), text("a"));
        assert_eq!(value(Wire::Char, &[0o201]), text("\\201"));
        assert_eq!(value(Wire::Text, &[0xff]), None);
        assert_eq!(
            value(Wire::Money { scale: 2 }, &(-123_456_i64).to_be_bytes()),
            Some(SqlValue::Double(-1234.56))
        );
    }

    proptest::proptest! {
        /// Whatever a server sends is a value or none.
        #[test]
        fn nothing_that_is_sent_panics(bytes: Vec<u8>) {
            for wire in [
                Wire::Bool, Wire::Int2, Wire::Int4, Wire::Int8, Wire::Oid, Wire::Float4, Wire::Float8, Wire::Char, Wire::Jsonb,
                Wire::Uuid, Wire::Bits, Wire::Date, Wire::Time, Wire::TimeTz, Wire::Timestamp, Wire::TimestampTz, Wire::Numeric,
            ] {
                let _no_panic = value(wire, &bytes);
            }
        }
    }
}
