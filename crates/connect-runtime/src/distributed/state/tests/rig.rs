//! One state without a world around it: the test says what happens and looks at what follows.

use super::*;
use crate::group::{
    Assignment, AssignmentError, MemberState, Work, decode_assignment, decode_metadata, encode_assignment,
    encode_metadata,
};
use crate::herder::TaskId;
use crate::worker::{RunStatus, WorkerEvent};
use bytes::Bytes;
use std::time::Instant;

pub(super) const ME: &str = "me";
pub(super) const OTHER: &str = "other";

pub(super) struct Rig {
    pub(super) state: State,
    pub(super) now: Now,
    offset: usize,
    generation: i32,
    protocol: Protocol,
}

/// `a` is the connector, `a-0` its first task.
pub(super) fn work(items: &[&str]) -> Work {
    let mut work = Work::default();
    for text in items {
        work.add(&item(text).work());
    }
    work
}

pub(super) fn item(text: &str) -> Item {
    match text.split_once('-') {
        Some((connector, task)) => {
            Item::Task(TaskId { connector: connector.into(), task: task.parse().unwrap() })
        }
        None => Item::Connector(text.into()),
    }
}

impl Rig {
    /// Started, not a member yet.
    pub(super) fn new(settings: Settings) -> Self {
        let protocol = settings.protocol;
        let now = Now { instant: Instant::now(), epoch_ms: 1_000_000 };
        let mut rig = Self { state: State::new(settings), now, offset: 0, generation: 0, protocol };
        assert_eq!(rig.step(Event::Started), [Effect::Join { session: 1 }]);
        rig
    }

    /// A member without work; it has taken over if it leads. The session key is there.
    pub(super) fn member(leads: bool) -> Self {
        let mut rig = Self::new(settings(0, Protocol::Sessioned));
        rig.read(vec![key_record(rig.now.epoch_ms)]);
        rig.join(leads, &[], &[]);
        rig
    }

    /// A member with the connector `a`, its tasks 0 and 1, and all of them running here.
    pub(super) fn at_work(leads: bool) -> Self {
        let mut rig = Self::member(leads);
        rig.read(connector("a"));
        rig.read(tasks("a", 2));
        rig.step(Event::Joining { session: 1 });
        rig.join(leads, &["a", "a-0", "a-1"], &[]);
        for (text, run) in [("a", 1), ("a-0", 2), ("a-1", 3)] {
            rig.runs(text, run, RunStatus::Running);
        }
        rig
    }

    pub(super) fn step(&mut self, event: Event) -> Vec<Effect> {
        self.state.step(event, self.now)
    }

    pub(super) fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.now.instant += time;
        self.now.epoch_ms += time.as_millis() as i64;
        self.step(Event::Tick)
    }

    pub(super) fn read(&mut self, records: Vec<LogRecord>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for record in records {
            effects.extend(self.step(Event::ConfigRecord(entry(self.offset, &record))));
            self.offset += 1;
        }
        effects
    }

    /// An assignment that knows all that was read.
    pub(super) fn assignment(&self, leads: bool, assigned: &[&str], revoked: &[&str]) -> Assignment {
        let (leader, url) = if leads { (ME, "http://w0/") } else { (OTHER, "http://w1/") };
        Assignment {
            error: AssignmentError::None,
            leader: leader.into(),
            leader_url: url.into(),
            config_offset: self.state.config().offset(),
            assigned: work(assigned),
            revoked: work(revoked),
            delay_ms: 0,
        }
    }

    pub(super) fn joined(&mut self, assignment: &Assignment) -> Vec<Effect> {
        self.generation += 1;
        let session = self.state.group_session();
        self.step(Event::Joined {
            session,
            protocol: self.protocol.name().into(),
            generation: self.generation,
            member_id: ME.into(),
            assignment: encode_assignment(assignment, self.protocol),
        })
    }

    /// A whole round, to the end of what it starts.
    pub(super) fn join(&mut self, leads: bool, assigned: &[&str], revoked: &[&str]) -> Vec<Effect> {
        let session = self.state.group_session();
        if self.step(Event::Joining { session }).contains(&Effect::FlushStatuses) {
            self.step(Event::Flushed);
        }
        let mut effects = self.joined(&self.assignment(leads, assigned, revoked));
        if let Some(Effect::ReadConfig { read, .. }) =
            effects.iter().find(|effect| matches!(effect, Effect::ReadConfig { .. }))
        {
            let read = *read;
            effects.extend(self.step(Event::ConfigRead { read, in_time: true }));
        }
        effects
    }

    pub(super) fn runs(&mut self, text: &str, run: u64, status: RunStatus) -> Vec<Effect> {
        self.step(Event::Worker(match item(text) {
            Item::Connector(name) => WorkerEvent::Connector { run, name, status },
            Item::Task(id) => WorkerEvent::Task { run, id, status },
        }))
    }

    pub(super) fn wants_tasks(&mut self, run: u64, connector: &str, tasks: usize) -> Vec<Effect> {
        let configs = (0..tasks).map(task_config).collect();
        self.step(Event::Worker(WorkerEvent::TaskConfigs { run, connector: connector.into(), configs }))
    }

    pub(super) fn stopped(&mut self, text: &str, run: u64) -> Vec<Effect> {
        self.step(Event::Stopped { item: item(text), run })
    }

    pub(super) fn ask(&mut self, id: u64, request: Request) -> Vec<Effect> {
        self.step(Event::Request(id, request))
    }
}

pub(super) fn key_record(created: i64) -> LogRecord {
    let key = crate::signature::SessionKey { key: vec![1; 32], algorithm: "HmacSHA256".into(), created };
    crate::store::config_records::session_key(&key)
}

pub(super) fn connector(name: &str) -> Vec<LogRecord> {
    vec![crate::store::config_records::connector(name, &config(&[("name", name)]))]
}

pub(super) fn task_config(task: usize) -> ConfigMap {
    config(&[("task", &task.to_string())])
}

pub(super) fn tasks(name: &str, count: usize) -> Vec<LogRecord> {
    let configs: Vec<ConfigMap> = (0..count).map(task_config).collect();
    crate::store::config_records::tasks(name, &configs)
}

/// One effect per line, the way a test wants to see it.
pub(super) fn show(effects: &[Effect]) -> String {
    effects.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn keys(records: &[LogRecord]) -> String {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let each = records.iter().map(|record| {
        let value = record.value.as_ref().map_or("null".to_owned(), text);
        if value.len() < 60 { format!("{}={value}", text(&record.key)) } else { text(&record.key) }
    });
    each.collect::<Vec<_>>().join(" ")
}

fn held(work: &Work) -> String {
    let connectors = work.connectors.iter().cloned();
    connectors.chain(work.tasks.iter().map(TaskId::to_string)).collect::<Vec<_>>().join(" ")
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::AnswerJoining(offered) => {
            let names: Vec<_> = offered.iter().map(|(name, _)| name.as_str()).collect();
            let state = decode_metadata(&offered[0].1).unwrap();
            let has = state.assignment.map_or("nothing yet".into(), |held_| held(&held_.assigned));
            format!("offer {} at {} with {has}", names.join(","), state.config_offset)
        }
        Effect::AnswerLeading(assignments) => {
            let each = assignments.iter().map(|(member, bytes)| {
                let assignment = decode_assignment(bytes).unwrap();
                let error = if assignment.error == AssignmentError::None { "" } else { " CONFIG_MISMATCH" };
                format!("{member}: {}{error}", held(&assignment.assigned))
            });
            format!("assign {}", each.collect::<Vec<_>>().join("; "))
        }
        Effect::StartConnector { run, name, target, .. } => format!("start {name} {target:?} run {run}"),
        Effect::StartTask { run, id, target, .. } => format!("start {id} {target:?} run {run}"),
        Effect::Stop { item, run } => format!("stop {item} run {run}"),
        Effect::SetTarget { connector, target } => format!("set {connector} {target:?}"),
        Effect::PutStatus { item, state, generation, .. } => {
            format!("status {item} {} of {generation}", state.as_str())
        }
        Effect::ReadConfig { read, timeout } => format!("read {read:?} within {timeout:?}"),
        Effect::Write { write, records } => format!("write {write}: {}", keys(records)),
        Effect::Post { connector, attempt, leader_url, body, signature } => format!(
            "post {connector} to {leader_url}, attempt {attempt}, {}, {}",
            String::from_utf8_lossy(body),
            if signature.is_some() { "signed" } else { "not signed" }
        ),
        Effect::Answer(id, Ok(reply)) => format!("answer {id}: {reply:?}"),
        Effect::Answer(id, Err(error)) => format!("answer {id}: {error:?}"),
        other => format!("{other:?}"),
    }
}

/// A member's metadata as it comes from the coordinator.
pub(super) fn metadata(url: &str, config_offset: i64, has: &[&str]) -> Bytes {
    let assignment = Assignment {
        error: AssignmentError::None,
        leader: ME.into(),
        leader_url: "http://w0/".into(),
        config_offset,
        assigned: work(has),
        revoked: Work::default(),
        delay_ms: 0,
    };
    let state = MemberState { url: url.into(), config_offset, assignment: Some(assignment) };
    encode_metadata(&state, Protocol::Sessioned)
}
