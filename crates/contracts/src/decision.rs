//! The fact "this is what the catalog decided about an order", written by catalog-service.

use crate::connect_json::canonical_uuid;
use crate::{ConnectField, ConnectType, Fact};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    #[serde(deserialize_with = "canonical_uuid")]
    pub order_id: Uuid,
    pub outcome: Outcome,
    /// Why it was rejected: `UNKNOWN_PRODUCT` or `INSUFFICIENT_STOCK`; absent when confirmed.
    pub reason: Option<String>,
    /// Milliseconds since the epoch, UTC.
    pub decided_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    Confirmed,
    Rejected,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Confirmed => "CONFIRMED",
            Outcome::Rejected => "REJECTED",
        }
    }
}

impl Decision {
    pub const UNKNOWN_PRODUCT: &str = "UNKNOWN_PRODUCT";
    pub const INSUFFICIENT_STOCK: &str = "INSUFFICIENT_STOCK";
}

impl Fact for Decision {
    const NAME: &'static str = "order_decision";
    const FIELDS: &'static [ConnectField] = &[
        ConnectField { name: "order_id", ty: ConnectType::String, optional: false },
        ConnectField { name: "outcome", ty: ConnectType::String, optional: false },
        ConnectField { name: "reason", ty: ConnectType::String, optional: true },
        ConnectField { name: "decided_at", ty: ConnectType::Timestamp, optional: false },
    ];

    fn check(&self) -> Result<(), (&'static str, String)> {
        match (self.outcome, &self.reason) {
            (Outcome::Rejected, None) => Err(("reason", "is missing on a rejected order".into())),
            (Outcome::Confirmed, Some(_)) => Err(("reason", "is set on a confirmed order".into())),
            _ => Ok(()),
        }
    }
}
