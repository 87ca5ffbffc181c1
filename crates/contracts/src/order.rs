//! The fact "this order was placed", written by order-service.

use crate::connect_json::canonical_uuid;
use crate::{ConnectField, ConnectType, Fact};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    #[serde(deserialize_with = "canonical_uuid")]
    pub order_id: Uuid,
    pub user_id: String,
    pub product_id: i64,
    pub qty: i32,
    pub unit_price: i64,
    pub total_price: i64,
    /// Milliseconds since the epoch, UTC.
    pub created_at: i64,
    /// The `Idempotency-Key` the client sent, if any.
    pub idempotency_key: Option<String>,
}

impl Order {
    pub const QTY_MAX: i32 = 10_000;
    pub const USER_ID_MAX_CHARS: usize = 64;
    pub const IDEMPOTENCY_KEY_MAX_CHARS: usize = 255;
}

impl Fact for Order {
    const NAME: &'static str = "order";
    const FIELDS: &'static [ConnectField] = &[
        ConnectField { name: "order_id", ty: ConnectType::String, optional: false },
        ConnectField { name: "user_id", ty: ConnectType::String, optional: false },
        ConnectField { name: "product_id", ty: ConnectType::Int64, optional: false },
        ConnectField { name: "qty", ty: ConnectType::Int32, optional: false },
        ConnectField { name: "unit_price", ty: ConnectType::Int64, optional: false },
        ConnectField { name: "total_price", ty: ConnectType::Int64, optional: false },
        ConnectField { name: "created_at", ty: ConnectType::Timestamp, optional: false },
        ConnectField { name: "idempotency_key", ty: ConnectType::String, optional: true },
    ];

    fn check(&self) -> Result<(), (&'static str, String)> {
        let chars = self.user_id.chars().count();
        if chars == 0 || chars > Self::USER_ID_MAX_CHARS {
            return Err(("user_id", format!("has {chars} characters, not 1 to {}", Self::USER_ID_MAX_CHARS)));
        }
        if !(1..=Self::QTY_MAX).contains(&self.qty) {
            return Err(("qty", format!("is {}, not 1 to {}", self.qty, Self::QTY_MAX)));
        }
        if self.unit_price < 0 {
            return Err(("unit_price", format!("is {}, below 0", self.unit_price)));
        }
        if self.unit_price.checked_mul(self.qty.into()) != Some(self.total_price) {
            return Err(("total_price", format!("is {}, not qty times unit_price", self.total_price)));
        }
        Ok(())
    }
}
