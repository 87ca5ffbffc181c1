//! Histories of groups that the Java worker's incremental assignor has played, played again: each member must be given and must
//! lose exactly the same in each round, and the group must meet again after the same time.

use crate::text;
use connect_runtime::group::{
    Assignment, AssignmentError, Assignor, ClusterView, MemberState, Protocol, Rebalance, Work,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// See `../oracle/README.md` for the format.
const RECORDED: &str = include_str!("../golden/assignor-histories-4.3.0.txt");

/// Java's back-off goes through logarithms, and may end a millisecond before what it should be.
const ROUNDING: i32 = 1;

#[derive(Default)]
struct Member {
    held: Work,
    /// Before the last round.
    before: Work,
}

struct Replay {
    assignor: Assignor,
    now: Instant,
    generation: i32,
    completed: i32,
    completed_before: i32,
    members: BTreeMap<String, Member>,
    cluster: ClusterView,
    /// What has come out of our last round and not out of Java's yet.
    expected: BTreeMap<String, Assignment>,
}

impl Replay {
    fn new(max_delay: Duration) -> Self {
        Self {
            assignor: Assignor::new(max_delay),
            now: Instant::now(),
            generation: 0,
            completed: -1,
            completed_before: -1,
            members: BTreeMap::new(),
            cluster: ClusterView { connectors: BTreeMap::new(), config_offset: 1 },
            expected: BTreeMap::new(),
        }
    }

    fn round(&mut self, delay: i32) {
        self.generation += 1;
        let states = self.members.iter().map(|(id, member)| (id.clone(), state(&member.held))).collect();
        let leader = self.members.keys().next().unwrap();
        let round = self.assignor.assign(&Rebalance {
            now: self.now,
            protocol: Protocol::Sessioned,
            leader_id: leader,
            generation: self.generation,
            last_completed: self.completed,
            members: &states,
            cluster: &self.cluster,
            let_go: &Work::default(),
        });
        self.completed_before = self.completed;
        self.completed = self.generation;
        assert_eq!(round.assignments.len(), self.members.len());
        for (id, assignment) in &round.assignments {
            assert!(
                (assignment.delay_ms - delay).abs() <= ROUNDING,
                "{} instead of {delay} ms",
                assignment.delay_ms
            );
            let member = self.members.get_mut(id).unwrap();
            member.before = member.held.clone();
            member.held.remove(&assignment.revoked);
            member.held.add(&assignment.assigned);
        }
        self.expected = round.assignments;
        self.expected
            .retain(|_, assignment| !assignment.assigned.is_empty() || !assignment.revoked.is_empty());
    }

    /// `a +A +A0 -B0`: what Java told a member in the last round.
    fn told(&mut self, member: &str, items: &[&str]) {
        let mut told = (Work::default(), Work::default());
        for item in items {
            match item.split_at(1) {
                ("+", item) => text::add(&mut told.0, item),
                ("-", item) => text::add(&mut told.1, item),
                _ => panic!("{item}"),
            }
        }
        let ours = self.expected.remove(member).unwrap_or_else(|| panic!("{member} is told nothing by us"));
        assert_eq!((ours.assigned, ours.revoked), told, "{member}");
    }

    fn restore(&mut self, id: &str) {
        let member = self.members.get_mut(id).unwrap();
        member.held = member.before.clone();
    }

    fn play(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0].len() > 1 {
            assert!(self.expected.is_empty(), "Java told these members nothing: {:?}", self.expected);
        }
        match words[..] {
            ["wait", ms] => self.now += Duration::from_millis(ms.parse().unwrap()),
            ["join", id] => drop(self.members.insert(id.into(), Member::default())),
            ["leave", id] => drop(self.members.remove(id)),
            ["missed", id] => self.restore(id),
            ["also", id, item] => text::add(&mut self.members.get_mut(id).unwrap().held, item),
            ["set", connector, tasks] => {
                self.cluster.connectors.insert(connector.into(), tasks.parse().unwrap());
            }
            ["drop", connector] => drop(self.cluster.connectors.remove(connector)),
            ["other"] => {
                self.generation += 1;
                self.completed = self.generation;
            }
            ["failed"] => {
                self.completed = self.completed_before;
                for id in self.members.keys().cloned().collect::<Vec<_>>() {
                    self.restore(&id);
                }
            }
            ["round", delay] => self.round(delay.parse().unwrap()),
            [member, ref items @ ..] => self.told(member, items),
            [] => panic!("an empty line"),
        }
    }
}

fn state(held: &Work) -> MemberState {
    let assignment = Assignment {
        error: AssignmentError::None,
        leader: String::new(),
        leader_url: String::new(),
        config_offset: 1,
        assigned: held.clone(),
        revoked: Work::default(),
        delay_ms: 0,
    };
    MemberState { url: String::new(), config_offset: 1, assignment: Some(assignment) }
}

#[test]
fn histories_go_as_with_java() {
    let mut histories = 0;
    let mut replay = None;
    for (number, line) in RECORDED.lines().enumerate() {
        if let Some(history) = line.strip_prefix("history ") {
            let (_, max_delay) = history.split_once(' ').unwrap();
            let last = replay.replace(Replay::new(Duration::from_millis(max_delay.parse().unwrap())));
            assert!(
                last.is_none_or(|last: Replay| last.expected.is_empty()),
                "at the end before line {}",
                number + 1
            );
            histories += 1;
            continue;
        }
        let replay = replay.as_mut().unwrap();
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| replay.play(line)));
        assert!(played.is_ok(), "line {} of the recording: {line}", number + 1);
    }
    assert_eq!(histories, 300);
}
