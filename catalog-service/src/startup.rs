//! Puts the parts together: tables, HTTP, the consumer, the announcement.

use crate::chain::chain;
use crate::config::{Config, MigrateArgs};
use crate::events::Consumer;
use crate::http::{self, Shared};
use crate::store::Store;
use actix_web::{App, HttpServer, web};
use anyhow::{Context, bail};
use contracts::TopicSpec;
use service_kit::health::{self, Readiness};
use service_kit::registry::Announcer;
use service_kit::{kafka, problem, trace};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LEASE: Duration = Duration::from_secs(10);
const CHECK_DATABASE_EVERY: Duration = Duration::from_secs(3);

/// `catalog-service migrate`: everything it does may be repeated.
pub async fn migrate(args: MigrateArgs) -> anyhow::Result<()> {
    let store = Store::eager(&args.database.url()?).await?;
    store.migrate().await?;
    tracing::info!("the tables are there");
    if args.seed {
        let products = store.seed().await?;
        tracing::info!(products, "sample products inserted");
    }
    store.close().await;
    Ok(())
}

/// `catalog-service serve`, until `stop`. Neither Kafka nor the database have to be there yet.
pub async fn serve(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let readiness = Readiness::new();
    let store = Store::lazy(&config.database_url).await?;
    readiness.set("database", Err("not tried yet".into()));

    let shared = Shared { store: store.clone(), operator: config.operator_token.clone() };
    let (data, ready) = (web::Data::new(shared), web::Data::new(readiness.clone()));
    let server = HttpServer::new(move || {
        App::new()
            .wrap(trace::Propagate)
            .app_data(data.clone())
            .app_data(ready.clone())
            .configure(problem::configure)
            .configure(health::configure)
            .configure(http::configure)
            .default_service(web::to(problem::not_found_handler))
    })
    .workers(2)
    .shutdown_timeout(5)
    .disable_signals()
    .bind(config.listen)
    .with_context(|| format!("LISTEN={} cannot be used; choose another port", config.listen))?;
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    let url = config.advertised_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let server = server.run();
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    tracing::info!(%address, url, "listening");

    let written =
        vec![TopicSpec::facts(&config.decisions_topic), TopicSpec::dead_letters(&config.orders_topic)];
    let topics = kafka::watch(&config.kafka, written, readiness.clone(), stop.clone());
    let database = tokio::spawn(watch_database(store.clone(), readiness.clone(), stop.clone()));
    let consumer = Consumer::new(&config, store.clone(), readiness, stop.clone())
        .context("the kafka clients cannot be made; check KAFKA_BOOTSTRAP_SERVERS")?;
    let mut consumer = tokio::spawn(consumer.run());
    let secret = config.registry_secret.expose();
    let announcer =
        Announcer::start(&config.kafka, &config.registry_topic, secret, "catalog-service", &url, LEASE);

    // Half a service is none: it would look alive and decide nothing.
    tokio::select! {
        () = stop.cancelled() => {}
        result = &mut server => bail!("the HTTP server ended by itself: {result:?}"),
        result = &mut consumer => bail!("the consumer ended by itself: {result:?}"),
    }
    // First nobody is sent here any more, then what is at hand is finished.
    announcer.leave().await;
    handle.stop(true).await;
    server.await.context("the HTTP server failed")??;
    consumer.await.context("the consumer failed")?;
    topics.await.context("the topic watch failed")?;
    database.await.context("the database watch failed")?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Keeps the check `database` of `/health/ready` true; one line per change.
async fn watch_database(store: Store, readiness: Readiness, stop: CancellationToken) {
    let mut told = None;
    loop {
        let result = tokio::select! { result = store.check() => result, () = stop.cancelled() => return };
        let state = result.map_err(|error| chain(&error));
        if told.as_ref() != Some(&state) {
            match &state {
                Ok(()) => tracing::info!("the database is there"),
                Err(error) => tracing::warn!(
                    error,
                    "waiting for the database and the tables of `catalog-service migrate`"
                ),
            }
        }
        // The reason may name hosts and users, which is for the log only.
        let shown = "the database does not answer or has no tables yet (`catalog-service migrate`); the log tells why";
        readiness.set("database", state.clone().map_err(|_| shown.to_owned()));
        told = Some(state);
        tokio::select! {
            () = tokio::time::sleep(CHECK_DATABASE_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
