//! Single rounds, told as stories: what the random histories cannot say in so many words.

use crate::text::work;
use connect_runtime::group::{
    Assignment, AssignmentError, Assignor, ClusterView, MemberState, Protocol, Rebalance, Round, Work,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const DELAY: Duration = Duration::from_secs(10);

/// A group led by `a`, whose members get what they are told.
struct Group {
    assignor: Assignor,
    now: Instant,
    protocol: Protocol,
    generation: i32,
    members: BTreeMap<String, MemberState>,
    cluster: ClusterView,
    let_go: Work,
}

impl Group {
    fn of(members: &[&str], connectors: &[(&str, usize)]) -> Self {
        let mut group = Self {
            assignor: Assignor::new(DELAY),
            now: Instant::now(),
            protocol: Protocol::Sessioned,
            generation: 0,
            members: BTreeMap::new(),
            cluster: ClusterView {
                connectors: connectors.iter().map(|(name, tasks)| ((*name).to_owned(), *tasks)).collect(),
                config_offset: 5,
            },
            let_go: Work::default(),
        };
        members.iter().for_each(|id| group.join(id));
        group.round();
        group
    }

    fn join(&mut self, id: &str) {
        let state = MemberState { url: format!("http://{id}/"), config_offset: 5, assignment: None };
        self.members.insert(id.to_owned(), state);
    }

    fn leave(&mut self, id: &str) -> Work {
        self.members.remove(id).unwrap().assignment.unwrap().assigned
    }

    fn held(&self, id: &str) -> Work {
        self.members[id].assignment.as_ref().map(|held| held.assigned.clone()).unwrap_or_default()
    }

    fn ask(&mut self) -> Round {
        self.generation += 1;
        self.assignor.assign(&Rebalance {
            now: self.now,
            protocol: self.protocol,
            leader_id: "a",
            generation: self.generation,
            last_completed: if self.generation == 1 { -1 } else { self.generation - 1 },
            members: &self.members,
            cluster: &self.cluster,
            let_go: &self.let_go,
        })
    }

    fn round(&mut self) -> Round {
        let round = self.ask();
        for (id, assignment) in &round.assignments {
            let mut held = self.held(id);
            held.remove(&assignment.revoked);
            held.add(&assignment.assigned);
            let held = Assignment { assigned: held, ..assignment.clone() };
            self.members.get_mut(id).unwrap().assignment = Some(held);
        }
        round
    }
}

fn delay(round: &Round) -> i32 {
    round.assignments["a"].delay_ms
}

#[test]
fn the_work_of_a_member_that_crashed_waits_for_it() {
    let mut group = Group::of(&["a", "b"], &[("A", 4)]);
    let lost = group.leave("b");
    let round = group.round();
    assert_eq!((delay(&round), &round.assignments["a"].assigned), (10_000, &Work::default()));
    assert!(!round.owners.tasks.keys().any(|task| lost.tasks.contains(task)), "nobody has it");
    group.now += DELAY / 4;
    assert_eq!(delay(&group.round()), 7_500);
    group.now += DELAY;
    let round = group.round();
    assert_eq!((delay(&round), &round.assignments["a"].assigned), (0, &lost));
}

#[test]
fn a_member_that_comes_back_without_work_gets_what_was_lost() {
    let mut group = Group::of(&["a", "b", "c"], &[("A", 6), ("B", 0), ("C", 0)]);
    let lost = group.leave("c");
    group.round();
    group.join("c2");
    assert_eq!(group.round().assignments["c2"].assigned, Work::default(), "not before the time is over");
    group.now += DELAY;
    let round = group.round();
    assert_eq!((delay(&round), &round.assignments["c2"].assigned), (0, &lost));
    assert!(round.assignments.values().all(|assignment| assignment.revoked.is_empty()));
}

#[test]
fn what_a_member_let_go_moves_at_once() {
    let mut group = Group::of(&["a", "b"], &[("A", 4)]);
    group.let_go = group.leave("b");
    let round = group.round();
    assert_eq!((delay(&round), &round.assignments["a"].assigned), (0, &group.let_go));
    assert_eq!(round.owners.tasks.len(), 4);
    assert!(round.owners.tasks.values().all(|url| url == "http://a/"));
}

#[test]
fn what_was_let_go_moves_while_what_was_lost_waits() {
    let mut group = Group::of(&["a", "b", "c"], &[("A", 6)]);
    group.let_go = group.leave("b");
    let lost = group.leave("c");
    let round = group.round();
    assert_eq!((delay(&round), &round.assignments["a"].assigned), (10_000, &group.let_go));
    group.now += DELAY;
    assert_eq!(group.round().assignments["a"].assigned, lost);
}

#[test]
fn a_proper_leave_right_after_work_moved_makes_nobody_wait() {
    let mut group = Group::of(&["a", "b"], &[("A", 6)]);
    group.join("c");
    let revoked: usize = group.round().assignments.values().map(|assignment| assignment.revoked.len()).sum();
    assert_eq!(revoked, 2);
    group.let_go = group.leave("b");
    let round = group.round();
    assert_eq!(delay(&round), 0);
    assert_eq!(group.held("a").len() + group.held("c").len(), 7, "it is given, with what was revoked before");
}

#[test]
fn work_moves_in_two_rounds() {
    let mut group = Group::of(&["a"], &[("A", 3)]);
    group.join("b");
    let round = group.round();
    assert_eq!(
        round.assignments["a"].revoked,
        work(&["A0"]),
        "with two tasks and the connector it has its share"
    );
    assert_eq!(round.assignments["b"].assigned, Work::default());
    assert!(!round.owners.tasks.contains_key(&crate::text::task("A", 0)));
    let round = group.round();
    assert_eq!(round.assignments["b"].assigned, work(&["A0"]));
    assert!(round.assignments.values().all(|assignment| assignment.revoked.is_empty()));
}

#[test]
fn what_was_deleted_is_stopped_under_a_new_leader_too() {
    let mut group = Group::of(&["a", "b"], &[("A", 2), ("B", 2)]);
    group.assignor = Assignor::new(DELAY);
    group.cluster.connectors.remove("B");
    let round = group.round();
    let mut revoked = Work::default();
    round.assignments.values().for_each(|assignment| revoked.add(&assignment.revoked));
    assert_eq!(revoked, work(&["B", "B0", "B1"]));
    assert_eq!(round.owners.connectors.len(), 1);
}

#[test]
fn a_leader_that_is_behind_sends_everybody_back() {
    let mut group = Group::of(&["a", "b"], &[("A", 2)]);
    group.members.get_mut("b").unwrap().config_offset = 9;
    for protocol in Protocol::ALL {
        group.protocol = protocol;
        let round = group.ask();
        for assignment in round.assignments.values() {
            let expected = Assignment {
                error: AssignmentError::ConfigMismatch,
                leader: "a".into(),
                leader_url: "http://a/".into(),
                config_offset: 9,
                assigned: Work::default(),
                revoked: Work::default(),
                delay_ms: 0,
            };
            assert_eq!(assignment, &expected);
        }
        assert_eq!((round.assignments.len(), round.owners), (2, Default::default()));
    }
    group.protocol = Protocol::Sessioned;
    group.cluster.config_offset = 11;
    let round = group.round();
    assert!(round.assignments.values().all(|assignment| assignment.error == AssignmentError::None));
    assert_eq!(round.assignments["b"].config_offset, 11, "what the leader has read is what it assigned by");
    assert!(
        round.assignments.values().all(|assignment| assignment.assigned.is_empty()),
        "all have what they had"
    );
}

#[test]
fn a_connector_that_no_assignment_can_name_is_given_to_nobody() {
    let long = "x".repeat(32_768);
    for protocol in Protocol::ALL {
        let mut group = Group::of(&["a"], &[]);
        group.protocol = protocol;
        group.cluster.connectors.extend([(long.clone(), 3), ("A".to_owned(), 0)]);
        assert_eq!(group.round().assignments["a"].assigned, work(&["A"]));
    }
}
