//! The membership: what this worker says when it joins, what it does with an assignment, and what when it is lost or cannot
//! keep up with the config topic.

use super::{Effect, Now, Read, Settings, State};
use crate::group::{
    Assignment, AssignmentError, Assignor, ClusterView, MemberState, Owners, Protocol, Rebalance, Work,
    decode_assignment, decode_metadata, encode_assignment, offered,
};
use crate::herder::{Health, TaskId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a worker that cannot read the config topic tries again with pauses that grow, before they are short again.
const CATCH_UP_ATTEMPTS: u32 = 5;

/// After an assignment that cannot be read at all.
const BROKEN_ASSIGNMENT_PAUSE: Duration = Duration::from_secs(1);

/// Where this worker stands towards the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It has not joined yet.
    Out,
    /// The membership is at work: it joins, or is a member.
    In,
    /// It cannot keep up with the config topic and is about to leave: its work stops first, since others may get it at once, ...
    Withdrawing,
    /// ... then it leaves, ...
    Leaving,
    /// ... stays away ...
    Away { until: Instant },
    /// ... and then reads the config topic before it joins again.
    CatchingUp,
    /// The worker ends: its work stops, ...
    Closing,
    /// ... then it leaves the group, ...
    LeavingForGood,
    /// ... and that was that.
    Gone,
}

/// A round in which this worker is to assign the work.
pub(super) struct Leading {
    pub(super) protocol: String,
    pub(super) generation: i32,
    pub(super) leader_id: String,
    pub(super) members: Vec<(String, Bytes)>,
    pub(super) let_go: Work,
}

/// Who answers requests that only the leader may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leadership {
    Me,
    Other { url: String },
    Unknown,
}

pub(super) struct Group {
    phase: Phase,
    session: u64,
    /// Counts assignments and rounds led, so that a late read is told apart.
    round: u64,
    member_id: String,
    /// The one the group has chosen last.
    protocol: Protocol,
    generation: i32,
    /// The last one, until this worker is lost or leaves.
    assignment: Option<Assignment>,
    /// All that is this worker's, whether it runs already or not.
    held: Work,
    /// What this worker said it holds when it joined last: what the assignment was made from.
    offered: Work,
    /// Of the last round this worker led.
    owners: Owners,
    assignor: Assignor,
    leading: Option<Leading>,
    /// A join waits for what this worker offers.
    joining: bool,
    /// It has been offered, and the assignment is not there yet.
    in_round: bool,
    rejoin_requested: bool,
    /// The assignment is understood and its work has been started.
    resolved: bool,
    /// The group is to rebalance once what was revoked has stopped here.
    revoked: bool,
    rejoin_at: Option<Instant>,
    /// From here on the config topic knows other connectors or tasks than before.
    structure_offset: i64,
    attempts_left: u32,
    /// As the leader it has read what the one before it wrote, and may write itself.
    has_taken_over: bool,
    /// It has been a member of the group once.
    was_ready: bool,
    trouble: Option<String>,
}

impl Group {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            phase: Phase::Out,
            session: 0,
            round: 0,
            member_id: String::new(),
            protocol: settings.protocol,
            generation: -1,
            assignment: None,
            held: Work::default(),
            offered: Work::default(),
            owners: Owners::default(),
            assignor: Assignor::new(settings.max_delay),
            leading: None,
            joining: false,
            in_round: false,
            rejoin_requested: false,
            resolved: false,
            revoked: false,
            rejoin_at: None,
            structure_offset: -1,
            attempts_left: CATCH_UP_ATTEMPTS,
            has_taken_over: false,
            was_ready: false,
            trouble: None,
        }
    }
}

impl State {
    /// Also while the group rebalances: a leader stays it as long as it joins again in time, and is told by
    /// [`on_lost`](State::on_lost) when it did not. So changes need not wait for a round that other workers hear of only by
    /// their next heartbeat.
    pub(crate) fn leadership(&self) -> Leadership {
        match &self.group.assignment {
            Some(assignment) if assignment.leader == self.group.member_id => {
                if self.group.has_taken_over {
                    Leadership::Me
                } else {
                    Leadership::Unknown
                }
            }
            Some(assignment) if !assignment.leader_url.is_empty() => {
                Leadership::Other { url: assignment.leader_url.clone() }
            }
            _ => Leadership::Unknown,
        }
    }

    /// Of the last assignment; -1 before any.
    pub(crate) fn generation(&self) -> i32 {
        self.group.generation
    }

    /// The protocol that the group has agreed on says whether requests between workers are signed.
    pub(super) fn is_sessioned(&self) -> bool {
        self.group.protocol == Protocol::Sessioned
    }

    /// No rebalance is under way or expected.
    pub(super) fn is_stable(&self) -> bool {
        let group = &self.group;
        group.phase == Phase::In
            && group.resolved
            && !group.in_round
            && !group.joining
            && !group.rejoin_requested
            && !group.revoked
    }

    pub(super) fn is_resolved(&self) -> bool {
        self.group.resolved
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.group.phase, Phase::Closing | Phase::LeavingForGood | Phase::Gone)
    }

    pub(super) fn owners(&self) -> &Owners {
        &self.group.owners
    }

    pub(super) fn group_health(&self) -> Health {
        let group = &self.group;
        match (&group.trouble, group.was_ready) {
            _ if self.is_closing() => Health::Starting("The worker is shutting down.".into()),
            (None, true) => Health::Healthy,
            (Some(why), true) => Health::Unhealthy(format!("It is not a member of its group: {why}.")),
            (Some(why), false) => Health::Starting(format!("It cannot join its group yet: {why}.")),
            (None, false) => Health::Starting("It joins the group of workers.".into()),
        }
    }

    /// The config topic has other connectors or tasks from `offset` on: all work is to be assigned anew.
    pub(super) fn structure_changed(&mut self, offset: i64) {
        self.group.structure_offset = offset;
        // In the midst of a round its assignment will tell whether it took this into account.
        let group = &self.group;
        if group.phase == Phase::In && group.resolved && !group.joining && !group.in_round {
            self.request_rejoin();
        }
    }

    fn request_rejoin(&mut self) {
        if !std::mem::replace(&mut self.group.rejoin_requested, true) {
            self.effects.push(Effect::RequestRejoin);
        }
    }

    pub(super) fn join(&mut self) {
        self.group.phase = Phase::In;
        self.group.session += 1;
        self.group.rejoin_requested = false;
        self.effects.push(Effect::Join { session: self.group.session });
    }

    fn is_current(&self, session: u64) -> bool {
        self.group.phase == Phase::In && self.group.session == session
    }

    pub(super) fn on_joining(&mut self, session: u64) {
        if !self.is_current(session) {
            return;
        }
        self.group.joining = true;
        self.group.in_round = false;
        self.group.leading = None;
        self.group.rejoin_requested = false;
        // Who runs what is not known again before the round is over.
        self.group.owners = Owners::default();
        if self.group.protocol == Protocol::Eager {
            self.group.held = Work::default();
            self.stop_all();
        }
    }

    pub(super) fn on_leading(&mut self, session: u64, leading: Leading) {
        if !self.is_current(session) {
            return;
        }
        self.group.round += 1;
        let newest = members(&leading.members).values().map(|member| member.config_offset).max();
        let is_behind = newest.is_some_and(|newest| newest > self.config.offset());
        self.group.leading = Some(leading);
        if is_behind {
            let (read, timeout) = (Read::Lead { round: self.group.round }, self.settings.sync_timeout);
            self.effects.push(Effect::ReadConfig { read, timeout });
        }
    }

    /// Assigns the work of the round that waits for it.
    fn assign(&mut self, now: Instant) {
        let Some(leading) = self.group.leading.take() else { return };
        let Some(protocol) = Protocol::from_name(&leading.protocol) else {
            tracing::error!(protocol = leading.protocol, "the group has chosen an unknown protocol");
            return;
        };
        let members = members(&leading.members);
        let connectors = self.config.connectors();
        let cluster = ClusterView {
            connectors: connectors.map(|name| (name.to_owned(), self.config.task_ids(name).len())).collect(),
            config_offset: self.config.offset(),
        };
        let round = self.group.assignor.assign(&Rebalance {
            now,
            protocol,
            leader_id: &leading.leader_id,
            generation: leading.generation,
            last_completed: self.group.generation,
            members: &members,
            cluster: &cluster,
            let_go: &leading.let_go,
        });
        self.group.owners = round.owners;
        let assignments = round.assignments.iter();
        let assignments =
            assignments.map(|(member, assignment)| (member.clone(), encode_assignment(assignment, protocol)));
        self.effects.push(Effect::AnswerLeading(assignments.collect()));
    }

    pub(super) fn on_joined(
        &mut self,
        session: u64,
        protocol: &str,
        generation: i32,
        member_id: String,
        assignment: &[u8],
        now: Now,
    ) {
        if !self.is_current(session) {
            return;
        }
        let group = &mut self.group;
        group.in_round = false;
        group.joining = false;
        group.rejoin_requested = false;
        group.resolved = false;
        group.revoked = false;
        group.rejoin_at = None;
        group.trouble = None;
        group.round += 1;
        let (Some(protocol), Ok(mut assignment)) =
            (Protocol::from_name(protocol), decode_assignment(assignment))
        else {
            tracing::error!(protocol, generation, "the leader has sent an assignment that cannot be read");
            group.rejoin_at = Some(now.instant + BROKEN_ASSIGNMENT_PAUSE);
            return;
        };
        group.protocol = protocol;
        group.generation = generation;
        group.member_id = member_id;
        if protocol == Protocol::Eager {
            group.held = assignment.assigned.clone();
        } else {
            // Not from what is held now: this worker may have given up its work meanwhile, and the leader does not know.
            group.held = std::mem::take(&mut group.offered);
            group.held.remove(&assignment.revoked);
            group.held.add(&assignment.assigned);
            group.revoked = !assignment.revoked.is_empty();
        }
        if let Ok(delay) = u64::try_from(assignment.delay_ms)
            && delay > 0
        {
            group.rejoin_at = Some(now.instant + Duration::from_millis(delay));
        }
        let is_leader = assignment.leader == group.member_id;
        tracing::info!(
            generation,
            protocol = protocol.name(),
            leader = assignment.leader_url,
            connectors = group.held.connectors.len(),
            tasks = group.held.tasks.len(),
            revoked = assignment.revoked.len(),
            delay_ms = assignment.delay_ms,
            error = ?assignment.error,
            "joined the group of workers"
        );
        let held = group.held.clone();
        // What is reported at the next join.
        assignment.assigned = Work::default();
        assignment.revoked = Work::default();
        let has_failed = assignment.error == AssignmentError::ConfigMismatch;
        let is_behind = self.config.offset() < assignment.config_offset;
        group.assignment = Some(assignment);
        group.has_taken_over &= is_leader;
        let takes_over = is_leader && !group.has_taken_over;
        self.keep_active(&held);
        if is_leader {
            // Whoever had to say UNASSIGNED of something deleted has said it before it joined.
            self.effects.push(Effect::CleanStatuses);
        }
        if is_behind || takes_over || (has_failed && is_leader) {
            let read = Read::Resolve { round: self.group.round };
            self.effects.push(Effect::ReadConfig { read, timeout: self.settings.sync_timeout });
        } else {
            self.resolve();
        }
    }

    /// The config topic has been read as far as the assignment speaks of: its work may begin.
    fn resolve(&mut self) {
        let Some(assignment) = &self.group.assignment else { return };
        let (offset, error) = (assignment.config_offset, assignment.error);
        self.group.attempts_left = CATCH_UP_ATTEMPTS;
        self.group.has_taken_over = assignment.leader == self.group.member_id;
        if error == AssignmentError::ConfigMismatch {
            self.request_rejoin();
            return;
        }
        self.group.resolved = true;
        self.publications.look_at_stopped = true;
        self.group.was_ready = true;
        let held = self.group.held.clone();
        self.activate(&held, offset);
        if self.group.structure_offset > offset {
            self.request_rejoin();
        }
    }

    pub(super) fn on_config_read(&mut self, read: Read, in_time: bool, now: Now) {
        match read {
            Read::Resolve { round } if round == self.group.round && self.group.phase == Phase::In => {
                if in_time {
                    self.resolve();
                } else {
                    self.fall_behind();
                }
            }
            // A leader that cannot read would have all others join again and again: it lets somebody else lead. One that has read
            // and is still behind says so to all.
            Read::Lead { round } if round == self.group.round && self.group.phase == Phase::In => {
                if in_time || self.group.leading.is_none() {
                    self.assign(now.instant);
                } else {
                    self.fall_behind();
                }
            }
            Read::CatchUp if self.group.phase == Phase::CatchingUp => {
                if in_time {
                    self.group.attempts_left = CATCH_UP_ATTEMPTS;
                    self.join();
                } else {
                    self.stay_away(now);
                }
            }
            Read::Request(id) => self.on_refreshed(id, in_time),
            _ => {}
        }
    }

    /// The config topic cannot be read as far as others have read it. A worker in the group that does not know what to do holds up
    /// all others, so it leaves.
    fn fall_behind(&mut self) {
        tracing::warn!(
            offset = self.config.offset(),
            "the config topic cannot be read in time; leaving the group of workers for a while"
        );
        self.forget_membership("the config topic cannot be read in time".into());
        self.group.phase = Phase::Withdrawing;
        // Java's worker goes on with its work for a while. But if it was the leader, or the leader goes as well, the
        // next one knows nothing of that and gives it to others at once.
        self.give_up_work();
    }

    fn forget_membership(&mut self, why: String) {
        let group = &mut self.group;
        group.assignment = None;
        group.has_taken_over = false;
        group.owners = Owners::default();
        group.leading = None;
        group.joining = false;
        group.in_round = false;
        group.rejoin_requested = false;
        group.resolved = false;
        group.revoked = false;
        group.rejoin_at = None;
        group.trouble = Some(why);
    }

    pub(super) fn on_left(&mut self, now: Now) {
        match self.group.phase {
            Phase::Leaving => self.stay_away(now),
            Phase::LeavingForGood => self.finish(),
            _ => {}
        }
    }

    fn stay_away(&mut self, now: Now) {
        let pause = if self.group.protocol == Protocol::Eager {
            self.settings.unsync_backoff
        } else {
            // A tenth of the time others wait for a lost worker, in growing parts.
            let pause = self.settings.max_delay / 10 / self.group.attempts_left;
            self.group.attempts_left =
                if self.group.attempts_left == 1 { CATCH_UP_ATTEMPTS } else { self.group.attempts_left - 1 };
            pause
        };
        self.group.phase = Phase::Away { until: now.instant + pause };
    }

    fn give_up_work(&mut self) {
        self.group.held = Work::default();
        self.stop_all();
    }

    pub(super) fn on_lost(&mut self, session: u64, why: String) {
        if !self.is_current(session) {
            return;
        }
        tracing::warn!(why, "the group of workers is lost; stopping all work, since others will get it");
        self.forget_membership(why);
        self.give_up_work();
    }

    pub(super) fn on_shutdown(&mut self) {
        if self.is_closing() {
            return;
        }
        self.give_up_work();
        self.group.phase = Phase::Closing;
    }

    fn finish(&mut self) {
        self.group.phase = Phase::Gone;
        self.effects.push(Effect::Finished);
    }

    pub(super) fn group_timers(&mut self, now: Now) {
        match self.group.phase {
            Phase::Away { until } if until <= now.instant => {
                self.group.phase = Phase::CatchingUp;
                let timeout = self.settings.sync_timeout;
                self.effects.push(Effect::ReadConfig { read: Read::CatchUp, timeout });
            }
            Phase::In if self.group.rejoin_at.is_some_and(|at| at <= now.instant) => {
                self.group.rejoin_at = None;
                self.request_rejoin();
            }
            _ => {}
        }
        // Whoever leads assigns as soon as it knows enough; a read that is under way for it comes too late then.
        let newest = self
            .group
            .leading
            .as_ref()
            .map(|leading| members(&leading.members).values().map(|member| member.config_offset).max());
        if newest.is_some_and(|newest| newest.unwrap_or(-1) <= self.config.offset()) {
            self.assign(now.instant);
        }
    }

    pub(super) fn group_wake(&self) -> Option<Instant> {
        match self.group.phase {
            Phase::Away { until } => Some(until),
            Phase::In => self.group.rejoin_at,
            _ => None,
        }
    }

    /// What waits for work to stop goes on when it has.
    pub(super) fn advance_group(&mut self) {
        let phase = self.group.phase;
        let waits = match phase {
            Phase::In => self.group.joining || (self.group.revoked && self.group.resolved),
            Phase::Withdrawing | Phase::Closing => self.work.is_idle(),
            _ => false,
        };
        if !waits || !self.is_quiet() {
            return;
        }
        match phase {
            Phase::In if self.group.joining => self.offer(),
            Phase::In => {
                self.group.revoked = false;
                self.request_rejoin();
            }
            Phase::Closing if self.group.session == 0 => self.finish(),
            _ => {
                self.group.phase =
                    if phase == Phase::Closing { Phase::LeavingForGood } else { Phase::Leaving };
                self.effects.push(Effect::Leave);
            }
        }
    }

    /// Says what this worker is and has.
    fn offer(&mut self) {
        self.group.joining = false;
        self.group.in_round = true;
        self.group.offered = self.group.held.clone();
        let assignment = self.group.assignment.as_ref();
        let assignment = assignment.map(|last| Assignment {
            error: AssignmentError::None,
            assigned: self.group.held.clone(),
            ..last.clone()
        });
        let state =
            MemberState { url: self.settings.url.clone(), config_offset: self.config.offset(), assignment };
        self.effects.push(Effect::AnswerJoining(offered(self.settings.protocol, &state)));
    }

    #[cfg(test)]
    pub(super) fn group_session(&self) -> u64 {
        self.group.session
    }

    /// All that is this worker's.
    #[cfg(test)]
    pub(super) fn held(&self) -> &Work {
        &self.group.held
    }

    /// Whether the task is this worker's, even if it does not run at the moment.
    pub(super) fn holds_task(&self, id: &TaskId) -> bool {
        self.group.held.tasks.contains(id)
    }
}

/// A member whose metadata cannot be read is left out and gets nothing.
fn members(members: &[(String, Bytes)]) -> BTreeMap<String, MemberState> {
    let read = members.iter().filter_map(|(id, metadata)| match decode_metadata(metadata) {
        Ok(state) => Some((id.clone(), state)),
        Err(error) => {
            tracing::error!(member = id, %error, "a member of the group cannot be understood and gets no work");
            None
        }
    });
    read.collect()
}
