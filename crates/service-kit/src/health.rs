//! `/health/live` (the process answers) and `/health/ready` (it can do its work, and if not, what it waits for).

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// A handle to what the process knows about its dependencies; clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, Check>>>);

#[derive(Clone, Debug)]
struct Check {
    state: Result<(), String>,
    required: bool,
}

impl Readiness {
    pub fn new() -> Self {
        Self::default()
    }

    /// Something the service cannot work without: `Err` says what it waits for and makes `/health/ready` answer 503.
    pub fn set(&self, name: &'static str, state: Result<(), String>) {
        self.lock().insert(name, Check { state, required: true });
    }

    /// Something the service can do without for a while: shown, but not decisive.
    pub fn set_optional(&self, name: &'static str, state: Result<(), String>) {
        self.lock().insert(name, Check { state, required: false });
    }

    pub fn is_ready(&self) -> bool {
        self.lock().values().all(|check| check.state.is_ok() || !check.required)
    }

    fn document(&self) -> Value {
        let checks: Map<String, Value> = self
            .lock()
            .iter()
            .map(|(name, check)| {
                let value = match &check.state {
                    Ok(()) => json!({"ok": true, "required": check.required}),
                    Err(detail) => json!({"ok": false, "required": check.required, "detail": detail}),
                };
                ((*name).to_owned(), value)
            })
            .collect();
        json!({"status": if self.is_ready() { "ready" } else { "waiting" }, "checks": checks})
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Check>> {
        // A map of finished values is whole even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Adds the two routes: `App::app_data(web::Data::new(readiness)).configure(health::configure)`.
pub fn configure(cfg: &mut web::ServiceConfig) {
    let only_get = || crate::problem::method_not_allowed("GET, HEAD");
    for (path, route) in [("/health/live", web::to(live)), ("/health/ready", web::to(ready))] {
        let guard = actix_web::guard::Any(actix_web::guard::Get()).or(actix_web::guard::Head());
        cfg.service(web::resource(path).route(route.guard(guard)).default_service(only_get()));
    }
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "live"}))
}

async fn ready(readiness: web::Data<Readiness>) -> HttpResponse {
    let mut response =
        if readiness.is_ready() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(readiness.document())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_required_decides() {
        let readiness = Readiness::new();
        readiness.set("kafka", Err("waiting for Kafka at h:1".into()));
        assert!(!readiness.is_ready());
        assert_eq!(readiness.document()["checks"]["kafka"]["detail"], "waiting for Kafka at h:1");
        readiness.set("kafka", Ok(()));
        readiness.set_optional("database", Err("down".into()));
        assert!(readiness.is_ready());
        assert_eq!(readiness.document()["checks"]["database"]["ok"], false);
    }
}
