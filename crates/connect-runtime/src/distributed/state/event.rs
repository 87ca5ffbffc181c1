//! What the state is told, and what it wants done.

use crate::group::{Protocol, Work};
use crate::herder::{
    ConnectorOffset, HerderError, Put, RestartRequest, State as RunState, TargetState, TaskId,
};
use crate::ports::{LogEntry, LogRecord, OfferedProtocols};
use crate::signature::RequestSignature;
use crate::worker::WorkerEvent;
use crate::worker_config::{AutoRestart, InterWorkerKeys};
use bytes::Bytes;
use connect_api::ConfigMap;
use std::time::{Duration, Instant};

/// What the state needs to know of the worker's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where others reach this worker's REST API.
    pub(crate) url: String,
    /// The best protocol it offers.
    pub(crate) protocol: Protocol,
    pub(crate) max_delay: Duration,
    pub(crate) sync_timeout: Duration,
    pub(crate) unsync_backoff: Duration,
    /// `None` in a standalone worker, which signs nothing.
    pub(crate) keys: Option<InterWorkerKeys>,
    pub(crate) auto_restart: Option<AutoRestart>,
    pub(crate) patience: Duration,
    pub(crate) track_topics: bool,
}

/// The two clocks of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    /// Milliseconds since the epoch: what a session key is stamped with.
    pub(crate) epoch_ms: i64,
}

/// A connector or one of its tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Connector(String),
    Task(TaskId),
}

impl Item {
    pub(crate) fn connector(&self) -> &str {
        match self {
            Self::Connector(name) => name,
            Self::Task(id) => &id.connector,
        }
    }

    pub(crate) fn is_in(&self, work: &Work) -> bool {
        match self {
            Self::Connector(name) => work.connectors.contains(name),
            Self::Task(id) => work.tasks.contains(id),
        }
    }

    pub(crate) fn work(&self) -> Work {
        let mut work = Work::default();
        match self {
            Self::Connector(name) => {
                work.connectors.insert(name.clone());
            }
            Self::Task(id) => {
                work.tasks.insert(id.clone());
            }
        }
        work
    }
}

/// `connector` or `connector-0`.
impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connector(name) => f.write_str(name),
            Self::Task(id) => id.fmt(f),
        }
    }
}

/// Why the config topic is read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// An assignment speaks of records not read yet. `round` tells an older assignment apart.
    Resolve { round: u64 },
    /// A member knows more than the leader, which is to assign.
    Lead { round: u64 },
    /// To join again after an absence.
    CatchUp,
    /// A request asks for it.
    Request(u64),
}

/// What happens. `session` counts the times this worker joined after it had left: what was on its way from an earlier membership is
/// passed over.
#[derive(Debug)]
pub(crate) enum Event {
    ConfigRecord(LogEntry),
    /// The logs have been read to their ends for the first time.
    Started,
    Joining {
        session: u64,
    },
    Leading {
        session: u64,
        protocol: String,
        generation: i32,
        leader_id: String,
        members: Vec<(String, Bytes)>,
        /// What nobody runs by the status topic.
        let_go: Work,
    },
    Joined {
        session: u64,
        protocol: String,
        generation: i32,
        member_id: String,
        assignment: Bytes,
    },
    Lost {
        session: u64,
        why: String,
    },
    Left,
    Request(u64, Request),
    Worker(WorkerEvent),
    /// [`Effect::Stop`] is done.
    Stopped {
        item: Item,
        run: u64,
    },
    Flushed,
    ConfigRead {
        read: Read,
        in_time: bool,
    },
    /// The records are in the topic and, unless it failed, have come back as [`Event::ConfigRecord`].
    Written {
        write: u64,
        result: Result<(), String>,
    },
    Posted {
        connector: String,
        attempt: u64,
        result: Result<(), String>,
    },
    OffsetsAltered {
        request: u64,
        connector: String,
        result: Result<String, HerderError>,
    },
    Shutdown,
    /// Time has passed.
    Tick,
}

/// What is asked of the herder as a whole. Reads do not come here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// Answered once it is known who leads: [`Reply::Done`] by the leader.
    Leader,
    Put {
        name: String,
        config: ConfigMap,
        initial_state: Option<TargetState>,
        expected: Expected,
    },
    Delete {
        name: String,
    },
    SetTarget {
        name: String,
        target: TargetState,
    },
    /// The connector alone, by its owner.
    RestartConnector {
        name: String,
    },
    RestartTask {
        id: TaskId,
    },
    /// Connector and tasks, through the config topic.
    Restart {
        name: String,
        request: RestartRequest,
    },
    PutTasks {
        name: String,
        configs: Vec<ConfigMap>,
        body: Bytes,
        signature: Option<RequestSignature>,
    },
    CheckSignature {
        body: Bytes,
        signature: Option<RequestSignature>,
    },
    /// `None` resets all.
    AlterOffsets {
        name: String,
        offsets: Option<Vec<ConnectorOffset>>,
    },
    /// Answered when the config topic has been read to its end.
    Refresh,
    SetLogger {
        logger: String,
        level: String,
    },
}

/// What has to be stored for a [`Request::Put`] to be made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    Anything,
    /// Nothing: the connector is to be new.
    Nothing,
    /// This: the new configuration was made from it.
    This(ConfigMap),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Done,
    Put(Put),
    /// What was expected is not stored any more: to be made anew.
    Stale,
    /// A sentence for the user.
    Message(String),
}

pub(crate) type Answer = Result<Reply, HerderError>;

/// What is to be done. Effects are performed in their order; those that take time go on beside one another and come back as events.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    Join {
        session: u64,
    },
    /// Comes back as [`Event::Left`].
    Leave,
    RequestRejoin,
    AnswerJoining(OfferedProtocols),
    AnswerLeading(Vec<(String, Bytes)>),
    StartConnector {
        run: u64,
        name: String,
        config: ConfigMap,
        target: TargetState,
    },
    StartTask {
        run: u64,
        id: TaskId,
        connector_config: ConfigMap,
        task_config: ConfigMap,
        target: TargetState,
    },
    /// Comes back as [`Event::Stopped`].
    Stop {
        item: Item,
        run: u64,
    },
    SetTarget {
        connector: String,
        target: TargetState,
    },
    Reconfigure {
        connector: String,
    },
    PutStatus {
        item: Item,
        state: RunState,
        trace: Option<String>,
        generation: i32,
    },
    TopicUsed {
        connector: String,
        task: usize,
        topic: String,
    },
    /// Removes the statuses of connectors and tasks that do not exist any more.
    CleanStatuses,
    ForgetTopics {
        connector: String,
    },
    /// Comes back as [`Event::Flushed`] when every status put before is in the topic, or cannot be written in a bounded time.
    FlushStatuses,
    /// Comes back as [`Event::ConfigRead`].
    ReadConfig {
        read: Read,
        timeout: Duration,
    },
    /// Comes back as [`Event::Written`].
    Write {
        write: u64,
        records: Vec<LogRecord>,
    },
    /// As [`Effect::Write`], with a key made at random.
    WriteSessionKey {
        write: u64,
        algorithm: String,
        size: usize,
    },
    /// Comes back as [`Event::Posted`].
    Post {
        connector: String,
        attempt: u64,
        leader_url: String,
        body: Bytes,
        signature: Option<RequestSignature>,
    },
    /// Comes back as [`Event::OffsetsAltered`].
    AlterOffsets {
        request: u64,
        connector: String,
        config: ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    },
    Answer(u64, Answer),
    SetLogLevel {
        logger: String,
        level: String,
    },
    /// The worker has stopped its work and left the group.
    Finished,
}
