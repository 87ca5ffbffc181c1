//! What a scenario file says.

use serde_json::Value;
use std::time::Duration;

/// Which worker a scenario is played against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Java,
    Ours,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Java, Side::Ours];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Side::Java => "java",
            Side::Ours => "ours",
        }
    }
}

/// Which workers the steps talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Workers {
    /// `w1` is the worker that all scenarios of this kind share.
    Shared,
    /// The scenario starts its own; a cluster (group and topics) of its own, and these keys in each worker's file.
    Own(Vec<(String, String)>),
}

#[derive(Debug)]
pub(crate) struct Scenario {
    /// The file's name without its end.
    pub name: String,
    pub title: String,
    pub workers: Workers,
    /// How long a step that waits may wait.
    pub patience: Duration,
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub line: usize,
    pub title: String,
    /// Ids of docs/compat/FINDINGS.md, where the workers differ.
    pub findings: Vec<String>,
    pub action: Action,
    pub java: Expected,
    pub ours: Expected,
}

impl Step {
    pub(crate) fn expected(&self, side: Side) -> &Expected {
        match side {
            Side::Java => &self.java,
            Side::Ours => &self.ours,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Request(Request),
    /// Lines written to a file: replaced, or appended.
    Write {
        path: String,
        text: String,
        append: bool,
    },
    Delete {
        path: String,
    },
    Move {
        from: String,
        to: String,
    },
    /// What a file holds.
    File {
        path: String,
    },
    CreateTopic {
        topic: String,
        partitions: i32,
    },
    Produce {
        topic: String,
        records: Vec<String>,
    },
    /// What a topic holds.
    Topic {
        topic: String,
        headers: bool,
    },
    /// What was written to one of the cluster's own topics about a connector since this was asked last.
    Stored {
        topic: StorageTopic,
        about: String,
    },
    /// What a consumer group has committed.
    Group {
        group: String,
        topic: String,
    },
    /// How many workers are in the group, at rest.
    Members {
        count: usize,
    },
    /// How connectors and tasks are spread over workers.
    Spread,
    Start {
        worker: String,
        properties: Vec<(String, String)>,
        standalone: Option<Vec<String>>,
    },
    /// A standalone worker that is expected to end by itself.
    Run {
        arguments: Vec<String>,
    },
    Stop {
        worker: String,
    },
    Kill {
        worker: String,
    },
    /// Names a part of the last answer.
    Let {
        name: String,
        pointer: String,
    },
    Wait {
        time: Duration,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub worker: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub repeat: Repeat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Repeated until the answer is the expected one.
    UntilRight,
    /// Repeated only while the worker answers that a rebalance is under way.
    WhileRebalancing,
    /// The first answer counts.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StorageTopic {
    Configs,
    Offsets,
    Statuses,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    /// The step is an action only; it succeeds or fails.
    Done,
    /// The step is not played against this worker.
    Skip,
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Body,
    },
    Lines(Vec<String>),
    /// No such file, nothing committed.
    Absent,
    /// A process ends with this code, and each line is somewhere in what it says.
    Exit {
        code: i32,
        says: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Empty,
    Any,
    Json(Value),
    Lines(Vec<String>),
}
