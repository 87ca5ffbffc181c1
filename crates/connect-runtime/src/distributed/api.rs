//! What the REST API asks, answered by the herder: reads from the last known state at once, changes by way of the loop.

use super::changes::not_found;
use super::state::{Reply, Request};
use super::{ConnectHerder, Inner};
use crate::herder::{
    ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffset, ConnectorStatus, Health, Herder, HerderError,
    LoggerLevel, PluginInfo, Put, RestartRequest, ServerInfo, StateInfo, TargetState, TaskId,
};
use crate::plugins::HEADER_CONVERTER;
use crate::ports::LEVELS;
use crate::signature::RequestSignature;
use crate::validation::key_infos;
use crate::worker_config::Mode;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::ConfigMap;
use futures::FutureExt as _;
use indexmap::IndexMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Above what a plugin is given, and below the 90 s that the reference grants a request.
const READING_OFFSETS: Duration = Duration::from_secs(60);

impl ConnectHerder {
    /// Runs a change to its end even if whoever asked for it goes away, on the worker's own threads.
    pub(super) async fn detached<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, HerderError>> + Send + 'static,
    ) -> Result<T, HerderError> {
        let failed = || HerderError::Internal("the worker failed inside; its log says where".into());
        let change = AssertUnwindSafe(change).catch_unwind();
        match self.inner.runtime.spawn(change).await {
            Ok(Ok(result)) => result,
            // The panic itself is in the log.
            Ok(Err(_)) => Err(failed()),
            Err(error) => {
                tracing::error!(%error, "a request was cut off");
                Err(failed())
            }
        }
    }

    /// The same for a change that has to wait for the worker's start.
    async fn change<T: Send + 'static, F>(
        &self,
        change: impl FnOnce(Arc<Inner>) -> F,
    ) -> Result<T, HerderError>
    where
        F: Future<Output = Result<T, HerderError>> + Send + 'static,
    {
        self.inner.wait_until_ready().await?;
        self.detached(change(self.inner.clone())).await
    }
}

impl Inner {
    /// Clients retry a 409, but a start is soon over: wait for it instead.
    async fn wait_until_ready(&self) -> Result<(), HerderError> {
        let mut starting = self.starting.subscribe();
        let ready = starting.wait_for(Option::is_none);
        if matches!(tokio::time::timeout(self.parts.patience, ready).await, Ok(Ok(_))) {
            return Ok(());
        }
        let Some(what) = self.starting.borrow().clone() else { return Ok(()) };
        Err(HerderError::Conflict(format!("Cannot complete request momentarily: {what}")))
    }

    pub(super) async fn done(&self, request: Request) -> Result<(), HerderError> {
        self.ask(request).await.map(drop)
    }

    pub(super) fn stored(&self, name: &str) -> Option<ConfigMap> {
        self.state().config().connector_config(name).cloned()
    }

    async fn offsets(&self, name: &str) -> Result<Vec<ConnectorOffset>, HerderError> {
        let config = self.stored(name).ok_or_else(|| not_found(name))?;
        let reading = self.worker.connector_offsets(name, &config);
        tokio::time::timeout(READING_OFFSETS, reading).await.unwrap_or_else(|_| {
            Err(HerderError::Unavailable(format!(
                "The offsets of connector {name} could not be read within {} s: try again when Kafka answers",
                READING_OFFSETS.as_secs()
            )))
        })
    }

    async fn alter_offsets(
        &self,
        name: &str,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<String, HerderError> {
        self.done(Request::Leader).await?;
        self.done(Request::Refresh).await?;
        match self.ask(Request::AlterOffsets { name: name.to_owned(), offsets }).await? {
            Reply::Message(message) => Ok(message),
            other => {
                tracing::error!(?other, "offsets were altered without a word about it");
                Err(HerderError::Internal("the worker failed inside; its log says where".into()))
            }
        }
    }

    /// In the reference's words.
    fn only_in_a_cluster(&self, what: &str) -> Result<(), HerderError> {
        match self.parts.worker_config.mode {
            Mode::Distributed(_) => Ok(()),
            Mode::Standalone { .. } => Err(HerderError::BadRequest(format!(
                "Kafka Connect in standalone mode does not support {what}."
            ))),
        }
    }

    fn topic_tracking(&self) -> Result<(), HerderError> {
        if self.parts.worker_config.topic_tracking.enable {
            return Ok(());
        }
        Err(HerderError::Forbidden("Topic tracking is disabled.".into()))
    }

    /// In the reference's words; levels are taken in any case of letters.
    fn level(level: &str) -> Result<&'static str, HerderError> {
        let known = LEVELS.into_iter().find(|known| known.eq_ignore_ascii_case(level.trim()));
        known.ok_or_else(|| HerderError::NotFound(format!("invalid log level '{level}'.")))
    }
}

/// Java's connectors may leave keys null, which means as much as absent.
fn task_configs(body: &[u8]) -> Result<Vec<ConfigMap>, HerderError> {
    let configs: Vec<IndexMap<String, Option<String>>> = serde_json::from_slice(body).map_err(|error| {
        HerderError::BadRequest(format!(
            "The body must be a list of task configurations, each an object of strings: {error}"
        ))
    })?;
    let without_null = |config: IndexMap<String, Option<String>>| {
        config.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    };
    Ok(configs.into_iter().map(without_null).collect())
}

#[async_trait]
impl Herder for ConnectHerder {
    async fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: self.inner.parts.version.clone(),
            commit: self.inner.parts.commit.clone(),
            kafka_cluster_id: self.inner.cluster_id.read().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    async fn health(&self) -> Health {
        let starting = self.inner.starting.borrow().clone();
        starting.map_or_else(|| self.inner.health.borrow().clone(), Health::Starting)
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

    async fn plugin_config(
        &self,
        plugin: &str,
        version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>, HerderError> {
        key_infos(&self.inner.parts.plugins, plugin, version)
    }

    async fn validate_config(&self, plugin: &str, config: ConfigMap) -> Result<ConfigInfos, HerderError> {
        let (inner, plugin) = (self.inner.clone(), plugin.to_owned());
        let infos = async move {
            let stored = config.get("name").and_then(|name| inner.stored(name));
            inner.validation().config_infos(&plugin, &config, stored.as_ref()).await
        };
        self.detached(infos).await
    }

    async fn connectors(&self) -> Vec<String> {
        self.inner.state().config().connectors().map(str::to_owned).collect()
    }

    async fn connector(&self, name: &str) -> Result<ConnectorInfo, HerderError> {
        self.inner.info(name).ok_or_else(|| not_found(name))
    }

    async fn connector_config(&self, name: &str) -> Result<ConfigMap, HerderError> {
        Ok(self.connector(name).await?.config)
    }

    async fn connector_status(&self, name: &str) -> Result<ConnectorStatus, HerderError> {
        let status = self.inner.status(name);
        status.ok_or_else(|| HerderError::NotFound(format!("No status found for connector {name}")))
    }

    async fn task_status(&self, id: &TaskId) -> Result<StateInfo, HerderError> {
        let status = self.inner.statuses.task(id);
        let status = status.ok_or_else(|| HerderError::NotFound(format!("No status found for task {id}")))?;
        Ok(self.inner.task_state_info(id, status))
    }

    async fn task_configs(&self, name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError> {
        let state = self.inner.state();
        let connector = state.config().connector_config(name).ok_or_else(|| not_found(name))?;
        let masker = self.inner.masker(connector);
        let ids = state.config().task_ids(name).into_iter();
        let configs = ids.filter_map(|id| Some((id.task, masker.mask(state.config().task_config(&id)?))));
        Ok(configs.collect())
    }

    async fn create_connector(
        &self,
        name: &str,
        config: ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError> {
        let name = name.trim().to_owned();
        self.change(|inner| async move { inner.create(&name, config, initial_state).await }).await
    }

    async fn put_connector_config(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError> {
        let name = name.trim().to_owned();
        self.change(|inner| async move { inner.put(&name, config).await }).await
    }

    async fn patch_connector_config(
        &self,
        name: &str,
        patch: IndexMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, HerderError> {
        let name = name.trim().to_owned();
        self.change(|inner| async move { inner.patch(&name, patch).await }).await
    }

    async fn delete_connector(&self, name: &str) -> Result<(), HerderError> {
        let name = name.trim().to_owned();
        self.change(|inner| async move { inner.done(Request::Delete { name }).await }).await
    }

    async fn set_target_state(&self, name: &str, target: TargetState) -> Result<(), HerderError> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.done(Request::SetTarget { name, target }).await }).await
    }

    async fn restart_connector(
        &self,
        name: &str,
        request: RestartRequest,
    ) -> Result<Option<ConnectorStatus>, HerderError> {
        let name = name.to_owned();
        self.change(|inner| async move {
            if request == RestartRequest::default() {
                inner.done(Request::RestartConnector { name }).await?;
                return Ok(None);
            }
            // Before the restart changes what it is made from.
            let plan = inner.plan(&name, request);
            inner.done(Request::Restart { name: name.clone(), request }).await?;
            let plan =
                plan.ok_or_else(|| HerderError::NotFound(format!("Status for connector {name} not found")))?;
            Ok(Some(plan))
        })
        .await
    }

    async fn restart_task(&self, id: &TaskId) -> Result<(), HerderError> {
        let id = id.clone();
        self.change(|inner| async move { inner.done(Request::RestartTask { id }).await }).await
    }

    async fn connector_topics(&self, name: &str) -> Result<Vec<String>, HerderError> {
        self.inner.topic_tracking()?;
        Ok(self.inner.statuses.topics(name).into_iter().map(|status| status.topic).collect())
    }

    async fn reset_connector_topics(&self, name: &str) -> Result<(), HerderError> {
        self.inner.topic_tracking()?;
        if !self.inner.parts.worker_config.topic_tracking.allow_reset {
            return Err(HerderError::Forbidden("Topic tracking reset is disabled.".into()));
        }
        let name = name.to_owned();
        self.change(|inner| async move {
            inner.forget_topics(&name);
            Ok(())
        })
        .await
    }

    async fn connector_offsets(&self, name: &str) -> Result<Vec<ConnectorOffset>, HerderError> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.offsets(&name).await }).await
    }

    async fn alter_connector_offsets(
        &self,
        name: &str,
        offsets: Vec<ConnectorOffset>,
    ) -> Result<String, HerderError> {
        if offsets.is_empty() {
            return Err(HerderError::BadRequest(
                "Partitions / offsets need to be provided for an alter offsets request".into(),
            ));
        }
        let name = name.to_owned();
        self.change(|inner| async move { inner.alter_offsets(&name, Some(offsets)).await }).await
    }

    async fn reset_connector_offsets(&self, name: &str) -> Result<String, HerderError> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.alter_offsets(&name, None).await }).await
    }

    async fn loggers(&self) -> Vec<LoggerLevel> {
        self.inner.parts.log_levels.all()
    }

    async fn logger(&self, name: &str) -> Result<LoggerLevel, HerderError> {
        let level = self.inner.parts.log_levels.get(name);
        level.ok_or_else(|| HerderError::NotFound(format!("Logger {name} not found.")))
    }

    async fn set_logger(&self, name: &str, level: &str) -> Result<Vec<String>, HerderError> {
        let level = Inner::level(level)?;
        Ok(self.inner.parts.log_levels.set(name, level))
    }

    async fn set_cluster_logger(&self, name: &str, level: &str) -> Result<(), HerderError> {
        let (logger, level) = (name.to_owned(), Inner::level(level)?.to_owned());
        self.change(|inner| async move { inner.done(Request::SetLogger { logger, level }).await }).await
    }

    async fn put_task_configs(
        &self,
        name: &str,
        body: Bytes,
        signature: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        self.inner.only_in_a_cluster("externally setting task configurations")?;
        let name = name.to_owned();
        self.change(|inner| async move {
            // Whoever cannot sign learns nothing about its body.
            let check = Request::CheckSignature { body: body.clone(), signature: signature.clone() };
            inner.done(check).await?;
            let configs = task_configs(&body)?;
            inner.done(Request::PutTasks { name, configs, body, signature }).await
        })
        .await
    }

    async fn fence_zombies(
        &self,
        _: &str,
        body: Bytes,
        signature: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        self.inner.only_in_a_cluster("exactly-once source connectors")?;
        self.change(|inner| async move {
            inner.done(Request::CheckSignature { body, signature }).await?;
            Err(HerderError::BadRequest(
                "This worker does not support exactly-once source connectors yet: set exactly.once.source.support=disabled \
                 on all workers of the cluster"
                    .into(),
            ))
        })
        .await
    }
}
