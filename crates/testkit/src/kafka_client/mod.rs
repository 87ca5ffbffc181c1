//! A second pair of eyes on Kafka: small, slow and obvious helpers that share nothing with the code under test but librdkafka.

mod admin;
mod consume;
mod produce;

pub use admin::{Group, create_topic, delete_groups, delete_topics, group, topic_exists};
pub use consume::{Message, committed, consume_all};
pub use produce::{Record, produce, produce_all};

use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;

/// For every request to the broker: generous, since a test machine runs more than it has processors for.
const TIMEOUT: Duration = Duration::from_secs(30);

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("client.id", "testkit");
    config
}

/// librdkafka's calls block; a test's runtime has one thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("the Kafka helper panicked")?
}
