//! The herder of a worker that stands alone: connectors are kept in memory and all run here.

mod connector;
mod guard;
mod task;
pub(crate) mod validation;

pub use validation::Deadlines;

use crate::herder::{
    ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffset, ConnectorStatus, Health, Herder, HerderError,
    LoggerLevel, PluginInfo, Put, RestartRequest, ServerInfo, StateInfo, TargetState, TaskId,
};
use crate::plugins::{HEADER_CONVERTER, Plugins};
use crate::ports::{KafkaClients, OffsetStore};
use crate::signature::RequestSignature;
use crate::worker_config::WorkerConfig;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::ConfigMap;
use connector::{RunningConnector, Surroundings};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use validation::{Validated, Validator, invalid, resolve, with_key};

/// What the worker tells its herder.
pub struct StandaloneParts {
    pub worker: WorkerConfig,
    pub plugins: Plugins,
    pub clients: Arc<dyn KafkaClients>,
    /// Where sources keep their offsets.
    pub offsets: Arc<dyn OffsetStore>,
    /// `host:port` as others reach it.
    pub worker_id: String,
    /// The Kafka version this worker behaves like; clients switch features on it.
    pub version: String,
    pub commit: String,
    pub deadlines: Deadlines,
    /// How long a change waits for the worker to finish its start before it is answered 409.
    pub patience: Duration,
}

/// Cheap to clone: a handle.
#[derive(Clone)]
pub struct StandaloneHerder {
    inner: Arc<Inner>,
}

struct Inner {
    parts: StandaloneParts,
    /// Tasks run here, never on the thread that serves a request: a connector that blocks must not hold up the REST API.
    runtime: Handle,
    connectors: RwLock<IndexMap<String, Arc<RunningConnector>>>,
    /// One lock per connector name that is being changed.
    changes: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
    health: watch::Sender<Health>,
    cluster_id: RwLock<Option<String>>,
    stop: CancellationToken,
}

impl StandaloneHerder {
    /// To be called on the runtime that is to run the tasks. The worker counts as starting until [`ready`].
    ///
    /// [`ready`]: StandaloneHerder::ready
    pub fn new(parts: StandaloneParts) -> Self {
        let inner = Inner {
            parts,
            runtime: Handle::current(),
            connectors: RwLock::default(),
            changes: Mutex::default(),
            health: watch::Sender::new(Health::Starting("the worker has just begun".into())),
            cluster_id: RwLock::default(),
            stop: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What `/health` says until the worker is ready.
    pub fn starting(&self, what: impl Into<String>) {
        self.inner.health.send_replace(Health::Starting(what.into()));
    }

    pub fn ready(&self) {
        self.inner.health.send_replace(Health::Healthy);
    }

    pub fn set_cluster_id(&self, id: Option<String>) {
        *self.inner.cluster_id.write().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// Starts a connector of the command line; these come before the worker is ready.
    pub async fn start_connector(&self, name: &str, config: ConfigMap) -> Result<ConnectorInfo, HerderError> {
        let (inner, name) = (self.inner.clone(), name.trim().to_owned());
        self.detached(async move { inner.create(&name, config).await }).await
    }

    /// Stops all tasks within the grace of the configuration. Nothing can be started afterwards.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        self.starting("the worker is shutting down");
        let running = self.inner.all();
        let tasks = running.iter().flat_map(|connector| connector.tasks());
        task::stop_all(tasks, self.inner.parts.worker.shutdown_timeout).await;
    }

    /// Runs a change to its end even if whoever asked for it goes away, so that no connector is left half changed.
    async fn detached<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, HerderError>> + Send + 'static,
    ) -> Result<T, HerderError> {
        match self.inner.runtime.spawn(change).await {
            Ok(result) => result,
            Err(error) => {
                let text = guard::panic_text(error);
                tracing::error!(error = %text, "a request made the worker panic");
                Err(HerderError::Internal("the worker failed inside; its log says where".into()))
            }
        }
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, HerderError>> + Send + 'static,
    ) -> Result<T, HerderError> {
        self.inner.wait_until_ready().await?;
        self.detached(change).await
    }
}

impl Inner {
    fn all(&self) -> Vec<Arc<RunningConnector>> {
        self.connectors.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn find(&self, name: &str) -> Option<Arc<RunningConnector>> {
        self.connectors.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The lock under which the connector `name` is changed.
    fn lock(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = changes.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        changes.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        changes.insert(name.to_owned(), Arc::downgrade(&lock));
        lock
    }

    /// Clients retry a 409, but a start is soon over: wait for it instead.
    async fn wait_until_ready(&self) -> Result<(), HerderError> {
        let mut health = self.health.subscribe();
        let ready = health.wait_for(|health| *health == Health::Healthy);
        if matches!(tokio::time::timeout(self.parts.patience, ready).await, Ok(Ok(_))) {
            return Ok(());
        }
        let Health::Starting(what) = self.health.borrow().clone() else { return Ok(()) };
        Err(HerderError::Conflict(format!("Cannot complete request momentarily: {what}")))
    }

    fn refuse_when_stopping(&self) -> Result<(), HerderError> {
        if self.stop.is_cancelled() {
            return Err(HerderError::Conflict("Cannot complete request: the worker is shutting down".into()));
        }
        Ok(())
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            plugins: &self.parts.plugins,
            worker: &self.parts.worker,
            clients: &self.parts.clients,
            offsets: &self.parts.offsets,
            runtime: &self.runtime,
            deadlines: self.parts.deadlines,
            stop: &self.stop,
        }
    }

    /// Brings the connector's name into its configuration.
    fn named(name: &str, mut config: ConfigMap) -> Result<ConfigMap, HerderError> {
        match config.get("name") {
            Some(inner) if inner == name => {}
            Some(inner) => {
                return Err(HerderError::BadRequest(format!(
                    "Connector name configuration ({inner}) doesn't match connector name in the URL ({name})"
                )));
            }
            None => {
                config.insert("name".into(), name.to_owned());
            }
        }
        Ok(config)
    }

    /// The configuration with its secrets put back from what is stored.
    fn plain(config: &ConfigMap, stored: &RunningConnector) -> Result<ConfigMap, HerderError> {
        let unmasked = stored.secrets.masker.unmask(config, Some(&stored.config));
        unmasked.map_err(|faults| invalid(&faults.into_iter().map(with_key).collect::<Vec<_>>()))
    }

    async fn validate(&self, config: ConfigMap) -> Result<Validated, HerderError> {
        let (plugin, masker) = resolve(&config, &self.parts.plugins)?;
        // Whatever could be put back has been by now.
        let config = masker
            .unmask(&config, None)
            .map_err(|faults| invalid(&faults.into_iter().map(with_key).collect::<Vec<_>>()))?;
        let validator = Validator {
            plugins: &self.parts.plugins,
            worker: &self.parts.worker,
            runtime: &self.runtime,
            deadlines: self.parts.deadlines,
        };
        validator.validate(plugin, masker, config).await
    }

    async fn start(&self, name: &str, validated: Validated) -> Result<Arc<RunningConnector>, HerderError> {
        self.refuse_when_stopping()?;
        let connector = Arc::new(RunningConnector::start(&self.surroundings(), validated).await);
        tracing::info!(connector = name, tasks = connector.tasks().count(), "connector started");
        let mut connectors = self.connectors.write().unwrap_or_else(PoisonError::into_inner);
        connectors.insert(name.to_owned(), connector.clone());
        Ok(connector)
    }

    async fn create(&self, name: &str, config: ConfigMap) -> Result<ConnectorInfo, HerderError> {
        let lock = self.lock(name);
        let _changing = lock.lock().await;
        if self.find(name).is_some() {
            return Err(HerderError::Conflict(format!("Connector {name} already exists")));
        }
        let validated = self.validate(Self::named(name, config)?).await?;
        let mut info = self.start(name, validated).await?.info();
        // The reference answers before it has made the tasks, and its users expect the empty list.
        info.tasks.clear();
        Ok(info)
    }

    async fn put(&self, name: &str, config: ConfigMap) -> Result<(Put, ConnectorInfo), HerderError> {
        let lock = self.lock(name);
        let _changing = lock.lock().await;
        let config = Self::named(name, config)?;
        let Some(old) = self.find(name) else {
            let validated = self.validate(config).await?;
            let mut info = self.start(name, validated).await?.info();
            info.tasks.clear();
            return Ok((Put::Created, info));
        };
        let config = Self::plain(&config, &old)?;
        // IndexMap compares without regard to order.
        if config == *old.config {
            return Ok((Put::Updated, old.info()));
        }
        let validated = self.validate(config).await?;
        self.refuse_when_stopping()?;
        old.stop(self.parts.worker.shutdown_timeout).await;
        let info = self.start(name, validated).await?.info();
        Ok((Put::Updated, info))
    }

    async fn delete(&self, name: &str) -> Result<(), HerderError> {
        let lock = self.lock(name);
        let _changing = lock.lock().await;
        let connector = self.find(name).ok_or_else(|| not_found(name))?;
        connector.stop(self.parts.worker.shutdown_timeout).await;
        self.connectors.write().unwrap_or_else(PoisonError::into_inner).shift_remove(name);
        tracing::info!(connector = name, "connector deleted");
        Ok(())
    }
}

fn not_found(name: &str) -> HerderError {
    HerderError::NotFound(format!("Connector {name} not found"))
}

#[async_trait]
impl Herder for StandaloneHerder {
    async fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: self.inner.parts.version.clone(),
            commit: self.inner.parts.commit.clone(),
            kafka_cluster_id: self.inner.cluster_id.read().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    async fn health(&self) -> Health {
        self.inner.health.borrow().clone()
    }

    async fn plugins(&self, connectors_only: bool) -> Vec<PluginInfo> {
        let plugins = &self.inner.parts.plugins;
        let connectors = plugins.connector_classes().map(|(class, plugin)| PluginInfo {
            class: class.into(),
            ty: plugin.ty().as_str(),
            version: Some(plugin.version().into()),
        });
        let version = || Some(self.inner.parts.version.clone());
        let converters = plugins
            .converter_classes()
            .map(|class| PluginInfo { class: class.into(), ty: "converter", version: version() })
            .chain([PluginInfo {
                class: HEADER_CONVERTER.into(),
                ty: "header_converter",
                version: version(),
            }]);
        if connectors_only { connectors.collect() } else { connectors.chain(converters).collect() }
    }

    async fn connectors(&self) -> Vec<String> {
        self.inner.all().iter().map(|connector| connector.name.clone()).collect()
    }

    async fn connector(&self, name: &str) -> Result<ConnectorInfo, HerderError> {
        self.inner.find(name).map(|connector| connector.info()).ok_or_else(|| not_found(name))
    }

    async fn connector_status(&self, name: &str) -> Result<ConnectorStatus, HerderError> {
        let connector = self.inner.find(name);
        let status = connector.map(|connector| connector.status(&self.inner.parts.worker_id));
        status.ok_or_else(|| HerderError::NotFound(format!("No status found for connector {name}")))
    }

    async fn task_configs(&self, name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError> {
        self.inner.find(name).map(|connector| connector.task_configs()).ok_or_else(|| not_found(name))
    }

    async fn create_connector(
        &self,
        name: &str,
        config: ConfigMap,
        _: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError> {
        let (inner, name) = (self.inner.clone(), name.trim().to_owned());
        self.change(async move { inner.create(&name, config).await }).await
    }

    async fn put_connector_config(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError> {
        let (inner, name) = (self.inner.clone(), name.trim().to_owned());
        self.change(async move { inner.put(&name, config).await }).await
    }

    async fn delete_connector(&self, name: &str) -> Result<(), HerderError> {
        let (inner, name) = (self.inner.clone(), name.trim().to_owned());
        self.change(async move { inner.delete(&name).await }).await
    }

    async fn plugin_config(&self, _: &str, _: Option<&str>) -> Result<Vec<ConfigKeyInfo>, HerderError> {
        absent()
    }
    async fn validate_config(&self, _: &str, _: ConfigMap) -> Result<ConfigInfos, HerderError> {
        absent()
    }
    async fn connector_config(&self, name: &str) -> Result<ConfigMap, HerderError> {
        Ok(self.connector(name).await?.config)
    }
    async fn task_status(&self, _: &TaskId) -> Result<StateInfo, HerderError> {
        absent()
    }
    async fn patch_connector_config(
        &self,
        _: &str,
        _: IndexMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, HerderError> {
        absent()
    }
    async fn set_target_state(&self, _: &str, _: TargetState) -> Result<(), HerderError> {
        absent()
    }
    async fn restart_connector(
        &self,
        _: &str,
        _: RestartRequest,
    ) -> Result<Option<ConnectorStatus>, HerderError> {
        absent()
    }
    async fn restart_task(&self, _: &TaskId) -> Result<(), HerderError> {
        absent()
    }
    async fn connector_topics(&self, _: &str) -> Result<Vec<String>, HerderError> {
        absent()
    }
    async fn reset_connector_topics(&self, _: &str) -> Result<(), HerderError> {
        absent()
    }
    async fn connector_offsets(&self, _: &str) -> Result<Vec<ConnectorOffset>, HerderError> {
        absent()
    }
    async fn alter_connector_offsets(&self, _: &str, _: Vec<ConnectorOffset>) -> Result<String, HerderError> {
        absent()
    }
    async fn reset_connector_offsets(&self, _: &str) -> Result<String, HerderError> {
        absent()
    }
    async fn loggers(&self) -> Vec<LoggerLevel> {
        Vec::new()
    }
    async fn logger(&self, _: &str) -> Result<LoggerLevel, HerderError> {
        absent()
    }
    async fn set_logger(&self, _: &str, _: &str) -> Result<Vec<String>, HerderError> {
        absent()
    }
    async fn set_cluster_logger(&self, _: &str, _: &str) -> Result<(), HerderError> {
        absent()
    }
    async fn put_task_configs(
        &self,
        _: &str,
        _: Bytes,
        _: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        absent()
    }
    async fn fence_zombies(&self, _: &str, _: Bytes, _: Option<RequestSignature>) -> Result<(), HerderError> {
        absent()
    }
}

/// Scaffolding of the branch: the standalone herder goes away.
fn absent<T>() -> Result<T, HerderError> {
    Err(HerderError::Internal("not there yet".into()))
}

#[cfg(test)]
mod tests;
