use crate::helpers::*;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

async fn look(gateway: &TestGateway) -> Value {
    gateway.gateway.workers.probe(&gateway.gateway.forwarder).await;
    let status = gateway.refresher.look().await;
    gateway.refresher.board.put(&status);
    let answer = gateway.get("/status.json").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.unwrap()
}

/// A connect worker with one connector that runs and one whose task failed.
fn worker() -> String {
    serve(|cfg| {
        cfg.route("/health", web::get().to(async || HttpResponse::Ok().json(json!({"status": "healthy"}))))
            .route("/connectors", web::get().to(async || HttpResponse::Ok().json(json!(["s p/ace", "a"]))))
            .route(
                "/connectors/{name}/status",
                web::get().to(async |name: web::Path<String>| {
                    let task = match name.as_str() {
                        "s p/ace" => json!({"id": 0, "state": "FAILED", "worker_id": "w",
                            "trace": "ConnectException: jdbc:mysql://root:test1357@db/x refused\n\tat secret.Place"}),
                        _ => json!({"id": 0, "state": "RUNNING", "worker_id": "w"}),
                    };
                    HttpResponse::Ok().json(json!({"name": *name, "type": "sink",
                        "connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": [task]}))
                }),
            );
    })
}

#[actix_web::test]
async fn everything_there_is_is_shown() {
    let worker = worker();
    let dead = nobody().await;
    let gateway = TestGateway::start(&[&worker, &dead]).await;
    gateway.announce(&serve(|cfg| {
        cfg.route(
            "/orders",
            web::get().to(async |query: web::Query<Vec<(String, String)>>| {
                HttpResponse::Ok()
                    .json(json!({"orders": [{"orderId": "o1", "query": *query}], "nextCursor": null}))
            }),
        );
    }));
    let status = look(&gateway).await;
    assert_eq!(status["services"][0]["name"], "order-service");
    let instance = &status["services"][0]["instances"][0];
    assert_eq!((&instance["state"], &instance["inFlight"]), (&json!("UP"), &json!(0)));
    assert!(instance["leaseRemainingMs"].as_u64().unwrap() > 5_000);
    assert_eq!(status["services"][1], json!({"name": "catalog-service", "instances": []}));
    assert_eq!(status["registry"]["frozen"], true, "there is no Kafka in this test");
    assert!(status["registry"]["since"].as_str().unwrap().ends_with('Z'));
    assert_eq!(status["lastOrders"], json!([{"orderId": "o1", "query": [["limit", "10"]]}]));
    assert_eq!(
        status["problems"],
        json!({"products": {"code": "NO_INSTANCE",
        "detail": "catalog-service has no instance that is registered"}})
    );
    assert_eq!(
        status["connect"],
        json!([
            {"url": worker, "healthy": true, "connectors": [
                {"name": "a", "state": "RUNNING", "tasks": [{"id": 0, "state": "RUNNING"}]},
                {"name": "s p/ace", "state": "RUNNING", "tasks": [{"id": 0, "state": "FAILED",
                    "trace": "ConnectException: jdbc:mysql://***@db/x refused"}]},
            ]},
            {"url": dead, "healthy": false, "connectors": [], "problem":
                {"code": "NO_HEALTH", "detail": "the worker does not answer /health"}},
        ])
    );
}

#[actix_web::test]
async fn what_answers_strangely_is_said_to() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&always(500).0);
    gateway.announce_as(
        "catalog-service",
        &serve(|cfg| {
            cfg.default_service(web::to(async || HttpResponse::Ok().json(json!({"products": "many"}))));
        }),
    );
    let status = look(&gateway).await;
    assert_eq!(
        status["problems"],
        json!({"lastOrders": {"code": "STATUS", "status": 500, "detail": "order-service answers 500"},
            "products": {"code": "STRANGE", "detail": "catalog-service answers something else than expected"}})
    );
}

#[actix_web::test]
async fn before_the_first_look_there_is_a_status_already() {
    let gateway = TestGateway::start(&[]).await;
    let status: Value = gateway.get("/status.json").send().await.unwrap().json().await.unwrap();
    assert_eq!(status["services"].as_array().unwrap().len(), 2);
    assert_eq!(status["problems"]["lastOrders"]["code"], "NOT_YET");
}
