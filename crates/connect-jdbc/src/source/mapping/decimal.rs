//! Exact numbers: from text, and to the scale of a schema.

use connect_api::Decimal;
use num_bigint::BigInt;

/// More than the digits of any database's numbers; a few letters of text must not ask for gigabytes.
const GREATEST_EXPONENT: u32 = 200_000;

/// What `BigDecimal` reads: digits, a point, an exponent.
pub(super) fn parse(text: &str) -> Option<Decimal> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    if exponent.unsigned_abs() > GREATEST_EXPONENT {
        return None;
    }
    let (negative, number) = match number.as_bytes().first()? {
        b'-' => (true, &number[1..]),
        b'+' => (false, &number[1..]),
        _ => (false, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let digits = whole.len() + fraction.len();
    if digits == 0 || !whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Almost always; far faster than the general way.
    let unscaled = if digits <= 18 {
        let value = whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        BigInt::from(if negative { -value } else { value })
    } else {
        let mut all = String::with_capacity(digits + 1);
        all.push_str(if negative { "-" } else { "" });
        all.push_str(whole);
        all.push_str(fraction);
        all.parse().ok()?
    };
    Some(Decimal::new(unscaled, scale))
}

/// The same number with this scale; `None` if it would have to be rounded.
pub(super) fn rescale(decimal: Decimal, scale: i32) -> Option<Decimal> {
    let Decimal { mut unscaled, scale: from } = decimal;
    if scale < from {
        let power = BigInt::from(10).pow(from.abs_diff(scale));
        if &unscaled % &power != BigInt::ZERO {
            return None;
        }
        unscaled /= power;
    } else if scale > from {
        unscaled *= BigInt::from(10).pow(scale.abs_diff(from));
    }
    Some(Decimal { unscaled, scale })
}

/// The scale the number needs at least: its fraction without trailing zeros.
pub(super) fn needed_scale(decimal: &Decimal) -> i32 {
    let mut scale = decimal.scale.max(0);
    let mut unscaled = decimal.unscaled.clone();
    let ten = BigInt::from(10);
    while scale > 0 && &unscaled % &ten == BigInt::ZERO {
        unscaled /= &ten;
        scale -= 1;
    }
    scale
}

pub(super) fn to_double(decimal: &Decimal) -> Option<f64> {
    // The nearest one, which dividing would not always give.
    format!("{}e{}", decimal.unscaled, -i64::from(decimal.scale)).parse().ok()
}

/// The number if it is a whole one.
pub(super) fn to_integer(decimal: Decimal) -> Option<i64> {
    rescale(decimal, 0).and_then(|decimal| decimal.unscaled.try_into().ok())
}
