//! Announcing an instance in the topic `service-registry`, for as long as it lives.

use crate::kafka;
use contracts::TopicSpec;
use contracts::registry::{Announcement, SIGNATURE_HEADER, sign};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long an instance that leaves waits for the broker to take its farewell. Its lease ends anyway.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Keeps one instance announced. Dropping it without [`Announcer::leave`] just stops: the lease runs out, as after a
/// crash.
#[derive(Debug)]
pub struct Announcer {
    instance: Uuid,
    leave: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Announces now and then every third of the lease, so that one lost record does not end it. A broker that is
    /// absent is waited for. Call it inside the runtime, when `url` already answers.
    pub fn start(
        bootstrap: &str,
        topic: &str,
        secret: &str,
        service: &str,
        url: &str,
        lease: Duration,
    ) -> Self {
        let instance = Uuid::now_v7();
        let leave = CancellationToken::new();
        let member = Member {
            bootstrap: bootstrap.to_owned(),
            topic: topic.to_owned(),
            secret: secret.to_owned(),
            lease,
            announcement: Announcement {
                service: service.to_owned(),
                instance,
                url: url.to_owned(),
                lease_ms: lease.as_millis() as u64,
                sequence: 0,
            },
        };
        let task = tokio::spawn(member.run(leave.clone()));
        Self { instance, leave, task: Some(task) }
    }

    pub fn instance(&self) -> Uuid {
        self.instance
    }

    /// Takes the instance out of the registry; returns when the broker knows, or after a few seconds without it.
    pub async fn leave(mut self) {
        self.leave.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

struct Member {
    bootstrap: String,
    topic: String,
    secret: String,
    lease: Duration,
    announcement: Announcement,
}

#[derive(Debug, thiserror::Error)]
enum AnnounceError {
    #[error("the registry topic is not there")]
    Topic(#[from] kafka::KafkaSetupError),
    #[error("the record was not acknowledged")]
    Record(#[from] rdkafka::error::KafkaError),
}

impl Member {
    async fn run(mut self, leave: CancellationToken) {
        let mut producer = None;
        let mut announced = false;
        let mut told = false;
        loop {
            let attempt = self.announce(&mut producer);
            let result = tokio::select! { result = attempt => result, () = leave.cancelled() => break };
            let pause = match result {
                Ok(()) => {
                    if !announced || told {
                        let Announcement { service, instance, url, .. } = &self.announcement;
                        tracing::info!(service, %instance, url, "announced in the registry");
                    }
                    (announced, told) = (true, false);
                    self.lease / 3
                }
                Err(error) => {
                    if !told {
                        tracing::warn!(%error, topic = self.topic, "waiting for Kafka at {} to announce this instance", self.bootstrap);
                    }
                    told = true;
                    // The topic may be gone, or the producer beyond repair: begin again.
                    discard(producer.take());
                    RETRY_EVERY
                }
            };
            tokio::select! { () = tokio::time::sleep(pause) => {}, () = leave.cancelled() => break }
        }
        if let (true, Some(producer)) = (announced, &producer) {
            let farewell = self.send(producer, None);
            match tokio::time::timeout(LEAVE_TIMEOUT, farewell).await {
                Ok(Ok(())) => tracing::info!(instance = %self.announcement.instance, "left the registry"),
                _ => tracing::warn!("kafka did not take the farewell; the lease will run out"),
            }
        }
        discard(producer);
    }

    async fn announce(&mut self, producer: &mut Option<FutureProducer>) -> Result<(), AnnounceError> {
        let producer = match producer {
            Some(producer) => producer,
            empty => {
                kafka::ensure_topic(&self.bootstrap, &TopicSpec::registry(&self.topic)).await?;
                empty.insert(kafka::producer(&self.bootstrap, &self.announcement.service)?)
            }
        };
        // Readers ignore what does not rise. Counting from the clock keeps it rising whatever failed before.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        self.announcement.sequence = now.max(self.announcement.sequence + 1);
        self.send(producer, Some(self.announcement.to_json())).await?;
        Ok(())
    }

    async fn send(
        &self,
        producer: &FutureProducer,
        value: Option<Vec<u8>>,
    ) -> Result<(), rdkafka::error::KafkaError> {
        let key = self.announcement.key();
        let signature = sign(self.secret.as_bytes(), key.as_bytes(), value.as_deref());
        let headers = OwnedHeaders::new().insert(Header { key: SIGNATURE_HEADER, value: Some(&signature) });
        let mut record = FutureRecord::to(&self.topic).key(&key).headers(headers);
        record.payload = value.as_ref();
        producer.send(record, Timeout::Never).await.map(|_| ()).map_err(|(error, _)| error)
    }
}

/// Closing a producer blocks.
fn discard(producer: Option<FutureProducer>) {
    if let Some(producer) = producer {
        tokio::task::spawn_blocking(move || drop(producer));
    }
}
