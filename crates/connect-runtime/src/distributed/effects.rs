//! What the state wants done, done on the ports.

use super::Inner;
use super::run::epoch_ms;
use super::state::{Effect, Event, Item};
use super::writer::Writer;
use crate::herder::{State as RunState, TaskId};
use crate::ports::{GroupEvent, OfferedProtocols};
use crate::signature::SessionKey;
use crate::store::{Status, TopicStatus, config_records};
use bytes::Bytes;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Statuses that Kafka does not take in this time are still tried, but nobody waits for them.
const FLUSH: Duration = Duration::from_secs(5);

/// How long a leader waits to hear which work was left properly.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Whoever does not leave properly is missed after its session timeout.
const LEAVE: Duration = Duration::from_secs(5);

/// A request to the leader may wait there for a rebalance.
const POST: Duration = Duration::from_secs(90);

/// By member id.
type Assignments = Vec<(String, Bytes)>;

pub(super) struct Performer {
    inner: Arc<Inner>,
    writer: Writer,
    /// Of the present membership, by its session.
    pub(super) group_events: Option<(u64, mpsc::UnboundedReceiver<GroupEvent>)>,
    joining: Option<oneshot::Sender<OfferedProtocols>>,
    /// By the generation that waits for its assignments.
    leading: Option<(i32, oneshot::Sender<Assignments>)>,
    finished: bool,
}

impl Performer {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        let writer = Writer::start(inner.parts.config_log.clone(), inner.events.clone());
        Self { inner, writer, group_events: None, joining: None, leading: None, finished: false }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The event without its channel, which is kept for the answer; `None` if it comes later.
    pub(super) fn group_event(&mut self, session: u64, event: GroupEvent) -> Option<Event> {
        Some(match event {
            GroupEvent::Joining { answer } => {
                self.joining = Some(answer);
                self.leading = None;
                Event::Joining { session }
            }
            GroupEvent::Leading { protocol, generation, leader_id, members, answer } => {
                self.leading = Some((generation, answer));
                let statuses = self.inner.statuses.clone();
                let since = self.inner.state().generation();
                self.later(async move {
                    // A worker that leaves says UNASSIGNED of its work just before; without these words its work would
                    // wait for its return.
                    if !matches!(timeout(LAST_WORDS, statuses.read_to_end()).await, Ok(Ok(()))) {
                        tracing::warn!(
                            "the status topic cannot be read in time; work of workers that have left may wait"
                        );
                    }
                    // What was said before the last round is about who had it then.
                    let let_go = statuses.let_go(since);
                    Event::Leading { session, protocol, generation, leader_id, members, let_go }
                });
                return None;
            }
            GroupEvent::Joined { protocol, generation, member_id, assignment } => {
                Event::Joined { session, protocol, generation, member_id, assignment }
            }
            GroupEvent::Lost { why } => Event::Lost { session, why },
        })
    }

    /// Whether the membership still waits for the assignments of this generation.
    pub(super) fn is_asked_to_lead(&self, generation: i32) -> bool {
        self.leading.as_ref().is_some_and(|(asked, answer)| *asked == generation && !answer.is_closed())
    }

    pub(super) fn perform(&mut self, effect: Effect) {
        let inner = &self.inner;
        let parts = &inner.parts;
        match effect {
            Effect::Join { session } => {
                let (sender, receiver) = mpsc::unbounded_channel();
                self.group_events = Some((session, receiver));
                parts.group.join(sender);
            }
            Effect::Leave => {
                self.group_events = None;
                self.joining = None;
                self.leading = None;
                let group = parts.group.clone();
                self.later(async move {
                    if timeout(LEAVE, group.leave()).await.is_err() {
                        tracing::warn!("the group of workers could not be told that this worker leaves");
                    }
                    Event::Left
                });
            }
            Effect::RequestRejoin => parts.group.request_rejoin(),
            // An answer that comes too late is asked for again.
            Effect::AnswerJoining(offered) => {
                let _ = self.joining.take().map(|answer| answer.send(offered));
            }
            Effect::AnswerLeading(assignments) => {
                let _ = self.leading.take().map(|(_, answer)| answer.send(assignments));
            }
            Effect::StartConnector { run, name, config, target } => {
                tracing::info!(connector = name, "starting connector");
                inner.worker.start_connector(run, &name, config, target);
            }
            Effect::StartTask { run, id, connector_config, task_config, target } => {
                tracing::info!(connector = id.connector, task = id.task, "starting task");
                inner.worker.start_task(run, &id, connector_config, task_config, target);
            }
            Effect::Stop { item, run } => {
                let worker = inner.worker.clone();
                self.later(async move {
                    worker.stop(&item.work()).await;
                    Event::Stopped { item, run }
                });
            }
            Effect::SetTarget { connector, target } => inner.worker.set_target_state(&connector, target),
            Effect::Reconfigure { connector } => inner.worker.reconfigure_tasks(&connector),
            Effect::PutStatus { item, state, trace, generation } => {
                self.put_status(&item, state, trace, generation);
            }
            Effect::TopicUsed { connector, task, topic } => {
                if !inner.statuses.topics(&connector).iter().any(|known| known.topic == topic) {
                    let discovered = epoch_ms();
                    inner.statuses.put_topic(TopicStatus { topic, connector, task, discovered });
                }
            }
            Effect::CleanStatuses => self.clean_statuses(),
            Effect::ForgetTopics { connector } => inner.forget_topics(&connector),
            Effect::FlushStatuses => {
                let statuses = inner.statuses.clone();
                self.later(async move {
                    if timeout(FLUSH, statuses.flush()).await.is_err() {
                        tracing::warn!("statuses are not written in time");
                    }
                    Event::Flushed
                });
            }
            Effect::ReadConfig { read, timeout: limit } => {
                let log = parts.config_log.clone();
                self.later(async move {
                    let in_time = match timeout(limit, log.read_to_end()).await {
                        Ok(Ok(())) => true,
                        Ok(Err(error)) => {
                            tracing::warn!(error = error.chain(), "the config topic cannot be read");
                            false
                        }
                        Err(_) => false,
                    };
                    Event::ConfigRead { read, in_time }
                });
            }
            Effect::Write { write, records } => self.writer.write(write, records),
            Effect::WriteSessionKey { write, algorithm, size } => {
                let mut key = vec![0; size];
                match getrandom::fill(&mut key) {
                    Ok(()) => {
                        let key = SessionKey { key, algorithm, created: epoch_ms() };
                        self.writer.write(write, vec![config_records::session_key(&key)]);
                    }
                    Err(error) => {
                        let result = Err(format!("the system gives no random numbers: {error}"));
                        inner.tell(Event::Written { write, result });
                    }
                }
            }
            Effect::Post { connector, attempt, leader_url, body, signature } => {
                let peers = parts.peers.clone();
                self.later(async move {
                    let posted = peers.put_task_configs(&leader_url, &connector, body, signature.as_ref());
                    let result = match timeout(POST, posted).await {
                        Ok(result) => result.map_err(|error| error.to_string()),
                        Err(_) => Err(format!("the worker at {leader_url} does not answer")),
                    };
                    Event::Posted { connector, attempt, result }
                });
            }
            Effect::AlterOffsets { request, connector, config, offsets } => {
                let worker = inner.worker.clone();
                self.later(async move {
                    let result = worker.alter_offsets(&connector, &config, offsets).await;
                    Event::OffsetsAltered { request, connector, result }
                });
            }
            Effect::Answer(request, answer) => {
                let waiting = inner.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&request);
                // Whoever asked may have gone.
                let _ = waiting.map(|waiting| waiting.send(answer));
            }
            Effect::SetLogLevel { logger, level } => {
                tracing::info!(logger, level, "the level of a logger was set for all workers");
                parts.log_levels.set(&logger, &level);
            }
            Effect::Finished => self.finished = true,
        }
    }

    /// Goes on beside the loop; what comes out of it is an event.
    fn later(&self, work: impl Future<Output = Event> + Send + 'static) {
        let events = self.inner.events.clone();
        tokio::spawn(async move {
            // Nobody is interested any more when the herder has finished.
            let _ = events.send(work.await);
        });
    }

    fn put_status(&self, item: &Item, state: RunState, trace: Option<String>, generation: i32) {
        let inner = &self.inner;
        let status = Status {
            state,
            trace,
            worker_id: inner.parts.worker_id.clone(),
            generation,
            version: inner.plugin_version(item.connector()),
        };
        // These two may come when the next worker has already spoken.
        let is_late = matches!(state, RunState::Unassigned | RunState::Failed);
        match item {
            Item::Connector(name) if is_late => inner.statuses.put_connector_safe(name, status),
            Item::Connector(name) => inner.statuses.put_connector(name, status),
            Item::Task(id) if is_late => inner.statuses.put_task_safe(id, status),
            Item::Task(id) => inner.statuses.put_task(id, status),
        }
    }

    fn clean_statuses(&self) {
        let inner = &self.inner;
        let state = inner.state();
        for name in inner.statuses.connectors() {
            if !state.config().contains(&name) {
                inner.statuses.remove_connector(&name);
                inner.forget_topics(&name);
                continue;
            }
            let there_are = state.config().task_ids(&name);
            for (task, _) in inner.statuses.tasks(&name) {
                let id = TaskId { connector: name.clone(), task };
                if !there_are.contains(&id) {
                    inner.statuses.remove_task(&id);
                }
            }
        }
    }
}

impl Inner {
    pub(super) fn forget_topics(&self, connector: &str) {
        for known in self.statuses.topics(connector) {
            self.statuses.remove_topic(connector, &known.topic);
        }
    }

    /// Of the connector's plugin.
    fn plugin_version(&self, connector: &str) -> Option<String> {
        let state = self.state();
        let class = state.config().connector_config(connector)?.get("connector.class")?;
        self.parts.plugins.connector(class).ok().map(|plugin| plugin.version().to_owned())
    }
}
