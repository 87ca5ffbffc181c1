//! Where a page of orders ended, as an opaque text for the next request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The last order of a page in the order of the list: newest first, then by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Milliseconds since the epoch.
    pub created_at: i64,
    pub order_id: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor was not made by this service")]
pub struct CursorError;

/// 9999-12-31T23:59:59.999Z, the last instant a DATETIME column can hold.
const LAST_INSTANT: i64 = 253_402_300_799_999;

/// As long as the column.
const ORDER_ID_MAX: usize = 255;

impl Cursor {
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.created_at, self.order_id))
    }

    pub fn decode(text: &str) -> Result<Self, CursorError> {
        // Do not even decode what is longer than any cursor.
        if text.len() > 4 * ORDER_ID_MAX {
            return Err(CursorError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| CursorError)?;
        let (created_at, order_id) = text.split_once(':').ok_or(CursorError)?;
        let created_at = created_at.parse().map_err(|_| CursorError)?;
        let id_fits = (1..=ORDER_ID_MAX).contains(&order_id.chars().count()) && !order_id.contains('\0');
        if !(0..=LAST_INSTANT).contains(&created_at) || !id_fits {
            return Err(CursorError);
        }
        Ok(Self { created_at, order_id: order_id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_survives_the_round_trip(created_at in 0..=LAST_INSTANT, order_id in "[ -~ä]{1,40}") {
            let cursor = Cursor { created_at, order_id };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            if let Ok(cursor) = Cursor::decode(&text) {
                prop_assert!((0..=LAST_INSTANT).contains(&cursor.created_at));
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in [
            "",
            "!",
            "AAA=",
            &encode(""),
            &encode("1"),
            &encode(":a"),
            &encode("1:"),
            &encode("-1:a"),
            &encode("x:a"),
            &encode("253402300800000:a"),
            &encode(&format!("1:{}", "a".repeat(256))),
            &"A".repeat(5000),
        ] {
            assert_eq!(Cursor::decode(bad), Err(CursorError), "{bad}");
        }
    }
}
