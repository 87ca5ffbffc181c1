//! What the leader of the group does in a rebalance.

use super::incremental::Incremental;
use super::wire::MAX_TEXT;
use super::{Assignment, AssignmentError, MemberState, Protocol, Work, eager};
use crate::herder::TaskId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What there is to run, as the leader has read it from the config topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// Name and number of tasks; none for connectors that are stopped, or whose task configs are incomplete.
    pub connectors: BTreeMap<String, usize>,
    /// The offset after the last record that is in it.
    pub config_offset: i64,
}

impl ClusterView {
    /// Without what an assignment cannot name: connectors with a name beyond 32767 bytes, which no worker will run.
    pub(super) fn work(&self) -> Work {
        let nameable = self.connectors.iter().filter(|(name, _)| name.len() <= MAX_TEXT);
        let tasks = nameable
            .clone()
            .flat_map(|(name, tasks)| (0..*tasks).map(|task| TaskId { connector: name.clone(), task }));
        Work { tasks: tasks.collect(), connectors: nameable.map(|(name, _)| name.clone()).collect() }
    }
}

/// One round of the group, as its leader sees it.
#[derive(Clone, Copy, Debug)]
pub struct Rebalance<'a> {
    pub now: Instant,
    /// What the coordinator chose.
    pub protocol: Protocol,
    pub leader_id: &'a str,
    /// The generation that is being formed.
    pub generation: i32,
    /// The generation whose assignment the leader itself got last, be it from another leader; -1 before any.
    pub last_completed: i32,
    /// By id; the leader is one of them.
    pub members: &'a BTreeMap<String, MemberState>,
    pub cluster: &'a ClusterView,
    /// What nobody runs by its last status (UNASSIGNED): its worker left properly, so that there is nobody to wait for.
    pub let_go: &'a Work,
}

/// What comes out of a rebalance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// One for each member.
    pub assignments: BTreeMap<String, Assignment>,
    pub owners: Owners,
}

/// Whom the leader asks about a connector or task: the REST URLs of the workers that run them after this round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    pub connectors: BTreeMap<String, String>,
    pub tasks: BTreeMap<TaskId, String>,
}

/// One member's share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) assigned: Work,
    pub(super) revoked: Work,
    /// What it has after this round: all that is assigned and was not revoked.
    pub(super) held: Work,
}

/// Assigns work to the members of the group. Remembers what it did while this worker leads.
#[derive(Debug)]
pub struct Assignor {
    incremental: Incremental,
}

impl Assignor {
    /// `max_delay` is `scheduled.rebalance.max.delay.ms`: how long lost work waits for its worker to come back, in whole milliseconds.
    pub fn new(max_delay: Duration) -> Self {
        Self { incremental: Incremental::new(max_delay) }
    }

    /// Work for all, or the answer that all are to join again, since the leader knows less of the config topic than a member. The leader
    /// should have read it to its end before.
    pub fn assign(&mut self, rebalance: &Rebalance<'_>) -> Round {
        let Rebalance { members, cluster, .. } = rebalance;
        let newest = members.values().map(|member| member.config_offset).max().unwrap_or_default();
        if cluster.config_offset < newest {
            return round(
                rebalance,
                AssignmentError::ConfigMismatch,
                newest,
                &BTreeMap::new(),
                Duration::ZERO,
            );
        }
        let (shares, delay) = match rebalance.protocol {
            Protocol::Eager => (eager::shares(members, cluster), Duration::ZERO),
            Protocol::Compatible | Protocol::Sessioned => self.incremental.shares(rebalance),
        };
        round(rebalance, AssignmentError::None, cluster.config_offset, &shares, delay)
    }
}

fn round(
    rebalance: &Rebalance<'_>,
    error: AssignmentError,
    config_offset: i64,
    shares: &BTreeMap<String, Share>,
    delay: Duration,
) -> Round {
    let mut round = Round::default();
    let leader_url =
        rebalance.members.get(rebalance.leader_id).map(|leader| leader.url.clone()).unwrap_or_default();
    // Rounded up: whoever joins again after it must not be early.
    let delay_ms = i32::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
    for (id, member) in rebalance.members {
        let share = shares.get(id).cloned().unwrap_or_default();
        for connector in share.held.connectors {
            round.owners.connectors.insert(connector, member.url.clone());
        }
        for task in share.held.tasks {
            round.owners.tasks.insert(task, member.url.clone());
        }
        let assignment = Assignment {
            error,
            leader: rebalance.leader_id.to_owned(),
            leader_url: leader_url.clone(),
            config_offset,
            assigned: share.assigned,
            revoked: share.revoked,
            delay_ms,
        };
        round.assignments.insert(id.clone(), assignment);
    }
    round
}
