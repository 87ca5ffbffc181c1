//! A worker by itself, from its files to its end.

use crate::cli::StandaloneArgs;
use crate::connector_file::{self, ConnectorFile};
use crate::kafka;
use crate::plugins::plugins;
use crate::signals::Signals;
use crate::{COMMIT, KAFKA_VERSION};
use connect_api::ConfigMap;
use connect_rest::RestOptions;
use connect_runtime::herder::Herder;
use connect_runtime::offsets::FileOffsetStore;
use connect_runtime::plugins::Plugins;
use connect_runtime::ports::KafkaClients;
use connect_runtime::properties;
use connect_runtime::standalone::{Deadlines, StandaloneHerder, StandaloneParts};
use connect_runtime::worker_config::{self, Mode, WorkerConfig};
use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Why the worker ended other than by a signal; each is one line.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Worker(String),
    #[error("{0}")]
    Connector(String),
}

impl Failure {
    /// The exit codes of Kafka's connect-standalone.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Worker(_) => 2,
            Failure::Connector(_) => 3,
        }
    }
}

/// How long a request that changes something waits for the start to be over.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two attempts to reach Kafka.
const KAFKA_PAUSE: Duration = Duration::from_secs(1);

/// Kafka answers faster than this, or a person should know what the worker waits for.
const KAFKA_PROMPT: Duration = Duration::from_secs(2);

const CLUSTER_ID_ATTEMPTS: usize = 5;

/// How long one attempt may take; a client may wait for ever.
const KAFKA_ATTEMPT: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: StandaloneArgs) -> Result<(), Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::Worker(format!("signals: {error}")))?;
    let plugins = plugins();
    let worker = read_worker(&args.worker, &plugins)?;
    let files = args.connectors.iter().map(|path| connector_file::read(path));
    let files: Vec<ConnectorFile> =
        files.collect::<Result<_, _>>().map_err(|error| Failure::Connector(error.to_string()))?;

    let Mode::Standalone { offset_file } = &worker.mode else { unreachable!("read as standalone") };
    let offsets = FileOffsetStore::open(offset_file)
        .map_err(|error| Failure::Worker(format!("{}: {error}", args.worker.display())))?;

    // First of all, so that whoever watches the worker is answered from now on.
    let listening = connect_rest::bind(&worker.listeners, &worker.admin_listeners)
        .map_err(|error| Failure::Worker(format!("{}: {error}", args.worker.display())))?;
    let addresses = listening.addresses.clone();
    let bootstrap = worker.bootstrap_servers.clone();
    let worker_id = worker.advertised.worker_id(&worker.listeners[0], addresses[0]);
    for address in &addresses {
        tracing::info!(%address, %worker_id, "the REST API listens");
    }
    let clients = kafka::clients(&worker)
        .map_err(|error| Failure::Worker(format!("{}: {}", args.worker.display(), error.chain())))?;
    let herder = StandaloneHerder::new(StandaloneParts {
        worker,
        plugins,
        clients: clients.clone(),
        offsets: Arc::new(offsets),
        worker_id,
        version: KAFKA_VERSION.into(),
        commit: COMMIT.into(),
        deadlines: Deadlines::default(),
        patience: PATIENCE,
    });
    let (stop_rest, rest_stopped) = oneshot::channel::<()>();
    let serving =
        connect_rest::serve(listening, Arc::new(herder.clone()), RestOptions::default(), async move {
            // A sender that is gone means the same: the end.
            let _ = rest_stopped.await;
        });
    let serving = serving.map_err(|error| Failure::Worker(format!("the REST API: {error}")))?;
    let mut rest = tokio::spawn(serving);

    let start_up = async {
        wait_for_kafka(&*clients, &bootstrap, &herder).await;
        if herder.server_info().await.kafka_cluster_id.is_none() {
            tokio::spawn(ask_for_cluster_id(clients.clone(), herder.clone()));
        }
        start_connectors(&herder, files).await?;
        herder.ready();
        tracing::info!("the worker is ready");
        std::future::pending::<Result<(), Failure>>().await
    };
    let result = tokio::select! {
        result = start_up => result,
        signal = signals.next() => {
            tracing::info!(signal, "stopping");
            Ok(())
        }
        served = &mut rest => Err(Failure::Worker(format!("the REST API ended by itself: {served:?}"))),
    };
    // A second signal does not wait for the tasks.
    tokio::select! {
        () = stop(herder, stop_rest, rest) => tracing::info!("stopped"),
        signal = signals.next() => tracing::warn!(signal, "stopping at once: offsets not committed yet are read again"),
    }
    result
}

async fn stop(herder: StandaloneHerder, stop_rest: oneshot::Sender<()>, rest: JoinHandle<io::Result<()>>) {
    // The tasks first: until they have stopped, whoever asks shall be told so.
    herder.shutdown().await;
    drop(stop_rest);
    if !rest.is_finished() {
        let _ = rest.await;
    }
}

fn read_worker(path: &Path, plugins: &Plugins) -> Result<WorkerConfig, Failure> {
    let file = properties::read(path).map_err(|error| Failure::Worker(one_line(&error)))?;
    warn_repeated(path, &file.repeated);
    match WorkerConfig::read(&file.values, plugins) {
        Ok(worker_config::Read { config, notes }) => {
            for note in notes {
                tracing::warn!(file = %path.display(), note = note.message, "worker configuration");
            }
            Ok(config)
        }
        Err(faults) => {
            let faults: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
            Err(Failure::Worker(format!("{}: {}", path.display(), faults.join("; "))))
        }
    }
}

fn warn_repeated(path: &Path, keys: &[String]) {
    for key in keys {
        tracing::warn!(file = %path.display(), key, "a key is given more than once, the last value counts");
    }
}

/// An error and its causes.
fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// The reference ends when Kafka is away; this worker says so once, and waits.
async fn wait_for_kafka(clients: &dyn KafkaClients, bootstrap: &str, herder: &StandaloneHerder) {
    herder.starting(format!("It waits for Kafka at {bootstrap}."));
    let mut announced = false;
    let mut announce = |why: &str| {
        if !std::mem::replace(&mut announced, true) {
            tracing::warn!(bootstrap.servers = bootstrap, reason = why, "waiting for kafka");
        }
    };
    loop {
        let mut attempt = std::pin::pin!(tokio::time::timeout(KAFKA_ATTEMPT, clients.cluster_id()));
        let answer = match tokio::time::timeout(KAFKA_PROMPT, &mut attempt).await {
            Ok(answer) => answer,
            Err(_) => {
                announce("no answer yet");
                attempt.await
            }
        };
        let why = match answer {
            Ok(Ok(id)) => {
                tracing::info!(cluster_id = id.as_deref().unwrap_or("none"), "kafka is there");
                herder.set_cluster_id(id);
                return;
            }
            Ok(Err(error)) => error.chain(),
            Err(_) => format!("no answer within {} s", KAFKA_ATTEMPT.as_secs()),
        };
        announce(&why);
        herder.starting(format!("It waits for Kafka at {bootstrap}: {why}"));
        tokio::time::sleep(KAFKA_PAUSE).await;
    }
}

/// A broker that has only just come up may answer before it knows the cluster's id; some have none at all.
async fn ask_for_cluster_id(clients: Arc<dyn KafkaClients>, herder: StandaloneHerder) {
    for _ in 0..CLUSTER_ID_ATTEMPTS {
        tokio::time::sleep(KAFKA_PAUSE).await;
        if let Ok(Some(id)) = clients.cluster_id().await {
            herder.set_cluster_id(Some(id));
            return;
        }
    }
}

async fn start_connectors(herder: &StandaloneHerder, files: Vec<ConnectorFile>) -> Result<(), Failure> {
    for ConnectorFile { path, name, config, repeated } in files {
        warn_repeated(&path, &repeated);
        herder.starting(format!("It starts the connector {name}."));
        start_connector(herder, &name, config)
            .await
            .map_err(|why| Failure::Connector(format!("{}: {why}", path.display())))?;
    }
    Ok(())
}

async fn start_connector(herder: &StandaloneHerder, name: &str, config: ConfigMap) -> Result<(), String> {
    match herder.start_connector(name, config).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let mut lines = text.lines();
            let head = lines.next().unwrap_or_default();
            let rest: Vec<_> = lines.collect();
            Err(if rest.is_empty() { head.to_owned() } else { format!("{head} {}", rest.join("; ")) })
        }
    }
}
