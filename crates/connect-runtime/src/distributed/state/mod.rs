//! What a worker of a cluster knows and decides: a pure function of what happens to it (`DistributedHerder` and
//! `WorkerCoordinator` in Java). It does no I/O, reads no clock, and never waits; so rebalances, races of configurations and
//! changes of the leader are tested as tables and random histories.
//!
//! - [`group`]: joining, leading, assignments, being lost, leaving
//! - [`work`]: what runs here; starts and stops follow from what is assigned and configured
//! - [`requests`]: what the REST API asks; requests wait here while they cannot be answered
//! - [`publish`]: the task configurations that connectors ask for
//! - [`signing`]: the session key and signed requests

mod event;
mod group;
mod publish;
mod requests;
mod signing;
mod work;

pub(crate) use event::{Answer, Effect, Event, Expected, Item, Now, Read, Reply, Request, Settings};
pub(crate) use group::Leadership;

use crate::herder::Health;
use crate::ports::LogEntry;
use crate::store::{ConfigChange, ConfigState};
use group::Group;
use publish::Publications;
use requests::Requests;
use signing::Rotation;
use std::collections::BTreeSet;
use std::time::Instant;
use work::Running;

pub(crate) struct State {
    settings: Settings,
    config: ConfigState,
    /// The connectors there were before the latest record, so that a new one is told from a changed one.
    known: BTreeSet<String>,
    started: bool,
    group: Group,
    work: Running,
    requests: Requests,
    publications: Publications,
    rotation: Rotation,
    effects: Vec<Effect>,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            group: Group::new(&settings),
            settings,
            config: ConfigState::default(),
            known: BTreeSet::new(),
            started: false,
            work: Running::default(),
            requests: Requests::default(),
            publications: Publications::default(),
            rotation: Rotation::default(),
            effects: Vec::new(),
        }
    }

    /// Takes in one event. What follows from it is returned, to be performed in this order.
    pub(crate) fn step(&mut self, event: Event, now: Now) -> Vec<Effect> {
        match event {
            Event::ConfigRecord(entry) => self.on_config_record(&entry, now),
            Event::Started => self.on_started(),
            Event::Joining { session } => self.on_joining(session),
            Event::Leading { session, protocol, generation, leader_id, members, let_go } => {
                let round = group::Leading { protocol, generation, leader_id, members, let_go };
                self.on_leading(session, round);
            }
            Event::Joined { session, protocol, generation, member_id, assignment } => {
                self.on_joined(session, &protocol, generation, member_id, &assignment, now);
            }
            Event::Lost { session, why } => self.on_lost(session, why),
            Event::Left => self.on_left(now),
            Event::Request(id, request) => self.on_request(id, request, now),
            Event::Worker(event) => self.on_worker_event(event, now),
            Event::Stopped { item, run } => self.on_stopped(&item, run),
            Event::Flushed => self.work.flushed(),
            Event::ConfigRead { read, in_time } => self.on_config_read(read, in_time, now),
            Event::Written { write, result } => self.on_written(write, result, now),
            Event::Posted { connector, attempt, result } => {
                self.on_posted(&connector, attempt, result, now);
            }
            Event::OffsetsAltered { request, connector, result } => {
                self.on_offsets_altered(request, &connector, result);
            }
            Event::Shutdown => self.on_shutdown(),
            Event::Tick => {}
        }
        self.group_timers(now);
        self.restart_failed(now);
        self.advance_requests(now);
        self.rotate_key(now);
        self.publish(now);
        self.reconcile();
        self.advance_group();
        std::mem::take(&mut self.effects)
    }

    /// When [`Event::Tick`] is due if nothing else happens before.
    pub(crate) fn next_wake(&self, now: Now) -> Option<Instant> {
        [
            self.group_wake(),
            self.restart_wake(),
            self.requests.wake(),
            self.rotation_wake(now),
            self.publications.wake(now),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The config topic as read so far.
    pub(crate) fn config(&self) -> &ConfigState {
        &self.config
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started
    }

    pub(crate) fn health(&self) -> Health {
        if !self.started {
            return Health::Starting("It reads the internal topics.".into());
        }
        self.group_health()
    }

    fn on_started(&mut self) {
        self.started = true;
        self.join();
    }

    fn on_config_record(&mut self, entry: &LogEntry, now: Now) {
        let change = self.config.apply(entry);
        let offset = self.config.offset();
        match change {
            Some(ConfigChange::Connector(name)) => {
                if self.known.insert(name.clone()) {
                    self.structure_changed(offset);
                } else {
                    self.restart_connector_in_place(&name);
                }
            }
            Some(ConfigChange::ConnectorRemoved(name)) => {
                self.known.remove(&name);
                self.publications.forget(&name);
                self.work.touch();
                self.structure_changed(offset);
            }
            Some(ConfigChange::Tasks(name, _)) => {
                self.tasks_changed(&name, offset, now);
                self.structure_changed(offset);
            }
            Some(change) if self.started => self.on_told(change),
            // What was asked for before this worker started was done by those who were there.
            _ => {}
        }
    }

    /// Changes that concern what runs, not who runs it.
    fn on_told(&mut self, change: ConfigChange) {
        match change {
            ConfigChange::TargetState(name) => self.target_state_changed(name),
            ConfigChange::Restart(name, request) => self.restart_as_told(&name, request),
            ConfigChange::LoggerLevel { logger, level } => {
                self.effects.push(Effect::SetLogLevel { logger, level });
            }
            // The key is read from the config where it is needed.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
