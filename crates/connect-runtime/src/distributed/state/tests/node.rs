//! One simulated worker: its state and what surrounds it, where everything takes as long as the history likes.

use super::*;
use crate::ports::OfferedProtocols;
use crate::worker::{RunStatus, WorkerEvent};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Where the membership stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// It is not to be a member.
    Idle,
    /// It is to join, or to join again.
    Due,
    /// It waits for what its worker offers.
    Asked,
    /// It waits for the round to form.
    Joined,
    /// It waits for the assignments of its own worker, the leader.
    Leading,
    /// It waits for its assignment.
    Syncing,
    Stable,
}

/// What will come to an end at some time.
#[derive(Debug)]
pub(super) enum Pending {
    Stop { item: Item, run: u64 },
    Flush,
    Read(Read),
    Leave,
    Post { connector: String, attempt: u64, leader_url: String, body: Bytes },
}

pub(super) struct Node {
    pub(super) state: State,
    /// The next record of the config topic.
    pub(super) read: usize,
    pub(super) client: Client,
    pub(super) session: u64,
    pub(super) rejoin: bool,
    pub(super) member: Option<String>,
    pub(super) offered: Option<OfferedProtocols>,
    pub(super) assignments: Option<Vec<(String, Bytes)>>,
    pub(super) running: BTreeMap<Item, u64>,
    pub(super) pending: Vec<Pending>,
    pub(super) writes: VecDeque<(u64, Vec<LogRecord>)>,
    pub(super) news: VecDeque<WorkerEvent>,
    pub(super) answers: Vec<(u64, Answer)>,
    pub(super) finished: bool,
    /// It was lost or has left in trouble, so others may get its work while it still stops it.
    pub(super) is_astray: bool,
    pub(super) clean: bool,
    pub(super) statuses: Vec<(Item, crate::herder::State, i32)>,
    pub(super) last_request: u64,
    /// When it wants to be woken, as of its last step.
    pub(super) wake: Option<std::time::Instant>,
}

impl Node {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            state: State::new(settings),
            read: 0,
            client: Client::Idle,
            session: 0,
            rejoin: false,
            member: None,
            offered: None,
            assignments: None,
            running: BTreeMap::new(),
            pending: Vec::new(),
            writes: VecDeque::new(),
            news: VecDeque::new(),
            answers: Vec::new(),
            finished: false,
            is_astray: false,
            clean: false,
            statuses: Vec::new(),
            last_request: 0,
            wake: None,
        }
    }

    pub(super) fn step(&mut self, event: Event, now: Now) {
        for effect in self.state.step(event, now) {
            self.perform(effect);
        }
        self.wake = self.state.next_wake(now);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Join { session } => {
                self.session = session;
                self.client = Client::Due;
            }
            Effect::Leave => {
                self.client = Client::Idle;
                self.rejoin = false;
                self.is_astray |= !self.running.is_empty();
                self.pending.push(Pending::Leave);
            }
            Effect::RequestRejoin => self.rejoin = true,
            Effect::AnswerJoining(offered) => self.offered = Some(offered),
            Effect::AnswerLeading(assignments) => self.assignments = Some(assignments),
            Effect::StartConnector { run, name, config, target } => {
                self.start(Item::Connector(name.clone()), run);
                let status = status_for(target);
                self.news.push_back(WorkerEvent::Connector { run, name: name.clone(), status });
                if target == crate::herder::TargetState::Started {
                    self.news.push_back(task_configs(run, name, &config));
                }
            }
            Effect::StartTask { run, id, target, .. } => {
                self.start(Item::Task(id.clone()), run);
                self.news.push_back(WorkerEvent::Task { run, id, status: status_for(target) });
            }
            Effect::Stop { item, run } => {
                assert_eq!(self.running.get(&item), Some(&run), "{item} is stopped and does not run");
                self.pending.push(Pending::Stop { item, run });
            }
            Effect::SetTarget { connector, target } => {
                let item = Item::Connector(connector.clone());
                let config = self.state.config().connector_config(&connector).cloned();
                if let (Some(run), Some(config)) = (self.running.get(&item).copied(), config) {
                    let (name, status) = (connector.clone(), status_for(target));
                    self.news.push_back(WorkerEvent::Connector { run, name, status });
                    if target == crate::herder::TargetState::Started {
                        self.news.push_back(task_configs(run, connector, &config));
                    }
                }
            }
            Effect::Reconfigure { connector } => {
                let item = Item::Connector(connector.clone());
                let config = self.state.config().connector_config(&connector).cloned();
                if let (Some(run), Some(config)) = (self.running.get(&item).copied(), config) {
                    self.news.push_back(task_configs(run, connector, &config));
                }
            }
            Effect::PutStatus { item, state, generation, .. } => {
                self.statuses.push((item, state, generation));
            }
            Effect::CleanStatuses => self.clean = true,
            Effect::FlushStatuses => self.pending.push(Pending::Flush),
            Effect::ReadConfig { read, .. } => self.pending.push(Pending::Read(read)),
            Effect::Write { write, records } => self.writes.push_back((write, records)),
            Effect::WriteSessionKey { write, algorithm, size } => {
                let key = crate::signature::SessionKey { key: vec![7; size], algorithm, created: 0 };
                self.writes.push_back((write, vec![crate::store::config_records::session_key(&key)]));
            }
            Effect::Post { connector, attempt, leader_url, body, .. } => {
                self.pending.push(Pending::Post { connector, attempt, leader_url, body });
            }
            Effect::Answer(id, answer) => self.answers.push((id, answer)),
            Effect::Finished => self.finished = true,
            Effect::TopicUsed { .. }
            | Effect::ForgetTopics { .. }
            | Effect::SetLogLevel { .. }
            | Effect::AlterOffsets { .. } => {}
        }
    }

    fn start(&mut self, item: Item, run: u64) {
        assert!(!self.running.contains_key(&item), "{item} is started while it runs");
        self.running.insert(item, run);
    }

    pub(super) fn request(&mut self, request: Request, now: Now) -> u64 {
        self.last_request += 1;
        let id = self.last_request;
        self.step(Event::Request(id, request), now);
        id
    }
}

fn status_for(target: crate::herder::TargetState) -> RunStatus {
    match target {
        crate::herder::TargetState::Started => RunStatus::Running,
        crate::herder::TargetState::Paused => RunStatus::Paused,
        crate::herder::TargetState::Stopped => RunStatus::Stopped,
    }
}

/// The connector's configuration says how many tasks it wants.
fn task_configs(run: u64, connector: String, config: &ConfigMap) -> WorkerEvent {
    let tasks = config["tasks"].parse().unwrap();
    let of = |task: usize| ConfigMap::from_iter([("task".to_owned(), task.to_string())]);
    WorkerEvent::TaskConfigs { run, connector, configs: (0..tasks).map(of).collect() }
}
