//! From what a client sent to an order, or to the rule it breaks.

use super::identity::keyed_order_id;
use contracts::Order;
use uuid::Uuid;

/// A value that breaks a rule: the sentence "FIELD RULE" tells a client what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct Invalid {
    pub field: &'static str,
    pub rule: String,
}

fn invalid<T>(field: &'static str, rule: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid { field, rule: rule.into() })
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId(String);

impl UserId {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let chars = text.chars().count();
        let max = Order::USER_ID_MAX_CHARS;
        if !(1..=max).contains(&chars) {
            return invalid("userId", format!("must have 1 to {max} characters, not {chars}"));
        }
        if text.chars().any(char::is_control) {
            return invalid("userId", "must not contain control characters");
        }
        // MariaDB compares as if texts ended in spaces: "ann" and "ann " would read each other's orders.
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            return invalid("userId", "must not begin or end with white space");
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        const FIELD: &str = "Idempotency-Key";
        let max = Order::IDEMPOTENCY_KEY_MAX_CHARS;
        match std::str::from_utf8(bytes) {
            Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => match text.len() {
                length if (1..=max).contains(&length) => Ok(Self(text.to_owned())),
                length => invalid(FIELD, format!("must have 1 to {max} characters, not {length}")),
            },
            _ => invalid(FIELD, "must consist of visible ASCII characters, without spaces"),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is ordered. Its price is known not to overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub product_id: i64,
    pub qty: i32,
    pub unit_price: i64,
    pub total_price: i64,
}

impl Item {
    pub fn parse(product_id: i64, qty: i64, unit_price: i64) -> Result<Self, Invalid> {
        if product_id < 1 {
            return invalid("productId", format!("must be 1 or above, not {product_id}"));
        }
        let max = Order::QTY_MAX;
        let Some(qty) = i32::try_from(qty).ok().filter(|qty| (1..=max).contains(qty)) else {
            return invalid("qty", format!("must be 1 to {max}, not {qty}"));
        };
        if unit_price < 0 {
            return invalid("unitPrice", format!("must be 0 or above, not {unit_price}"));
        }
        let Some(total_price) = unit_price.checked_mul(qty.into()) else {
            return invalid("unitPrice", format!("times qty must not be above {}", i64::MAX));
        };
        Ok(Self { product_id, qty, unit_price, total_price })
    }
}

/// The order as a fact. With a key its id follows from user, key and item, so that a retry on any instance is the same
/// order; without one it is `fresh`.
pub fn place(user: &UserId, item: Item, key: Option<&IdempotencyKey>, fresh: Uuid, created_at: i64) -> Order {
    Order {
        order_id: key.map_or(fresh, |key| keyed_order_id(user, key, &item)),
        user_id: user.as_str().to_owned(),
        product_id: item.product_id,
        qty: item.qty,
        unit_price: item.unit_price,
        total_price: item.total_price,
        created_at,
        idempotency_key: key.map(|key| key.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Fact;

    #[test]
    fn items_keep_their_rules() {
        assert_eq!(Item::parse(1, 2, 1500).unwrap().total_price, 3000);
        assert_eq!(Item::parse(i64::MAX, 10_000, 0).unwrap().total_price, 0);
        assert_eq!(Item::parse(1, 1, i64::MAX).unwrap().total_price, i64::MAX);
        for (product_id, qty, unit_price, field) in [
            (0, 1, 1, "productId"),
            (-1, 1, 1, "productId"),
            (i64::MIN, 1, 1, "productId"),
            (1, 0, 1, "qty"),
            (1, -1, 1, "qty"),
            (1, 10_001, 1, "qty"),
            // Would be 1 if it were cut to 32 bits.
            (1, (1 << 32) + 1, 1, "qty"),
            (1, 1, -1, "unitPrice"),
            (1, 2, i64::MAX, "unitPrice"),
            (1, 10_000, i64::MAX / 10_000 + 1, "unitPrice"),
        ] {
            let error = Item::parse(product_id, qty, unit_price).unwrap_err();
            assert_eq!(error.field, field, "{error}");
        }
    }

    #[test]
    fn user_ids_keep_their_rules() {
        for good in ["a", "Ann Lee", "ユーザー", &"ä".repeat(64), "a/b?c#d"] {
            assert_eq!(UserId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a ", " a", "a\nb", "a\0", "\u{7f}", "\u{85}b", &"ä".repeat(65)] {
            assert_eq!(UserId::parse(bad).unwrap_err().field, "userId", "{bad:?}");
        }
    }

    #[test]
    fn keys_keep_their_rules() {
        for good in ["1", "~!@", &"k".repeat(255)] {
            assert_eq!(IdempotencyKey::parse(good.as_bytes()).unwrap().as_str(), good);
        }
        for bad in ["".as_bytes(), b"a b", b"\x7f", b"\xff", "ä".as_bytes(), &[b'k'; 256]] {
            assert_eq!(IdempotencyKey::parse(bad).unwrap_err().field, "Idempotency-Key", "{bad:?}");
        }
    }

    #[test]
    fn what_is_placed_is_a_valid_fact() {
        let user = UserId::parse("ann").unwrap();
        let key = IdempotencyKey::parse(b"k").unwrap();
        let fresh = Uuid::now_v7();
        let order = place(&user, Item::parse(1, 2, 3).unwrap(), None, fresh, 5);
        assert_eq!((order.order_id, order.total_price, order.created_at), (fresh, 6, 5));
        assert_eq!(order.check(), Ok(()));
        let keyed = place(&user, Item::parse(1, 2, 3).unwrap(), Some(&key), fresh, 5);
        assert_ne!(keyed.order_id, fresh);
        assert_eq!(keyed.idempotency_key.as_deref(), Some("k"));
    }
}
