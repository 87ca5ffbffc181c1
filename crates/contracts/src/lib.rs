#![doc = include_str!("../README.md")]

mod connect_json;
mod decision;
mod order;
pub mod registry;
mod topic;

pub use connect_json::{ConnectField, ConnectType, ContractError, Fact, decode, encode};
pub use decision::{Decision, Outcome};
pub use order::Order;
pub use topic::{CleanupPolicy, TopicSpec};
