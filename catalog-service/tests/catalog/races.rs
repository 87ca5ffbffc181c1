//! Two instances on one database, with the same orders at the same time, as after a rebalance.

use crate::support::{NOW, TestStore, order};
use catalog_service::events::handler::decide;
use catalog_service::store::Store;
use contracts::{Decision, Order, Outcome};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// As the consumer does: any error is tried again.
async fn decide_all(store: Store, batches: Vec<Vec<Order>>, now: i64) -> Vec<Decision> {
    let mut decisions = Vec::new();
    for batch in batches {
        let mut attempts = 0;
        loop {
            match decide(&store, &batch, now).await {
                Ok(decided) => break decisions.extend(decided),
                Err(error) => {
                    attempts += 1;
                    assert!(attempts < 50, "{error:?}");
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
        }
    }
    decisions
}

#[actix_web::test]
async fn racing_instances_agree_and_never_sell_what_is_not_there() {
    for round in 0..5 {
        let test = TestStore::with_stock(&[(1, 60), (2, 25)]).await;
        let orders: Vec<Order> =
            (0..120).map(|number| order(number, (number % 3 + 1) as i64, (number % 4 + 1) as i32)).collect();
        let forwards: Vec<Vec<Order>> = orders.chunks(7).map(<[Order]>::to_vec).collect();
        let backwards: Vec<Vec<Order>> =
            orders.rchunks(11).map(|batch| batch.iter().rev().cloned().collect()).collect();
        let a = tokio::spawn(decide_all(test.another().await, forwards, NOW));
        let b = tokio::spawn(decide_all(test.another().await, backwards, NOW + 1));
        let (a, b) = (a.await.unwrap(), b.await.unwrap());

        let a: HashMap<Uuid, Decision> =
            a.into_iter().map(|decision| (decision.order_id, decision)).collect();
        let b: HashMap<Uuid, Decision> =
            b.into_iter().map(|decision| (decision.order_id, decision)).collect();
        assert_eq!(a, b, "round {round}: both publish the same decisions");
        assert_eq!(a.len(), orders.len());
        let mut left = BTreeMap::from([(1, 60), (2, 25)]);
        for order in orders.iter().filter(|order| a[&order.order_id].outcome == Outcome::Confirmed) {
            *left.get_mut(&order.product_id).unwrap() -= i64::from(order.qty);
        }
        assert!(left.values().all(|qty| *qty >= 0), "{left:?}");
        assert_eq!(test.stock().await, left, "round {round}");
    }
}
