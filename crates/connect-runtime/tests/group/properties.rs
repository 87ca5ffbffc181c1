//! Random histories of groups, in which each member has an assignor of its own and any of them may lead. `PROPTEST_CASES=10000`
//! plays more of them.

use crate::text::task;
use connect_runtime::group::{
    Assignment, AssignmentError, Assignor, ClusterView, MemberState, Protocol, Rebalance, Round, Work,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// After the last change the group is at rest after this many rounds.
const ROUNDS_TO_REST: usize = 12;

#[derive(Clone, Debug)]
enum Change {
    Join,
    /// It stops its work before it leaves.
    Leave(Index),
    Crash(Index),
    /// It is taken for dead, goes on all the same, and comes back under another id with what it runs.
    Expire(Index),
    ComeBack,
    /// The member does not get the next assignment, and joins again.
    Miss(Index),
    /// Nobody gets the next assignments.
    MissAll,
    Lead(Index),
    Set {
        connector: Index,
        tasks: usize,
    },
    Delete(Index),
    Wait(u64),
    Round,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Join),
        1 => any::<Index>().prop_map(Change::Leave),
        1 => any::<Index>().prop_map(Change::Crash),
        1 => any::<Index>().prop_map(Change::Expire),
        1 => Just(Change::ComeBack),
        1 => any::<Index>().prop_map(Change::Miss),
        1 => Just(Change::MissAll),
        1 => any::<Index>().prop_map(Change::Lead),
        4 => (any::<Index>(), 0..6_usize).prop_map(|(connector, tasks)| Change::Set { connector, tasks }),
        1 => any::<Index>().prop_map(Change::Delete),
        2 => (0..12_000_u64).prop_map(Change::Wait),
        10 => Just(Change::Round),
    ]
}

const CONNECTORS: [&str; 5] = ["files", "orders", "users", "stock", "audit"];

struct Member {
    assignor: Assignor,
    last_completed: i32,
    held: Work,
}

struct Group {
    max_delay: Duration,
    protocol: Protocol,
    now: Instant,
    generation: i32,
    joined: usize,
    leader: String,
    members: BTreeMap<String, Member>,
    expired: Vec<Member>,
    cluster: ClusterView,
    /// What has stopped and was not started again.
    let_go: Work,
    missing: Vec<String>,
    all_missing: bool,
}

impl Group {
    fn new(max_delay: Duration, protocol: Protocol) -> Self {
        let mut group = Self {
            max_delay,
            protocol,
            now: Instant::now(),
            generation: 0,
            joined: 0,
            leader: String::new(),
            members: BTreeMap::new(),
            expired: Vec::new(),
            cluster: ClusterView::default(),
            let_go: Work::default(),
            missing: Vec::new(),
            all_missing: false,
        };
        let first = group.new_member();
        group.leader = group.enter(first);
        group
    }

    fn new_member(&self) -> Member {
        Member { assignor: Assignor::new(self.max_delay), last_completed: -1, held: Work::default() }
    }

    fn enter(&mut self, member: Member) -> String {
        self.joined += 1;
        // ids that are not in the order of joining
        let id = format!("{}-{}", (b'a' + u8::try_from(self.joined * 7 % 26).unwrap()) as char, self.joined);
        self.members.insert(id.clone(), member);
        id
    }

    fn id(&self, index: &Index) -> String {
        index.get(&self.members.keys().collect::<Vec<_>>()).to_string()
    }

    /// `None` where it is the last one.
    fn take(&mut self, index: &Index) -> Option<Member> {
        if self.members.len() == 1 {
            return None;
        }
        let id = self.id(index);
        let member = self.members.remove(&id);
        if self.leader == id {
            self.leader = self.members.keys().next().unwrap().clone();
        }
        member
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Join if self.members.len() < 8 => {
                let member = self.new_member();
                self.enter(member);
            }
            Change::Join => {}
            Change::Leave(index) => {
                if let Some(member) = self.take(index) {
                    self.let_go.add(&member.held);
                }
            }
            Change::Crash(index) => drop(self.take(index)),
            Change::Expire(index) => {
                let member = self.take(index);
                self.expired.extend(member);
            }
            Change::ComeBack => {
                if let Some(member) = self.expired.pop() {
                    self.enter(member);
                }
            }
            Change::Miss(index) => self.missing.push(self.id(index)),
            Change::MissAll => self.all_missing = true,
            Change::Lead(index) => self.leader = self.id(index),
            Change::Set { connector, tasks } => {
                self.cluster.connectors.insert((*connector.get(&CONNECTORS)).to_owned(), *tasks);
            }
            Change::Delete(connector) => {
                self.cluster.connectors.remove(*connector.get(&CONNECTORS));
            }
            Change::Wait(ms) => self.now += Duration::from_millis(*ms),
            Change::Round => {
                self.round();
            }
        }
    }

    fn configured(&self) -> Work {
        let tasks = |(name, tasks): (&String, &usize)| {
            (0..*tasks).map(|number| task(name, number)).collect::<Vec<_>>()
        };
        Work {
            connectors: self.cluster.connectors.keys().cloned().collect(),
            tasks: self.cluster.connectors.iter().flat_map(tasks).collect(),
        }
    }

    /// A rebalance, with what must be true of any.
    fn round(&mut self) -> Round {
        self.generation += 1;
        let states: BTreeMap<String, MemberState> =
            self.members.iter().map(|(id, member)| (id.clone(), state(id, &member.held))).collect();
        let leader = self.members.get_mut(&self.leader).unwrap();
        let rebalance = Rebalance {
            now: self.now,
            protocol: self.protocol,
            leader_id: &self.leader,
            generation: self.generation,
            last_completed: leader.last_completed,
            members: &states,
            cluster: &self.cluster,
            let_go: &self.let_go,
        };
        let round = leader.assignor.assign(&rebalance);
        self.check(&round);
        for (id, assignment) in &round.assignments {
            if self.all_missing || self.missing.contains(id) {
                continue;
            }
            let member = self.members.get_mut(id).unwrap();
            let stopped = member.held.within(&assignment.revoked);
            member.held.remove(&stopped);
            member.held.add(&assignment.assigned);
            member.last_completed = self.generation;
            self.let_go.add(&stopped);
            self.let_go.remove(&assignment.assigned);
        }
        self.missing.clear();
        self.all_missing = false;
        round
    }

    fn check(&self, round: &Round) {
        let configured = self.configured();
        let mut reported = Work::default();
        let mut doubled = Work::default();
        for member in self.members.values() {
            doubled.add(&member.held.within(&reported));
            reported.add(&member.held);
        }
        let (mut assigned, mut revoked) = (Work::default(), Work::default());
        let delay = round.assignments.values().next().unwrap().delay_ms;
        assert!(Duration::from_millis(delay.try_into().unwrap()) <= self.max_delay);
        assert!(round.assignments.keys().eq(self.members.keys()));
        for (id, assignment) in &round.assignments {
            assert_eq!((assignment.error, &assignment.leader), (AssignmentError::None, &self.leader));
            assert_eq!(assignment.delay_ms, delay, "all meet again at the same time");
            assert!(!assignment.assigned.overlaps(&assigned), "given to two: {round:?}");
            assert!(
                !assignment.assigned.overlaps(&assignment.revoked),
                "given and taken from {id}: {round:?}"
            );
            assigned.add(&assignment.assigned);
            revoked.add(&assignment.revoked);
        }
        assert!(!assigned.overlaps(&reported), "given while it runs: {round:?}");
        assert!(assigned.without(&configured).is_empty(), "given and not configured: {round:?}");
        let idle = configured.without(&reported);
        assert!(
            self.let_go.within(&idle).without(&assigned).is_empty(),
            "let go, and not given at once: {round:?}"
        );
        if delay == 0 {
            let nowhere = idle.without(&assigned).without(&revoked);
            assert!(nowhere.is_empty(), "nobody is given {nowhere:?}: {round:?}");
        }
        for (id, member) in &self.members {
            let assignment = &round.assignments[id];
            let unwanted = {
                let mut unwanted = member.held.without(&configured);
                unwanted.add(&member.held.within(&doubled));
                unwanted
            };
            assert!(unwanted.without(&assignment.revoked).is_empty(), "{id} keeps {unwanted:?}: {round:?}");
            let moved = assignment.revoked.without(&unwanted);
            if moved.is_empty() {
                continue;
            }
            assert_eq!(delay, 0, "nothing moves while the group waits: {round:?}");
            let mut kept = member.held.without(&assignment.revoked);
            kept.add(&assignment.assigned);
            let fair = |total: usize| total / self.members.len();
            if !moved.connectors.is_empty() {
                assert!(
                    kept.connectors.len() >= fair(configured.connectors.len()),
                    "{id} loses too much: {round:?}"
                );
            }
            if !moved.tasks.is_empty() {
                assert!(kept.tasks.len() >= fair(configured.tasks.len()), "{id} loses too much: {round:?}");
            }
        }
        for (id, member) in &self.members {
            let mut held = member.held.without(&round.assignments[id].revoked);
            held.add(&round.assignments[id].assigned);
            assert!(held.tasks.iter().all(|task| round.owners.tasks[task] == url(id)));
            assert!(held.connectors.iter().all(|connector| round.owners.connectors[connector] == url(id)));
        }
    }

    /// Meets as members do: at once when something was revoked, and when the delay is over.
    fn rest(&mut self) {
        for _ in 0..ROUNDS_TO_REST {
            let before: Vec<Work> = self.members.values().map(|member| member.held.clone()).collect();
            let balanced = self.is_at_rest();
            let round = self.round();
            let revoked = round.assignments.values().any(|assignment| !assignment.revoked.is_empty());
            let delay = round.assignments.values().map(|assignment| assignment.delay_ms).max().unwrap();
            if balanced {
                assert!(
                    before.iter().eq(self.members.values().map(|member| &member.held)),
                    "moved without need: {round:?}"
                );
                return;
            }
            if !revoked && delay == 0 {
                assert!(self.is_at_rest(), "no reason to meet again, and not at rest: {round:?}");
            }
            if !revoked {
                self.now += Duration::from_millis(delay.try_into().unwrap());
            }
        }
        panic!("not at rest after {ROUNDS_TO_REST} rounds");
    }

    /// Everything runs once, and nobody has two more than another.
    fn is_at_rest(&self) -> bool {
        let mut all = Work::default();
        let mut count = 0;
        for member in self.members.values() {
            all.add(&member.held);
            count += member.held.len();
        }
        let even = |load: fn(&Work) -> usize| {
            let loads = self.members.values().map(|member| load(&member.held));
            loads.clone().max().unwrap() - loads.min().unwrap() <= 1
        };
        all == self.configured()
            && count == all.len()
            && even(|held| held.connectors.len())
            && even(|held| held.tasks.len())
    }
}

fn url(id: &str) -> String {
    format!("http://{id}/")
}

fn state(id: &str, held: &Work) -> MemberState {
    let assignment = Assignment {
        error: AssignmentError::None,
        leader: String::new(),
        leader_url: String::new(),
        config_offset: 0,
        assigned: held.clone(),
        revoked: Work::default(),
        delay_ms: 0,
    };
    MemberState { url: url(id), config_offset: 0, assignment: Some(assignment) }
}

proptest! {
    #[test]
    fn whatever_happens_work_runs_once_and_evenly(
        max_delay in prop::sample::select(vec![0, 1, 50, 10_000, 300_000]),
        sessioned in any::<bool>(),
        changes in prop::collection::vec(change(), 0..60),
    ) {
        let protocol = if sessioned { Protocol::Sessioned } else { Protocol::Compatible };
        let mut group = Group::new(Duration::from_millis(max_delay), protocol);
        changes.iter().for_each(|change| group.apply(change));
        group.missing.clear();
        group.all_missing = false;
        group.rest();
    }

    #[test]
    fn the_eager_protocol_deals_out_everything(
        members in prop::collection::btree_set("[a-z]{1,8}", 1..8),
        connectors in prop::collection::btree_map("[a-z]{1,8}", 0..20_usize, 0..8),
    ) {
        let nothing = Work::default();
        let states: BTreeMap<String, MemberState> =
            members.iter().map(|id| (id.clone(), MemberState { assignment: None, ..state(id, &nothing) })).collect();
        let cluster = ClusterView { connectors, config_offset: 4 };
        let round = Assignor::new(Duration::from_secs(1)).assign(&Rebalance {
            now: Instant::now(),
            protocol: Protocol::Eager,
            leader_id: members.first().unwrap(),
            generation: 1,
            last_completed: -1,
            members: &states,
            cluster: &cluster,
            let_go: &nothing,
        });
        let loads = round.assignments.values().map(|assignment| assignment.assigned.len());
        prop_assert!(loads.clone().max().unwrap() - loads.clone().min().unwrap() <= 1);
        let mut all = Work::default();
        round.assignments.values().for_each(|assignment| all.add(&assignment.assigned));
        prop_assert_eq!(loads.sum::<usize>(), all.len(), "nothing is given twice");
        let tasks: usize = cluster.connectors.values().sum();
        prop_assert_eq!((all.connectors.len(), all.tasks.len()), (cluster.connectors.len(), tasks));
        prop_assert!(all.connectors.iter().eq(cluster.connectors.keys()));
    }
}
