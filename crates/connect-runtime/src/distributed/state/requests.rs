//! Requests from the REST API that change something. One that cannot be answered yet, because of a rebalance or another
//! change under way, waits here; when its patience is over it is answered 409, which clients retry.

use super::{Answer, Effect, Expected, Item, Leadership, Now, Read, Reply, Request, State};
use crate::herder::{HerderError, Put, TargetState, TaskId};
use crate::ports::LogRecord;
use crate::store::config_records;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const NO_LEADER: &str = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was \
                         underway.";
const STALE: &str = "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent \
                     config change)";
const CLOSING: &str = "Cannot complete request: the worker is shutting down";

/// More than a person or tool has open; whoever floods the worker is told so.
const MOST_WAITING: usize = 1000;

#[derive(Default)]
pub(super) struct Requests {
    waiting: Vec<Waiting>,
    writes: BTreeMap<u64, Write>,
    last_write: u64,
    /// Connectors with a write or a change of offsets under way: the next change is checked against its outcome.
    busy: BTreeSet<String>,
    restarts: Vec<Restart>,
}

struct Waiting {
    id: u64,
    request: Request,
    deadline: Instant,
}

/// A restart that was begun; it is answered when the new run is there.
struct Restart {
    id: u64,
    item: Item,
    wish: u64,
    deadline: Instant,
}

/// What waits for a write.
struct Write {
    connector: Option<String>,
    then: Then,
}

enum Then {
    Answer(u64, Reply),
    Published { attempt: u64 },
}

/// What becomes of a request for now.
enum Outcome {
    Answer(Answer),
    Wait(&'static str),
    /// It is under way.
    Taken,
}

fn not_found(name: &str) -> Outcome {
    Outcome::Answer(Err(HerderError::NotFound(format!("Connector {name} not found"))))
}

fn unknown(name: &str) -> Outcome {
    Outcome::Answer(Err(HerderError::NotFound(format!("Unknown connector: {name}"))))
}

fn elsewhere(url: String) -> Outcome {
    Outcome::Answer(Err(HerderError::Elsewhere { url }))
}

impl Requests {
    pub(super) fn next_write(&mut self) -> u64 {
        self.last_write += 1;
        self.last_write
    }

    pub(super) fn is_busy(&self, connector: &str) -> bool {
        self.busy.contains(connector)
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().map(|waiting| waiting.deadline);
        waiting.chain(self.restarts.iter().map(|restart| restart.deadline)).min()
    }
}

impl State {
    fn answer(&mut self, id: u64, answer: Answer) {
        self.effects.push(Effect::Answer(id, answer));
    }

    pub(super) fn on_request(&mut self, id: u64, request: Request, now: Now) {
        if self.requests.waiting.len() >= MOST_WAITING {
            let why = "Too many requests wait for a rebalance or a change to be over: try again later";
            self.answer(id, Err(HerderError::Unavailable(why.into())));
            return;
        }
        let deadline = now.instant + self.settings.patience;
        self.requests.waiting.push(Waiting { id, request, deadline });
    }

    /// Tries what waits, in the order it came.
    pub(super) fn advance_requests(&mut self, now: Now) {
        for waiting in std::mem::take(&mut self.requests.waiting) {
            match self.attempt(waiting.id, &waiting.request, now) {
                Outcome::Answer(answer) => self.answer(waiting.id, answer),
                Outcome::Taken => {}
                Outcome::Wait(why) if waiting.deadline <= now.instant => {
                    self.answer(waiting.id, Err(HerderError::Conflict(why.into())));
                }
                Outcome::Wait(_) => self.requests.waiting.push(waiting),
            }
        }
        self.answer_restarts(now);
    }

    fn attempt(&mut self, id: u64, request: &Request, now: Now) -> Outcome {
        if self.is_closing() {
            return Outcome::Answer(Err(HerderError::Conflict(CLOSING.into())));
        }
        if !self.is_started() {
            return Outcome::Wait(NO_LEADER);
        }
        match request {
            Request::Leader => self.as_leader(|_| Outcome::Answer(Ok(Reply::Done))),
            Request::Put { name, config, initial_state, expected } => self.as_leader(|state| {
                if state.requests.is_busy(name) {
                    return Outcome::Wait(STALE);
                }
                let stored = state.config.connector_config(name);
                match (expected, stored) {
                    (Expected::Nothing, Some(_)) => {
                        return Outcome::Answer(Err(HerderError::Conflict(format!(
                            "Connector {name} already exists"
                        ))));
                    }
                    (Expected::This(_), None) => return not_found(name),
                    (Expected::This(expected), Some(stored)) if expected != stored => {
                        return Outcome::Answer(Ok(Reply::Stale));
                    }
                    _ => {}
                }
                let put = if stored.is_some() { Put::Updated } else { Put::Created };
                let target = initial_state.map(|target| config_records::target_state(name, target));
                let records = target.into_iter().chain([config_records::connector(name, config)]);
                state.write_for(id, Some(name), records.collect(), Reply::Put(put))
            }),
            Request::Delete { name } => self.as_leader(|state| {
                if state.requests.is_busy(name) {
                    return Outcome::Wait(STALE);
                }
                if !state.config.contains(name) {
                    return not_found(name);
                }
                state.write_for(id, Some(name), config_records::remove_connector(name), Reply::Done)
            }),
            Request::SetTarget { name, target } => self.set_target(id, name, *target),
            Request::RestartConnector { name } => self.restart_connector(id, name, now),
            Request::RestartTask { id: task } => self.restart_task(task),
            Request::Restart { name, request } => {
                if !self.is_stable() {
                    return Outcome::Wait(STALE);
                }
                if !self.config.contains(name) {
                    return unknown(name);
                }
                self.as_leader(|state| {
                    let records = vec![config_records::restart(name, *request)];
                    state.write_for(id, None, records, Reply::Done)
                })
            }
            Request::PutTasks { name, configs, body, signature } => {
                if let Err(error) = self.check_signature(body, signature.as_ref()) {
                    return Outcome::Answer(Err(error));
                }
                self.as_leader(|state| {
                    if state.requests.is_busy(name) {
                        return Outcome::Wait(STALE);
                    }
                    if !state.config.contains(name) {
                        return not_found(name);
                    }
                    if !configs.is_empty() && state.config.target_state(name) == TargetState::Stopped {
                        return Outcome::Answer(Err(HerderError::BadRequest(format!(
                            "Cannot submit non-empty set of task configs for stopped connector {name}"
                        ))));
                    }
                    // Written also if they look unchanged: the sender may have read further than this worker.
                    let records = config_records::tasks(name, configs);
                    state.write_for(id, Some(name), records, Reply::Done)
                })
            }
            Request::CheckSignature { body, signature } => {
                Outcome::Answer(self.check_signature(body, signature.as_ref()).map(|()| Reply::Done))
            }
            Request::AlterOffsets { name, offsets } => {
                if !self.is_stable() {
                    return Outcome::Wait(STALE);
                }
                self.as_leader(|state| {
                    if state.requests.is_busy(name) {
                        return Outcome::Wait(STALE);
                    }
                    let Some(config) = state.config.connector_config(name).cloned() else {
                        return not_found(name);
                    };
                    if state.config.target_state(name) != TargetState::Stopped
                        || state.config.task_count(name) != 0
                    {
                        return Outcome::Answer(Err(HerderError::BadRequest(format!(
                            "Connectors must be in the STOPPED state before their offsets can be modified. This can be \
                             done for the specified connector by issuing a 'PUT' request to the \
                             '/connectors/{name}/stop' endpoint"
                        ))));
                    }
                    state.requests.busy.insert(name.clone());
                    let (connector, offsets) = (name.clone(), offsets.clone());
                    state.effects.push(Effect::AlterOffsets { request: id, connector, config, offsets });
                    Outcome::Taken
                })
            }
            Request::Refresh => {
                let timeout = self.settings.sync_timeout;
                self.effects.push(Effect::ReadConfig { read: Read::Request(id), timeout });
                Outcome::Taken
            }
            Request::SetLogger { logger, level } => {
                let records = vec![config_records::logger_level(logger, level)];
                self.write_for(id, None, records, Reply::Done)
            }
        }
    }

    /// Only the leader writes most of the config topic.
    fn as_leader(&mut self, act: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        match self.leadership() {
            Leadership::Me => act(self),
            Leadership::Other { url } => elsewhere(url),
            Leadership::Unknown => Outcome::Wait(NO_LEADER),
        }
    }

    fn set_target(&mut self, id: u64, name: &str, target: TargetState) -> Outcome {
        if self.requests.is_busy(name) {
            return Outcome::Wait(STALE);
        }
        if !self.config.contains(name) {
            return Outcome::Answer(Err(HerderError::NotFound(format!("Unknown connector {name}"))));
        }
        let record = config_records::target_state(name, target);
        if target != TargetState::Stopped {
            // Any worker may: it is one record, and the last one counts.
            return self.write_for(id, Some(name), vec![record], Reply::Done);
        }
        self.as_leader(|state| {
            // The tasks first: if only half of this gets through, a running connector without tasks is better than a stopped one with some.
            let mut records = config_records::tasks(name, &[]);
            records.push(record);
            state.write_for(id, Some(name), records, Reply::Done)
        })
    }

    fn restart_connector(&mut self, id: u64, name: &str, now: Now) -> Outcome {
        if !self.is_stable() {
            return Outcome::Wait(STALE);
        }
        if !self.config.contains(name) {
            return unknown(name);
        }
        let item = Item::Connector(name.to_owned());
        if self.is_wanted(&item) {
            let wish = self.restart(&item, false);
            let deadline = now.instant + self.settings.patience;
            self.requests.restarts.push(Restart { id, item, wish, deadline });
            return Outcome::Taken;
        }
        let owner = self.owners().connectors.get(name).cloned();
        self.as_leader(|state| state.to_owner(owner))
    }

    fn restart_task(&mut self, task: &TaskId) -> Outcome {
        if !self.is_stable() {
            return Outcome::Wait(STALE);
        }
        if !self.config.contains(&task.connector) {
            return unknown(&task.connector);
        }
        if self.config.task_config(task).is_none() {
            return Outcome::Answer(Err(HerderError::NotFound(format!("Unknown task: {task}"))));
        }
        if self.holds_task(task) {
            self.restart(&Item::Task(task.clone()), false);
            // Whether it comes up is in its status, as in the reference.
            return Outcome::Answer(Ok(Reply::Done));
        }
        let owner = self.owners().tasks.get(task).cloned();
        self.as_leader(|state| state.to_owner(owner))
    }

    /// For the leader: sends a request on to the worker that has the connector or task.
    fn to_owner(&self, owner: Option<String>) -> Outcome {
        match owner {
            Some(url) if url != self.settings.url => elsewhere(url),
            // Nobody has it, since it was lost or is about to move.
            _ => Outcome::Wait(STALE),
        }
    }

    fn answer_restarts(&mut self, now: Now) {
        for restart in std::mem::take(&mut self.requests.restarts) {
            let Restart { id, item, wish, deadline } = &restart;
            let started = self.run_of(item, *wish).map(|_| self.outcome(item));
            let answer = match started {
                Some(Some(true)) => Ok(Reply::Done),
                Some(Some(false)) => Err(HerderError::Internal(format!("Failed to start connector: {item}"))),
                _ if self.is_closing() => Err(HerderError::Conflict(CLOSING.into())),
                _ if !self.is_wanted(item) => Err(HerderError::Conflict(STALE.into())),
                // It has been told, and takes its time.
                _ if *deadline <= now.instant => Ok(Reply::Done),
                _ => {
                    self.requests.restarts.push(restart);
                    continue;
                }
            };
            self.answer(*id, answer);
        }
    }

    fn write_for(
        &mut self,
        id: u64,
        connector: Option<&str>,
        records: Vec<LogRecord>,
        reply: Reply,
    ) -> Outcome {
        self.write(connector, records, Then::Answer(id, reply));
        Outcome::Taken
    }

    pub(super) fn write_tasks(&mut self, connector: &str, records: Vec<LogRecord>, attempt: u64) {
        self.write(Some(connector), records, Then::Published { attempt });
    }

    fn write(&mut self, connector: Option<&str>, records: Vec<LogRecord>, then: Then) {
        let write = self.requests.next_write();
        self.requests.busy.extend(connector.map(str::to_owned));
        self.requests.writes.insert(write, Write { connector: connector.map(str::to_owned), then });
        self.effects.push(Effect::Write { write, records });
    }

    pub(super) fn on_written(&mut self, write: u64, result: Result<(), String>, now: Now) {
        if self.rotation.writing == Some(write) {
            self.on_key_written(result, now);
            return;
        }
        let Some(Write { connector, then }) = self.requests.writes.remove(&write) else { return };
        if let Some(connector) = &connector {
            self.requests.busy.remove(connector);
        }
        match then {
            Then::Answer(id, reply) => {
                let answer = result.map(|()| reply).map_err(|why| {
                    HerderError::Unavailable(format!(
                        "Kafka did not take the change, or did not say so in time: {why}. See what is stored before trying \
                         again"
                    ))
                });
                self.answer(id, answer);
            }
            Then::Published { attempt } => {
                if let Some(connector) = &connector {
                    self.on_posted(connector, attempt, result, now);
                }
            }
        }
    }

    pub(super) fn on_refreshed(&mut self, id: u64, in_time: bool) {
        let answer = if in_time {
            Ok(Reply::Done)
        } else {
            Err(HerderError::Unavailable(
                "The config topic could not be read to its end in time: try again when Kafka answers".into(),
            ))
        };
        self.answer(id, answer);
    }

    pub(super) fn on_offsets_altered(
        &mut self,
        id: u64,
        connector: &str,
        result: Result<String, HerderError>,
    ) {
        self.requests.busy.remove(connector);
        self.answer(id, result.map(Reply::Message));
    }
}
