//! A connector that runs.

use super::guard;
use super::task::{RunningTask, Secrets, TaskSpec, stop_all, trace};
use super::validation::{Deadlines, Validated};
use crate::connector_config::{Settings, SinkSettings};
use crate::herder::{ConnectorInfo, ConnectorStatus, ConnectorType, State, StateInfo};
use crate::plugins::{ConnectorPlugin, Plugins};
use crate::ports::{KafkaClients, OffsetStore};
use crate::sink_task::SinkTaskSpec;
use crate::source_task::SourceTaskSpec;
use crate::worker_config::WorkerConfig;
use connect_api::{ConfigMap, ConnectError, Converter, SinkTask, SourceTask};
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
    ty: ConnectorType,
    /// Why the connector itself, not one of its tasks, could not start.
    failure: Option<String>,
    tasks: Vec<RunningTask>,
}

/// What starting needs from the worker.
pub(super) struct Surroundings<'a> {
    pub(super) plugins: &'a Plugins,
    pub(super) worker: &'a WorkerConfig,
    pub(super) clients: &'a Arc<dyn KafkaClients>,
    pub(super) offsets: &'a Arc<dyn OffsetStore>,
    pub(super) runtime: &'a Handle,
    pub(super) deadlines: Deadlines,
    /// Cancelled when the worker ends.
    pub(super) stop: &'a CancellationToken,
}

enum NewTask {
    Sink(Box<dyn SinkTask>, SinkSettings),
    Source(Box<dyn SourceTask>),
}

struct Prepared {
    config: ConfigMap,
    task: NewTask,
    key_converter: Box<dyn Converter>,
    value_converter: Box<dyn Converter>,
}

impl RunningConnector {
    /// Starts the connector and its tasks. A plugin that fails here makes a FAILED connector, not an error: the
    /// configuration was accepted, and the reason is in the status.
    pub(super) async fn start(around: &Surroundings<'_>, validated: Validated) -> Self {
        let Validated { plugin, settings, config, masker } = validated;
        let config = Arc::new(config);
        let secrets = Secrets { masker, config: config.clone() };
        let (version, ty) = (plugin.version(), plugin.ty());
        let (plugins, plain, wanted) = (around.plugins.clone(), config.clone(), settings.clone());
        let prepared = guard::call(around.runtime, around.deadlines.local, move || {
            prepare(&plugin, &plain, &wanted, &plugins)
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
                tracing::error!(connector = %settings.common.name, error = why, "connector failed to start");
                (Vec::new(), Some(why))
            }
        };
        let tasks = prepared
            .into_iter()
            .enumerate()
            .map(|(task, prepared)| {
                let spec = around.task_spec(&settings, task, prepared);
                RunningTask::start(around.runtime, spec, secrets.clone(), around.stop.child_token())
            })
            .collect();
        Self { name: settings.common.name, config, secrets, version, ty, failure, tasks }
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
            ty: Some(self.ty),
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
            ty: Some(self.ty),
        }
    }

    pub(super) fn task_configs(&self) -> Vec<(usize, ConfigMap)> {
        self.tasks.iter().map(|task| (task.id, self.secrets.masker.mask(&task.config))).collect()
    }
}

impl Surroundings<'_> {
    fn task_spec(&self, settings: &Settings, task: usize, prepared: Prepared) -> TaskSpec {
        let common = &settings.common;
        let Prepared { config, task: new_task, key_converter, value_converter } = prepared;
        match new_task {
            NewTask::Sink(sink, settings) => TaskSpec::Sink(SinkTaskSpec {
                connector: common.name.clone(),
                task,
                subscription: settings.subscription,
                key_converter,
                value_converter,
                sink,
                config,
                errors: common.errors.clone(),
                clients: self.clients.clone(),
                consumer_overrides: settings.consumer_overrides,
                producer_overrides: common.producer_overrides.clone(),
                commit_interval: self.worker.offset_flush_interval,
                shutdown_grace: self.worker.shutdown_timeout,
                max_poll_records: settings.max_poll_records,
                secrets: Default::default(),
            }),
            NewTask::Source(source) => TaskSpec::Source(SourceTaskSpec {
                connector: common.name.clone(),
                task,
                key_converter,
                value_converter,
                source,
                config,
                errors: common.errors.clone(),
                clients: self.clients.clone(),
                producer_overrides: common.producer_overrides.clone(),
                offsets: self.offsets.clone(),
                commit_interval: self.worker.offset_flush_interval,
                shutdown_grace: self.worker.shutdown_timeout,
                secrets: Default::default(),
            }),
        }
    }
}

/// All calls into plugins that a start takes, so that one deadline covers them.
fn prepare(
    plugin: &ConnectorPlugin,
    config: &ConfigMap,
    settings: &Settings,
    plugins: &Plugins,
) -> Result<Vec<Prepared>, ConnectError> {
    let common = &settings.common;
    let configs = plugin.task_configs(config, common.tasks_max);
    if common.enforce_tasks_max && configs.len() > common.tasks_max {
        return Err(ConnectError::failed(format!(
            "The connector {} has generated {} tasks, which is greater than {}, the maximum number of tasks it is configured \
             to create: raise tasks.max",
            common.name,
            configs.len(),
            common.tasks_max
        )));
    }
    let prepare = |config: ConfigMap| {
        let task = match (plugin, &settings.sink) {
            (ConnectorPlugin::Sink(sink), Some(settings)) => NewTask::Sink(sink.new_task(), settings.clone()),
            (ConnectorPlugin::Source(source), None) => NewTask::Source(source.new_task()),
            // Settings are read by the plugin's own direction.
            _ => return Err(ConnectError::failed("the settings are not those of this kind of connector")),
        };
        Ok(Prepared {
            config,
            task,
            key_converter: plugins.create_converter(&common.key_converter, true)?,
            value_converter: plugins.create_converter(&common.value_converter, false)?,
        })
    };
    configs.into_iter().map(prepare).collect()
}
