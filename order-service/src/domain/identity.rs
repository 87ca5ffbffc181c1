//! The id of an order that came with an `Idempotency-Key`.

use super::order::{IdempotencyKey, Item, UserId};
use uuid::Uuid;

/// Part of every keyed order's id. Changing it would make retries that cross the change into second orders.
const NAMESPACE: Uuid = Uuid::from_u128(0x8b0f_6a54_3f0e_4d0b_9a5c_6f3f_6f2a_71c4);

/// A UUIDv5 of user, key and item. Needs no memory, so it is the same on every instance, even while the database,
/// Kafka or the instance that saw the first attempt is down. The item is part of it in canonical form: how a client
/// spaced or sorted its JSON makes no difference, another item makes another order.
pub fn keyed_order_id(user: &UserId, key: &IdempotencyKey, item: &Item) -> Uuid {
    // A JSON array cannot be read in two ways, whatever characters the texts hold.
    let name = serde_json::json!([user.as_str(), key.as_str(), item.product_id, item.qty, item.unit_price]);
    Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(user: &str, key: &str, item: (i64, i64, i64)) -> Uuid {
        let item = Item::parse(item.0, item.1, item.2).unwrap();
        keyed_order_id(&UserId::parse(user).unwrap(), &IdempotencyKey::parse(key.as_bytes()).unwrap(), &item)
    }

    #[test]
    fn the_id_is_written_in_stone() {
        // Instances of different versions run side by side while one replaces the other.
        assert_eq!(id("ann", "key-1", (1, 2, 1500)).to_string(), "1ec4f0a4-a11d-524a-9e98-51818e4f0e91");
    }

    proptest! {
        #[test]
        fn same_input_same_id_and_any_difference_another(
            user in "[a-z\"\\\\,\\[\\]]{1,8}", key in "[!-~]{1,8}", other in "[!-~]{1,8}",
            product in 1i64..9, qty in 1i64..9, price in 0i64..9,
        ) {
            let first = id(&user, &key, (product, qty, price));
            prop_assert_eq!(first, id(&user, &key, (product, qty, price)));
            prop_assert_eq!(first.get_version_num(), 5);
            prop_assert_ne!(first, id(&user, &key, (product + 1, qty, price)));
            prop_assert_ne!(first, id(&user, &key, (product, qty + 1, price)));
            prop_assert_ne!(first, id(&user, &key, (product, qty, price + 1)));
            prop_assert_ne!(first, id(&format!("{user}x"), &key, (product, qty, price)));
            // Text does not wander from user to key.
            prop_assert_ne!(id(&format!("{user}{other}"), &key, (1, 1, 1)), id(&user, &format!("{other}{key}"), (1, 1, 1)));
            if key != other {
                prop_assert_ne!(first, id(&user, &other, (product, qty, price)));
            }
        }
    }
}
