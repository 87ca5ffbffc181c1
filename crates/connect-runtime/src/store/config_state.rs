//! What a worker knows from the config topic: `ClusterConfigState` and the reading half of `KafkaConfigBackingStore`.

use super::config_parse::{ConfigRecord, Malformed, parse};
use crate::herder::{RestartRequest, TargetState, TaskId};
use crate::ports::LogEntry;
use crate::signature::SessionKey;
use connect_api::ConfigMap;
use std::collections::BTreeMap;

/// What one record has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigChange {
    /// A connector is new, or its configuration was written again.
    Connector(String),
    ConnectorRemoved(String),
    /// New tasks of a connector count from now on; none of them when it is to have none, or when the commit left the connector
    /// inconsistent.
    Tasks(String, Vec<TaskId>),
    TargetState(String),
    SessionKey,
    /// Somebody asked for a restart. Also told when the record is an old one: the reader knows what was there at its start.
    Restart(String, RestartRequest),
    /// As with [`Restart`](Self::Restart), old ones too.
    LoggerLevel {
        logger: String,
        level: String,
    },
}

/// One connector's records, as far as they are there.
#[derive(Clone, Debug, Default)]
struct Connector {
    config: Option<ConfigMap>,
    /// The configuration that was there at the last good commit: the one its tasks were made from.
    applied: Option<ConfigMap>,
    /// Outlives the connector until its own tombstone, and may come before it.
    target_state: Option<TargetState>,
    /// Of the last commit, good or not.
    task_count: Option<usize>,
    tasks: BTreeMap<usize, ConfigMap>,
    /// Task configurations that wait for their commit.
    pending: BTreeMap<usize, ConfigMap>,
    inconsistent: bool,
    /// How many good commits there were, less one.
    generation: Option<u32>,
    /// `tasks-fencing-*`.
    fencing_count: Option<usize>,
    /// There was a commit after the last `tasks-fencing-*`.
    needs_fencing: bool,
}

/// The state of the config topic after the records read so far.
#[derive(Clone, Debug)]
pub struct ConfigState {
    offset: i64,
    session_key: Option<SessionKey>,
    connectors: BTreeMap<String, Connector>,
}

impl Default for ConfigState {
    fn default() -> Self {
        Self { offset: -1, session_key: None, connectors: BTreeMap::new() }
    }
}

impl ConfigState {
    /// The offset after the last record read; -1 before the first one. A record that is not even JSON does not count, because
    /// it does not for Java's workers, which have to agree about this number with ours.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// The names of all connectors that have a configuration, sorted.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.connectors.iter().filter(|(_, known)| known.config.is_some()).map(|(name, _)| name.as_str())
    }

    pub fn contains(&self, name: &str) -> bool {
        self.connector_config(name).is_some()
    }

    /// Placeholders of config providers and secrets as they are stored.
    pub fn connector_config(&self, name: &str) -> Option<&ConfigMap> {
        self.connectors.get(name)?.config.as_ref()
    }

    /// The configuration that the present tasks were made from. Another one than [`connector_config`](Self::connector_config) while
    /// a change has not yet led to new tasks.
    pub fn applied_config(&self, name: &str) -> Option<&ConfigMap> {
        self.connectors.get(name)?.applied.as_ref()
    }

    pub fn target_state(&self, name: &str) -> TargetState {
        self.connectors.get(name).and_then(|known| known.target_state).unwrap_or_default()
    }

    /// How many tasks the last commit spoke of, even if some are missing.
    pub fn task_count(&self, name: &str) -> usize {
        self.connectors.get(name).and_then(|known| known.task_count).unwrap_or_default()
    }

    /// The tasks that may run; none of an inconsistent connector.
    pub fn task_ids(&self, name: &str) -> Vec<TaskId> {
        match self.connectors.get(name) {
            Some(known) if !known.inconsistent => {
                known.tasks.keys().map(|task| TaskId { connector: name.to_owned(), task: *task }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// As it was committed last, also while the connector is inconsistent.
    pub fn task_config(&self, id: &TaskId) -> Option<&ConfigMap> {
        self.connectors.get(&id.connector)?.tasks.get(&id.task)
    }

    /// Connectors whose last commit missed tasks, because compaction removed them or their writer died. They run no
    /// tasks until the leader's connector has written a complete set.
    pub fn inconsistent(&self) -> impl Iterator<Item = &str> {
        let known = self.connectors.iter().filter(|(_, known)| known.inconsistent && known.config.is_some());
        known.map(|(name, _)| name.as_str())
    }

    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// How many task producers have to be fenced before the tasks of this connector may start (KIP-618).
    pub fn fencing_count(&self, name: &str) -> Option<usize> {
        self.connectors.get(name)?.fencing_count
    }

    /// Whether tasks were committed after the last round of fencing.
    pub fn needs_fencing(&self, name: &str) -> bool {
        self.connectors.get(name).is_some_and(|known| known.needs_fencing)
    }

    /// The generation of the connector's tasks: 0 after the first good commit that was read; `None` before.
    pub fn task_generation(&self, name: &str) -> Option<u32> {
        self.connectors.get(name)?.generation
    }

    /// Takes in the next record of the topic. A malformed one is logged and changes nothing.
    pub fn apply(&mut self, entry: &LogEntry) -> Option<ConfigChange> {
        let key = entry.key.as_deref().map(String::from_utf8_lossy);
        let record = match &key {
            Some(key) => parse(key, entry.value.as_deref()),
            None => Err(Malformed::Other("it has no key".into())),
        };
        let record = match record {
            Ok(record) => record,
            Err(malformed) => {
                let why = match malformed {
                    Malformed::NoJson => "it is no JSON".to_owned(),
                    Malformed::Other(why) => {
                        self.offset = entry.offset + 1;
                        why
                    }
                };
                tracing::warn!(
                    key = key.as_deref().unwrap_or_default(),
                    offset = entry.offset,
                    why,
                    "a record of the config topic is malformed and ignored"
                );
                return None;
            }
        };
        self.offset = entry.offset + 1;
        match record {
            ConfigRecord::Connector(name, Some(config)) => {
                self.connectors.entry(name.clone()).or_default().config = Some(config);
                Some(ConfigChange::Connector(name))
            }
            ConfigRecord::Connector(name, None) => self.remove(name),
            ConfigRecord::Task(id, config) => {
                self.connectors.entry(id.connector).or_default().pending.insert(id.task, config);
                None
            }
            ConfigRecord::Commit(name, tasks) => self.commit(name, tasks),
            ConfigRecord::TargetState(name, state) => self.set_target_state(name, state),
            ConfigRecord::TaskCount(name, count) => {
                let known = self.connectors.entry(name).or_default();
                known.fencing_count = Some(count);
                known.needs_fencing = false;
                None
            }
            ConfigRecord::SessionKey(key) => {
                self.session_key = Some(key);
                Some(ConfigChange::SessionKey)
            }
            ConfigRecord::Restart(name, request) => Some(ConfigChange::Restart(name, request)),
            ConfigRecord::LoggerLevel { logger, level } => Some(ConfigChange::LoggerLevel { logger, level }),
        }
    }

    fn remove(&mut self, name: String) -> Option<ConfigChange> {
        let known = self.connectors.get_mut(&name)?;
        let existed = known.config.is_some();
        // The target state has a tombstone of its own, and fencing has to be known even to a connector that is made again.
        *known = Connector {
            target_state: known.target_state,
            generation: known.generation,
            fencing_count: known.fencing_count,
            needs_fencing: known.needs_fencing,
            ..Connector::default()
        };
        existed.then_some(ConfigChange::ConnectorRemoved(name))
    }

    fn set_target_state(&mut self, name: String, state: Option<TargetState>) -> Option<ConfigChange> {
        let known = self.connectors.entry(name.clone()).or_default();
        let before = known.target_state.unwrap_or_default();
        known.target_state = state;
        // Like Java's worker: a tombstone alone is no news, since the removal of the connector is.
        let news = state.is_some_and(|state| state != before) && known.config.is_some();
        // Names that come and go must not pile up.
        if known.config.is_none() && known.target_state.is_none() && known.fencing_count.is_none() {
            self.connectors.remove(&name);
        }
        news.then_some(ConfigChange::TargetState(name))
    }

    fn commit(&mut self, name: String, tasks: usize) -> Option<ConfigChange> {
        let known = self.connectors.entry(name.clone()).or_default();
        // Written for a connector that was deleted meanwhile, or compaction has left the tasks of one that is long gone.
        let Some(config) = &known.config else {
            known.pending.clear();
            return None;
        };
        // The pending ones must be complete, but may be more: when a connector has come down from two tasks to one,
        // compaction leaves the record of the second.
        let mut pending = std::mem::take(&mut known.pending);
        pending.retain(|task, _| *task < tasks);
        known.inconsistent = pending.len() != tasks;
        known.task_count = Some(tasks);
        known.needs_fencing = true;
        if known.inconsistent {
            return Some(ConfigChange::Tasks(name, Vec::new()));
        }
        known.applied = Some(config.clone());
        known.generation = Some(known.generation.map_or(0, |generation| generation.saturating_add(1)));
        known.tasks = pending;
        let ids = known.tasks.keys().map(|task| TaskId { connector: name.clone(), task: *task }).collect();
        Some(ConfigChange::Tasks(name, ids))
    }
}

#[cfg(test)]
mod tests;
