//! From configurations as they are stored to what can be run. Everything here calls into plugins or reads files, so it is called where it
//! may block.

use super::WorkerParts;
use crate::config_providers::Resolved;
use crate::connector_config::{Settings, framework_tables};
use crate::herder::{ConnectorType, TaskId};
use crate::plugins::ConnectorPlugin;
use crate::secrets::{Masker, Secrets};
use crate::sink_task::SinkTaskSpec;
use crate::source_task::SourceTaskSpec;
use connect_api::config::ConfigFault;
use connect_api::{ConfigMap, ConnectError};
use futures::future::BoxFuture;
use std::time::Duration;

/// A failure as `trace` shows it: the exception class first, as tools expect.
pub(super) fn trace(error: &ConnectError) -> String {
    format!("{}: {}", error.java_class(), error.chain())
}

/// What there is to hide while a configuration has not been understood yet.
pub(super) fn first_secrets(config: &ConfigMap) -> Secrets {
    Secrets::new(
        Masker::new(framework_tables(ConnectorType::Sink).iter().copied()),
        config.clone(),
        Vec::new(),
    )
}

/// The class and the plugin that a configuration names.
pub(super) fn plugin_of(
    parts: &WorkerParts,
    config: &ConfigMap,
) -> Result<(&'static str, ConnectorPlugin), ConnectError> {
    let Some(class) = config.get("connector.class").filter(|class| !class.trim().is_empty()) else {
        return Err(ConnectError::config("the configuration has no connector.class"));
    };
    let (class, plugin) = parts.plugins.connector_class(class).map_err(ConnectError::failed)?;
    Ok((class, plugin.clone()))
}

/// A connector's configuration, understood.
pub(super) struct Described {
    pub(super) class: &'static str,
    pub(super) plugin: ConnectorPlugin,
    pub(super) settings: Settings,
    /// Placeholders resolved.
    pub(super) config: ConfigMap,
    pub(super) secrets: Secrets,
}

impl Described {
    /// `learn` gets to know what there is to hide before anything can fail that might show it.
    pub(super) fn read(
        parts: &WorkerParts,
        stored: &ConfigMap,
        learn: impl FnOnce(&Secrets),
    ) -> Result<Self, ConnectError> {
        let (class, plugin) = plugin_of(parts, stored)?;
        let tables = framework_tables(plugin.ty()).iter().copied().chain([plugin.config_def()]);
        let Resolved { config, secrets } = parts.config.providers.resolve(stored)?;
        let secrets = Secrets::new(Masker::new(tables), config.clone(), secrets);
        learn(&secrets);
        let settings = Settings::read(plugin.ty(), &config, &parts.config, &parts.plugins).map_err(faulty)?;
        Ok(Self { class, plugin, settings, config, secrets })
    }

    /// Whether the connector's own keys are right, too; what has no use for them need not ask.
    pub(super) fn checked(self) -> Result<Self, ConnectError> {
        self.plugin.config_def().parse(&self.config).map_err(faulty)?;
        Ok(self)
    }

    /// What the connector wants its tasks to be, in its own words.
    pub(super) async fn task_configs(&self) -> Result<Vec<ConfigMap>, ConnectError> {
        let common = &self.settings.common;
        let configs = self.plugin.task_configs(&self.config, common.tasks_max).await?;
        if configs.len() > common.tasks_max {
            let message = format!(
                "The connector {} has generated {} tasks, which is greater than {}, the maximum number of tasks it is \
                 configured to create: raise tasks.max",
                common.name,
                configs.len(),
                common.tasks_max
            );
            if common.enforce_tasks_max {
                return Err(ConnectError::failed(message));
            }
            tracing::warn!(connector = common.name, "{message}");
        }
        Ok(configs)
    }

    /// A task's configuration with what Java's worker adds, and with placeholders where the connector has copied what they stand
    /// for. `stored` is the connector's own, as it is stored.
    pub(super) fn fit_to_store(&self, mut config: ConfigMap, stored: &ConfigMap) -> ConfigMap {
        config.insert("task.class".into(), self.plugin.task_class(self.class));
        for key in ["topics", "topics.regex"] {
            if let Some(topics) = self.config.get(key) {
                config.insert(key.into(), topics.clone());
            }
        }
        for (key, value) in &mut config {
            // A value differs from its stored form only by placeholders.
            if let (Some(stored), Some(resolved)) = (stored.get(key), self.config.get(key))
                && stored != resolved
            {
                value.clone_from(stored);
            }
        }
        config
    }
}

fn faulty(faults: Vec<ConfigFault>) -> ConnectError {
    let texts: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
    ConnectError::config(texts.join("; "))
}

/// A connector's tasks, and what waits for the time when they should be others.
pub(super) struct Tasks {
    /// Fit to be stored.
    pub(super) configs: Vec<ConfigMap>,
    pub(super) watch: BoxFuture<'static, ()>,
}

impl Tasks {
    pub(super) async fn read(described: Described, stored: &ConfigMap) -> Result<Self, ConnectError> {
        let current = described.task_configs().await?;
        let configs = current.iter().map(|config| described.fit_to_store(config.clone(), stored)).collect();
        let watch = async move {
            let Described { plugin, config, settings, .. } = described;
            plugin.watch(&config, settings.common.tasks_max, &current).await;
        };
        Ok(Self { configs, watch: Box::pin(watch) })
    }
}

/// A task that is ready to run.
pub(super) enum TaskSpec {
    Sink(SinkTaskSpec),
    Source(SourceTaskSpec),
}

impl TaskSpec {
    pub(super) fn read(
        parts: &WorkerParts,
        id: &TaskId,
        connector: &ConfigMap,
        task: &ConfigMap,
        learn: impl Fn(&Secrets),
    ) -> Result<Self, ConnectError> {
        let described = Described::read(parts, connector, &learn)?.checked()?;
        let Resolved { config, secrets: more } = parts.config.providers.resolve(task)?;
        let Described { plugin, class, settings, secrets, .. } = described;
        let secrets = secrets.and(&config, more);
        learn(&secrets);
        let (common, worker) = (settings.common, &parts.config);
        let key_converter = parts.plugins.create_converter(&common.key_converter, true)?;
        let value_converter = parts.plugins.create_converter(&common.value_converter, false)?;
        Ok(match (plugin, settings.sink) {
            (ConnectorPlugin::Sink(sink), Some(sink_settings)) => Self::Sink(SinkTaskSpec {
                connector: id.connector.clone(),
                task: id.task,
                subscription: sink_settings.subscription,
                key_converter,
                value_converter,
                sink: sink.new_task(),
                task_class: sink.task_class(class),
                config,
                errors: common.errors,
                clients: parts.clients.clone(),
                consumer_overrides: sink_settings.consumer_overrides,
                producer_overrides: common.producer_overrides,
                commit_interval: worker.offset_flush_interval,
                shutdown_grace: grace_of_work(worker.shutdown_timeout),
                max_poll_records: sink_settings.max_poll_records,
                secrets,
            }),
            (ConnectorPlugin::Source(source), None) => Self::Source(SourceTaskSpec {
                connector: id.connector.clone(),
                task: id.task,
                key_converter,
                value_converter,
                source: source.new_task(),
                config,
                errors: common.errors,
                clients: parts.clients.clone(),
                producer_overrides: common.producer_overrides,
                offsets: parts.offsets.clone(),
                commit_interval: worker.offset_flush_interval,
                shutdown_grace: grace_of_work(worker.shutdown_timeout),
                secrets,
            }),
            // Settings are read by the plugin's own direction.
            _ => return Err(ConnectError::failed("the settings are not those of this kind of connector")),
        })
    }
}

/// The part of the time to stop that a running `put`, or records on their way, may take; the rest is for the commit and for
/// leaving the group.
fn grace_of_work(total: Duration) -> Duration {
    total * 3 / 4
}
