//! What the REST API asks, answered by the herder.

use super::ConnectHerder;
use crate::herder::*;
use crate::signature::RequestSignature;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::ConfigMap;
use indexmap::IndexMap;

#[async_trait]
impl Herder for ConnectHerder {
    async fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: self.inner.parts.version.clone(),
            commit: self.inner.parts.commit.clone(),
            kafka_cluster_id: None,
        }
    }
    async fn health(&self) -> Health {
        Health::Starting("the herder is not there yet".into())
    }
    async fn plugins(&self, _connectors_only: bool) -> Vec<PluginInfo> {
        Vec::new()
    }
    async fn plugin_config(
        &self,
        _plugin: &str,
        _version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>, HerderError> {
        not_yet()
    }
    async fn validate_config(&self, _plugin: &str, _config: ConfigMap) -> Result<ConfigInfos, HerderError> {
        not_yet()
    }
    async fn connectors(&self) -> Vec<String> {
        Vec::new()
    }
    async fn connector(&self, _name: &str) -> Result<ConnectorInfo, HerderError> {
        not_yet()
    }
    async fn connector_config(&self, _name: &str) -> Result<ConfigMap, HerderError> {
        not_yet()
    }
    async fn connector_status(&self, _name: &str) -> Result<ConnectorStatus, HerderError> {
        not_yet()
    }
    async fn task_status(&self, _id: &TaskId) -> Result<StateInfo, HerderError> {
        not_yet()
    }
    async fn task_configs(&self, _name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError> {
        not_yet()
    }
    async fn create_connector(
        &self,
        _name: &str,
        _config: ConfigMap,
        _initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError> {
        not_yet()
    }
    async fn put_connector_config(
        &self,
        _name: &str,
        _config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError> {
        not_yet()
    }
    async fn patch_connector_config(
        &self,
        _name: &str,
        _patch: IndexMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, HerderError> {
        not_yet()
    }
    async fn delete_connector(&self, _name: &str) -> Result<(), HerderError> {
        not_yet()
    }
    async fn set_target_state(&self, _name: &str, _target: TargetState) -> Result<(), HerderError> {
        not_yet()
    }
    async fn restart_connector(
        &self,
        _name: &str,
        _request: RestartRequest,
    ) -> Result<Option<ConnectorStatus>, HerderError> {
        not_yet()
    }
    async fn restart_task(&self, _id: &TaskId) -> Result<(), HerderError> {
        not_yet()
    }
    async fn connector_topics(&self, _name: &str) -> Result<Vec<String>, HerderError> {
        not_yet()
    }
    async fn reset_connector_topics(&self, _name: &str) -> Result<(), HerderError> {
        not_yet()
    }
    async fn connector_offsets(&self, _name: &str) -> Result<Vec<ConnectorOffset>, HerderError> {
        not_yet()
    }
    async fn alter_connector_offsets(
        &self,
        _name: &str,
        _offsets: Vec<ConnectorOffset>,
    ) -> Result<String, HerderError> {
        not_yet()
    }
    async fn reset_connector_offsets(&self, _name: &str) -> Result<String, HerderError> {
        not_yet()
    }
    async fn loggers(&self) -> Vec<LoggerLevel> {
        Vec::new()
    }
    async fn logger(&self, _name: &str) -> Result<LoggerLevel, HerderError> {
        not_yet()
    }
    async fn set_logger(&self, _name: &str, _level: &str) -> Result<Vec<String>, HerderError> {
        not_yet()
    }
    async fn set_cluster_logger(&self, _name: &str, _level: &str) -> Result<(), HerderError> {
        not_yet()
    }
    async fn put_task_configs(
        &self,
        _name: &str,
        _body: Bytes,
        _signature: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        not_yet()
    }
    async fn fence_zombies(
        &self,
        _name: &str,
        _body: Bytes,
        _signature: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        not_yet()
    }
}

fn not_yet<T>() -> Result<T, HerderError> {
    Err(HerderError::Unavailable("the herder is not there yet".into()))
}
