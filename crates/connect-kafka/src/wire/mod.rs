//! A small Kafka client for what librdkafka cannot do: joining a group of another protocol type than `consumer`, offsets of groups
//! that the caller is no member of, topics with all their settings. The one place that knows `kafka-protocol`.
//!
//! One request at a time per connection, as the broker itself answers them; PLAINTEXT only.

mod cluster;
mod connection;
mod error;
mod frame;
mod group_calls;
mod offset_calls;
mod settings;
mod topic_calls;
mod versions;

pub(crate) use cluster::{Broker, Cluster, Metadata};
pub(crate) use connection::Connection;
pub(crate) use error::{Code, WireError};
pub(crate) use group_calls::{JoinAnswer, JoinCall, Joined, Seat, heartbeat, join, leave, sync};
pub(crate) use offset_calls::{commit_offsets, delete_group, delete_offsets, fetch_offsets};
pub(crate) use settings::WireSettings;
pub(crate) use topic_calls::{
    CreateTopic, NotCreated, OffsetSpec, cleanup_policy, create_topic, list_offsets,
};
