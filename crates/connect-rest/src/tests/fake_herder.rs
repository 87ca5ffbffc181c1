//! A herder that knows two connectors and repeats what it is told.

use async_trait::async_trait;
use bytes::Bytes;
use connect_api::ConfigMap;
use connect_runtime::herder::{
    ConfigInfos, ConfigKeyInfo, ConfigValueInfo, ConnectorInfo, ConnectorOffset, ConnectorStatus,
    ConnectorType, Health, Herder, HerderError, LoggerLevel, PluginInfo, Put, RestartRequest, Retrying,
    ServerInfo, State, StateInfo, TargetState, TaskId,
};
use connect_runtime::signature::RequestSignature;
use indexmap::IndexMap;
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Knows the sink `a` and the source `x/y`. What concerns `far` belongs to another worker, what concerns `slow` takes for ever,
/// and what concerns `broken` fails.
#[derive(Default)]
pub(super) struct FakeHerder {
    calls: Mutex<Vec<String>>,
    pub(super) far_url: Mutex<String>,
    /// It does not even say how it is.
    pub(super) stuck: AtomicBool,
}

impl FakeHerder {
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    async fn known(&self, name: &str) -> Result<(), HerderError> {
        match name {
            "a" | "x/y" => Ok(()),
            "far" => Err(HerderError::Elsewhere { url: self.far_url.lock().unwrap().clone() }),
            "slow" => std::future::pending().await,
            "broken" => Err(HerderError::Internal("it is our fault".into())),
            "moving" => Err(HerderError::Conflict("a rebalance is under way".into())),
            _ => Err(HerderError::NotFound(format!("Connector {name} not found"))),
        }
    }

    async fn told(&self, name: &str, what: String) -> Result<(), HerderError> {
        self.calls.lock().unwrap().push(what);
        self.known(name).await
    }
}

fn info(name: &str, config: ConfigMap) -> ConnectorInfo {
    let ty = if name == "x/y" { ConnectorType::Source } else { ConnectorType::Sink };
    ConnectorInfo { name: name.into(), config, tasks: vec![0], ty: Some(ty) }
}

fn state(state: State, trace: Option<&str>) -> StateInfo {
    StateInfo {
        state,
        worker_id: "127.0.0.1:8083".into(),
        trace: trace.map(str::to_owned),
        version: Some("1.0".into()),
        retrying: None,
    }
}

fn status(name: &str, connector: State) -> ConnectorStatus {
    let retrying = Retrying { for_how_long: Duration::from_millis(1500), why: "no database".into() };
    ConnectorStatus {
        name: name.into(),
        connector: state(connector, None),
        tasks: vec![
            (0, state(State::Failed, Some("it broke"))),
            (1, StateInfo { retrying: Some(retrying), ..state(State::Running, None) }),
        ],
        ty: None,
    }
}

#[async_trait]
impl Herder for FakeHerder {
    async fn server_info(&self) -> ServerInfo {
        ServerInfo { version: "4.3.0".into(), commit: "abc".into(), kafka_cluster_id: None }
    }

    async fn health(&self) -> Health {
        if self.stuck.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        Health::Starting("waiting for Kafka".into())
    }

    async fn plugins(&self, connectors_only: bool) -> Vec<PluginInfo> {
        let plugin = |class: &str, ty, version: Option<&str>| PluginInfo {
            class: class.into(),
            ty,
            version: version.map(str::to_owned),
        };
        let mut plugins = vec![plugin("org.example.Sink", "sink", Some("1.0"))];
        if !connectors_only {
            plugins.push(plugin("org.example.Converter", "converter", None));
        }
        plugins
    }

    async fn plugin_config(
        &self,
        plugin: &str,
        version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>, HerderError> {
        match plugin {
            "Sink" => Ok(vec![key(version)]),
            _ => Err(HerderError::NotFound(format!("Unknown plugin {plugin}."))),
        }
    }

    async fn validate_config(&self, plugin: &str, config: ConfigMap) -> Result<ConfigInfos, HerderError> {
        if plugin == "Broken" {
            return Err(HerderError::BadRequest("no such class".into()));
        }
        let value = ConfigValueInfo {
            name: "topics".into(),
            value: config.get("topics").cloned(),
            recommended_values: vec![],
            errors: vec!["it is wrong".into()],
            visible: true,
        };
        Ok(ConfigInfos {
            name: plugin.into(),
            error_count: 1,
            groups: vec!["Common".into()],
            configs: vec![(key(None), value)],
        })
    }

    async fn connectors(&self) -> Vec<String> {
        vec!["a".into(), "gone".into()]
    }

    async fn connector(&self, name: &str) -> Result<ConnectorInfo, HerderError> {
        self.known(name).await?;
        Ok(info(name, self.connector_config(name).await?))
    }

    async fn connector_config(&self, name: &str) -> Result<ConfigMap, HerderError> {
        self.known(name).await?;
        Ok([("z".into(), "1".into()), ("name".into(), name.into())].into_iter().collect())
    }

    async fn connector_status(&self, name: &str) -> Result<ConnectorStatus, HerderError> {
        self.known(name).await?;
        Ok(status(name, State::Running))
    }

    async fn task_status(&self, id: &TaskId) -> Result<StateInfo, HerderError> {
        match id.task {
            0 => Ok(state(State::Running, None)),
            _ => Err(HerderError::NotFound(format!("No status found for task {id}"))),
        }
    }

    async fn task_configs(&self, name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError> {
        self.known(name).await?;
        Ok(vec![(0, [("k".into(), "v".into())].into_iter().collect())])
    }

    async fn create_connector(
        &self,
        name: &str,
        config: ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError> {
        match self.told(name, format!("create {name:?} {initial_state:?}")).await {
            Ok(()) => Err(HerderError::Conflict(format!("Connector {name} already exists"))),
            Err(HerderError::NotFound(_)) => Ok(info(name, config)),
            Err(error) => Err(error),
        }
    }

    async fn put_connector_config(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError> {
        match self.told(name, format!("put {name:?}")).await {
            Ok(()) => Ok((Put::Updated, info(name, config))),
            Err(HerderError::NotFound(_)) => Ok((Put::Created, info(name, config))),
            Err(error) => Err(error),
        }
    }

    async fn patch_connector_config(
        &self,
        name: &str,
        patch: IndexMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, HerderError> {
        self.told(name, format!("patch {name:?} {patch:?}")).await?;
        Ok(info(name, ConfigMap::new()))
    }

    async fn delete_connector(&self, name: &str) -> Result<(), HerderError> {
        self.told(name, format!("delete {name:?}")).await
    }

    async fn set_target_state(&self, name: &str, target: TargetState) -> Result<(), HerderError> {
        self.told(name, format!("target {name:?} {target:?}")).await
    }

    async fn restart_connector(
        &self,
        name: &str,
        request: RestartRequest,
    ) -> Result<Option<ConnectorStatus>, HerderError> {
        let RestartRequest { include_tasks, only_failed } = request;
        self.told(name, format!("restart {name:?} tasks={include_tasks} failed={only_failed}")).await?;
        Ok((include_tasks || only_failed).then(|| status(name, State::Restarting)))
    }

    async fn restart_task(&self, id: &TaskId) -> Result<(), HerderError> {
        self.told(&id.connector, format!("restart task {id}")).await
    }

    async fn connector_topics(&self, name: &str) -> Result<Vec<String>, HerderError> {
        match name {
            "secret" => Err(HerderError::Forbidden("Topic tracking is disabled.".into())),
            _ => Ok(vec!["t1".into()]),
        }
    }

    async fn reset_connector_topics(&self, name: &str) -> Result<(), HerderError> {
        self.told("a", format!("reset topics {name:?}")).await
    }

    async fn connector_offsets(&self, name: &str) -> Result<Vec<ConnectorOffset>, HerderError> {
        self.known(name).await?;
        let object = |value: serde_json::Value| value.as_object().unwrap().clone();
        Ok(vec![ConnectorOffset {
            partition: object(json!({"kafka_topic": "t", "kafka_partition": 0})),
            offset: Some(object(json!({"kafka_offset": 42}))),
        }])
    }

    async fn alter_connector_offsets(
        &self,
        name: &str,
        offsets: Vec<ConnectorOffset>,
    ) -> Result<String, HerderError> {
        let text = |map| serde_json::to_string(&map).unwrap();
        let offsets: Vec<_> = offsets
            .iter()
            .map(|one| format!("{}={}", text(Some(&one.partition)), text(one.offset.as_ref())))
            .collect();
        self.told(name, format!("alter {name:?} {}", offsets.join(" "))).await?;
        Ok("altered".into())
    }

    async fn reset_connector_offsets(&self, name: &str) -> Result<String, HerderError> {
        self.told(name, format!("reset offsets {name:?}")).await?;
        Ok("reset".into())
    }

    async fn loggers(&self) -> Vec<LoggerLevel> {
        vec![
            LoggerLevel { name: "connect_runtime".into(), level: "DEBUG".into(), last_modified: Some(7) },
            LoggerLevel { name: "root".into(), level: "INFO".into(), last_modified: None },
        ]
    }

    async fn logger(&self, name: &str) -> Result<LoggerLevel, HerderError> {
        let mut loggers = self.loggers().await.into_iter();
        let unknown = || HerderError::NotFound(format!("Logger {name} not found."));
        loggers.find(|logger| logger.name == name).ok_or_else(unknown)
    }

    async fn set_logger(&self, name: &str, level: &str) -> Result<Vec<String>, HerderError> {
        self.told("a", format!("logger {name:?} {level}")).await?;
        Ok(vec![name.to_owned()])
    }

    async fn set_cluster_logger(&self, name: &str, level: &str) -> Result<(), HerderError> {
        self.told("a", format!("cluster logger {name:?} {level}")).await
    }

    async fn put_task_configs(
        &self,
        name: &str,
        body: Bytes,
        signature: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        self.told(name, format!("task configs {name:?} {body:?} {signature:?}")).await
    }

    async fn fence_zombies(
        &self,
        name: &str,
        body: Bytes,
        signature: Option<RequestSignature>,
    ) -> Result<(), HerderError> {
        self.told(name, format!("fence {name:?} {body:?} {signature:?}")).await?;
        Err(HerderError::Unavailable("no key yet".into()))
    }
}

/// The version that was asked for is shown as the key's default.
fn key(version: Option<&str>) -> ConfigKeyInfo {
    ConfigKeyInfo {
        name: "topics".into(),
        ty: "LIST",
        required: true,
        default_value: version.map(str::to_owned),
        importance: "HIGH",
        documentation: "What to read.".into(),
        group: None,
        order_in_group: -1,
        width: "NONE",
        display_name: "topics".into(),
        dependents: vec![],
    }
}
