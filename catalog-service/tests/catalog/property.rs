//! Any sequence of batches with redeliveries: each order is decided once, and stock = initial - confirmed.

use crate::support::{NOW, TestStore, order};
use catalog_service::events::handler::decide;
use contracts::{Decision, Order, Outcome};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// An order number always stands for the same order; product 4 does not exist.
fn any_order() -> impl Strategy<Value = Order> {
    (0u128..40).prop_map(|number| order(number, (number % 4 + 1) as i64, (number % 9 + 1) as i32))
}

fn any_batches() -> impl Strategy<Value = Vec<Vec<Order>>> {
    proptest::collection::vec(proptest::collection::vec(any_order(), 0..25), 0..8)
}

async fn holds(stock: [i64; 3], batches: Vec<Vec<Order>>) -> Result<(), TestCaseError> {
    let initial = BTreeMap::from([(1, stock[0]), (2, stock[1]), (3, stock[2])]);
    let test = TestStore::with_stock(&initial.clone().into_iter().collect::<Vec<_>>()).await;
    let mut decided: HashMap<Uuid, Decision> = HashMap::new();
    let mut left = initial;
    for (i, batch) in batches.iter().enumerate() {
        let decisions = decide(&test.store, batch, NOW + i as i64).await.unwrap();
        let asked: std::collections::BTreeSet<Uuid> = batch.iter().map(|order| order.order_id).collect();
        prop_assert_eq!(decisions.len(), asked.len(), "one decision for each order of the batch");
        for decision in decisions {
            let order = batch.iter().find(|order| order.order_id == decision.order_id).unwrap();
            if let Some(before) = decided.get(&decision.order_id) {
                prop_assert_eq!(before, &decision, "a decision stands");
                continue;
            }
            // the model: one order after the other
            let reason = match left.get_mut(&order.product_id) {
                None => Some(Decision::UNKNOWN_PRODUCT),
                Some(left) if *left < i64::from(order.qty) => Some(Decision::INSUFFICIENT_STOCK),
                Some(left) => {
                    *left -= i64::from(order.qty);
                    None
                }
            };
            prop_assert_eq!(decision.reason.as_deref(), reason);
            prop_assert_eq!(decision.outcome == Outcome::Confirmed, reason.is_none());
            decided.insert(decision.order_id, decision);
        }
        prop_assert_eq!(test.stock().await, left.clone());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_decided_once_and_the_stock_fits(
        stock in [0i64..60, 0i64..10, 0i64..2],
        batches in any_batches(),
    ) {
        actix_web::rt::System::new().block_on(holds(stock, batches))?;
    }
}
