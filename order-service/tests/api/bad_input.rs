//! Every class of bad input: a 4xx problem that names the field, and nothing published.

use super::helpers::*;
use actix_web::test::TestRequest;
use std::sync::Arc;

#[actix_web::test]
async fn every_field_of_a_body_is_checked() {
    let folder = Folder::new();
    migrated(&folder).await;
    let kafka = Arc::new(FakeKafka::default());
    let app = app(events_store(&folder).await, &kafka).await;
    for (body, field) in [
        // types
        (r#"{"productId":"1","qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":1.5,"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":null,"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":[1],"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":1,"qty":"2","unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":2.0,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":true,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":2,"unitPrice":{}}"#, "unitPrice"),
        (r#"{"productId":1,"qty":2,"unitPrice":1e3}"#, "unitPrice"),
        // ranges
        (r#"{"productId":0,"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":-7,"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":9223372036854775808,"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":1,"qty":0,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":-1,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":10001,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":99999999999999999999,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":2,"unitPrice":-1}"#, "unitPrice"),
        // overflow of qty * unitPrice
        (r#"{"productId":1,"qty":2,"unitPrice":9223372036854775807}"#, "unitPrice"),
        // missing, unknown, twice
        (r#"{"qty":2,"unitPrice":1}"#, "productId"),
        (r#"{"productId":1,"unitPrice":1}"#, "qty"),
        (r#"{"productId":1,"qty":2}"#, "unitPrice"),
        (r#"{"productId":1,"qty":2,"unitPrice":1,"totalPrice":2}"#, "totalPrice"),
        (r#"{"productId":1,"qty":2,"unit_price":1}"#, "unit_price"),
        (r#"{"productId":1,"qty":2,"qty":3,"unitPrice":1}"#, "qty"),
        // no object, no JSON
        ("", "body"),
        ("null", "body"),
        ("[1,2,1500]", "body"),
        ("\"x\"", "body"),
        (r#"{"productId":1,"qty":2,"unitPrice":1"#, "body"),
        (r#"{"productId":1,"qty":2,"unitPrice":1}}"#, "body"),
        (r#"{"productId":1,"qty":2,"unitPrice":1,}"#, "body"),
        (r#"{"productId":01,"qty":2,"unitPrice":1}"#, "body"),
        (r#"{'productId':1}"#, "body"),
    ] {
        let answer = app.place("ann", None, body).await;
        println!("{body}: {}", answer.json["detail"]);
        answer.expect_problem(400, Some(field));
    }
    assert!(kafka.orders().is_empty());
}

#[actix_web::test]
async fn bodies_that_are_no_json_text_are_refused() {
    let folder = Folder::new();
    let kafka = Arc::new(FakeKafka::default());
    let app = app(local_store(&folder, "a.db").await, &kafka).await;

    let bad_utf8 =
        post("ann", None, "").set_payload(&b"{\"productId\":1,\"qty\":2,\"unitPrice\":1,\"x\":\"\xff\"}"[..]);
    app.send(bad_utf8).await.expect_problem(400, Some("body"));

    // 64 KiB are read; one more byte is not. Neither request announces its length, as with a chunked body.
    let padded = |length: usize| format!("{ORDER}{}", " ".repeat(length - ORDER.len()));
    assert_eq!(app.place("ann", None, padded(64 * 1024)).await.status, 201);
    app.place("ann", None, padded(64 * 1024 + 1)).await.expect_problem(413, Some("body"));
    app.place("ann", None, "{".repeat(3 * 1024 * 1024)).await.expect_problem(413, Some("body"));

    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "application/json; charset=latin1",
        "",
    ] {
        let request = TestRequest::post()
            .uri("/users/ann/orders")
            .insert_header(("content-type", content_type))
            .set_payload(ORDER);
        app.send(request).await.expect_problem(415, Some("Content-Type"));
    }
    let missing = TestRequest::post().uri("/users/ann/orders").set_payload(ORDER);
    app.send(missing).await.expect_problem(415, Some("Content-Type"));
    let compressed = post("ann", None, ORDER).insert_header(("content-encoding", "gzip"));
    app.send(compressed).await.expect_problem(415, Some("Content-Encoding"));
    for good in ["Application/JSON", "application/json; charset=UTF-8", "application/json;charset=\"utf-8\""]
    {
        let request = TestRequest::post()
            .uri("/users/ann/orders")
            .insert_header(("content-type", good))
            .set_payload(ORDER);
        assert_eq!(app.send(request).await.status, 201, "{good}");
    }
    assert_eq!(kafka.orders().len(), 4);
}

#[actix_web::test]
async fn path_query_and_headers_are_checked() {
    let folder = Folder::new();
    let database = migrated(&folder).await;
    let kafka = Arc::new(FakeKafka::default());
    let app = app(events_store(&folder).await, &kafka).await;

    let long = "u".repeat(65);
    for user in ["", "a%00b", "%0a", "%20", "a%20", "%ff", "%zz", "%", "%C2%85b", long.as_str()] {
        app.place(user, None, ORDER).await.expect_problem(400, Some("userId"));
        app.get(&format!("/users/{user}/orders")).await.expect_problem(400, Some("userId"));
    }

    let long = "k".repeat(256);
    for key in ["", "a b", "ä", long.as_str()] {
        app.place("ann", Some(key), ORDER).await.expect_problem(400, Some("Idempotency-Key"));
    }
    let twice = post("ann", Some("a"), ORDER).append_header(("idempotency-key", "b"));
    app.send(twice).await.expect_problem(400, Some("Idempotency-Key"));

    for id in [
        "1",
        "0198",
        "not-a-uuid",
        "0198000000007000800000000000000g",
        "01980000000070008000000000000000",
        "%7B",
        "{01980000-0000-7000-8000-000000000000}",
    ] {
        app.get(&format!("/orders/{id}")).await.expect_problem(400, Some("orderId"));
    }

    for list in ["/orders", "/users/ann/orders"] {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=%ff", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=", "cursor"),
            ("cursor=!!", "cursor"),
            ("cursor=AAAA", "cursor"),
            ("limit=1&colour=red", "colour"),
        ] {
            app.get(&format!("{list}?{query}")).await.expect_problem(400, Some(field));
        }
    }

    app.get("/nothing").await.expect_problem(404, None);
    app.get("/users/ann").await.expect_problem(404, None);
    let wrong_method = app.send(TestRequest::put().uri("/users/ann/orders")).await;
    wrong_method.expect_problem(405, None);
    assert_eq!(wrong_method.header("allow"), "GET, POST");
    app.send(TestRequest::delete().uri("/orders/1")).await.expect_problem(405, None);
    assert!(kafka.orders().is_empty());
    drop(database);
}
