//! Connect's `Decimal`: an unbounded integer and a scale.

use num_bigint::BigInt;
use std::fmt;

/// `unscaled * 10^-scale`; a negative scale stands for trailing zeros, as in `java.math.BigDecimal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    pub unscaled: BigInt,
    pub scale: i32,
}

impl Decimal {
    pub fn new(unscaled: impl Into<BigInt>, scale: i32) -> Self {
        Self { unscaled: unscaled.into(), scale }
    }
}

/// Plain notation, never an exponent: what SQL takes as a numeric literal (`BigDecimal.toPlainString`).
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.unscaled.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.as_str()),
        };
        if self.scale <= 0 {
            let zeros = if digits == "0" { 0 } else { self.scale.unsigned_abs() as usize };
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let scale = self.scale as usize;
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_notation() {
        for (unscaled, scale, text) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (0, -3, "0"),
            (12345, 2, "123.45"),
            (-5, 3, "-0.005"),
            (7, -2, "700"),
            (-100, 2, "-1.00"),
        ] {
            assert_eq!(Decimal::new(unscaled, scale).to_string(), text, "{unscaled} scale {scale}");
        }
    }
}
