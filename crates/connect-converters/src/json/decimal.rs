//! `org.apache.kafka.connect.data.Decimal` in JSON: a number, or the unscaled integer's bytes in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect_api::Decimal;
use num_bigint::BigInt;
use std::borrow::Cow;

/// As many digits, and zeros behind an exponent, as a number may have (Jackson's limit for numbers).
const MAX_DIGITS: usize = 1000;

/// Reads the JSON text of a decimal; the error is what is wrong with it.
pub(super) fn parse(json: &str, scale: i32) -> Result<Decimal, String> {
    match json.as_bytes().first() {
        Some(b'"') => {
            let text: Cow<'_, str> =
                serde_json::from_str(json).map_err(|_| "Invalid bytes for Decimal field".to_string())?;
            let bytes = base64(&text).map_err(|error| format!("Invalid bytes for Decimal field: {error}"))?;
            if bytes.is_empty() {
                return Err("Invalid bytes for Decimal field: no bytes at all".into());
            }
            Ok(Decimal::new(BigInt::from_signed_bytes_be(&bytes), scale))
        }
        Some(b'-' | b'0'..=b'9') => number(json),
        first => {
            let kind = match first {
                Some(b'{') => "OBJECT",
                Some(b'[') => "ARRAY",
                _ => "BOOLEAN",
            };
            Err(format!(
                "Invalid type for Decimal, underlying representation should be numeric or bytes but was {kind}"
            ))
        }
    }
}

pub(super) fn base64(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| format!("broken base64: {error}"))
}

/// The bytes of the unscaled integer.
pub(super) fn to_base64(value: &Decimal) -> String {
    STANDARD.encode(value.unscaled.to_signed_bytes_be())
}

/// A JSON number keeps its own scale, as in Java: `1.105` stays `1.105` under a schema of scale 2.
fn number(json: &str) -> Result<Decimal, String> {
    let too_long = || format!("Invalid number for Decimal field: more than {MAX_DIGITS} digits");
    let (mantissa, exponent) = match json.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| too_long())?),
        None => (json, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if mantissa.len() > MAX_DIGITS || exponent.unsigned_abs() as usize > MAX_DIGITS {
        return Err(too_long());
    }
    let digits = format!("{whole}{fraction}");
    let unscaled =
        digits.parse::<BigInt>().map_err(|_| format!("Invalid number for Decimal field: {json}"))?;
    Ok(Decimal::new(unscaled, fraction.len() as i32 - exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes() {
        for (json, expected) in [
            ("1.10", Ok(Decimal::new(110, 2))),
            ("1.105", Ok(Decimal::new(1105, 3))),
            ("12", Ok(Decimal::new(12, 0))),
            ("-0.05", Ok(Decimal::new(-5, 2))),
            ("1e3", Ok(Decimal::new(1, -3))),
            ("1.5E-3", Ok(Decimal::new(15, 4))),
            ("\"AfQ=\"", Ok(Decimal::new(500, 2))),
            ("\"/w==\"", Ok(Decimal::new(-1, 2))),
        ] {
            assert_eq!(parse(json, 2), expected, "{json}");
        }
        for json in ["\"\"", "\"zz!\"", "true", "{}", "[]", "1e99999", "1e99999999999"] {
            assert!(parse(json, 2).is_err(), "{json}");
        }
    }
}
