//! The task configurations that connectors on this worker ask for, on their way to the config topic: written by the leader, posted to
//! it by everybody else, tried again until they are there or not wanted any more.

use super::{Effect, Item, Leadership, Now, State};
use crate::herder::{TargetState, TaskId};
use crate::store::config_records;
use connect_api::ConfigMap;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The attempt of a write that no publication waits for.
const NOBODYS: u64 = 0;

#[derive(Default)]
pub(super) struct Publications {
    by_connector: BTreeMap<String, Publication>,
    /// The leader is to look for connectors that are stopped and have tasks all the same.
    pub(super) look_at_stopped: bool,
    /// ... but not before, after a failure.
    look_again: Option<Instant>,
    /// Counts attempts, so that the answer to an older one is told apart.
    attempt: u64,
}

struct Publication {
    configs: Vec<ConfigMap>,
    failures: u32,
    due: Instant,
    under_way: Option<u64>,
    /// What the connector asks for is in the topic, or has been taken by the leader. It is kept to be compared with what comes
    /// later: another worker that had the connector before may still write what it was asked for then.
    is_settled: bool,
}

impl Publication {
    fn waits(&self) -> bool {
        !self.is_settled && self.under_way.is_none()
    }
}

impl Publications {
    pub(super) fn put(&mut self, connector: String, configs: Vec<ConfigMap>, now: Now) {
        let publication =
            Publication { configs, failures: 0, due: now.instant, under_way: None, is_settled: false };
        self.by_connector.insert(connector, publication);
    }

    pub(super) fn forget(&mut self, connector: &str) {
        self.by_connector.remove(connector);
    }

    /// Other task configurations count from now on; if they are not those asked for, these are written again. Not at once: a stop
    /// takes the tasks away first, then says that it is one.
    pub(super) fn recheck(&mut self, connector: &str, now: Now) {
        if let Some(publication) = self.by_connector.get_mut(connector)
            && publication.is_settled
        {
            publication.is_settled = false;
            publication.failures = 0;
            publication.due = now.instant + FIRST_PAUSE;
        }
    }

    /// Those that are due already wait for something else than time.
    pub(super) fn wake(&self, now: Now) -> Option<Instant> {
        let waiting = self.by_connector.values().filter(|publication| publication.waits());
        let due = waiting.map(|publication| publication.due).filter(|due| *due > now.instant);
        due.chain(self.look_again).min()
    }
}

impl State {
    pub(super) fn publish(&mut self, now: Now) {
        self.mend_stopped(now);
        let due: Vec<String> = self
            .publications
            .by_connector
            .iter()
            .filter(|(_, publication)| publication.waits() && publication.due <= now.instant)
            .map(|(connector, _)| connector.clone())
            .collect();
        for connector in due {
            self.publish_one(&connector, now);
        }
    }

    /// A stopped connector has no tasks. One may have some when it is stopped by a leader that has just been replaced, while the
    /// next one writes tasks for it.
    fn mend_stopped(&mut self, now: Now) {
        if self.publications.look_again.is_some_and(|at| at > now.instant) {
            return;
        }
        self.publications.look_again = None;
        if !self.publications.look_at_stopped || !self.is_resolved() || self.leadership() != Leadership::Me {
            return;
        }
        self.publications.look_at_stopped = false;
        let stopped: Vec<String> = self
            .config
            .connectors()
            .filter(|name| {
                self.config.target_state(name) == TargetState::Stopped && self.config.task_count(name) > 0
            })
            .map(str::to_owned)
            .collect();
        for name in stopped {
            if self.requests.is_busy(&name) {
                // What is under way may mend it, or comes here again.
                self.publications.look_at_stopped = true;
                continue;
            }
            tracing::info!(connector = name, "it is stopped and has tasks; taking them away");
            let records = config_records::tasks(&name, &[]);
            self.write_tasks(&name, records, NOBODYS);
        }
    }

    fn publish_one(&mut self, connector: &str, now: Now) {
        let Some(publication) = self.publications.by_connector.get(connector) else { return };
        let wanted = self.is_wanted(&Item::Connector(connector.to_owned()))
            && self.config.target_state(connector) == TargetState::Started;
        if !wanted {
            self.publications.forget(connector);
            return;
        }
        if !self.task_configs_changed(connector, &publication.configs) {
            self.settle(connector);
            return;
        }
        let attempt = self.publications.attempt + 1;
        match self.leadership() {
            Leadership::Unknown => return,
            Leadership::Me => {
                if self.requests.is_busy(connector) {
                    return;
                }
                let records = config_records::tasks(connector, &publication.configs);
                tracing::info!(connector, tasks = publication.configs.len(), "writing task configurations");
                self.write_tasks(connector, records, attempt);
            }
            Leadership::Other { url } => {
                let Ok(body) = serde_json::to_vec(&publication.configs) else { return };
                let signature = self.sign(&body);
                if signature.is_none() && self.is_sessioned() {
                    // The leader is about to write the key that is needed here.
                    self.try_again_later(connector, "there is no session key yet", now);
                    return;
                }
                self.effects.push(Effect::Post {
                    connector: connector.to_owned(),
                    attempt,
                    leader_url: url,
                    body: body.into(),
                    signature,
                });
            }
        }
        self.publications.attempt = attempt;
        if let Some(publication) = self.publications.by_connector.get_mut(connector) {
            publication.under_way = Some(attempt);
        }
    }

    /// Also when the tasks were made from another configuration of the connector: they are restarted then, since they may see more of
    /// it than their own keys.
    pub(super) fn task_configs_changed(&self, connector: &str, configs: &[ConfigMap]) -> bool {
        let stored = |task| TaskId { connector: connector.to_owned(), task };
        self.config.task_count(connector) != configs.len()
            || self.config.inconsistent().any(|name| name == connector)
            || self.config.applied_config(connector) != self.config.connector_config(connector)
            || configs
                .iter()
                .enumerate()
                .any(|(task, config)| self.config.task_config(&stored(task)) != Some(config))
    }

    pub(super) fn on_posted(&mut self, connector: &str, attempt: u64, result: Result<(), String>, now: Now) {
        if attempt == NOBODYS && result.is_err() {
            self.publications.look_at_stopped = true;
            self.publications.look_again = Some(now.instant + FIRST_PAUSE);
        }
        let publication = self.publications.by_connector.get(connector);
        if publication.is_none_or(|publication| publication.under_way != Some(attempt)) {
            return;
        }
        match result {
            Ok(()) => self.settle(connector),
            Err(why) => self.try_again_later(connector, &why, now),
        }
    }

    fn settle(&mut self, connector: &str) {
        if let Some(publication) = self.publications.by_connector.get_mut(connector) {
            publication.is_settled = true;
            publication.under_way = None;
        }
    }

    fn try_again_later(&mut self, connector: &str, why: &str, now: Now) {
        let Some(publication) = self.publications.by_connector.get_mut(connector) else { return };
        let pause = FIRST_PAUSE.saturating_mul(1 << publication.failures.min(16)).min(LONGEST_PAUSE);
        tracing::warn!(
            connector,
            why,
            pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "the leader did not take the configurations of the connector's tasks; trying again"
        );
        publication.failures += 1;
        publication.due = now.instant + pause;
        publication.under_way = None;
    }
}
