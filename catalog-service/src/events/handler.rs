//! One batch of orders, without Kafka: what the records say, and what is decided about them.

use crate::domain::Verdict;
use crate::store::{DecidedOrder, Store, StoreResult};
use contracts::{ContractError, Decision, Order, Outcome};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Why a record of the orders topic is no order.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("the value is no order")]
    Value(#[from] ContractError),
    #[error("the record has no key; an order's key is its order_id")]
    NoKey,
    #[error("the key is not the order_id of the payload")]
    OtherKey,
}

/// Reads one record.
pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Order, Malformed> {
    let order: Order = contracts::decode(value)?;
    let key = key.ok_or(Malformed::NoKey)?;
    if key != order.order_id.to_string().as_bytes() {
        return Err(Malformed::OtherKey);
    }
    Ok(order)
}

/// Decides a batch in one transaction: one decision per order, in the order of first appearance. An order that was
/// decided before (in this batch, an earlier one, or by another instance) keeps its decision.
///
/// The products are locked before the earlier decisions are looked up, so that two instances with the same order come
/// one after the other. Orders of unknown products have no row to lock: there the primary key of the decisions makes
/// the second instance fail and try again.
pub async fn decide(store: &Store, orders: &[Order], now_ms: i64) -> StoreResult<Vec<Decision>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let product_ids: BTreeSet<i64> = orders.iter().map(|order| order.product_id).collect();
    let order_ids: BTreeSet<Uuid> = orders.iter().map(|order| order.order_id).collect();

    let tx = store.begin().await?;
    let mut stock = tx.lock_stock(&product_ids.into_iter().collect::<Vec<_>>()).await?;
    let known = tx.decisions(order_ids).await?;
    let mut known: HashMap<Uuid, DecidedOrder> =
        known.into_iter().map(|d| (d.decision.order_id, d)).collect();

    let mut new = Vec::new();
    let mut answered = BTreeSet::new();
    let mut decisions = Vec::new();
    for order in orders {
        let decided = known.entry(order.order_id).or_insert_with(|| {
            let verdict = stock.decide(order.product_id, order.qty.into());
            let decided = decided(order, verdict, now_ms);
            new.push(decided.clone());
            decided
        });
        if (decided.product_id, decided.qty) != (order.product_id, order.qty.into()) {
            // A fact does not change. Its writer broke the contract, and the first version stands.
            tracing::warn!(order_id = %order.order_id, "a repeated order differs from the one that was decided");
        }
        if answered.insert(order.order_id) {
            decisions.push(decided.decision.clone());
        }
    }
    // In the order of ids, so that two instances with the same orders wait for each other and do not deadlock.
    new.sort_by_key(|decided| decided.decision.order_id);
    tx.insert_decisions(&new).await?;
    for (product_id, qty) in stock.taken() {
        tx.take_stock(product_id, qty).await?;
    }
    tx.commit().await?;
    Ok(decisions)
}

fn decided(order: &Order, verdict: Verdict, now_ms: i64) -> DecidedOrder {
    let (outcome, reason) = match verdict {
        Verdict::Confirmed => (Outcome::Confirmed, None),
        Verdict::Rejected(reason) => (Outcome::Rejected, Some(reason.as_str().to_owned())),
    };
    let decision = Decision { order_id: order.order_id, outcome, reason, decided_at: now_ms };
    DecidedOrder { product_id: order.product_id, qty: order.qty.into(), decision }
}
