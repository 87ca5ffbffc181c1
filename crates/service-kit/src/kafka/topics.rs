//! Creating topics from their specs.

use contracts::{CleanupPolicy, TopicSpec};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::Duration;

pub(super) type Admin = AdminClient<DefaultClientContext>;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a topic is not there yet.
#[derive(Debug, thiserror::Error)]
pub enum KafkaSetupError {
    #[error("the kafka client cannot be made for {bootstrap}")]
    Client {
        bootstrap: String,
        #[source]
        source: KafkaError,
    },
    #[error("no answer from kafka at {bootstrap}")]
    Unreachable {
        bootstrap: String,
        #[source]
        source: KafkaError,
    },
    #[error("kafka refuses to create the topic {topic}: {code}")]
    Refused { topic: String, code: RDKafkaErrorCode },
}

impl KafkaSetupError {
    /// Whether the same call may work later without anybody changing anything.
    pub fn is_retriable(&self) -> bool {
        use RDKafkaErrorCode::{
            ClusterAuthorizationFailed, InvalidPartitions, InvalidTopic, PolicyViolation,
            TopicAuthorizationFailed,
        };
        match self {
            Self::Client { .. } => false,
            Self::Unreachable { .. } => true,
            Self::Refused { code, .. } => !matches!(
                code,
                ClusterAuthorizationFailed
                    | InvalidPartitions
                    | InvalidTopic
                    | PolicyViolation
                    | TopicAuthorizationFailed
            ),
        }
    }
}

/// Makes the topic unless it exists. Takes up to some seconds when no broker answers, and fails then; the caller
/// decides whether to wait ([`super::watch`] does).
pub async fn ensure_topic(bootstrap: &str, spec: &TopicSpec) -> Result<(), KafkaSetupError> {
    let admin = admin(bootstrap)?;
    let result = create(&admin, bootstrap, spec).await;
    // Dropping an admin client joins its thread.
    let _ = tokio::task::spawn_blocking(move || drop(admin)).await;
    result
}

pub(super) fn admin(bootstrap: &str) -> Result<Admin, KafkaSetupError> {
    super::client_config(bootstrap, "setup")
        .create()
        .map_err(|source| KafkaSetupError::Client { bootstrap: bootstrap.to_owned(), source })
}

pub(super) async fn create(admin: &Admin, bootstrap: &str, spec: &TopicSpec) -> Result<(), KafkaSetupError> {
    match attempt(admin, bootstrap, spec, configs(spec.cleanup_policy)).await {
        // The embedded broker and some services know no topic configs. A real broker that dislikes the request for
        // another reason dislikes it without configs too.
        Err(KafkaSetupError::Refused { code, .. })
            if matches!(
                code,
                RDKafkaErrorCode::InvalidConfig
                    | RDKafkaErrorCode::InvalidRequest
                    | RDKafkaErrorCode::UnsupportedVersion
                    | RDKafkaErrorCode::Unknown
            ) =>
        {
            attempt(admin, bootstrap, spec, &[]).await?;
            tracing::warn!(topic = spec.name, %code, "topic created without its configs, which this broker refuses");
            Ok(())
        }
        other => other,
    }
}

fn configs(policy: CleanupPolicy) -> &'static [(&'static str, &'static str)] {
    match policy {
        CleanupPolicy::KeepAll => {
            &[("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")]
        }
        CleanupPolicy::Compact => &[("cleanup.policy", "compact")],
    }
}

async fn attempt(
    admin: &Admin,
    bootstrap: &str,
    spec: &TopicSpec,
    configs: &'static [(&'static str, &'static str)],
) -> Result<(), KafkaSetupError> {
    // -1: as many replicas as the broker's default says.
    let topic = NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(-1));
    let topic = configs.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
    let options =
        AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT)).operation_timeout(Some(REQUEST_TIMEOUT));
    let results = admin
        .create_topics([&topic], &options)
        .await
        .map_err(|source| KafkaSetupError::Unreachable { bootstrap: bootstrap.to_owned(), source })?;
    match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | Some(Ok(_)) | None => Ok(()),
        Some(Err((topic, code))) => Err(KafkaSetupError::Refused { topic, code }),
    }
}
