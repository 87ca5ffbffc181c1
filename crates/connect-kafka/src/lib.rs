#![doc = include_str!("../README.md")]

mod admin;
mod assignment;
mod clients;
mod consumer;
mod context;
mod group;
mod judge;
mod pattern;
mod producer;
mod properties;
mod raw_record;
mod rebalance;
mod sender;
mod source_producer;
mod starts;
mod topic_log;
mod wire;

pub use clients::RdKafkaClients;
pub use group::{KafkaGroupMember, KafkaGroupOffsets};
pub use judge::{ClientKind, ClientVerdict, judge_client_setting};
pub use topic_log::{KafkaStorage, KafkaTopicLog, StorageKind};
