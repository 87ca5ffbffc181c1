//! One test binary: what the wire looks like, what is refused, and who may write to the registry.

mod decode;
mod golden;
mod registry;
mod topic;

use contracts::{Decision, Order, Outcome};
use uuid::{Uuid, uuid};

const ORDER_ID: Uuid = uuid!("01961f3c-8a80-7cc3-98c4-dc0c0c07398f");

fn order() -> Order {
    Order {
        order_id: ORDER_ID,
        user_id: "kim-\u{ae40}".into(),
        product_id: 1,
        qty: 2,
        unit_price: 1500,
        total_price: 3000,
        created_at: 1_769_860_800_123,
        idempotency_key: Some("retry \"me\"".into()),
    }
}

fn decision(outcome: Outcome, reason: Option<&str>) -> Decision {
    Decision { order_id: ORDER_ID, outcome, reason: reason.map(Into::into), decided_at: 1_769_860_801_000 }
}
