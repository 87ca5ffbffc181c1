//! What runs on this worker. Nobody starts or stops anything directly: what should run follows from the assignment and the
//! config topic, and [`reconcile`](State::reconcile) brings about the difference. So a start never overtakes the stop of the same
//! item, and a slow stop holds up nothing but its own item.

use super::{Effect, Item, Now, State};
use crate::group::Work;
use crate::herder::{RestartRequest, State as RunState, TargetState, TaskId};
use crate::worker::{RunStatus, WorkerEvent};
use std::collections::BTreeMap;
use std::time::Instant;

#[derive(Default)]
pub(super) struct Running {
    /// What should run here, as far as it is configured. A part of what is held: what has been assigned is active once
    /// the config topic has been read as far as the assignment speaks of.
    active: Work,
    slots: BTreeMap<Item, Slot>,
    /// How often an item was asked to restart; a slot of an earlier count is to be replaced.
    wishes: BTreeMap<Item, u64>,
    /// Connectors with new task configurations, and the offset from which on an assignment knows of them. Their tasks rest until all
    /// workers have stopped the old ones, which is when they have joined again.
    resting: BTreeMap<String, i64>,
    /// How often auto-restart has tried in a row.
    attempts: BTreeMap<Item, u32>,
    /// Counts starts.
    run: u64,
    /// Counts stops whose status must be in the topic before this worker joins again ...
    unsaid: u64,
    /// ... of which so many are on their way there ...
    flushing: Option<u64>,
    /// ... and so many have arrived.
    said: u64,
    /// Something has changed since the last [`State::reconcile`].
    touched: bool,
}

/// Something that was started and whose stop has not ended.
struct Slot {
    run: u64,
    wish: u64,
    stopping: bool,
    phase: Phase,
    /// It is stopped to be restarted because somebody asked for it, and is shown so.
    shown_restarting: bool,
    /// When auto-restart tries again.
    restart_at: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Up { since: Instant },
    Failed,
}

impl Running {
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    pub(super) fn flushed(&mut self) {
        if let Some(flushed) = self.flushing.take() {
            self.said = flushed;
        }
    }

    pub(super) fn is_active(&self, item: &Item) -> bool {
        item.is_in(&self.active)
    }

    /// Nothing of it is left here.
    pub(super) fn is_idle(&self) -> bool {
        self.slots.is_empty()
    }

    fn wish(&self, item: &Item) -> u64 {
        self.wishes.get(item).copied().unwrap_or_default()
    }
}

impl State {
    /// Leaves active only what is `held`.
    pub(super) fn keep_active(&mut self, held: &Work) {
        self.work.active = self.work.active.within(held);
        self.work.touch();
    }

    /// Makes all of `held` active, but for tasks whose change an assignment made at `offset` does not know of.
    pub(super) fn activate(&mut self, held: &Work, offset: i64) {
        self.work.resting.retain(|_, since| *since > offset);
        let resting = &self.work.resting;
        self.work.active = held.clone();
        self.work.active.tasks.retain(|id| !resting.contains_key(&id.connector));
        self.work.touch();
    }

    pub(super) fn stop_all(&mut self) {
        self.keep_active(&Work::default());
    }

    pub(super) fn restart_connector_in_place(&mut self, name: &str) {
        self.publications.forget(name);
        self.restart(&Item::Connector(name.to_owned()), false);
    }

    pub(super) fn tasks_changed(&mut self, name: &str, offset: i64, now: Now) {
        self.work.touch();
        self.publications.recheck(name, now);
        self.publications.look_at_stopped = true;
        if !self.started {
            return;
        }
        self.work.resting.insert(name.to_owned(), offset);
        self.work.active.tasks.retain(|id| id.connector != name);
        if self.config.inconsistent().any(|connector| connector == name)
            && self.runs(&Item::Connector(name.to_owned()))
        {
            // Only the connector can make them whole again.
            self.effects.push(Effect::Reconfigure { connector: name.to_owned() });
        }
    }

    pub(super) fn target_state_changed(&mut self, connector: String) {
        self.publications.look_at_stopped = true;
        let here = self.work.slots.keys().any(|item| item.connector() == connector);
        if here {
            let target = self.config.target_state(&connector);
            self.effects.push(Effect::SetTarget { connector, target });
        }
    }

    /// A restart request of the config topic (KIP-745): each worker restarts what it runs itself.
    pub(super) fn restart_as_told(&mut self, name: &str, request: RestartRequest) {
        let concerned: Vec<Item> = self
            .work
            .slots
            .iter()
            .filter(|(item, slot)| {
                item.connector() == name
                    && (request.include_tasks || matches!(item, Item::Connector(_)))
                    && (!request.only_failed || slot.phase == Phase::Failed)
            })
            .map(|(item, _)| item.clone())
            .collect();
        for item in concerned {
            self.work.attempts.remove(&item);
            self.restart(&item, true);
        }
    }

    /// Replaces what runs by a new run; nothing happens if nothing of it runs. Returns the count of the wish.
    pub(super) fn restart(&mut self, item: &Item, shown: bool) -> u64 {
        let Some(slot) = self.work.slots.get_mut(item) else { return self.work.wish(item) };
        slot.shown_restarting |= shown;
        let wish = self.work.wishes.entry(item.clone()).or_default();
        *wish += 1;
        self.work.touched = true;
        *wish
    }

    /// The run that serves the wish, unless it has not begun.
    pub(super) fn run_of(&self, item: &Item, wish: u64) -> Option<u64> {
        let slot = self.work.slots.get(item)?;
        (slot.wish >= wish && !slot.stopping).then_some(slot.run)
    }

    /// What has become of the run: `Some(true)` it is up, `Some(false)` it has failed, `None` it is still starting.
    pub(super) fn outcome(&self, item: &Item) -> Option<bool> {
        match self.work.slots.get(item)?.phase {
            Phase::Starting => None,
            Phase::Up { .. } => Some(true),
            Phase::Failed => Some(false),
        }
    }

    pub(super) fn is_current_run(&self, item: &Item, run: u64) -> bool {
        self.work.slots.get(item).is_some_and(|slot| slot.run == run && !slot.stopping)
    }

    fn runs(&self, item: &Item) -> bool {
        self.work.slots.get(item).is_some_and(|slot| !slot.stopping)
    }

    /// Assigned, resolved, and known to the config topic.
    pub(super) fn is_wanted(&self, item: &Item) -> bool {
        self.work.is_active(item)
            && match item {
                Item::Connector(name) => self.config.contains(name),
                Item::Task(id) => {
                    self.config.contains(&id.connector) && self.config.task_ids(&id.connector).contains(id)
                }
            }
    }

    /// Starts and stops what is to be.
    pub(super) fn reconcile(&mut self) {
        if !std::mem::take(&mut self.work.touched) {
            return;
        }
        let superfluous: Vec<Item> = self
            .work
            .slots
            .iter()
            .filter(|(item, slot)| {
                !slot.stopping && (slot.wish != self.work.wish(item) || !self.is_wanted(item))
            })
            .map(|(item, _)| item.clone())
            .collect();
        for item in superfluous {
            if let Some(slot) = self.work.slots.get_mut(&item) {
                slot.stopping = true;
                slot.restart_at = None;
                if let Item::Connector(name) = &item {
                    self.publications.forget(name);
                }
                self.effects.push(Effect::Stop { run: slot.run, item });
            }
        }
        let active = self.work.active.connectors.iter().cloned().map(Item::Connector);
        let active = active.chain(self.work.active.tasks.iter().cloned().map(Item::Task));
        let missing: Vec<Item> =
            active.filter(|item| !self.work.slots.contains_key(item) && self.is_wanted(item)).collect();
        for item in missing {
            self.start(item);
        }
        // What is not here any more needs no memory.
        let Running { active, slots, wishes, attempts, .. } = &mut self.work;
        wishes.retain(|item, _| item.is_in(active) || slots.contains_key(item));
        attempts.retain(|item, _| item.is_in(active));
    }

    fn start(&mut self, item: Item) {
        let Some(config) = self.config.connector_config(item.connector()).cloned() else { return };
        let target = self.config.target_state(item.connector());
        self.work.run += 1;
        let run = self.work.run;
        let effect = match &item {
            Item::Connector(name) => Effect::StartConnector { run, name: name.clone(), config, target },
            Item::Task(id) => {
                let Some(task_config) = self.config.task_config(id).cloned() else { return };
                Effect::StartTask { run, id: id.clone(), connector_config: config, task_config, target }
            }
        };
        self.effects.push(effect);
        let slot = Slot {
            run,
            wish: self.work.wish(&item),
            stopping: false,
            phase: Phase::Starting,
            shown_restarting: false,
            restart_at: None,
        };
        self.work.slots.insert(item, slot);
    }

    pub(super) fn on_worker_event(&mut self, event: WorkerEvent, now: Now) {
        match event {
            WorkerEvent::Connector { run, name, status } => {
                self.on_run_status(Item::Connector(name), run, status, now);
            }
            WorkerEvent::Task { run, id, status } => self.on_run_status(Item::Task(id), run, status, now),
            WorkerEvent::TaskConfigs { run, connector, configs } => {
                if self.is_current_run(&Item::Connector(connector.clone()), run) {
                    self.publications.put(connector, configs, now);
                }
            }
            WorkerEvent::TopicUsed { connector, task, topic } => {
                let id = TaskId { connector: connector.clone(), task };
                if self.settings.track_topics && self.is_wanted(&Item::Task(id)) {
                    self.effects.push(Effect::TopicUsed { connector, task, topic });
                }
            }
        }
    }

    fn on_run_status(&mut self, item: Item, run: u64, status: RunStatus, now: Now) {
        // What is stopping is spoken of when it has stopped.
        if !self.is_current_run(&item, run) {
            return;
        }
        let Some(slot) = self.work.slots.get_mut(&item) else { return };
        let (phase, state, trace) = match status {
            RunStatus::Running => (Phase::Up { since: now.instant }, RunState::Running, None),
            RunStatus::Paused => (Phase::Up { since: now.instant }, RunState::Paused, None),
            RunStatus::Stopped => (Phase::Up { since: now.instant }, RunState::Stopped, None),
            RunStatus::Failed { trace } => (Phase::Failed, RunState::Failed, Some(trace)),
            RunStatus::Ended => (Phase::Starting, RunState::Unassigned, None),
        };
        let before = std::mem::replace(&mut slot.phase, phase);
        slot.restart_at = None;
        if phase == Phase::Failed {
            self.schedule_restart(&item, before, now);
        }
        let generation = self.generation();
        self.effects.push(Effect::PutStatus { item, state, trace, generation });
    }

    /// `errors.auto.restart.*`: the pause doubles from failure to failure, and is short again after a good while.
    fn schedule_restart(&mut self, item: &Item, before: Phase, now: Now) {
        let Some(auto) = self.settings.auto_restart else { return };
        if self.config.target_state(item.connector()) != TargetState::Started {
            return;
        }
        let attempts = self.work.attempts.entry(item.clone()).or_default();
        if matches!(before, Phase::Up { since } if now.instant.duration_since(since) > auto.max_backoff) {
            *attempts = 0;
        }
        let pause = auto.first_backoff.saturating_mul(1 << (*attempts).min(30)).min(auto.max_backoff);
        *attempts += 1;
        if let Some(slot) = self.work.slots.get_mut(item) {
            slot.restart_at = Some(now.instant + pause);
        }
    }

    pub(super) fn restart_failed(&mut self, now: Now) {
        let is_due = |slot: &Slot| slot.restart_at.is_some_and(|at| at <= now.instant);
        let due = self.work.slots.iter().filter(|(_, slot)| is_due(slot)).map(|(item, _)| item.clone());
        for item in due.collect::<Vec<_>>() {
            if let Some(slot) = self.work.slots.get_mut(&item) {
                slot.restart_at = None;
            }
            if self.config.target_state(item.connector()) == TargetState::Started {
                tracing::info!(item = %item, "it has failed and is started again");
                self.restart(&item, true);
            }
        }
    }

    pub(super) fn restart_wake(&self) -> Option<Instant> {
        self.work.slots.values().filter_map(|slot| slot.restart_at).min()
    }

    pub(super) fn on_stopped(&mut self, item: &Item, run: u64) {
        let Some(slot) = self.work.slots.remove(item) else { return };
        if slot.run != run {
            self.work.slots.insert(item.clone(), slot);
            return;
        }
        self.work.touch();
        let wanted = self.is_wanted(item);
        let state = if wanted && slot.shown_restarting { RunState::Restarting } else { RunState::Unassigned };
        let generation = self.generation();
        self.effects.push(Effect::PutStatus { item: item.clone(), state, trace: None, generation });
        if !wanted {
            self.work.unsaid += 1;
            if self.settings.track_topics && !self.config.contains(item.connector()) {
                // Only now, or the last records of the task would bring them back.
                self.effects.push(Effect::ForgetTopics { connector: item.connector().to_owned() });
            }
        }
    }

    /// Whether all that had to stop has stopped, and the status topic says so. Until then this worker must not join a
    /// rebalance: others would get its work while it still runs.
    pub(super) fn is_quiet(&mut self) -> bool {
        let stopping = self.work.slots.iter().any(|(item, slot)| slot.stopping && !self.is_wanted(item));
        if stopping {
            return false;
        }
        if self.work.said < self.work.unsaid {
            if self.work.flushing.is_none() {
                self.work.flushing = Some(self.work.unsaid);
                self.effects.push(Effect::FlushStatuses);
            }
            return false;
        }
        true
    }
}
