use crate::support::{NOW, TestStore, order};
use catalog_service::events::handler::{Malformed, decide, read};
use contracts::{Decision, Order, Outcome, encode};
use std::collections::BTreeMap;

/// Decides `batches` one after the other on `stock` and compares: one text per decision, and what is left.
async fn check(stock: &[(i64, i64)], batches: &[&[Order]], expected: &[&[&str]], left: &[(i64, i64)]) {
    let test = TestStore::with_stock(stock).await;
    for (i, (batch, expected)) in batches.iter().zip(expected).enumerate() {
        let decisions = decide(&test.store, batch, NOW + i as i64).await.unwrap();
        let texts: Vec<String> = decisions.iter().map(text).collect();
        assert_eq!(texts, *expected, "batch {i}");
    }
    assert_eq!(test.stock().await, left.iter().copied().collect::<BTreeMap<_, _>>());
}

/// `NUMBER OUTCOME [REASON] +MS-AFTER-START`
fn text(decision: &Decision) -> String {
    let reason = decision.reason.as_ref().map(|reason| format!(" {reason}")).unwrap_or_default();
    let (number, outcome) = (decision.order_id.as_u128(), decision.outcome.as_str());
    format!("{number} {outcome}{reason} +{}", decision.decided_at - NOW)
}

#[actix_web::test]
async fn an_order_lowers_the_stock() {
    check(&[(1, 10)], &[&[order(1, 1, 3)]], &[&["1 CONFIRMED +0"]], &[(1, 7)]).await;
}

#[actix_web::test]
async fn the_last_piece_can_be_sold() {
    let orders = [order(1, 1, 10), order(2, 1, 1)];
    check(&[(1, 10)], &[&orders], &[&["1 CONFIRMED +0", "2 REJECTED INSUFFICIENT_STOCK +0"]], &[(1, 0)])
        .await;
}

#[actix_web::test]
async fn a_shortage_takes_nothing_and_smaller_orders_go_on() {
    let orders = [order(1, 1, 8), order(2, 1, 5), order(3, 1, 2), order(4, 2, 1)];
    let expected = ["1 CONFIRMED +0", "2 REJECTED INSUFFICIENT_STOCK +0", "3 CONFIRMED +0", "4 CONFIRMED +0"];
    check(&[(1, 10), (2, 1)], &[&orders], &[&expected], &[(1, 0), (2, 0)]).await;
}

#[actix_web::test]
async fn an_unknown_product_is_rejected() {
    let orders = [order(1, 99, 1), order(2, -1, 1), order(3, 1, 1)];
    let expected = ["1 REJECTED UNKNOWN_PRODUCT +0", "2 REJECTED UNKNOWN_PRODUCT +0", "3 CONFIRMED +0"];
    check(&[(1, 10)], &[&orders], &[&expected], &[(1, 9)]).await;
}

#[actix_web::test]
async fn a_duplicate_in_a_batch_is_decided_once() {
    let orders = [order(1, 1, 4), order(2, 1, 4), order(1, 1, 4), order(1, 1, 4)];
    check(&[(1, 10)], &[&orders], &[&["1 CONFIRMED +0", "2 CONFIRMED +0"]], &[(1, 2)]).await;
}

#[actix_web::test]
async fn a_redelivered_order_gets_its_stored_decision() {
    let batches: &[&[Order]] = &[
        &[order(1, 1, 10), order(2, 1, 1), order(3, 99, 1)],
        &[order(3, 99, 1), order(2, 1, 1), order(4, 1, 1), order(1, 1, 10)],
    ];
    let expected: &[&[&str]] = &[
        &["1 CONFIRMED +0", "2 REJECTED INSUFFICIENT_STOCK +0", "3 REJECTED UNKNOWN_PRODUCT +0"],
        &[
            "3 REJECTED UNKNOWN_PRODUCT +0",
            "2 REJECTED INSUFFICIENT_STOCK +0",
            "4 REJECTED INSUFFICIENT_STOCK +1",
            "1 CONFIRMED +0",
        ],
    ];
    check(&[(1, 10)], batches, expected, &[(1, 0)]).await;
}

#[actix_web::test]
async fn a_decision_stands_when_stock_arrives_later() {
    let test = TestStore::with_stock(&[(1, 0)]).await;
    let rejected = decide(&test.store, &[order(1, 1, 1)], NOW).await.unwrap();
    let mut product = test.store.product(1).await.unwrap().unwrap();
    product.qty = 5;
    assert!(test.store.update_product(&product).await.unwrap());
    assert_eq!(decide(&test.store, &[order(1, 1, 1)], NOW + 9).await.unwrap(), rejected);
    let confirmed = decide(&test.store, &[order(2, 1, 1)], NOW + 9).await.unwrap();
    assert_eq!(confirmed[0].outcome, Outcome::Confirmed);
}

/// The writer broke the contract; the first version stands.
#[actix_web::test]
async fn a_repetition_with_other_content_changes_nothing() {
    let batches: &[&[Order]] = &[&[order(1, 1, 2)], &[order(1, 1, 7), order(1, 2, 1)]];
    check(&[(1, 10), (2, 10)], batches, &[&["1 CONFIRMED +0"], &["1 CONFIRMED +0"]], &[(1, 8), (2, 10)])
        .await;
}

#[actix_web::test]
async fn nothing_is_nothing() {
    check(&[(1, 10)], &[&[]], &[&[]], &[(1, 10)]).await;
}

#[actix_web::test]
async fn a_full_batch_fits_one_transaction() {
    let orders: Vec<Order> = (1..=500).map(|number| order(number, (number % 7) as i64, 1)).collect();
    let test = TestStore::with_stock(&[(1, 1000), (2, 10), (3, 1000)]).await;
    let decisions = decide(&test.store, &orders, NOW).await.unwrap();
    assert_eq!(decisions.len(), 500);
    assert_eq!(test.stock().await, BTreeMap::from([(1, 928), (2, 0), (3, 928)]));
}

#[actix_web::test]
async fn seeding_and_migrating_can_be_repeated() {
    let test = TestStore::new().await;
    assert_eq!(test.store.seed().await.unwrap(), 6);
    let stock = test.stock().await;
    test.store.migrate().await.unwrap();
    assert_eq!(test.store.seed().await.unwrap(), 0);
    assert_eq!(test.stock().await, stock);
    assert_eq!(stock.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn records_that_are_no_orders() {
    let good = order(0xabcdef, 1, 1);
    let (key, value) = (good.order_id.to_string(), encode(&good));
    assert_eq!(read(Some(key.as_bytes()), Some(&value)).unwrap(), good);

    let other = order(2, 1, 1).order_id.to_string();
    let refused = |key: Option<&[u8]>, value: Option<&[u8]>| read(key, value).unwrap_err();
    assert!(matches!(refused(None, Some(&value)), Malformed::NoKey));
    for key in ["", "17", &other, &key.to_uppercase(), &format!("\"{key}\""), &key.replace('-', "")] {
        assert!(matches!(refused(Some(key.as_bytes()), Some(&value)), Malformed::OtherKey), "{key}");
    }
    assert!(matches!(refused(Some(b"\xff"), Some(&value)), Malformed::OtherKey));
    for value in [None, Some(b"".as_slice()), Some(b"{}"), Some(b"\xff"), Some(b"{\"payload\":{}}")] {
        assert!(matches!(refused(Some(key.as_bytes()), value), Malformed::Value(_)), "{value:?}");
    }
}
