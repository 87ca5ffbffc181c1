//! Connectors and their states as the REST API shows them: from what this worker has read of the topics, with secrets hidden.

use super::Inner;
use crate::connector_config::framework_tables;
use crate::herder::{
    ConnectorInfo, ConnectorStatus, ConnectorType, RestartRequest, State, StateInfo, TaskId,
};
use crate::secrets::Masker;
use crate::store::Status;
use connect_api::ConfigMap;

impl Inner {
    /// Knows the secrets of a configuration, also of one whose class is not among the plugins.
    pub(super) fn masker(&self, config: &ConfigMap) -> Masker {
        let plugin = config.get("connector.class").map(|class| self.parts.plugins.connector(class));
        match plugin {
            Some(Ok(plugin)) => {
                Masker::new(framework_tables(plugin.ty()).iter().copied().chain([plugin.config_def()]))
            }
            _ => Masker::new(framework_tables(ConnectorType::Sink).iter().copied()),
        }
    }

    pub(super) fn ty(&self, config: &ConfigMap) -> Option<ConnectorType> {
        let class = config.get("connector.class")?;
        self.parts.plugins.connector(class).ok().map(|plugin| plugin.ty())
    }

    pub(super) fn info(&self, name: &str) -> Option<ConnectorInfo> {
        let state = self.state();
        let config = state.config().connector_config(name)?;
        Some(ConnectorInfo {
            name: name.to_owned(),
            config: self.masker(config).mask(config),
            tasks: state.config().task_ids(name).into_iter().map(|id| id.task).collect(),
            ty: self.ty(config),
        })
    }

    fn state_info(status: Status) -> StateInfo {
        let Status { state, trace, worker_id, version, .. } = status;
        let trace = trace.filter(|trace| !trace.is_empty());
        StateInfo { state, worker_id, trace, version, retrying: None }
    }

    pub(super) fn task_state_info(&self, id: &TaskId, status: Status) -> StateInfo {
        // Of its own tasks a worker knows more than the topic says.
        let here = status.worker_id == self.parts.worker_id && status.state == State::Running;
        let retrying = if here { self.worker.retrying(id) } else { None };
        StateInfo { retrying, ..Self::state_info(status) }
    }

    pub(super) fn status(&self, name: &str) -> Option<ConnectorStatus> {
        let connector = Self::state_info(self.statuses.connector(name)?);
        let tasks = self.statuses.tasks(name).into_iter().map(|(task, status)| {
            let id = TaskId { connector: name.to_owned(), task };
            (task, self.task_state_info(&id, status))
        });
        let ty = self.state().config().connector_config(name).and_then(|config| self.ty(config));
        Some(ConnectorStatus { name: name.to_owned(), connector, tasks: tasks.collect(), ty })
    }

    /// What a restart would do (KIP-745).
    pub(super) fn plan(&self, name: &str, request: RestartRequest) -> Option<ConnectorStatus> {
        let mut plan = self.status(name)?;
        let mark = |info: &mut StateInfo| {
            if !request.only_failed || info.state == State::Failed {
                info.state = State::Restarting;
            }
        };
        mark(&mut plan.connector);
        if request.include_tasks {
            plan.tasks.iter_mut().for_each(|(_, info)| mark(info));
        }
        Some(plan)
    }
}
