//! A worker of a cluster, from its file to its end.

use crate::cli::DistributedArgs;
use crate::kafka_wait::{PAUSE, ask_for_cluster_id, wait_for_kafka};
use crate::late_offsets::LateOffsets;
use crate::log_levels::ReloadableLevels;
use crate::plugins::plugins;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::{COMMIT, Failure, KAFKA_VERSION, PATIENCE, kafka, lifecycle, rest};
use connect_api::ConnectError;
use connect_kafka::{KafkaGroupMember, KafkaGroupOffsets, KafkaStorage, StorageKind};
use connect_rest::RestPeers;
use connect_runtime::distributed::{ConnectHerder, HerderParts};
use connect_runtime::offsets::TopicOffsetStore;
use connect_runtime::ports::KafkaClients;
use connect_runtime::worker::Deadlines;
use connect_runtime::worker_config::{DistributedConfig, Mode, Read, WorkerConfig};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

pub(crate) async fn run(args: DistributedArgs, levels: Arc<ReloadableLevels>) -> Result<(), Failure> {
    let signals = Signals::new().map_err(|error| Failure::Worker(format!("signals: {error}")))?;
    let settings = Settings::read(args.worker.as_deref())?;
    if args.worker.is_none() && settings.values.is_empty() {
        return Err(Failure::Usage(
            "name the worker's file, or set its keys in the environment (CONNECT_BOOTSTRAP_SERVERS, CONNECT_GROUP_ID, ...)"
                .into(),
        ));
    }
    let plugins = plugins();
    let Read { config: worker, values, .. } =
        settings.configure(&levels, |values| WorkerConfig::distributed(values, &plugins))?;
    let Mode::Distributed(config) = worker.mode.clone() else { unreachable!("read as distributed") };
    let rest = rest::open(&settings, &worker)?;

    let refused = |error: ConnectError| settings.because(error.chain());
    let clients = kafka::clients(&worker).map_err(refused)?;
    let storage = KafkaStorage::new(&values).map_err(refused)?;
    let offsets = Arc::new(LateOffsets::default());
    let bootstrap = worker.bootstrap_servers.clone();
    let herder = ConnectHerder::new(HerderParts {
        plugins,
        clients: clients.clone(),
        offsets: offsets.clone(),
        group_offsets: Arc::new(KafkaGroupOffsets::new(&values).map_err(refused)?),
        config_log: Arc::new(storage.log(StorageKind::Configs, &config.config_topic)),
        status_log: Arc::new(storage.log(StorageKind::Statuses, &config.status_topic)),
        group: Arc::new(KafkaGroupMember::new(&values, &config, &rest.worker_id).map_err(refused)?),
        peers: Arc::new(RestPeers::new(rest.options.request_timeout)),
        log_levels: levels,
        url: rest.url.clone(),
        worker_id: rest.worker_id.clone(),
        version: KAFKA_VERSION.into(),
        commit: COMMIT.into(),
        deadlines: Deadlines::default(),
        patience: PATIENCE,
        worker_config: worker,
    });
    let start_up = start_up(herder.clone(), clients, bootstrap, storage, config, offsets);
    let stopping = herder.clone();
    // What Kafka refuses is named by its key; the file is named here.
    let start_up = async { start_up.await.map_err(|failure| settings.because(failure)) };
    lifecycle::run(Arc::new(herder), rest, signals, start_up, async move { stopping.shutdown().await }).await
}

async fn start_up(
    herder: ConnectHerder,
    clients: Arc<dyn KafkaClients>,
    bootstrap: String,
    storage: KafkaStorage,
    config: Box<DistributedConfig>,
    offsets: Arc<LateOffsets>,
) -> Result<Infallible, Failure> {
    let cluster_id = wait_for_kafka(&*clients, &bootstrap, |what| herder.starting(what)).await;
    if cluster_id.is_none() {
        let (clients, herder) = (clients.clone(), herder.clone());
        tokio::spawn(async move { herder.set_cluster_id(ask_for_cluster_id(&*clients).await) });
    }
    herder.set_cluster_id(cluster_id);
    herder.starting(format!("It reads its topics and joins the group {}.", config.group_id));
    // Tasks that the first assignment brings wait for the offsets.
    let read_offsets = async {
        let store = until_done(&herder, "the offsets topic cannot be read", || {
            TopicOffsetStore::start(Arc::new(storage.log(StorageKind::Offsets, &config.offset_topic)))
        });
        offsets.set(store.await?);
        Ok(())
    };
    let join = until_done(&herder, "the worker cannot join its group", || herder.start());
    tokio::try_join!(read_offsets, join)?;
    herder.ready();
    tracing::info!(group.id = config.group_id, "the worker is ready");
    std::future::pending().await
}

/// Tries again what fails because of others; a configuration that Kafka refuses ends the worker.
async fn until_done<T, F: Future<Output = Result<T, ConnectError>>>(
    herder: &ConnectHerder,
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Failure> {
    let mut announced = String::new();
    loop {
        let why = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error @ ConnectError::Config(_)) => return Err(Failure::Worker(error.chain())),
            Err(error) => error.chain(),
        };
        if announced != why {
            tracing::warn!(reason = why, "{what} yet");
            herder.starting(format!("{what} yet: {why}"));
            announced = why;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
