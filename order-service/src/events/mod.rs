//! What leaves this service as records.

mod publisher;

pub use publisher::{KafkaPublisher, PublishError, Publisher};
