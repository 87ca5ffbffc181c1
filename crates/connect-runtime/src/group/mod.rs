//! The group of workers: what its members tell each other when work is assigned, and how it is assigned. Pure functions over
//! values; the membership itself is behind `ports::GroupMembership`.

mod assign;
mod balance;
mod codec;
mod eager;
mod incremental;
mod wire;
mod work;

pub use assign::{Assignor, ClusterView, Owners, Rebalance, Round};
pub use codec::{
    CodecError, decode_assignment, decode_metadata, encode_assignment, encode_metadata, offered,
};
pub use work::Work;

/// `connect.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Version 0: everything stops for a rebalance.
    Eager,
    /// Version 1: work goes on, and moves in two steps (KIP-415).
    Compatible,
    /// Version 2: as 1, and requests between workers are signed (KIP-507).
    Sessioned,
}

impl Protocol {
    /// In the order of their versions.
    pub const ALL: [Self; 3] = [Self::Eager, Self::Compatible, Self::Sessioned];

    /// As JoinGroup names it. The values of `connect.protocol` are the same but for `eager`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "default",
            Self::Compatible => "compatible",
            Self::Sessioned => "sessioned",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// What stands before metadata and assignments.
    pub fn version(self) -> i16 {
        match self {
            Self::Eager => 0,
            Self::Compatible => 1,
            Self::Sessioned => 2,
        }
    }
}

/// What a member says of itself when it joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// Where its REST API is, such as `http://10.0.0.1:8083/`.
    pub url: String,
    /// How far it has read the config topic: the offset after the last record.
    pub config_offset: i64,
    /// What it holds since the last rebalance; never in the eager protocol.
    pub assignment: Option<Assignment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentError {
    None,
    /// The leader has not read the config topic as far as another member has; all are to join again.
    ConfigMismatch,
}

/// What the leader tells a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub error: AssignmentError,
    /// Member id.
    pub leader: String,
    pub leader_url: String,
    /// How far a member has to have read the config topic to understand it.
    pub config_offset: i64,
    /// All of the member's work in the eager protocol, else what is new.
    pub assigned: Work,
    /// What the member has to stop before it joins again at once; empty in the eager protocol.
    pub revoked: Work,
    /// Milliseconds after which all are to join again, because lost work waits for its worker; 0 for never.
    pub delay_ms: i32,
}
