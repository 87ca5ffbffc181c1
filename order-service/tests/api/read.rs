//! Reading orders from the tables that the sink fills.

use super::helpers::*;
use contracts::Order;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn order(user: &str, created_at: i64, low_bits: u128) -> Order {
    Order {
        order_id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | low_bits),
        user_id: user.into(),
        product_id: 1,
        qty: 2,
        unit_price: 3,
        total_price: 6,
        created_at,
        idempotency_key: None,
    }
}

#[actix_web::test]
async fn decisions_show_as_status() {
    let folder = Folder::new();
    let database = migrated(&folder).await;
    let app = app(events_store(&folder).await, &Arc::default()).await;
    let orders = [order("ann", 1_769_860_800_123, 1), order("ann", 1, 2), order("ann", 2, 3)];
    for order in &orders {
        sink(&database, order).await;
    }
    decide(&database, &orders[1], "CONFIRMED", None).await;
    decide(&database, &orders[2], "REJECTED", Some("INSUFFICIENT_STOCK")).await;
    let get = async |order: &Order| app.get(&format!("/orders/{}", order.order_id)).await.json;

    let placed = get(&orders[0]).await;
    assert_eq!(placed["status"], "PLACED");
    assert_eq!(placed["createdAt"], "2026-01-31T12:00:00.123Z");
    assert!(placed.get("reason").is_none());
    assert_eq!(get(&orders[1]).await["status"], "CONFIRMED");
    let rejected = get(&orders[2]).await;
    assert_eq!(
        (&rejected["status"], &rejected["reason"]),
        (&"REJECTED".into(), &"INSUFFICIENT_STOCK".into())
    );

    // A decision that overtook its order shows nothing yet.
    decide(&database, &order("ann", 9, 9), "CONFIRMED", None).await;
    assert_eq!(app.get("/users/ann/orders").await.json["orders"].as_array().unwrap().len(), 3);
    // The id is a value, not a text: its spelling does not matter.
    assert_eq!(
        app.get(&format!("/orders/{}", orders[0].order_id).to_uppercase().replace("ORDERS", "orders"))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let folder = Folder::new();
    let database = migrated(&folder).await;
    let app = app(events_store(&folder).await, &Arc::default()).await;
    // Many share an instant, so that the id has to decide.
    for i in 0..25 {
        sink(&database, &order(if i % 5 == 0 { "bob" } else { "ann" }, 1000 + i / 10, i as u128)).await;
    }
    for (list, total) in
        [("/orders", 25), ("/users/ann/orders", 20), ("/users/bob/orders", 5), ("/users/Ann/orders", 0)]
    {
        for limit in [1, 3, 5, 20, 100] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = app.get(&format!("{list}?limit={limit}{cursor}")).await;
                assert_eq!(page.status, 200, "{}", page.json);
                let orders = page.json["orders"].as_array().unwrap();
                assert!(orders.len() <= limit);
                seen.extend(
                    orders.iter().map(|order| (order["createdAt"].to_string(), order["orderId"].to_string())),
                );
                match page.json["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
                assert_eq!(orders.len(), limit, "a page before the last is full");
            }
            assert_eq!(seen.len(), total, "{list} by {limit}");
            assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {seen:?}");
        }
    }
    assert_eq!(app.get("/orders").await.json["orders"].as_array().unwrap().len(), 20, "the default");
}

#[actix_web::test]
async fn an_order_on_its_way_is_waited_for() {
    let folder = Folder::new();
    let database = migrated(&folder).await;
    let app = app(events_store(&folder).await, &Arc::default()).await;
    let late = order("ann", 1, 1);
    let uri = format!("/orders/{}", late.order_id);
    let started = Instant::now();
    let (answer, ()) = tokio::join!(app.get(&uri), async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        sink(&database, &late).await;
    });
    assert_eq!(answer.status, 200);
    assert!(started.elapsed() < Duration::from_secs(2));

    let started = Instant::now();
    let missing = app.get("/orders/01980000-0000-7000-8000-00000000ffff").await;
    missing.expect_problem(404, None);
    assert_eq!(missing.header("retry-after"), "1");
    let waited = started.elapsed();
    assert!(waited > Duration::from_millis(1500) && waited < Duration::from_secs(5), "{waited:?}");
}

#[actix_web::test]
async fn local_mode_does_not_wait() {
    let folder = Folder::new();
    let app = app(local_store(&folder, "a.db").await, &Arc::default()).await;
    let started = Instant::now();
    app.get("/orders/01980000-0000-7000-8000-00000000ffff").await.expect_problem(404, None);
    assert!(started.elapsed() < Duration::from_secs(1));
}
