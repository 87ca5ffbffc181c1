//! The connect workers. They know no registry, so they are listed by hand and asked on `/health` whether they are well.

use crate::ask::ask_for_bytes;
use crate::proxy::forward::Forwarder;
use crate::upstream::{BaseUrl, Target};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

const PROBE_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct ConnectWorkers {
    workers: Arc<[Arc<Target>]>,
    /// Ids of those that answered the last probe well.
    healthy: RwLock<HashSet<String>>,
}

impl ConnectWorkers {
    pub fn new(urls: impl IntoIterator<Item = BaseUrl>) -> Self {
        let workers = urls.into_iter().map(|url| Arc::new(Target::new(url.to_string(), url))).collect();
        Self { workers, healthy: RwLock::default() }
    }

    /// All workers, with whether they are well.
    pub fn all(&self) -> Vec<(Arc<Target>, bool)> {
        let healthy = self.healthy.read().unwrap_or_else(PoisonError::into_inner);
        self.workers.iter().map(|worker| (worker.clone(), healthy.contains(&worker.id))).collect()
    }

    /// The workers that requests may go to: the healthy ones, or all when the probe knows of none (it may be wrong, and
    /// an honest error of the worker tells more than ours).
    pub fn candidates(&self) -> Arc<[Arc<Target>]> {
        let healthy: Vec<Arc<Target>> =
            self.all().into_iter().filter(|(_, healthy)| *healthy).map(|(worker, _)| worker).collect();
        if healthy.is_empty() { self.workers.clone() } else { healthy.into() }
    }

    /// Asks all workers once.
    pub async fn probe(&self, forwarder: &Forwarder) {
        let answers = futures::future::join_all(self.workers.iter().map(|worker| async move {
            let answer = ask_for_bytes(forwarder, std::slice::from_ref(worker), "/health").await;
            answer.is_ok().then(|| worker.id.clone())
        }));
        let healthy: HashSet<String> = answers.await.into_iter().flatten().collect();
        let mut known = self.healthy.write().unwrap_or_else(PoisonError::into_inner);
        for id in healthy.difference(&known) {
            tracing::info!(worker = id, "connect worker is well");
        }
        for id in known.difference(&healthy) {
            tracing::warn!(worker = id, "connect worker does not answer /health");
        }
        *known = healthy;
    }

    /// Asks again and again until it is dropped.
    pub async fn watch(&self, forwarder: &Forwarder) {
        loop {
            self.probe(forwarder).await;
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::forward::Timeouts;
    use actix_web::{App, HttpResponse, HttpServer, web};
    use std::time::Instant;

    fn urls(workers: &[Arc<Target>]) -> Vec<String> {
        workers.iter().map(|worker| worker.url.to_string()).collect()
    }

    #[actix_web::test]
    async fn healthy_workers_come_first_and_any_is_better_than_none() {
        let well = HttpServer::new(|| App::new().route("/health", web::get().to(HttpResponse::Ok)))
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
        let well_url = format!("http://{}", well.addrs()[0]);
        let server = well.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let sick =
            HttpServer::new(|| App::new().route("/health", web::get().to(HttpResponse::ServiceUnavailable)))
                .workers(1)
                .bind("127.0.0.1:0")
                .unwrap();
        let sick_url = format!("http://{}", sick.addrs()[0]);
        actix_web::rt::spawn(sick.run());

        let workers = ConnectWorkers::new([&sick_url, &well_url].map(|url| BaseUrl::parse(url).unwrap()));
        assert_eq!(urls(&workers.candidates()), [sick_url.clone(), well_url.clone()], "nothing is known yet");
        let forwarder = Forwarder::new(Timeouts::default());
        workers.probe(&forwarder).await;
        assert_eq!(urls(&workers.candidates()), std::slice::from_ref(&well_url));
        handle.stop(false).await;
        // A connection that is open already may be answered for a moment longer.
        let deadline = Instant::now() + Duration::from_secs(5);
        while workers.all().iter().any(|(_, healthy)| *healthy) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
            workers.probe(&forwarder).await;
        }
        assert_eq!(urls(&workers.candidates()), [sick_url, well_url]);
    }
}
