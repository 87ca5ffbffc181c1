//! The REST API as a client sees it.

use crate::support::TestStore;
use actix_web::body::to_bytes;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use catalog_service::http::{Shared, configure};
use catalog_service::store::Store;
use serde_json::{Value, json};
use service_kit::operator::OperatorToken;
use service_kit::{problem, trace};

const TOKEN: &str = "operator-token";

struct Answer {
    status: StatusCode,
    content_type: String,
    location: Option<String>,
    body: Value,
}

/// One request against the application on `store`. `token` is sent as it stands behind `Bearer`.
async fn send(
    store: &Store,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Vec<u8>>,
) -> Answer {
    let operator = OperatorToken::from(TOKEN.to_owned());
    let app = App::new()
        .wrap(trace::Propagate)
        .app_data(web::Data::new(Shared { store: store.clone(), operator }))
        .configure(problem::configure)
        .configure(configure)
        .default_service(web::to(problem::not_found_handler));
    let app = init_service(app).await;
    let mut request = TestRequest::default().method(method).uri(path);
    if let Some(token) = token {
        request = request.insert_header((AUTHORIZATION, format!("Bearer {token}")));
    }
    if let Some(body) = body {
        request = request.insert_header((CONTENT_TYPE, "application/json")).set_payload(body);
    }
    let response = call_service(&app, request.to_request()).await;
    let header =
        |name| response.headers().get(name).map(|v: &_| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let (content_type, location) = (header("content-type").unwrap_or_default(), header("location"));
    let status = response.status();
    let body = to_bytes(response.into_body()).await.ok().unwrap();
    Answer { status, content_type, location, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
}

async fn get(store: &Store, path: &str) -> Answer {
    send(store, Method::GET, path, None, None).await
}

async fn operate(store: &Store, method: Method, path: &str, body: &Value) -> Answer {
    send(store, method, path, Some(TOKEN), Some(body.to_string().into_bytes())).await
}

#[track_caller]
fn is_problem(answer: &Answer, status: u16, field: Option<&str>, what: &str) {
    assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.body);
    assert_eq!(answer.content_type, "application/problem+json", "{what}");
    assert_eq!(answer.body["status"], status, "{what}");
    assert!(answer.body["detail"].as_str().is_some_and(|text| !text.is_empty()), "{what}: {}", answer.body);
    if let Some(field) = field {
        assert_eq!(answer.body["field"], field, "{what}: {}", answer.body);
        assert!(answer.body["detail"].as_str().unwrap().contains(field), "{what}: {}", answer.body);
    }
}

#[actix_web::test]
async fn a_product_is_created_read_changed_and_listed() {
    let test = TestStore::new().await;
    let lamp = json!({"productId": 7, "name": "L\u{e4}mp \u{ae40}", "unitPrice": 1500, "qty": 3});

    let created = operate(&test.store, Method::POST, "/products", &lamp).await;
    assert_eq!((created.status, &created.body), (StatusCode::CREATED, &lamp));
    assert_eq!(created.location.as_deref(), Some("/products/7"));
    let read = get(&test.store, "/products/7").await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &lamp));

    is_problem(
        &operate(&test.store, Method::POST, "/products", &lamp).await,
        409,
        Some("productId"),
        "again",
    );

    let change = json!({"name": "Lamp", "unitPrice": 0, "qty": 1_000_000_000});
    let changed = operate(&test.store, Method::PUT, "/products/7", &change).await;
    let after = json!({"productId": 7, "name": "Lamp", "unitPrice": 0, "qty": 1_000_000_000});
    assert_eq!((changed.status, &changed.body), (StatusCode::OK, &after));
    // the same once more, with the id in it
    assert_eq!(operate(&test.store, Method::PUT, "/products/7", &after).await.body, after);

    let second = json!({"productId": 2, "name": "Pen", "unitPrice": 1, "qty": 0});
    operate(&test.store, Method::POST, "/products", &second).await;
    assert_eq!(get(&test.store, "/products").await.body, json!({"products": [second, after]}));
    assert_eq!(get(&test.store, "/products?limit=1").await.body, json!({"products": [second]}));
    assert_eq!(get(&test.store, "/products?limit=1&after=2").await.body, json!({"products": [after]}));
}

#[actix_web::test]
async fn only_the_operator_changes_products() {
    let test = TestStore::with_stock(&[(1, 5)]).await;
    let body = json!({"productId": 1, "name": "n", "unitPrice": 1, "qty": 1}).to_string().into_bytes();
    for (method, path) in [(Method::POST, "/products"), (Method::PUT, "/products/1")] {
        for token in [None, Some(""), Some("wrong"), Some("operator-toke"), Some("operator-token2")] {
            let answer = send(&test.store, method.clone(), path, token, Some(body.clone())).await;
            is_problem(&answer, 401, None, &format!("{method} {token:?}"));
        }
    }
    assert_eq!(test.stock().await[&1], 5);
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let test = TestStore::with_stock(&[(1, 5)]).await;
    let good = json!({"productId": 9, "name": "n", "unitPrice": 1, "qty": 1});
    let with = |field: &str, value: Option<Value>| {
        let mut body = good.clone();
        match value {
            Some(value) => body[field] = value,
            None => drop(body.as_object_mut().unwrap().remove(field)),
        }
        body
    };
    let mut cases = vec![("colour", with("colour", Some(json!("red"))))];
    let too_long = "n".repeat(201);
    let values: &[(&str, &[Value])] = &[
        (
            "productId",
            &[json!(0), json!(-1), json!("9"), json!(1.5), json!(null), json!(1e30), json!(u64::MAX)],
        ),
        (
            "name",
            &[json!(""), json!(" "), json!("a\nb"), json!("\u{7f}"), json!(too_long), json!(5), json!(null)],
        ),
        ("unitPrice", &[json!(-1), json!("1"), json!(0.5), json!(true), json!(u64::MAX)]),
        ("qty", &[json!(-1), json!(1_000_000_001), json!("1"), json!([1]), json!({"n": 1})]),
    ];
    for (field, values) in values {
        cases.push((field, with(field, None)));
        cases.extend(values.iter().map(|value| (*field, with(field, Some(value.clone())))));
    }
    for (field, body) in &cases {
        let answer = operate(&test.store, Method::POST, "/products", body).await;
        is_problem(&answer, 400, Some(field), &format!("POST {body}"));
        // where the id comes from the path, it may be left out
        if *field != "productId" {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove("productId");
            let answer = operate(&test.store, Method::PUT, "/products/1", &body).await;
            is_problem(&answer, 400, Some(field), &format!("PUT {body}"));
        }
    }
    is_problem(
        &operate(&test.store, Method::PUT, "/products/1", &good).await,
        400,
        Some("productId"),
        "other id",
    );
    let mut unknown = good.clone();
    unknown.as_object_mut().unwrap().remove("productId");
    is_problem(
        &operate(&test.store, Method::PUT, "/products/9", &unknown).await,
        404,
        None,
        "unknown product",
    );

    let raw: &[(&[u8], u16)] =
        &[(b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b"\xff\xfe", 400), (&[b' '; 70_000], 413)];
    for (body, status) in raw {
        let answer = send(&test.store, Method::POST, "/products", Some(TOKEN), Some(body.to_vec())).await;
        is_problem(&answer, *status, Some("body"), &String::from_utf8_lossy(&body[..body.len().min(20)]));
    }
    let no_type = send(&test.store, Method::POST, "/products", Some(TOKEN), None).await;
    is_problem(&no_type, 415, None, "no content type");
    assert_eq!(test.stock().await.len(), 1);
}

#[actix_web::test]
async fn addresses_that_are_refused() {
    let test = TestStore::with_stock(&[(1, 5)]).await;
    let ids = ["0", "-1", "+1", "1.0", "x", "9223372036854775808", "%31x", "1%2F2", "%ff", "%00"];
    for id in ids {
        let path = format!("/products/{id}");
        is_problem(&get(&test.store, &path).await, 400, None, &path);
    }
    is_problem(&get(&test.store, "/products/2").await, 404, None, "unknown");
    for path in ["/", "/product", "/products/1/more", "/products/"] {
        is_problem(&get(&test.store, path).await, 404, None, path);
    }
    for query in
        ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "colour=red", "after=x", "limit=1&limit=2"]
    {
        is_problem(&get(&test.store, &format!("/products?{query}")).await, 400, None, query);
    }
    for (method, path) in
        [(Method::DELETE, "/products/1"), (Method::PATCH, "/products"), (Method::PUT, "/products")]
    {
        let answer = send(&test.store, method.clone(), path, Some(TOKEN), None).await;
        is_problem(&answer, 405, None, &format!("{method} {path}"));
    }
}

#[actix_web::test]
async fn without_its_database_the_catalog_says_come_back() {
    // the file is there, its tables are not
    let test = TestStore::without_tables().await;
    let store = test.another().await;
    assert!(store.check().await.is_err());
    let lamp = json!({"productId": 7, "name": "Lamp", "unitPrice": 1500, "qty": 3});
    is_problem(&get(&store, "/products").await, 503, None, "list");
    is_problem(&get(&store, "/products/1").await, 503, None, "get");
    is_problem(&operate(&store, Method::POST, "/products", &lamp).await, 503, None, "create");
    is_problem(&operate(&store, Method::PUT, "/products/7", &lamp).await, 503, None, "update");
}
