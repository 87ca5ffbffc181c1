//! Orders in, decisions out.
//!
//! Invariant: the offset of an order record is committed after its decision is committed in the database *and*
//! acknowledged by Kafka, or after the record is acknowledged in the dead-letter topic. Never before.

mod backoff;
pub mod consumer;
pub mod dead_letter;
mod group;
pub mod handler;
pub mod publisher;

pub use backoff::Backoff;
pub use consumer::Consumer;
