//! What a topic of this platform looks like. The service that writes a topic creates it from its spec.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    pub name: String,
    pub partitions: i32,
    pub cleanup_policy: CleanupPolicy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanupPolicy {
    /// `cleanup.policy=delete` with `retention.ms=-1`: facts are kept.
    KeepAll,
    /// `cleanup.policy=compact`: the last record of a key is kept.
    Compact,
}

impl TopicSpec {
    pub const ORDERS: &str = "orders";
    pub const DECISIONS: &str = "order_decisions";
    pub const REGISTRY: &str = "service-registry";

    /// A topic of facts, keyed by order id: 6 partitions, never cleaned.
    pub fn facts(name: impl Into<String>) -> Self {
        Self { name: name.into(), partitions: 6, cleanup_policy: CleanupPolicy::KeepAll }
    }

    /// Where records go that `topic`'s reader could not use. One partition, so that a person reads it in order.
    pub fn dead_letters(topic: &str) -> Self {
        Self { name: format!("{topic}.dlq"), partitions: 1, cleanup_policy: CleanupPolicy::KeepAll }
    }

    pub fn registry(name: impl Into<String>) -> Self {
        Self { name: name.into(), partitions: 1, cleanup_policy: CleanupPolicy::Compact }
    }
}
