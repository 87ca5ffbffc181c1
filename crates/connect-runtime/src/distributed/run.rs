//! The loop: one event after the other goes through the state, and what the state wants done is begun at once. Nothing is waited
//! for here, so that a slow connector or broker holds up neither heartbeats nor requests.

use super::effects::Performer;
use super::state::{Event, Now, Settings};
use super::{HerderParts, Inner};
use crate::group::Protocol;
use crate::ports::GroupEvent;
use crate::worker::WorkerEvent;
use crate::worker_config::Mode;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio::time::Instant;

impl Settings {
    pub(super) fn of(parts: &HerderParts) -> Self {
        let worker = &parts.worker_config;
        let common = Self {
            url: parts.url.clone(),
            // There is nobody to sign for, and nobody to wait for.
            protocol: Protocol::Compatible,
            max_delay: Duration::ZERO,
            sync_timeout: Duration::from_secs(3),
            unsync_backoff: Duration::ZERO,
            keys: None,
            auto_restart: worker.auto_restart,
            patience: parts.patience,
            track_topics: worker.topic_tracking.enable,
        };
        match &worker.mode {
            Mode::Standalone { .. } => common,
            Mode::Distributed(config) => Self {
                protocol: config.protocol,
                max_delay: config.scheduled_rebalance_max_delay,
                sync_timeout: config.worker_sync_timeout,
                unsync_backoff: config.worker_unsync_backoff,
                keys: Some(config.inter_worker_keys.clone()),
                ..common
            },
        }
    }
}

pub(super) fn now() -> Now {
    Now { instant: Instant::now().into_std(), epoch_ms: epoch_ms() }
}

pub(super) fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(super) async fn run(
    inner: Arc<Inner>,
    mut events: mpsc::UnboundedReceiver<Event>,
    mut worker_events: mpsc::UnboundedReceiver<WorkerEvent>,
) {
    let mut performer = Performer::new(inner.clone());
    let mut wake = None;
    while !performer.is_finished() {
        let event = tokio::select! {
            Some(event) = events.recv() => event,
            Some(event) = worker_events.recv() => Event::Worker(event),
            (session, event) = group_event(&mut performer.group_events) => {
                match event {
                    Some(event) => match performer.group_event(session, event) {
                        Some(event) => event,
                        None => continue,
                    },
                    None => continue,
                }
            }
            () = sleep_until(wake) => Event::Tick,
        };
        // The group may have gone on while the last words of others were read.
        if matches!(event, Event::Leading { generation, .. } if !performer.is_asked_to_lead(generation)) {
            continue;
        }
        let now = now();
        let (effects, health) = {
            let mut state = inner.state.write().unwrap_or_else(PoisonError::into_inner);
            let effects = state.step(event, now);
            wake = state.next_wake(now);
            (effects, state.health())
        };
        for effect in effects {
            performer.perform(effect);
        }
        inner.health.send_if_modified(|known| {
            let changed = *known != health;
            *known = health;
            changed
        });
    }
    // Whoever still waits for an answer is told by the end of its channel; nobody can begin to wait after it.
    drop(events);
    inner.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    inner.finished.send_replace(true);
}

/// The next event of the membership; without one, or when it has ended, never.
async fn group_event(
    membership: &mut Option<(u64, mpsc::UnboundedReceiver<GroupEvent>)>,
) -> (u64, Option<GroupEvent>) {
    let Some((session, events)) = membership else { return std::future::pending().await };
    let (session, event) = (*session, events.recv().await);
    if event.is_none() {
        *membership = None;
    }
    (session, event)
}

async fn sleep_until(wake: Option<std::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
