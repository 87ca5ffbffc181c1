//! Incremental cooperative rebalancing (KIP-415): members go on with what they have; work moves by being revoked in one round and
//! assigned in the next, and work that was lost with a member waits for it to come back.

use super::assign::{Rebalance, Share};
use super::{Work, balance};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Between rounds that revoke: 40 ms, then 40 times as long each time, up to the maximum (KAFKA-12495).
const BACKOFF_FACTOR: u64 = 40;

/// What the leader remembers of its last round.
#[derive(Debug)]
pub(super) struct Incremental {
    max_delay: Duration,
    /// What should be running since, or waits for a lost member.
    previous: Work,
    previous_members: BTreeSet<String>,
    previous_revoked: Work,
    /// The generation it formed.
    generation: i32,
    /// When the group has to meet again, if it has to.
    scheduled: Option<Instant>,
    /// Who had nothing while lost work was waiting, in the order they came: they are likely to be the lost members.
    candidates: Vec<String>,
    revoked_in_previous: bool,
    successive_revocations: u32,
}

impl Incremental {
    pub(super) fn new(max_delay: Duration) -> Self {
        Self {
            max_delay: Duration::from_millis(u64::try_from(max_delay.as_millis()).unwrap_or(u64::MAX)),
            previous: Work::default(),
            previous_members: BTreeSet::new(),
            previous_revoked: Work::default(),
            generation: -1,
            scheduled: None,
            candidates: Vec::new(),
            revoked_in_previous: false,
            successive_revocations: 0,
        }
    }

    /// Each member's share, and after how long the group has to meet again.
    pub(super) fn shares(&mut self, rebalance: &Rebalance<'_>) -> (BTreeMap<String, Share>, Duration) {
        let nothing = Work::default();
        let reported: BTreeMap<&String, &Work> = rebalance
            .members
            .iter()
            .map(|(id, member)| (id, member.assignment.as_ref().map_or(&nothing, |held| &held.assigned)))
            .collect();
        let (active, duplicated) = active(&reported);
        let configured = rebalance.cluster.work();
        self.forget_what_did_not_happen(rebalance.last_completed, &active);

        let mut gone = self.previous.clone();
        gone.add(&active);
        gone.remove(&configured);
        let mut lost = self.previous.without(&active);
        lost.remove(&gone);
        let mut created = configured.without(&self.previous);
        created.remove(&active);
        // Nobody will come back for it.
        let let_go = lost.within(rebalance.let_go);
        lost.remove(&let_go);
        created.add(&let_go);

        let mut held: BTreeMap<String, Work> = BTreeMap::new();
        let mut revoked: BTreeMap<String, Work> = BTreeMap::new();
        for (id, work) in &reported {
            let mut stop = work.within(&gone);
            stop.add(&work.within(&duplicated));
            held.insert((*id).clone(), work.without(&stop));
            revoked.insert((*id).clone(), stop);
        }

        let (reassigned, mut delay) = self.handle_lost(rebalance.now, &lost, !let_go.is_empty(), &mut held);
        if delay.is_zero() {
            let moving = surplus(&configured, &held, &reported);
            delay = self.hold_back(rebalance.now, !moving.is_empty());
            if delay.is_zero() {
                for (id, work) in &moving {
                    held.entry(id.clone()).or_default().remove(work);
                    revoked.entry(id.clone()).or_default().add(work);
                }
            }
        } else {
            self.revoked_in_previous = false;
        }

        // New work first, then what was lost, each by name.
        let Work { connectors, tasks } = &reassigned;
        balance::give(
            held.values_mut().map(|work| &mut work.connectors).collect(),
            created.connectors.iter().chain(connectors).cloned(),
        );
        balance::give(
            held.values_mut().map(|work| &mut work.tasks).collect(),
            created.tasks.iter().chain(tasks).cloned(),
        );

        self.remember(rebalance, &held, &revoked, &lost);
        let share = |(id, held): (String, Work)| {
            let assigned = reported.get(&id).map_or_else(|| held.clone(), |before| held.without(before));
            let revoked = revoked.remove(&id).unwrap_or_default();
            (id, Share { assigned, revoked, held })
        };
        (held.into_iter().map(share).collect(), delay)
    }

    fn forget_what_did_not_happen(&mut self, last_completed: i32, active: &Work) {
        // Another leader has assigned since, or this one's assignments never arrived.
        if self.generation != last_completed {
            self.previous = Work::default();
        }
        let revoked = std::mem::take(&mut self.previous_revoked);
        // It did not reach everybody; it is done over.
        if revoked.overlaps(active) {
            self.previous = active.clone();
        }
    }

    fn remember(
        &mut self,
        rebalance: &Rebalance<'_>,
        held: &BTreeMap<String, Work>,
        revoked: &BTreeMap<String, Work>,
        lost: &Work,
    ) {
        self.previous = Work::default();
        self.previous_revoked = Work::default();
        held.values().for_each(|work| self.previous.add(work));
        revoked.values().for_each(|work| self.previous_revoked.add(work));
        self.previous.add(lost);
        self.previous_members = rebalance.members.keys().cloned().collect();
        self.generation = rebalance.generation;
    }

    /// Lost work that is to be given to others now, and how long to wait otherwise. What goes to members that are taken for those
    /// who had it is put into `held` here.
    fn handle_lost(
        &mut self,
        now: Instant,
        lost: &Work,
        some_let_go: bool,
        held: &mut BTreeMap<String, Work>,
    ) -> (Work, Duration) {
        let nothing = || (Work::default(), Duration::ZERO);
        // The absence of a member that left properly is no reason to wait.
        if lost.is_empty() && (!self.revoked_in_previous || (some_let_go && self.scheduled.is_none())) {
            self.unschedule();
            return nothing();
        }
        // When nobody is missing, somebody did not get what was assigned.
        let all_here = self.previous_members.iter().all(|member| held.contains_key(member));
        if self.max_delay.is_zero() || (self.scheduled.is_none() && all_here) {
            return (lost.clone(), Duration::ZERO);
        }
        if self.scheduled.is_some_and(|scheduled| now >= scheduled) {
            // The whole wait is over, so that moving work again is fine.
            self.revoked_in_previous = false;
            let mut candidates = std::mem::take(&mut self.candidates);
            self.unschedule();
            candidates.retain(|id| held.contains_key(id));
            if candidates.is_empty() {
                return (lost.clone(), Duration::ZERO);
            }
            let place = |id: &String| candidates.iter().position(|candidate| candidate == id);
            let mut chosen: Vec<(usize, &mut Work)> =
                held.iter_mut().filter_map(|(id, work)| Some((place(id)?, work))).collect();
            chosen.sort_by_key(|(place, _)| *place);
            let connectors = chosen.iter_mut().map(|(_, work)| &mut work.connectors).collect();
            balance::deal(connectors, lost.connectors.iter().cloned());
            let tasks = chosen.iter_mut().map(|(_, work)| &mut work.tasks).collect();
            balance::deal(tasks, lost.tasks.iter().cloned());
            return nothing();
        }
        for (id, work) in held.iter() {
            if work.is_empty() && !self.candidates.contains(id) {
                self.candidates.push(id.clone());
            }
        }
        let delay = match self.scheduled {
            Some(scheduled) => (scheduled - now).min(self.max_delay),
            None => self.max_delay,
        };
        self.scheduled = Some(now + delay);
        (Work::default(), delay)
    }

    fn unschedule(&mut self) {
        self.candidates.clear();
        self.scheduled = None;
    }

    /// How long balance has to wait because the last round revoked something, too.
    fn hold_back(&mut self, now: Instant, unbalanced: bool) -> Duration {
        if !unbalanced {
            self.revoked_in_previous = false;
            self.successive_revocations = 0;
            return Duration::ZERO;
        }
        if !std::mem::replace(&mut self.revoked_in_previous, true) {
            return Duration::ZERO;
        }
        self.successive_revocations = self.successive_revocations.saturating_add(1);
        let backoff = Duration::from_millis(BACKOFF_FACTOR.saturating_pow(self.successive_revocations));
        let delay = backoff.min(self.max_delay);
        if !delay.is_zero() {
            self.scheduled = Some(now + delay);
        }
        delay
    }
}

/// What runs, and what runs more than once.
fn active(reported: &BTreeMap<&String, &Work>) -> (Work, Work) {
    let (mut active, mut duplicated) = (Work::default(), Work::default());
    for work in reported.values() {
        duplicated.add(&work.within(&active));
        active.add(work);
    }
    (active, duplicated)
}

/// What has to move for even loads. What a member runs goes before what it was given in this very round, as in Java.
fn surplus(
    configured: &Work,
    held: &BTreeMap<String, Work>,
    reported: &BTreeMap<&String, &Work>,
) -> BTreeMap<String, Work> {
    let mut surplus: BTreeMap<String, Work> = BTreeMap::new();
    // When nobody has anything yet, or there is nothing to have.
    if configured.is_empty() || held.values().all(Work::is_empty) {
        return surplus;
    }
    let mut connectors = BTreeMap::new();
    let mut tasks = BTreeMap::new();
    for (id, work) in held {
        let runs = reported[id];
        let (old, new): (Vec<_>, Vec<_>) =
            work.connectors.iter().partition(|name| runs.connectors.contains(*name));
        connectors.insert(id.as_str(), [old, new].concat());
        let (old, new): (Vec<_>, Vec<_>) = work.tasks.iter().partition(|task| runs.tasks.contains(*task));
        tasks.insert(id.as_str(), [old, new].concat());
    }
    for (id, connectors) in balance::surplus(configured.connectors.len(), &connectors) {
        surplus.entry(id).or_default().connectors = connectors;
    }
    for (id, tasks) in balance::surplus(configured.tasks.len(), &tasks) {
        surplus.entry(id).or_default().tasks = tasks;
    }
    surplus
}
