//! The group of workers, and the groups of sinks: what librdkafka has no calls for, over `wire`.

mod backoff;
mod coordinator;
mod member;
mod membership;
mod offsets;
mod outage;
mod session;
mod verdict;

pub(crate) use backoff::Backoff;
pub use membership::KafkaGroupMember;
pub use offsets::KafkaGroupOffsets;
pub(crate) use outage::Outage;
