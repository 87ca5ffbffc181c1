//! A simulated cluster: nodes, a group coordinator, the config topic and the status topic. Every step of the outside world is an
//! action that may come sooner or later.

use super::node::{Client, Node, Pending};
use super::*;
use crate::group::Work;
use crate::herder::{HerderError, State as RunState, TargetState};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

pub(super) const SLOTS: usize = 4;
const CONNECTORS: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Stable,
    /// Members are to join.
    Preparing,
    /// The leader is to assign.
    Completing,
}

#[derive(Default)]
struct Member {
    slot: usize,
    /// What it offered in the round that forms.
    metadata: Option<Bytes>,
    /// Its worker is gone, which the coordinator does not know yet.
    is_dead: bool,
}

struct Coordinator {
    phase: Phase,
    generation: i32,
    members: BTreeMap<String, Member>,
    leader: Option<String>,
    assignments: BTreeMap<String, Bytes>,
    last_member: usize,
}

/// Something that may happen next.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Deliver(usize),
    Heartbeat(usize),
    FormRound,
    Sync(usize),
    Evict(String),
    Finish(usize, usize),
    News(usize),
    Write(usize),
    Tick(usize),
}

pub(super) struct Cluster {
    protocol: Protocol,
    pub(super) nodes: Vec<Option<Node>>,
    topic: Vec<LogRecord>,
    statuses: BTreeMap<Item, (RunState, i32)>,
    coordinator: Coordinator,
    /// Requests that a worker sent to its leader: (slot, id) of the request -> (slot, connector, attempt) of the sender.
    posts: BTreeMap<(usize, u64), (usize, String, u64)>,
    /// Requests of users by slot and id, with how often they were sent on.
    users: BTreeMap<(usize, u64), (Request, u32)>,
    start: Instant,
    pub(super) elapsed: Duration,
    random: u64,
}

impl Cluster {
    pub(super) fn new(protocol: Protocol, seed: u64) -> Self {
        let coordinator = Coordinator {
            phase: Phase::Stable,
            generation: 0,
            members: BTreeMap::new(),
            leader: None,
            assignments: BTreeMap::new(),
            last_member: 0,
        };
        Self {
            protocol,
            nodes: (0..SLOTS).map(|_| None).collect(),
            topic: Vec::new(),
            statuses: BTreeMap::new(),
            coordinator,
            posts: BTreeMap::new(),
            users: BTreeMap::new(),
            start: Instant::now(),
            elapsed: Duration::ZERO,
            random: seed | 1,
        }
    }

    /// xorshift64*
    pub(super) fn random(&mut self, below: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        ((self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % below.max(1)
    }

    pub(super) fn now(&self) -> Now {
        Now { instant: self.start + self.elapsed, epoch_ms: self.elapsed.as_millis() as i64 }
    }

    fn node(&mut self, slot: usize) -> &mut Node {
        self.nodes[slot].as_mut().expect("a live node")
    }

    fn step(&mut self, slot: usize, event: Event) {
        let now = self.now();
        self.node(slot).step(event, now);
        self.settle(slot);
    }

    /// Does what a node's effects mean to the others.
    fn settle(&mut self, slot: usize) {
        let mut statuses = std::mem::take(&mut self.node(slot).statuses);
        for (item, state, generation) in statuses.drain(..) {
            self.statuses.insert(item, (state, generation));
        }
        if std::mem::take(&mut self.node(slot).clean) {
            let known = self.node(slot).state.config().clone();
            self.statuses.retain(|item, _| match item {
                Item::Connector(name) => known.contains(name),
                Item::Task(id) => known.task_ids(&id.connector).contains(id),
            });
        }
        if let Some(offered) = self.node(slot).offered.take()
            && self.node(slot).client == Client::Asked
        {
            self.join(slot, offered[0].1.clone());
        }
        if let Some(assignments) = self.node(slot).assignments.take()
            && self.node(slot).client == Client::Leading
        {
            self.node(slot).client = Client::Syncing;
            if self.coordinator.phase == Phase::Completing {
                self.coordinator.assignments = assignments.into_iter().collect();
                self.coordinator.phase = Phase::Stable;
            }
        }
        for (id, answer) in std::mem::take(&mut self.node(slot).answers) {
            self.answered(slot, id, answer);
        }
        if self.nodes[slot].as_ref().is_some_and(|node| node.finished) {
            let node = self.nodes[slot].take().expect("a live node");
            self.forget_requests_of(slot);
            assert!(node.running.is_empty(), "a worker ended and left {:?} running", node.running);
        }
    }

    fn answered(&mut self, slot: usize, id: u64, answer: Answer) {
        if let Some((sender, connector, attempt)) = self.posts.remove(&(slot, id)) {
            let result = answer.map(drop).map_err(|error| error.to_string());
            if self.nodes[sender].is_some() {
                self.step(sender, Event::Posted { connector, attempt, result });
            }
        } else if let Some((request, hops)) = self.users.remove(&(slot, id))
            && let Err(HerderError::Elsewhere { url }) = answer
            && hops < 2
            && let Some(target) = self.slot_of(&url)
        {
            self.ask(target, request, hops + 1);
        }
    }

    fn slot_of(&self, url: &str) -> Option<usize> {
        (0..SLOTS).find(|slot| self.nodes[*slot].is_some() && format!("http://w{slot}/") == url)
    }

    fn ask(&mut self, slot: usize, request: Request, hops: u32) {
        let now = self.now();
        let id = self.node(slot).request(request.clone(), now);
        self.users.insert((slot, id), (request, hops));
        self.settle(slot);
    }

    // ---- the coordinator

    fn join(&mut self, slot: usize, metadata: Bytes) {
        let member = match self.node(slot).member.clone() {
            Some(member) => member,
            None => {
                self.coordinator.last_member += 1;
                let member = format!("m{}", self.coordinator.last_member);
                self.node(slot).member = Some(member.clone());
                member
            }
        };
        self.node(slot).client = Client::Joined;
        if self.coordinator.phase != Phase::Preparing {
            self.prepare();
        }
        let entry = Member { slot, metadata: Some(metadata), is_dead: false };
        self.coordinator.members.insert(member, entry);
    }

    fn prepare(&mut self) {
        self.coordinator.phase = Phase::Preparing;
        self.coordinator.members.values_mut().for_each(|member| member.metadata = None);
    }

    fn remove(&mut self, member: &str) {
        if self.coordinator.members.remove(member).is_some() && self.coordinator.phase != Phase::Preparing {
            self.prepare();
        }
    }

    fn form_round(&mut self) {
        self.coordinator.generation += 1;
        self.coordinator.phase = Phase::Completing;
        let members = &self.coordinator.members;
        let leader = self.coordinator.leader.clone().filter(|leader| members.contains_key(leader));
        let leader = leader.or_else(|| members.keys().next().cloned()).expect("a member");
        let metadata = members
            .iter()
            .map(|(id, member)| (id.clone(), member.metadata.clone().expect("metadata")))
            .collect::<Vec<_>>();
        let slots: Vec<(String, usize)> =
            members.iter().map(|(id, member)| (id.clone(), member.slot)).collect();
        self.coordinator.leader = Some(leader.clone());
        for (member, slot) in slots {
            // Who is about to leave does not hear of it.
            if self.node(slot).client != Client::Joined {
                continue;
            }
            let is_leader = member == leader;
            self.node(slot).client = if is_leader { Client::Leading } else { Client::Syncing };
            if is_leader {
                let since = self.node(slot).state.generation();
                let session = self.node(slot).session;
                self.step(
                    slot,
                    Event::Leading {
                        session,
                        protocol: self.protocol.name().into(),
                        generation: self.coordinator.generation,
                        leader_id: leader.clone(),
                        members: metadata.clone(),
                        let_go: self.let_go(since),
                    },
                );
            }
        }
    }

    fn let_go(&self, since: i32) -> Work {
        let mut work = Work::default();
        for (item, (state, generation)) in &self.statuses {
            if *state == RunState::Unassigned && *generation >= since {
                work.add(&item.work());
            }
        }
        work
    }

    fn sync(&mut self, slot: usize) {
        let session = self.node(slot).session;
        if self.coordinator.phase != Phase::Stable {
            // REBALANCE_IN_PROGRESS
            self.node(slot).client = Client::Asked;
            self.step(slot, Event::Joining { session });
            return;
        }
        let member = self.node(slot).member.clone().expect("a member");
        let assignment = self.coordinator.assignments[&member].clone();
        self.node(slot).client = Client::Stable;
        self.node(slot).is_astray &= !self.node(slot).pending.is_empty();
        self.step(
            slot,
            Event::Joined {
                session,
                protocol: self.protocol.name().into(),
                generation: self.coordinator.generation,
                member_id: member,
                assignment,
            },
        );
    }

    // ---- what may happen

    /// Everything that the world owes the workers.
    pub(super) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (slot, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            if node.read < self.topic.len() {
                actions.push(Action::Deliver(slot));
            }
            let is_due = match node.client {
                Client::Due => true,
                Client::Stable => node.rejoin || self.coordinator.phase != Phase::Stable,
                _ => false,
            };
            if is_due {
                actions.push(Action::Heartbeat(slot));
            }
            if node.client == Client::Syncing && self.coordinator.phase != Phase::Completing {
                actions.push(Action::Sync(slot));
            }
            actions.extend((0..node.pending.len()).map(|index| Action::Finish(slot, index)));
            if !node.news.is_empty() {
                actions.push(Action::News(slot));
            }
            if !node.writes.is_empty() {
                actions.push(Action::Write(slot));
            }
            if node.wake.is_some_and(|wake| wake <= self.now().instant) {
                actions.push(Action::Tick(slot));
            }
        }
        for (id, member) in &self.coordinator.members {
            if member.is_dead {
                actions.push(Action::Evict(id.clone()));
            }
        }
        let members = &self.coordinator.members;
        if self.coordinator.phase == Phase::Preparing
            && !members.is_empty()
            && members.values().all(|member| member.metadata.is_some() && !member.is_dead)
        {
            actions.push(Action::FormRound);
        }
        actions
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Deliver(slot) => self.deliver(slot),
            Action::Heartbeat(slot) => {
                let node = self.node(slot);
                node.client = Client::Asked;
                node.rejoin = false;
                let session = node.session;
                self.step(slot, Event::Joining { session });
            }
            Action::FormRound => self.form_round(),
            Action::Sync(slot) => self.sync(slot),
            Action::Evict(member) => self.remove(&member),
            Action::Finish(slot, index) => {
                let pending = self.node(slot).pending.swap_remove(index);
                self.finish(slot, pending);
            }
            Action::News(slot) => {
                if let Some(event) = self.node(slot).news.pop_front() {
                    self.step(slot, Event::Worker(event));
                }
            }
            Action::Write(slot) => {
                let Some((write, records)) = self.node(slot).writes.pop_front() else { return };
                if self.random(30) == 0 {
                    let result = Err("no broker".to_owned());
                    self.step(slot, Event::Written { write, result });
                    return;
                }
                self.topic.extend(records);
                while self.node(slot).read < self.topic.len() {
                    self.deliver(slot);
                }
                self.step(slot, Event::Written { write, result: Ok(()) });
            }
            Action::Tick(slot) => self.step(slot, Event::Tick),
        }
        self.check();
    }

    fn deliver(&mut self, slot: usize) {
        let read = self.node(slot).read;
        let record = entry(read, &self.topic[read]);
        self.node(slot).read += 1;
        self.step(slot, Event::ConfigRecord(record));
    }

    fn finish(&mut self, slot: usize, pending: Pending) {
        match pending {
            Pending::Stop { item, run } => {
                self.node(slot).running.remove(&item);
                self.step(slot, Event::Stopped { item, run });
            }
            Pending::Flush => self.step(slot, Event::Flushed),
            Pending::Read(read) => {
                let in_time = self.random(20) > 0;
                while in_time && self.node(slot).read < self.topic.len() {
                    self.deliver(slot);
                }
                self.step(slot, Event::ConfigRead { read, in_time });
            }
            Pending::Leave => {
                if let Some(member) = self.node(slot).member.take() {
                    self.remove(&member);
                }
                self.step(slot, Event::Left);
            }
            Pending::Post { connector, attempt, leader_url, body } => {
                let Some(target) = self.slot_of(&leader_url) else {
                    let result = Err("connection refused".to_owned());
                    self.step(slot, Event::Posted { connector, attempt, result });
                    return;
                };
                let configs = serde_json::from_slice(&body).expect("task configurations");
                let signature = self.node(slot).state.sign(&body);
                let request = Request::PutTasks { name: connector.clone(), configs, body, signature };
                let now = self.now();
                let id = self.node(target).request(request, now);
                self.posts.insert((target, id), (slot, connector, attempt));
                self.settle(target);
            }
        }
    }

    // ---- what people and fate do

    pub(super) fn live(&self) -> Vec<usize> {
        (0..SLOTS).filter(|slot| self.nodes[*slot].is_some()).collect()
    }

    pub(super) fn boot(&mut self) {
        let Some(slot) = (0..SLOTS).find(|slot| self.nodes[*slot].is_none()) else { return };
        self.nodes[slot] = Some(Node::new(settings(slot, self.protocol)));
        while self.node(slot).read < self.topic.len() {
            self.deliver(slot);
        }
        self.step(slot, Event::Started);
    }

    fn any(&mut self) -> Option<usize> {
        let live = self.live();
        (!live.is_empty()).then(|| live[self.random(live.len())])
    }

    /// Nobody is answered by a worker that is gone; other workers notice.
    fn forget_requests_of(&mut self, slot: usize) {
        let senders: Vec<_> = self
            .posts
            .iter()
            .filter(|((target, _), (sender, _, _))| *target == slot && *sender != slot)
            .map(|(_, sender)| sender.clone())
            .collect();
        self.posts.retain(|(target, _), (sender, _, _)| *target != slot && *sender != slot);
        self.users.retain(|(target, _), _| *target != slot);
        for (sender, connector, attempt) in senders {
            let result = Err("connection reset".to_owned());
            self.step(sender, Event::Posted { connector, attempt, result });
        }
    }

    pub(super) fn crash(&mut self) {
        let Some(slot) = self.any() else { return };
        let node = self.nodes[slot].take().expect("a live node");
        if let Some(member) = node.member.and_then(|id| self.coordinator.members.get_mut(&id)) {
            member.is_dead = true;
        }
        self.forget_requests_of(slot);
    }

    pub(super) fn lose(&mut self) {
        let Some(slot) = self.any() else { return };
        if self.node(slot).client == Client::Idle {
            return;
        }
        if let Some(member) = self.node(slot).member.take() {
            self.remove(&member);
        }
        let node = self.node(slot);
        node.client = Client::Due;
        node.is_astray = true;
        let session = node.session;
        self.step(slot, Event::Lost { session, why: "no heartbeat was answered".into() });
    }

    pub(super) fn shut_down(&mut self) {
        let Some(slot) = self.any() else { return };
        self.step(slot, Event::Shutdown);
    }

    pub(super) fn user(&mut self) {
        let Some(slot) = self.any() else { return };
        let name = CONNECTORS[self.random(CONNECTORS.len())].to_owned();
        let request = match self.random(8) {
            0..=3 => Request::Put {
                config: config(&[("name", &name), ("tasks", &self.random(5).to_string())]),
                name,
                initial_state: None,
                expected: Expected::Anything,
            },
            4 => Request::Delete { name },
            5 => {
                let targets = [TargetState::Started, TargetState::Paused, TargetState::Stopped];
                Request::SetTarget { name, target: targets[self.random(3)] }
            }
            6 => Request::Restart {
                name,
                request: crate::herder::RestartRequest { include_tasks: true, only_failed: false },
            },
            _ => Request::RestartConnector { name },
        };
        self.ask(slot, request, 0);
    }

    // ---- what must hold

    /// No connector or task runs on two workers, unless one of them was thrown out of the group and is on its way out.
    fn check(&self) {
        let mut owners: BTreeMap<&Item, usize> = BTreeMap::new();
        for (slot, node) in self.nodes.iter().enumerate() {
            let Some(node) = node.as_ref().filter(|node| !node.is_astray) else { continue };
            for item in node.running.keys() {
                if let Some(other) = owners.insert(item, slot) {
                    panic!("{item} runs on the workers {other} and {slot}");
                }
            }
        }
    }

    /// Nothing happens any more but by time. All work runs, each piece once, and nothing else.
    pub(super) fn check_at_rest(&self) {
        let live = self.live();
        let known = self.nodes[live[0]].as_ref().expect("a live node").state.config();
        let mut expected = BTreeSet::new();
        for name in known.connectors() {
            expected.insert(Item::Connector(name.to_owned()));
            expected.extend(known.task_ids(name).into_iter().map(Item::Task));
            let wanted: usize = known.connector_config(name).expect("a connector")["tasks"].parse().unwrap();
            match known.target_state(name) {
                TargetState::Started => assert_eq!(known.task_count(name), wanted, "tasks of {name}"),
                TargetState::Paused => {}
                TargetState::Stopped => assert_eq!(known.task_count(name), 0, "tasks of {name}"),
            }
        }
        let mut running = BTreeSet::new();
        for slot in live {
            let node = self.nodes[slot].as_ref().expect("a live node");
            assert_eq!(node.client, Client::Stable, "worker {slot} is no member");
            assert_eq!(node.state.health(), Health::Healthy, "worker {slot}");
            for item in node.running.keys() {
                assert!(item.is_in(node.state.held()), "{item} runs on {slot} and is not its own");
                assert!(running.insert(item.clone()), "{item} runs twice");
            }
        }
        assert_eq!(running, expected);
        assert!(self.users.is_empty(), "requests are not answered: {:?}", self.users);
    }
}
