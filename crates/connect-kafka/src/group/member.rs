//! A member's life in its group: join, sync, heartbeats, and again (`AbstractCoordinator` in Java).

use super::backoff::Backoff;
use super::coordinator::Coordinator;
use super::outage::{Outage, chain};
use super::session::Session;
use super::verdict::{Verdict, judge};
use crate::wire::{
    Cluster, Code, JoinAnswer, JoinCall, Joined, Seat, WireError, heartbeat, join, leave, sync,
};
use bytes::Bytes;
use connect_runtime::ports::{GroupEvent, OfferedProtocols};
use futures::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long leaving may take.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

/// How much longer than the rebalance timeout the answer to JoinGroup is waited for; Java's figure.
const JOIN_SLACK: Duration = Duration::from_secs(5);

/// The pause after an error that no retry will cure.
const HOPELESS_PAUSE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct MemberConfig {
    pub(super) group: String,
    pub(super) session_timeout: Duration,
    pub(super) heartbeat_interval: Duration,
    pub(super) rebalance_timeout: Duration,
}

pub(super) struct Member {
    cluster: Arc<Cluster>,
    config: MemberConfig,
    events: mpsc::UnboundedSender<GroupEvent>,
    /// Somebody wants a rebalance; many requests before one round are one.
    rejoin: Arc<Notify>,
    session: Arc<Session>,
    coordinator: Coordinator,
    /// Empty until the coordinator has given one.
    member_id: String,
    /// Since the last JoinGroup that was answered.
    seat: Option<Seat>,
    /// Has been told of an assignment, and not yet of its loss.
    works: bool,
    next_beat: Instant,
    /// Why the next JoinGroup is sent, for the broker's log.
    reason: String,
    outage: Outage,
    complained: Option<&'static str>,
}

/// Why a round did not come to its end.
enum Setback {
    /// Nobody listens to the events any more.
    Alone,
    /// The herder had no answer to an event.
    Unanswered,
    Wire(WireError),
}

impl From<WireError> for Setback {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl Member {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        config: MemberConfig,
        events: mpsc::UnboundedSender<GroupEvent>,
        rejoin: Arc<Notify>,
    ) -> Self {
        Self {
            outage: Outage::of(format!("member of group {}", config.group)),
            session: Arc::new(Session::new(config.session_timeout)),
            coordinator: Coordinator::of(cluster.clone(), &config.group),
            cluster,
            config,
            events,
            rejoin,
            member_id: String::new(),
            seat: None,
            works: false,
            next_beat: Instant::now(),
            reason: "the worker is starting".to_owned(),
            complained: None,
        }
    }

    /// Runs until nobody listens any more. May be dropped at any time; [`leave`](Self::leave) is still possible then.
    pub(super) async fn run(&mut self) {
        loop {
            let session = self.session.clone();
            tokio::select! {
                () = self.rounds() => return,
                // Whatever was under way, such as a heartbeat that nobody answers, is given up.
                () = session.expiry() => {
                    let seconds = self.config.session_timeout.as_secs_f32();
                    self.lose(format!("the group's coordinator has not been heard of for {seconds} s"));
                    self.coordinator.forget();
                    self.reason = "the session has expired".to_owned();
                }
            }
        }
    }

    async fn rounds(&mut self) {
        let mut backoff = Backoff::new(self.cluster.settings.backoff);
        let mut failures = 0_u32;
        loop {
            let error = match self.round().await {
                Ok(reason) => {
                    self.reason = reason.to_owned();
                    backoff.reset();
                    failures = 0;
                    continue;
                }
                Err(Setback::Alone) => return,
                Err(Setback::Unanswered) => {
                    sleep(backoff.next()).await;
                    continue;
                }
                Err(Setback::Wire(error)) => error,
            };
            failures += 1;
            let pause = match self.suffer(&error) {
                Verdict::Rejoin | Verdict::NewMember if failures == 1 => Duration::ZERO,
                Verdict::Hopeless(_) => HOPELESS_PAUSE,
                _ => backoff.next(),
            };
            sleep(pause).await;
        }
    }

    /// Joins, and stays until there is a reason to join again.
    async fn round(&mut self) -> Result<&'static str, Setback> {
        let connection = self.coordinator.connection().await?;
        self.coordinator.put_back(connection);
        // What was asked for until now is served by this round.
        let _ = self.rejoin.notified().now_or_never();
        let offered = self.ask(|answer| GroupEvent::Joining { answer }).await?;
        let joined = self.join(&offered).await?;
        let generation = joined.generation;
        let seat = Seat {
            group: self.config.group.clone(),
            member_id: joined.member_id.clone(),
            generation,
            protocol: joined.protocol.clone(),
        };
        self.seat = Some(seat.clone());
        let leads = joined.leader == joined.member_id;
        tracing::info!(
            group = self.config.group,
            generation,
            member = self.member_id,
            leads,
            "joined the group"
        );
        let assignments = if leads {
            let event = |answer| GroupEvent::Leading {
                generation,
                protocol: joined.protocol,
                leader_id: joined.leader,
                members: joined.members,
                answer,
            };
            self.ask(event).await?
        } else {
            Vec::new()
        };
        let assignment = self.sync(&seat, assignments).await?;
        self.outage.is_over();
        self.complained = None;
        self.works = true;
        let Seat { protocol, member_id, .. } = seat;
        self.tell(GroupEvent::Joined { protocol, generation, member_id, assignment })?;
        self.stay().await
    }

    fn tell(&self, event: GroupEvent) -> Result<(), Setback> {
        self.events.send(event).map_err(|_| Setback::Alone)
    }

    /// Asks the herder, and keeps the membership alive until it has answered.
    async fn ask<T>(&mut self, event: impl FnOnce(oneshot::Sender<T>) -> GroupEvent) -> Result<T, Setback> {
        let (answer, mut answered) = oneshot::channel();
        self.tell(event(answer))?;
        loop {
            tokio::select! {
                biased;
                got = &mut answered => return got.map_err(|_| Setback::Unanswered),
                () = sleep_until(self.next_beat), if self.seat.is_some() => {
                    // The group may well be rebalancing without waiting for the answer; JoinGroup will tell.
                    if let Err(error) = self.beat().await
                        && error.code() != Some(Code::RebalanceInProgress)
                    {
                        self.suffer(&error);
                    }
                }
            }
        }
    }

    async fn join(&mut self, offered: &OfferedProtocols) -> Result<Joined, WireError> {
        let patience = self
            .cluster
            .settings
            .request_timeout
            .max(self.config.rebalance_timeout.saturating_add(JOIN_SLACK));
        loop {
            let mut connection = self.coordinator.connection().await?;
            let call = JoinCall {
                group: &self.config.group,
                member_id: &self.member_id,
                session_timeout: self.config.session_timeout,
                rebalance_timeout: self.config.rebalance_timeout,
                protocols: offered,
                reason: &self.reason,
            };
            self.session.wait_for_others();
            let answer = join(&mut connection, call, patience).await;
            self.coordinator.put_back(connection);
            match answer {
                Ok(JoinAnswer::MemberId(id)) => self.member_id = id,
                Ok(JoinAnswer::Joined(joined)) => {
                    self.member_id.clone_from(&joined.member_id);
                    // the coordinator's clock starts with its answer
                    self.heard(Instant::now());
                    return Ok(joined);
                }
                Err(error) => {
                    self.session.waited_in_vain(!matches!(error, WireError::Silent { .. }));
                    return Err(error);
                }
            }
        }
    }

    async fn sync(&mut self, seat: &Seat, assignments: Vec<(String, Bytes)>) -> Result<Bytes, WireError> {
        let patience = self.cluster.settings.request_timeout.max(self.config.rebalance_timeout);
        let mut connection = self.coordinator.connection().await?;
        self.session.wait_for_others();
        let answer = sync(&mut connection, seat, assignments, patience).await;
        self.coordinator.put_back(connection);
        match &answer {
            Ok(_) => self.heard(Instant::now()),
            Err(error) => self.session.waited_in_vain(!matches!(error, WireError::Silent { .. })),
        }
        answer
    }

    /// Heartbeats, until the group or somebody here wants another round.
    async fn stay(&mut self) -> Result<&'static str, Setback> {
        loop {
            tokio::select! {
                () = self.rejoin.notified() => return Ok("the worker asks for a rebalance"),
                () = self.events.closed() => return Err(Setback::Alone),
                () = sleep_until(self.next_beat) => {}
            }
            match self.beat().await {
                Ok(()) => self.outage.is_over(),
                Err(error) if error.code() == Some(Code::RebalanceInProgress) => {
                    return Ok("the group is rebalancing");
                }
                // The coordinator may move or go for a while: the membership is in the group's topic and goes on.
                Err(error) => match judge(&error) {
                    Verdict::Wait | Verdict::Elsewhere => {
                        self.suffer(&error);
                    }
                    _ => return Err(error.into()),
                },
            }
        }
    }

    async fn beat(&mut self) -> Result<(), WireError> {
        let Some(seat) = self.seat.clone() else { return Ok(()) };
        // should this fail
        self.next_beat = Instant::now() + self.cluster.settings.backoff.1.min(self.config.heartbeat_interval);
        let patience = self.cluster.settings.request_timeout.min(self.config.session_timeout);
        let mut connection = self.coordinator.connection().await?;
        let sent = Instant::now();
        let answer = heartbeat(&mut connection, &seat, patience).await;
        self.coordinator.put_back(connection);
        match &answer {
            Ok(()) => self.heard(sent),
            Err(error) if error.code() == Some(Code::RebalanceInProgress) => self.heard(sent),
            Err(_) => {}
        }
        answer
    }

    fn heard(&mut self, at: Instant) {
        self.session.heard(at);
        self.next_beat = at + self.config.heartbeat_interval;
    }

    /// Draws the consequences of an error.
    fn suffer(&mut self, error: &WireError) -> Verdict {
        let verdict = judge(error);
        match verdict {
            Verdict::Wait => self.outage.goes_on(error),
            Verdict::Elsewhere => {
                self.outage.goes_on(error);
                self.coordinator.forget();
            }
            Verdict::Rejoin => {
                tracing::info!(group = self.config.group, error = chain(error), "joining the group again");
                if error.code() == Some(Code::IllegalGeneration) {
                    self.seat = None;
                }
            }
            Verdict::NewMember => {
                self.lose(format!("the group's coordinator has removed this worker ({})", chain(error)));
                self.member_id.clear();
            }
            Verdict::Hopeless(remedy) => {
                if self.complained != Some(remedy) {
                    self.complained = Some(remedy);
                    tracing::error!(
                        group = self.config.group,
                        error = chain(error),
                        remedy,
                        "cannot be in the group"
                    );
                }
                self.coordinator.forget();
            }
        }
        self.reason = chain(error);
        verdict
    }

    /// Others may get this worker's work from now on.
    fn lose(&mut self, why: String) {
        self.seat = None;
        self.session.end();
        if std::mem::take(&mut self.works) {
            tracing::warn!(group = self.config.group, why, "lost the membership");
            // Whoever does not listen any more is found out by the next round.
            let _ = self.events.send(GroupEvent::Lost { why });
        }
    }

    /// Tells the coordinator that this member goes, if it can be told soon.
    pub(super) async fn leave(&mut self) {
        self.session.end();
        if self.member_id.is_empty() {
            return;
        }
        match timeout(GOODBYE, self.say_goodbye()).await {
            Ok(Ok(())) => {
                tracing::info!(group = self.config.group, member = self.member_id, "left the group")
            }
            Ok(Err(error)) => {
                tracing::warn!(
                    group = self.config.group,
                    error = chain(&error),
                    "could not leave the group properly"
                );
            }
            Err(_) => tracing::warn!(group = self.config.group, "could not leave the group in time"),
        }
        self.member_id.clear();
    }

    async fn say_goodbye(&mut self) -> Result<(), WireError> {
        let mut connection = self.coordinator.connection().await?;
        let first = leave(&mut connection, &self.config.group, &self.member_id, GOODBYE).await;
        match first {
            Err(error) if judge(&error) == Verdict::Elsewhere => {
                self.coordinator.forget();
                let mut connection = self.coordinator.connection().await?;
                leave(&mut connection, &self.config.group, &self.member_id, GOODBYE).await
            }
            // it was removed before
            Err(error) if error.code() == Some(Code::UnknownMemberId) => Ok(()),
            other => other,
        }
    }
}
