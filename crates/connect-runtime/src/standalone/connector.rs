//! A connector that runs.

use super::guard;
use super::task::{RunningTask, Secrets, stop_all, trace};
use super::validation::{Deadlines, Validated};
use crate::herder::{ConnectorInfo, ConnectorStatus, ConnectorType, State, StateInfo};
use crate::plugins::Plugins;
use crate::ports::KafkaClients;
use crate::sink_task::SinkTaskSpec;
use crate::worker_config::WorkerConfig;
use connect_api::{ConfigMap, ConnectError, Converter, SinkConnector, SinkTask};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub(super) struct RunningConnector {
    pub(super) name: String,
    /// Secrets in clear.
    pub(super) config: Arc<ConfigMap>,
    pub(super) secrets: Secrets,
    version: &'static str,
    /// Why the connector itself, not one of its tasks, could not start.
    failure: Option<String>,
    tasks: Vec<RunningTask>,
}

/// What starting needs from the worker.
pub(super) struct Surroundings<'a> {
    pub(super) plugins: &'a Plugins,
    pub(super) worker: &'a WorkerConfig,
    pub(super) clients: &'a Arc<dyn KafkaClients>,
    pub(super) runtime: &'a Handle,
    pub(super) deadlines: Deadlines,
    /// Cancelled when the worker ends.
    pub(super) stop: &'a CancellationToken,
}

struct Prepared {
    config: ConfigMap,
    sink: Box<dyn SinkTask>,
    key_converter: Box<dyn Converter>,
    value_converter: Box<dyn Converter>,
}

impl RunningConnector {
    /// Starts the connector and its tasks. A plugin that fails here makes a FAILED connector, not an error: the
    /// configuration was accepted, and the reason is in the status.
    pub(super) async fn start(around: &Surroundings<'_>, validated: Validated) -> Self {
        let Validated { sink, settings, config, masker } = validated;
        let config = Arc::new(config);
        let secrets = Secrets { masker, config: config.clone() };
        let version = sink.version();
        let (plugins, plain, wanted) = (around.plugins.clone(), config.clone(), settings.clone());
        let prepared = guard::call(around.runtime, around.deadlines.local, move || {
            prepare(&*sink, &plain, &wanted, &plugins)
        });
        let prepared = match prepared.await {
            Ok(Ok(prepared)) => Ok(prepared),
            Ok(Err(error)) => Err(trace(&error)),
            Err(failure) => Err(failure.to_string()),
        };
        let (prepared, failure) = match prepared {
            Ok(prepared) => (prepared, None),
            Err(why) => {
                let why = secrets.scrub(&why);
                tracing::error!(connector = %settings.name, error = why, "connector failed to start");
                (Vec::new(), Some(why))
            }
        };
        let tasks = prepared
            .into_iter()
            .enumerate()
            .map(|(task, prepared)| {
                let spec = SinkTaskSpec {
                    connector: settings.name.clone(),
                    task,
                    subscription: settings.subscription.clone(),
                    key_converter: prepared.key_converter,
                    value_converter: prepared.value_converter,
                    sink: prepared.sink,
                    config: prepared.config,
                    errors: settings.errors.clone(),
                    clients: around.clients.clone(),
                    consumer_overrides: settings.consumer_overrides.clone(),
                    producer_overrides: settings.producer_overrides.clone(),
                    commit_interval: around.worker.offset_flush_interval,
                    shutdown_grace: around.worker.shutdown_timeout,
                    max_poll_records: settings.max_poll_records,
                };
                RunningTask::start(around.runtime, spec, secrets.clone(), around.stop.child_token())
            })
            .collect();
        Self { name: settings.name, config, secrets, version, failure, tasks }
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = &RunningTask> {
        self.tasks.iter()
    }

    pub(super) async fn stop(&self, grace: Duration) {
        stop_all(self.tasks.iter(), grace).await;
    }

    pub(super) fn info(&self) -> ConnectorInfo {
        ConnectorInfo {
            name: self.name.clone(),
            config: self.secrets.masker.mask(&self.config),
            tasks: self.tasks.iter().map(|task| task.id).collect(),
            ty: ConnectorType::Sink,
        }
    }

    pub(super) fn status(&self, worker_id: &str) -> ConnectorStatus {
        ConnectorStatus {
            name: self.name.clone(),
            connector: StateInfo {
                state: if self.failure.is_some() { State::Failed } else { State::Running },
                worker_id: worker_id.into(),
                trace: self.failure.clone(),
                version: Some(self.version.into()),
                retrying: None,
            },
            tasks: self.tasks.iter().map(|task| (task.id, task.state(worker_id, self.version))).collect(),
            ty: ConnectorType::Sink,
        }
    }

    pub(super) fn task_configs(&self) -> Vec<(usize, ConfigMap)> {
        self.tasks.iter().map(|task| (task.id, self.secrets.masker.mask(&task.config))).collect()
    }
}

/// All calls into plugins that a start takes, so that one deadline covers them.
fn prepare(
    sink: &dyn SinkConnector,
    config: &ConfigMap,
    settings: &crate::connector_config::SinkSettings,
    plugins: &Plugins,
) -> Result<Vec<Prepared>, ConnectError> {
    let configs = sink.task_configs(config, settings.tasks_max);
    if settings.enforce_tasks_max && configs.len() > settings.tasks_max {
        return Err(ConnectError::failed(format!(
            "The connector {} has generated {} tasks, which is greater than {}, the maximum number of tasks it is configured \
             to create: raise tasks.max",
            settings.name,
            configs.len(),
            settings.tasks_max
        )));
    }
    let prepare = |config: ConfigMap| {
        Ok(Prepared {
            config,
            sink: sink.new_task(),
            key_converter: plugins.create_converter(&settings.key_converter, true)?,
            value_converter: plugins.create_converter(&settings.value_converter, false)?,
        })
    };
    configs.into_iter().map(prepare).collect()
}
