//! Placing orders in either mode.

use super::helpers::*;
use std::sync::Arc;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[actix_web::test]
async fn an_order_is_published_and_answered() {
    let folder = Folder::new();
    migrated(&folder).await;
    let kafka = Arc::new(FakeKafka::default());
    let app = app(events_store(&folder).await, &kafka).await;

    let request = post("Ann%20Lee", None, ORDER)
        .insert_header(("traceparent", TRACEPARENT))
        .insert_header(("x-request-id", "request-1"));
    let answer = app.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let (order, trace) = kafka.published.lock().unwrap()[0].clone();
    assert_eq!(answer.header("location"), format!("/orders/{}", order.order_id));
    assert_eq!(answer.header("x-request-id"), "request-1");
    assert_eq!((trace.traceparent.as_str(), trace.request_id.as_str()), (TRACEPARENT, "request-1"));
    let created_at =
        chrono::DateTime::parse_from_rfc3339(answer.json["createdAt"].as_str().unwrap()).unwrap();
    assert_eq!(created_at.timestamp_millis(), order.created_at);
    assert_eq!(
        answer.json,
        serde_json::json!({
            "orderId": order.order_id.to_string(), "userId": "Ann Lee", "productId": 1, "qty": 2, "unitPrice": 1500,
            "totalPrice": 3000, "status": "PLACED", "createdAt": answer.json["createdAt"],
        })
    );
    assert_eq!((order.order_id.get_version_num(), order.idempotency_key), (7, None));

    let again = app.place("Ann%20Lee", None, ORDER).await;
    assert_ne!(again.json["orderId"], answer.json["orderId"], "without a key each request is an order");
}

#[actix_web::test]
async fn a_key_makes_a_retry_the_same_order_on_any_instance() {
    let folder = Folder::new();
    let database = migrated(&folder).await;
    let kafka = Arc::new(FakeKafka::default());
    let (first, second) =
        (app(events_store(&folder).await, &kafka).await, app(events_store(&folder).await, &kafka).await);

    let answer = first.place("ann", Some("key-1"), ORDER).await;
    assert_eq!(answer.status, 201);
    // The record has not reached the tables: it is published again, under the same id.
    let other_spelling = r#" { "unitPrice" : 1500, "qty":2, "productId":1 } "#;
    let retry = second.place("ann", Some("key-1"), other_spelling).await;
    assert_eq!((retry.status, &retry.json["orderId"]), (answer.status, &answer.json["orderId"]));
    assert_eq!(kafka.orders().len(), 2);

    // It has: the stored order is the answer, with what became of it.
    let order = kafka.orders()[0].clone();
    sink(&database, &order).await;
    decide(&database, &order, "CONFIRMED", None).await;
    let retry = second.place("ann", Some("key-1"), ORDER).await;
    assert_eq!((retry.status, &retry.json["status"]), (answer.status, &"CONFIRMED".into()));
    assert_eq!(retry.json["createdAt"], answer.json["createdAt"]);
    assert_eq!(retry.header("location"), answer.header("location"));
    assert_eq!(kafka.orders().len(), 2);

    // Another order under the key is a mistake; the key of another user is another key.
    let other = r#"{"productId":1,"qty":3,"unitPrice":1500}"#;
    first.place("ann", Some("key-1"), other).await.expect_problem(422, Some("Idempotency-Key"));
    assert_eq!(kafka.orders().len(), 2);
    assert_eq!(first.place("bob", Some("key-1"), other).await.status, 201);
    assert_eq!(first.place("ann", Some("KEY-1"), other).await.status, 201);
}

#[actix_web::test]
async fn without_an_acknowledgement_the_outcome_is_unknown() {
    let folder = Folder::new();
    migrated(&folder).await;
    let kafka = Arc::new(FakeKafka::default());
    let app = app(events_store(&folder).await, &kafka).await;

    kafka.set_down(true);
    let failed = app.place("ann", Some("key-1"), ORDER).await;
    failed.expect_problem(503, None);
    assert_eq!(failed.header("retry-after"), "2");
    assert!(failed.json["detail"].as_str().unwrap().contains("same Idempotency-Key is safe"));
    assert!(!failed.json.to_string().contains("timed out"), "{}", failed.json);
    let unkeyed = app.place("ann", None, ORDER).await;
    unkeyed.expect_problem(503, None);
    assert!(!unkeyed.json["detail"].as_str().unwrap().contains("is safe"));

    kafka.set_down(false);
    let retry = app.place("ann", Some("key-1"), ORDER).await;
    assert_eq!(retry.status, 201);
    assert_eq!(retry.json["orderId"], failed.json["orderId"]);
}

#[actix_web::test]
async fn orders_are_accepted_without_the_database() {
    let folder = Folder::new();
    let kafka = Arc::new(FakeKafka::default());
    let app = app(events_store(&folder).await, &kafka).await;
    let first = app.place("ann", Some("key-1"), ORDER).await;
    assert_eq!(first.status, 201);
    assert_eq!(app.place("ann", Some("key-1"), ORDER).await.json["orderId"], first.json["orderId"]);
    for uri in ["/orders", "/users/ann/orders", "/orders/01980000-0000-7000-8000-000000000000"] {
        let answer = app.get(uri).await;
        answer.expect_problem(503, None);
        assert_eq!(answer.header("retry-after"), "2");
        let text = answer.json.to_string();
        assert!(!text.contains(".db") && !text.contains("sqlite"), "{text}");
    }
}

#[actix_web::test]
async fn local_mode_saves_first_and_shows_the_dual_write() {
    let folder = Folder::new();
    let kafka = Arc::new(FakeKafka::default());
    let app = app(local_store(&folder, "a.db").await, &kafka).await;

    kafka.set_down(true);
    let failed = app.place("ann", Some("key-1"), ORDER).await;
    failed.expect_problem(503, None);
    let listed = app.get("/users/ann/orders").await;
    assert_eq!(
        listed.json["orders"][0]["orderId"], failed.json["orderId"],
        "saved, though Kafka never heard of it"
    );

    kafka.set_down(false);
    let retry = app.place("ann", Some("key-1"), ORDER).await;
    assert_eq!((retry.status.as_u16(), &retry.json["orderId"]), (201, &failed.json["orderId"]));
    assert_eq!(retry.json["createdAt"], listed.json["orders"][0]["createdAt"]);
    assert_eq!(kafka.orders().len(), 1, "201 means published, in this mode too");
    let other = r#"{"productId":2,"qty":2,"unitPrice":1500}"#;
    app.place("ann", Some("key-1"), other).await.expect_problem(422, Some("Idempotency-Key"));
    assert_eq!(app.get("/orders").await.json["orders"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn two_instances_disagree_in_local_mode_and_agree_in_events_mode() {
    let folder = Folder::new();
    let database = migrated(&folder).await;
    let kafka = Arc::new(FakeKafka::default());

    let (a, b) = (
        app(local_store(&folder, "a.db").await, &kafka).await,
        app(local_store(&folder, "b.db").await, &kafka).await,
    );
    assert_eq!(a.place("ann", None, ORDER).await.status, 201);
    assert_ne!(a.get("/users/ann/orders").await.json, b.get("/users/ann/orders").await.json);

    let (a, b) =
        (app(events_store(&folder).await, &kafka).await, app(events_store(&folder).await, &kafka).await);
    sink(&database, &kafka.orders()[0]).await;
    let read = a.get("/users/ann/orders").await.json;
    assert_eq!(read["orders"].as_array().unwrap().len(), 1);
    assert_eq!(read, b.get("/users/ann/orders").await.json);
}
