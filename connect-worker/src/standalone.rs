//! A worker by itself, from its files to its end.

use crate::cli::StandaloneArgs;
use crate::connector_file::{self, ConnectorFile};
use crate::kafka_wait::{ask_for_cluster_id, wait_for_kafka};
use crate::log_levels::ReloadableLevels;
use crate::plugins::plugins;
use crate::settings::{Settings, warn_repeated};
use crate::signals::Signals;
use crate::{COMMIT, Failure, KAFKA_VERSION, PATIENCE, kafka, lifecycle, rest};
use connect_api::ConfigMap;
use connect_kafka::KafkaGroupOffsets;
use connect_rest::RestPeers;
use connect_runtime::distributed::{ConnectHerder, HerderParts, SoloGroup};
use connect_runtime::herder::TargetState;
use connect_runtime::offsets::FileOffsetStore;
use connect_runtime::ports::KafkaClients;
use connect_runtime::store::MemoryTopic;
use connect_runtime::worker::Deadlines;
use connect_runtime::worker_config::{Mode, Read, WorkerConfig};
use std::convert::Infallible;
use std::sync::Arc;

pub(crate) async fn run(args: StandaloneArgs, levels: Arc<ReloadableLevels>) -> Result<(), Failure> {
    let signals = Signals::new().map_err(|error| Failure::Worker(format!("signals: {error}")))?;
    let settings = Settings::read(Some(&args.worker))?;
    let plugins = plugins();
    let Read { config: worker, values, .. } =
        settings.configure(&levels, |values| WorkerConfig::standalone(values, &plugins))?;
    let files = args.connectors.iter().map(|path| connector_file::read(path));
    let files: Vec<ConnectorFile> =
        files.collect::<Result<_, _>>().map_err(|error| Failure::Connector(error.to_string()))?;
    let Mode::Standalone { offset_file } = &worker.mode else { unreachable!("read as standalone") };
    let offsets = FileOffsetStore::open(offset_file).map_err(|error| settings.because(error))?;

    let rest = rest::open(&settings, &worker)?;
    let clients = kafka::clients(&worker).map_err(|error| settings.because(error.chain()))?;
    let bootstrap = worker.bootstrap_servers.clone();
    let group_offsets = KafkaGroupOffsets::new(&values).map_err(|error| settings.because(error.chain()))?;
    let herder = ConnectHerder::new(HerderParts {
        plugins,
        clients: clients.clone(),
        offsets: Arc::new(offsets),
        group_offsets: Arc::new(group_offsets),
        // What REST has made is gone with the worker, as in the reference.
        config_log: Arc::new(MemoryTopic::new().log()),
        status_log: Arc::new(MemoryTopic::new().log()),
        group: Arc::new(SoloGroup::default()),
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
    let start_up = start_up(herder.clone(), clients, bootstrap, files);
    let stopping = herder.clone();
    lifecycle::run(Arc::new(herder), rest, signals, start_up, async move { stopping.shutdown().await }).await
}

async fn start_up(
    herder: ConnectHerder,
    clients: Arc<dyn KafkaClients>,
    bootstrap: String,
    files: Vec<ConnectorFile>,
) -> Result<Infallible, Failure> {
    let cluster_id = wait_for_kafka(&*clients, &bootstrap, |what| herder.starting(what)).await;
    if cluster_id.is_none() {
        let (clients, herder) = (clients.clone(), herder.clone());
        tokio::spawn(async move { herder.set_cluster_id(ask_for_cluster_id(&*clients).await) });
    }
    herder.set_cluster_id(cluster_id);
    herder.start().await.map_err(|error| Failure::Worker(error.chain()))?;
    start_connectors(&herder, files).await?;
    herder.ready();
    tracing::info!("the worker is ready");
    std::future::pending().await
}

async fn start_connectors(herder: &ConnectHerder, files: Vec<ConnectorFile>) -> Result<(), Failure> {
    for ConnectorFile { path, name, config, repeated, initial_state } in files {
        warn_repeated(&path.display().to_string(), &repeated);
        herder.starting(format!("It starts the connector {name}."));
        start_connector(herder, &name, config, initial_state)
            .await
            .map_err(|why| Failure::Connector(format!("{}: {why}", path.display())))?;
    }
    Ok(())
}

async fn start_connector(
    herder: &ConnectHerder,
    name: &str,
    config: ConfigMap,
    initial_state: Option<TargetState>,
) -> Result<(), String> {
    match herder.start_connector(name, config, initial_state).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            // Validation names some faults at two keys, and where REST would show them.
            let mut lines: Vec<&str> = Vec::new();
            for line in text.lines().filter(|line| !line.starts_with("You can also find the above list")) {
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
            let (head, rest) = lines.split_first().unwrap_or((&"", &[]));
            // The number of errors is not the number of lines any more.
            let head = head.split(" and contains the following").next().unwrap_or_default();
            Err(if rest.is_empty() { head.to_owned() } else { format!("{head}: {}", rest.join("; ")) })
        }
    }
}
