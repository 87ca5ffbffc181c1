//! An application over a database of its own, and requests to it.

use actix_web::dev::Service;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, web};
use async_trait::async_trait;
use contracts::Order;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use order_service::events::{PublishError, Publisher};
use order_service::http;
use order_service::placing::Orders;
use order_service::store::database::DatabaseUrl;
use order_service::store::{EventStore, LocalStore, ReadTables, Store, migration};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::Value;
use service_kit::health::Readiness;
use service_kit::trace::TraceContext;
use service_kit::{problem, trace};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("order-service-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> DatabaseUrl {
        format!("sqlite://{}/read.db", self.0.display()).parse().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Keeps what it is given, or refuses it.
#[derive(Default)]
pub(crate) struct FakeKafka {
    pub(crate) published: Mutex<Vec<(Order, TraceContext)>>,
    pub(crate) down: AtomicBool,
}

impl FakeKafka {
    pub(crate) fn orders(&self) -> Vec<Order> {
        self.published.lock().unwrap().iter().map(|(order, _)| order.clone()).collect()
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }
}

#[async_trait]
impl Publisher for FakeKafka {
    async fn publish(&self, order: &Order, trace: &TraceContext) -> Result<(), PublishError> {
        if self.down.load(Ordering::Relaxed) {
            return Err(PublishError("message timed out".into()));
        }
        self.published.lock().unwrap().push((order.clone(), trace.clone()));
        Ok(())
    }
}

pub(crate) fn tables() -> ReadTables {
    // Names that need quoting, as a topic may have them.
    ReadTables { orders: "run-1_orders".into(), decisions: "run-1_order_decisions".into() }
}

pub(crate) async fn migrated(folder: &Folder) -> DatabaseConnection {
    migration::run(&folder.database(), &tables()).await.unwrap();
    folder.database().connect_or_create().await.unwrap()
}

pub(crate) async fn events_store(folder: &Folder) -> Store {
    Store::Events(EventStore::new(&folder.database(), tables(), Readiness::new()).await.unwrap())
}

pub(crate) async fn local_store(folder: &Folder, name: &str) -> Store {
    Store::Local(LocalStore::open(&folder.path().join(name)).await.unwrap())
}

/// What the sink connector does, by hand.
pub(crate) async fn sink(database: &DatabaseConnection, order: &Order) {
    let key = order.idempotency_key.as_ref().map_or("NULL".to_owned(), |key| format!("'{key}'"));
    let sql = format!(
        "INSERT OR REPLACE INTO \"{}\" VALUES ('{}', '{}', {}, {}, {}, {}, {}, {key})",
        tables().orders,
        order.order_id,
        order.user_id,
        order.product_id,
        order.qty,
        order.unit_price,
        order.total_price,
        order.created_at,
    );
    database.execute_unprepared(&sql).await.unwrap();
}

pub(crate) async fn decide(
    database: &DatabaseConnection,
    order: &Order,
    outcome: &str,
    reason: Option<&str>,
) {
    let reason = reason.map_or("NULL".to_owned(), |reason| format!("'{reason}'"));
    let sql = format!(
        "INSERT INTO \"{}\" VALUES ('{}', '{outcome}', {reason}, 1)",
        tables().decisions,
        order.order_id
    );
    database.execute_unprepared(&sql).await.unwrap();
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, field: Option<&str>) {
        assert_eq!(self.status, status, "{}", self.json);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["field"].as_str(), field, "{}", self.json);
        let detail = self.json["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !self.json["title"].as_str().unwrap().is_empty());
        if let Some(field) = field {
            assert!(detail.contains(field), "{detail:?} does not name {field:?}");
        }
    }
}

/// The application as the binary runs it, without the network.
pub(crate) struct TestApp {
    send: Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>,
}

pub(crate) async fn app(store: Store, kafka: &Arc<FakeKafka>) -> TestApp {
    let app = App::new()
        .wrap(trace::Propagate)
        .app_data(web::Data::new(Orders::new(store, kafka.clone())))
        .configure(problem::configure)
        .configure(http::configure)
        .default_service(web::to(problem::not_found_handler));
    let service = Rc::new(init_service(app).await);
    let send = move |request: TestRequest| {
        let service = service.clone();
        async move {
            let response = service.call(request.to_request()).await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let body = read_body(response).await;
            let json = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("not JSON: {body:?}"));
            Answer { status, headers, json }
        }
        .boxed_local()
    };
    TestApp { send: Box::new(send) }
}

impl TestApp {
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        (self.send)(request).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.send(TestRequest::get().uri(uri)).await
    }

    pub(crate) async fn place(&self, user: &str, key: Option<&str>, body: impl Into<String>) -> Answer {
        self.send(post(user, key, body)).await
    }
}

pub(crate) fn post(user: &str, key: Option<&str>, body: impl Into<String>) -> TestRequest {
    let request = TestRequest::post()
        .uri(&format!("/users/{user}/orders"))
        .insert_header(("content-type", "application/json"))
        .set_payload(body.into());
    key.into_iter().fold(request, |request, key| request.insert_header(("idempotency-key", key)))
}

pub(crate) const ORDER: &str = r#"{"productId":1,"qty":2,"unitPrice":1500}"#;
