//! A second pair of eyes on Kafka: small, slow and obvious helpers that share nothing with the code under test but librdkafka.

mod admin;
mod consume;
mod produce;
mod tail;

pub use admin::{
    Group, Topics, create_topic, delete_groups, delete_topics, group, remove_all_named, topic_exists,
};
pub use consume::{Message, committed, consume_all};
pub use produce::{Record, produce, produce_all};
pub use tail::Tail;

use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

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

/// Repeats a request about a group while its coordinator is being found: right after a broker's start, and after the first
/// request of all, which creates the offsets topic.
fn while_coordinator_moves<T>(mut ask: impl FnMut() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let answer = ask();
        let moving = answer.as_ref().err().and_then(KafkaError::rdkafka_error_code);
        match moving {
            Some(CoordinatorLoadInProgress | CoordinatorNotAvailable | NotCoordinator)
                if Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(100));
            }
            _ => return answer,
        }
    }
}
