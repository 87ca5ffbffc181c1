//! What an order is and when it may be placed. Pure: no HTTP, no Kafka, no database, no clock.

mod cursor;
mod identity;
mod order;

pub use cursor::{Cursor, CursorError};
pub use identity::keyed_order_id;
pub use order::{IdempotencyKey, Invalid, Item, UserId, place};
