//! Putting the parts together, and taking them apart in the right sequence.

use crate::config::{Config, StoreConfig};
use crate::events::KafkaPublisher;
use crate::http;
use crate::placing::Orders;
use crate::store::{EventStore, LocalStore, Store};
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use contracts::TopicSpec;
use service_kit::health::{self, Readiness};
use service_kit::registry::Announcer;
use service_kit::{kafka, problem, trace};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the registry may believe that an instance is there after its last word.
const LEASE: Duration = Duration::from_secs(6);
/// Requests are short and wait for Kafka, not for the processor; several instances share a machine.
const HTTP_WORKERS: usize = 2;
/// Longer than the longest request, which waits for Kafka.
const STOP_TIMEOUT_S: u64 = 8;

/// A service that listens but does not answer yet: its address is known.
#[derive(Debug)]
pub struct Application {
    listener: TcpListener,
    url: String,
    config: Config,
}

impl Application {
    pub fn bind(config: Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(&config.listen).with_context(|| {
            format!("LISTEN={} cannot be listened on; give a free HOST:PORT", config.listen)
        })?;
        let address = listener.local_addr().context("the bound address is unknown")?;
        let url = match &config.advertised_url {
            Some(url) => url.clone(),
            None => own_url(address)?,
        };
        Ok(Self { listener, url, config })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { listener, url, config } = self;
        let readiness = Readiness::new();
        let background = CancellationToken::new();

        let store = match &config.store {
            StoreConfig::Events { database } => {
                let store = EventStore::new(database, config.tables.clone(), readiness.clone()).await;
                Store::Events(store.with_context(|| format!("DATABASE_URL cannot be used: {database}"))?)
            }
            StoreConfig::Local { file } => Store::Local(LocalStore::open(file).await?),
        };
        let publisher = Arc::new(
            KafkaPublisher::new(&config.kafka, &config.tables.orders)
                .with_context(|| format!("KAFKA_BOOTSTRAP_SERVERS={} cannot be used", config.kafka))?,
        );
        let orders = web::Data::new(Orders::new(store, publisher.clone()));

        let watched = kafka::watch(
            &config.kafka,
            vec![TopicSpec::facts(&config.tables.orders)],
            readiness.clone(),
            background.clone(),
        );
        let database = tokio::spawn(watch_database(orders.clone().into_inner(), background.clone()));

        let app_readiness = web::Data::new(readiness);
        let server = HttpServer::new(move || {
            App::new()
                .wrap(trace::Propagate)
                .app_data(orders.clone())
                .app_data(app_readiness.clone())
                .configure(problem::configure)
                .configure(health::configure)
                .configure(http::configure)
                .default_service(web::to(problem::not_found_handler))
        })
        .listen(listener)
        .context("the listener cannot be served")?
        .workers(HTTP_WORKERS)
        .disable_signals()
        .shutdown_timeout(STOP_TIMEOUT_S)
        .run();
        let handle = server.handle();
        let mut server = tokio::spawn(server);
        tracing::info!(url, kafka = config.kafka, store = ?config.store, "order-service listens");

        let announcer = Announcer::start(
            &config.kafka,
            &config.registry_topic,
            config.registry_secret.expose(),
            "order-service",
            &url,
            LEASE,
        );

        tokio::select! {
            () = shutdown.cancelled() => {}
            ended = &mut server => {
                announcer.leave().await;
                return ended.context("the HTTP server panicked")?.context("the HTTP server failed");
            }
        }
        // First nobody is sent here any more, then nobody is let in, then what was let in is finished.
        announcer.leave().await;
        handle.stop(true).await;
        publisher.flush().await;
        background.cancel();
        let _ = tokio::join!(watched, database);
        tracing::info!("stopped");
        Ok(())
    }
}

/// Binds and serves until `shutdown`.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    Application::bind(config)?.run(shutdown).await
}

async fn watch_database(orders: Arc<Orders>, stop: CancellationToken) {
    if let Store::Events(store) = orders.store() {
        tokio::select! { () = store.watch() => {}, () = stop.cancelled() => {} }
    }
}

fn own_url(address: SocketAddr) -> anyhow::Result<String> {
    let unspecified = match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    anyhow::ensure!(
        !unspecified,
        "LISTEN={address} is no address a gateway could call; set ADVERTISED_URL=http://HOST:PORT too"
    );
    Ok(format!("http://{address}"))
}
