//! The internal topics of a cluster: what their records look like, and what a worker knows from having read them.
//!
//! Keys and values are those of Java's workers, byte for byte (`KafkaConfigBackingStore`, `KafkaStatusBackingStore`): workers
//! of both kinds may share a cluster, or take over each other's topics.

mod config_parse;
pub mod config_records;
mod config_state;
#[cfg(test)]
mod golden;
mod memory_log;
mod status;
mod status_cache;
mod status_records;
mod status_writer;

pub use config_state::{ConfigChange, ConfigState};
pub use memory_log::{MemoryLog, MemoryTopic};
pub use status::StatusStore;
pub use status_records::{Status, TopicStatus};
