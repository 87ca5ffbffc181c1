//! Puts the parts together and runs them.

use crate::config::Config;
use crate::connect_probe::ConnectWorkers;
use crate::discovery::Directory;
use crate::discovery::reader::Reader;
use crate::page;
use crate::proxy::forward::{Forwarder, Timeouts};
use crate::proxy::{self, Gateway};
use crate::status::{Board, Refresher, TopicCounter};
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use service_kit::health::{self, Readiness};
use service_kit::{problem, trace};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How long requests under way may take to finish when the gateway stops.
const SHUTDOWN_S: u64 = 10;

/// Serves until `stop`.
pub async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let readiness = Readiness::new();
    let directory = Arc::new(Directory::default());
    let gateway = Arc::new(Gateway {
        directory: directory.clone(),
        workers: Arc::new(ConnectWorkers::new(config.connect_urls.clone())),
        forwarder: Forwarder::new(Timeouts::default()),
        operator_token: config.operator_token.clone(),
    });
    let board = Arc::new(Board::default());

    let reader = Reader {
        bootstrap: config.kafka.clone(),
        topic: config.registry_topic.clone(),
        secret: config.registry_secret.clone(),
        directory,
        readiness: readiness.clone(),
    };
    let topics =
        TopicCounter::new(&config.kafka, config.shown_topics()).context("the kafka client cannot be made")?;
    let refresher = Refresher { board: board.clone(), gateway: gateway.clone(), topics };
    // The page has something to show before the first look at everything is over.
    board.put(&refresher.nothing_yet());

    let server = {
        let (gateway, board) = (gateway.clone(), board.clone());
        HttpServer::new(move || {
            App::new().wrap(trace::Propagate).configure(routes(
                gateway.clone(),
                board.clone(),
                readiness.clone(),
            ))
        })
        .shutdown_timeout(SHUTDOWN_S)
        .disable_signals()
        .bind(config.listen)
        .with_context(|| format!("cannot listen on {}; choose another address with LISTEN", config.listen))?
    };
    for address in server.addrs() {
        tracing::info!(%address, "gateway listens, its page is at http://{address}/");
    }
    let server = server.run();
    let handle = server.handle();
    let stopping = {
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            handle.stop(true).await;
        }
    };
    let background = async {
        let reading = async {
            if let Err(error) = reader.run().await {
                tracing::error!(%error, "the registry cannot be read any more");
            }
        };
        tokio::join!(reading, gateway.workers.watch(&gateway.forwarder), refresher.run());
    };
    let serving = async { tokio::join!(server, stopping).0 };
    tokio::select! {
        result = serving => result.context("the http server failed"),
        () = background => anyhow::bail!("the background tasks ended"),
    }
}

/// The routes of the gateway, to be put into an `App`.
pub fn routes(
    gateway: Arc<Gateway>,
    board: Arc<Board>,
    readiness: Readiness,
) -> impl FnOnce(&mut web::ServiceConfig) {
    move |cfg| {
        cfg.app_data(web::Data::from(gateway))
            .app_data(web::Data::from(board))
            .app_data(web::Data::new(readiness))
            .configure(problem::configure)
            .configure(health::configure)
            .configure(page::configure)
            .default_service(web::to(proxy::handle));
    }
}
