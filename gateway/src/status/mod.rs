//! What the status page shows. One background task looks at everything every 2 s and leaves a finished JSON text
//! behind; serving it costs nothing, however many people look.

mod connectors;
mod model;
mod redact;
mod samples;
mod topics;

pub use model::{Connector, Problem, Registry, Service, Status, Task, Topic, Worker};
pub use topics::TopicCounter;

use crate::proxy::Gateway;
use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use contracts::registry::ALLOWED_SERVICES;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

const REFRESH_EVERY: Duration = Duration::from_secs(2);

/// Where the last finished status is kept.
#[derive(Debug, Default)]
pub struct Board(RwLock<Bytes>);

impl Board {
    pub fn put(&self, status: &Status) {
        match serde_json::to_vec(status) {
            Ok(json) => *self.0.write().unwrap_or_else(PoisonError::into_inner) = json.into(),
            Err(error) => tracing::error!(%error, "status cannot be written as JSON"),
        }
    }

    fn get(&self) -> Bytes {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub async fn serve(board: web::Data<Board>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(board.get())
}

/// Looks at everything and leaves what it saw on the board.
#[derive(Debug)]
pub struct Refresher {
    pub board: Arc<Board>,
    pub gateway: Arc<Gateway>,
    pub topics: TopicCounter,
}

impl Refresher {
    /// Refreshes until it is dropped.
    pub async fn run(self) {
        loop {
            self.board.put(&self.look().await);
            tokio::time::sleep(REFRESH_EVERY).await;
        }
    }

    /// One look. Each part has a time limit of its own and says why when it cannot be read.
    pub async fn look(&self) -> Status {
        let mut problems = BTreeMap::new();
        let (topics, connect, orders, products) = tokio::join!(
            self.topics.count(),
            connectors::look(&self.gateway.forwarder, &self.gateway.workers),
            samples::fetch(&self.gateway, "order-service", "/orders?limit=10", "orders"),
            samples::fetch(&self.gateway, "catalog-service", "/products", "products"),
        );
        let mut or_why = |part: &'static str, result: Result<Vec<serde_json::Value>, Problem>| {
            result.unwrap_or_else(|why| {
                problems.insert(part, why);
                Vec::new()
            })
        };
        let last_orders = or_why("lastOrders", orders);
        let products = or_why("products", products);
        // Last, so that it is the freshest.
        let (services, registry) = self.registry(Instant::now());
        let generated_at = timestamp(Utc::now());
        Status { generated_at, services, registry, connect, topics, last_orders, products, problems }
    }

    /// The status before the first look: the instances are never far, the rest is not known.
    pub fn nothing_yet(&self) -> Status {
        let (services, registry) = self.registry(Instant::now());
        let why = Problem::new("NOT_YET", "not looked at yet");
        Status {
            generated_at: timestamp(Utc::now()),
            services,
            registry,
            connect: Vec::new(),
            topics: Vec::new(),
            last_orders: Vec::new(),
            products: Vec::new(),
            problems: BTreeMap::from([("lastOrders", why.clone()), ("products", why)]),
        }
    }

    fn registry(&self, now: Instant) -> (Vec<Service>, Registry) {
        let view = self.gateway.directory.view(now);
        let services = ALLOWED_SERVICES
            .iter()
            .map(|name| Service {
                name,
                instances: view
                    .instances
                    .iter()
                    .filter(|(instance, _)| instance.service == *name)
                    .map(|(instance, target)| model::ServiceInstance::new(instance, target, now))
                    .collect(),
            })
            .collect();
        let registry = Registry {
            frozen: view.frozen_since.is_some(),
            since: view.frozen_since.map(|since| timestamp(Utc::now() - now.duration_since(since))),
            reason: view.frozen_since.and(view.trouble),
            refused_records: view.refused,
        };
        (services, registry)
    }
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
