//! Makes the Kafka clients of one worker.

use crate::admin::Admin;
use crate::consumer::Consumer;
use crate::pattern;
use crate::producer::Producer;
use crate::properties::{Native, Role, java_name, translate};
use crate::rebalance::TaskContext;
use crate::sender::Sender;
use crate::source_producer::QueueingProducer;
use crate::starts::reset_target;
use crate::wire::{Cluster, Code, CreateTopic, NotCreated, WireSettings};
use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::ports::{KafkaClients, RecordProducer, SinkConsumer, SourceProducer, Subscription};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a question to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(10);

const ADMIN_CLIENT: &str = "connect-worker-adminclient";

/// [`KafkaClients`] over librdkafka.
pub struct RdKafkaClients {
    bootstrap: String,
    /// The worker's `consumer.*` and `producer.*`, prefix removed.
    consumer: ConfigMap,
    producer: ConfigMap,
    admin: Admin,
    warned: Arc<Mutex<HashSet<String>>>,
}

impl RdKafkaClients {
    /// Reads `bootstrap.servers` and the keys under `consumer.`, `producer.` and `admin.` of a worker's configuration;
    /// other keys are not looked at. Does not connect.
    pub fn new(worker: &ConfigMap) -> Result<Self, ConnectError> {
        let bootstrap =
            worker.get("bootstrap.servers").map(|servers| servers.trim()).unwrap_or_default().to_owned();
        if bootstrap.is_empty() {
            return Err(ConnectError::config(
                "Missing required configuration \"bootstrap.servers\" which has no default value.",
            ));
        }
        let warned = Arc::default();
        let base = ConfigMap::from_iter([
            ("bootstrap.servers".to_owned(), bootstrap.clone()),
            ("client.id".to_owned(), ADMIN_CLIENT.to_owned()),
        ]);
        let settings = under("admin.", worker);
        merged(Role::Admin, &warned, "worker", [&base, &settings])?;
        let java = base.into_iter().chain(settings).collect();
        let admin = Admin::new(Cluster::new(WireSettings::read(&java, ADMIN_CLIENT)?));
        Ok(Self {
            bootstrap,
            consumer: under("consumer.", worker),
            producer: under("producer.", worker),
            admin,
            warned,
        })
    }

    fn base(&self, client_id: String) -> ConfigMap {
        ConfigMap::from_iter([
            ("bootstrap.servers".to_owned(), self.bootstrap.clone()),
            ("client.id".to_owned(), client_id),
        ])
    }

    fn unreachable(
        &self,
        what: &str,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ConnectError {
        ConnectError::caused(format!("{what} (bootstrap.servers={})", self.bootstrap), error)
    }
}

#[async_trait]
impl KafkaClients for RdKafkaClients {
    async fn sink_consumer(
        &self,
        connector: &str,
        task: usize,
        subscription: &Subscription,
        overrides: &ConfigMap,
    ) -> Result<Box<dyn SinkConsumer>, ConnectError> {
        let client_id = format!("connector-consumer-{connector}-{task}");
        let mut base = self.base(client_id.clone());
        base.insert("group.id".to_owned(), format!("connect-{connector}"));
        let native = merged(Role::Consumer, &self.warned, connector, [&base, &self.consumer, overrides])?;
        let config = consumer_config(native, matches!(subscription, Subscription::Pattern(_)));
        let reset = reset_target(config.get("auto.offset.reset"));
        let consumer: StreamConsumer<TaskContext> = config
            .create_with_context(TaskContext::new(&client_id, reset))
            .map_err(|error| creation_failed(&client_id, &error))?;
        let topics = match subscription {
            Subscription::Topics(topics) => topics.clone(),
            Subscription::Pattern(pattern) => vec![pattern::subscription(pattern)?],
        };
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| {
            ConnectError::caused(format!("{client_id} cannot subscribe to {}", topics.join(", ")), error)
        })?;
        Ok(Box::new(Consumer::new(consumer, self.bootstrap.clone())))
    }

    async fn source_producer(
        &self,
        connector: &str,
        task: usize,
        overrides: &ConfigMap,
    ) -> Result<Box<dyn SourceProducer>, ConnectError> {
        let client_id = format!("connector-producer-{connector}-{task}");
        let base = self.base(client_id.clone());
        let native = merged(Role::Producer, &self.warned, connector, [&base, &self.producer, overrides])?;
        let config = source_producer_config(native);
        let producer = QueueingProducer::create(&config, &client_id, &self.bootstrap)
            .map_err(|error| creation_failed(&client_id, &error))?;
        Ok(Box::new(producer))
    }

    async fn dead_letter_producer(
        &self,
        connector: &str,
        task: usize,
        overrides: &ConfigMap,
    ) -> Result<Arc<dyn RecordProducer>, ConnectError> {
        let client_id = format!("connector-dlq-producer-{connector}-{task}");
        let base = self.base(client_id.clone());
        let native = merged(Role::Producer, &self.warned, connector, [&base, &self.producer, overrides])?;
        let mut config = client_config(native, PRODUCER_DEFAULTS);
        config.set("acks", "all").set("enable.idempotence", "true");
        let inner =
            Sender::create(&config, &client_id).map_err(|error| creation_failed(&client_id, &error))?;
        Ok(Arc::new(Producer { inner, bootstrap: self.bootstrap.clone() }))
    }

    async fn ensure_topic(
        &self,
        topic: &str,
        partitions: i32,
        replication_factor: i32,
    ) -> Result<(), ConnectError> {
        let no_settings = ConfigMap::new();
        let new = CreateTopic {
            name: topic,
            partitions,
            replication_factor: i16::try_from(replication_factor).unwrap_or(i16::MAX),
            settings: &no_settings,
        };
        let created = tokio::time::timeout(PATIENCE, async {
            let metadata = self.admin.metadata(&[]).await?;
            self.admin.create(&metadata, new).await
        });
        let Ok(created) = created.await else {
            return Err(self.unreachable(&format!("topic {topic} could not be created in time"), TooLate));
        };
        match created {
            Ok(()) => {
                tracing::info!(topic, partitions, replication_factor, "topic created");
                Ok(())
            }
            Err(NotCreated { error, explanation }) => match error.code() {
                Some(Code::TopicAlreadyExists) => Ok(()),
                Some(Code::InvalidReplicationFactor) => Err(self.unreachable(
                    &format!(
                        "topic {topic} could not be created with {replication_factor} replicas: the cluster has fewer \
                         brokers; set errors.deadletterqueue.topic.replication.factor to their number or less (1 on a \
                         single broker), or create the topic beforehand"
                    ),
                    error,
                )),
                _ => {
                    let why = explanation.map(|text| format!(" ({text})")).unwrap_or_default();
                    Err(self.unreachable(&format!("topic {topic} could not be created{why}"), error))
                }
            },
        }
    }

    async fn cluster_id(&self) -> Result<Option<String>, ConnectError> {
        match tokio::time::timeout(PATIENCE, self.admin.metadata(&[])).await {
            Ok(Ok(metadata)) => Ok(metadata.cluster_id),
            Ok(Err(error)) => Err(self.unreachable("Kafka cannot be reached", error)),
            Err(_) => Err(self.unreachable("Kafka cannot be reached", TooLate)),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there was no answer within {} s", PATIENCE.as_secs())]
struct TooLate;

/// KIP-714: few brokers collect their clients' metrics, and the histograms kept for that are most of the memory of a client that has
/// little to do. Java pushes by default; `enable.metrics.push=true` switches it on here.
pub(crate) const NO_METRICS_PUSH: (&str, &str) = ("enable.metrics.push", "false");

/// What a sink's consumer is unless the user says otherwise, in librdkafka's words.
const CONSUMER_DEFAULTS: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    // librdkafka's own default is read_committed
    ("isolation.level", "read_uncommitted"),
    // the one strategy that members on Java and on librdkafka have in common by default
    ("partition.assignment.strategy", "range"),
    ("session.timeout.ms", "45000"),
    ("heartbeat.interval.ms", "3000"),
    ("max.poll.interval.ms", "300000"),
    ("allow.auto.create.topics", "false"),
    ("check.crcs", "true"),
    // a topic that is created later is to be found within seconds
    ("topic.metadata.refresh.interval.ms", "3000"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    NO_METRICS_PUSH,
    // Java's 50 MiB come on top of what the queue may hold; a response with a larger record is taken all the same
    ("fetch.max.bytes", "4194304"),
];

const PRODUCER_DEFAULTS: &[(&str, &str)] = &[
    ("partitioner", "murmur2_random"),
    ("delivery.timeout.ms", "120000"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    NO_METRICS_PUSH,
];

/// What the producer of a source task is unless the user says otherwise: Kafka Connect's own settings for it. The topic is made
/// by the broker (auto.create.topics.enable) when the first record asks for it, as with Java.
const SOURCE_PRODUCER_DEFAULTS: &[(&str, &str)] = &[
    ("partitioner", "murmur2_random"),
    // one request at a time: a retry overtakes nothing, also without idempotence
    ("max.in.flight.requests.per.connection", "1"),
    ("enable.idempotence", "false"),
    // the largest there is; Java's, too
    ("delivery.timeout.ms", "2147483647"),
    ("retries", "2147483647"),
    // Java's max.request.size
    ("message.max.bytes", "1048576"),
    // Java's buffer.memory; the client's own default would be 1 GiB
    ("queue.buffering.max.kbytes", "32768"),
    ("queue.buffering.max.messages", "20000"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    NO_METRICS_PUSH,
];

fn source_producer_config(native: Native) -> ClientConfig {
    let idempotent = native.settings.get("enable.idempotence").is_some_and(|value| value == "true");
    let mut config = client_config(native, SOURCE_PRODUCER_DEFAULTS);
    // the delivery contract
    config.set("acks", "all");
    if !idempotent && config.get("max.in.flight.requests.per.connection") != Some("1") {
        tracing::warn!(
            "max.in.flight.requests.per.connection above 1 without enable.idempotence lets retries reorder records"
        );
    }
    config
}

fn consumer_config(native: Native, by_pattern: bool) -> ClientConfig {
    let session_is_set = native.settings.contains_key("session.timeout.ms");
    let mut config = client_config(native, CONSUMER_DEFAULTS);
    let number = |config: &ClientConfig, key: &str| config.get(key).and_then(|text| text.parse::<i64>().ok());
    config
        // the delivery contract: nothing but the task loop decides what is committed
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Memory stays flat whatever the backlog and however many tasks there are. A fetch brings more than the queue is for, so it has
        // to be asked for soon: fetching looks at the queue only every so often once it was full.
        .set("queued.max.messages.kbytes", "512")
        .set("queued.min.messages", "10000")
        .set("fetch.queue.backoff.ms", "1");
    if by_pattern {
        config.set("topic.blacklist", "^__consumer_offsets$,^__transaction_state$,^__share_group_state$");
    }
    // librdkafka wants a response to fit, and the poll interval not to be below the session; Java minds neither.
    if let Some(fetch) = number(&config, "fetch.max.bytes") {
        config.set("receive.message.max.bytes", (fetch + 512).max(100_000_000).to_string());
    }
    if let (Some(poll), Some(session)) =
        (number(&config, "max.poll.interval.ms"), number(&config, "session.timeout.ms"))
        && poll < session
        && !session_is_set
    {
        config.set("session.timeout.ms", poll.to_string());
    }
    config
}

pub(crate) fn client_config(native: Native, defaults: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in defaults {
        config.set(*key, *value);
    }
    for (key, value) in native.settings {
        config.set(key, value);
    }
    config
}

/// One client's settings, later layers over earlier ones. What has no effect is warned about once per worker.
fn merged<'a>(
    role: Role,
    warned: &Mutex<HashSet<String>>,
    connector: &str,
    layers: impl IntoIterator<Item = &'a ConfigMap>,
) -> Result<Native, ConnectError> {
    let mut java = ConfigMap::new();
    for layer in layers {
        java.extend(layer.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let native = translate(role, &java)?;
    for (key, why) in &native.ignored {
        let first = warned
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(format!("{role:?} {key}"));
        if first {
            tracing::warn!(connector, client = ?role, key, why, "kafka client setting has no effect");
        }
    }
    Ok(native)
}

fn under(prefix: &str, worker: &ConfigMap) -> ConfigMap {
    let below =
        |(key, value): (&String, &String)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone()));
    worker.iter().filter_map(below).collect()
}

pub(crate) fn creation_failed(client: &str, error: &KafkaError) -> ConnectError {
    ConnectError::Config(match error {
        KafkaError::ClientConfig(_, what, key, value) => {
            let key = java_name(key);
            format!("Invalid value {value} for the Kafka client configuration {key}: {what}")
        }
        other => format!("{client} could not be created: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn a_connectors_overrides_win_over_the_workers_settings() {
        let warned = Mutex::default();
        let layers = [
            map(&[("group.id", "connect-a"), ("fetch.min.bytes", "1")]),
            map(&[("fetch.min.bytes", "2"), ("auto.offset.reset", "latest")]),
            map(&[("fetch.min.bytes", "3")]),
        ];
        let config = consumer_config(merged(Role::Consumer, &warned, "a", &layers).unwrap(), false);
        for (key, value) in [
            ("group.id", "connect-a"),
            ("fetch.min.bytes", "3"),
            ("auto.offset.reset", "latest"),
            ("isolation.level", "read_uncommitted"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
        ] {
            assert_eq!(config.get(key), Some(value), "{key}");
        }
    }

    #[test]
    fn a_source_waits_without_end_and_in_order_unless_told_otherwise() {
        let config = |pairs| source_producer_config(translate(Role::Producer, &map(pairs)).unwrap());
        let defaults = config(&[("acks", "1")]);
        for (key, value) in [
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            ("enable.idempotence", "false"),
            ("delivery.timeout.ms", "2147483647"),
            ("message.max.bytes", "1048576"),
        ] {
            assert_eq!(defaults.get(key), Some(value), "{key}");
        }
        let own = config(&[
            ("enable.idempotence", "TRUE"),
            ("max.in.flight.requests.per.connection", "5"),
            ("max.request.size", "5000000"),
            ("buffer.memory", "67108864"),
            ("linger.ms", "0"),
            ("retries", "2147483647"),
        ]);
        assert_eq!(own.get("enable.idempotence"), Some("true"));
        assert_eq!(own.get("message.max.bytes"), Some("5000000"));
        own.create_native_config().unwrap();
        defaults.create_native_config().unwrap();
    }

    #[test]
    fn librdkafka_takes_what_java_takes() {
        let config = |pairs| consumer_config(translate(Role::Consumer, &map(pairs)).unwrap(), true);
        for pairs in [
            &[("max.poll.interval.ms", "10000"), ("group.id", "g")][..],
            &[("fetch.max.bytes", "2000000000"), ("group.id", "g")],
            &[("max.partition.fetch.bytes", "52428800"), ("group.id", "g")],
        ] {
            if let Err(error) = config(pairs).create_native_config() {
                panic!("{pairs:?}: {error}");
            }
        }
        assert_eq!(config(&[("max.poll.interval.ms", "10000")]).get("session.timeout.ms"), Some("10000"));
    }

    #[tokio::test]
    async fn faults_of_the_configuration_are_found_without_a_broker() {
        let error = |pairs: &[(&str, &str)]| RdKafkaClients::new(&map(pairs)).err().unwrap().to_string();
        assert!(error(&[]).contains("\"bootstrap.servers\""));
        let tls = error(&[("bootstrap.servers", "h:1"), ("admin.security.protocol", "SSL")]);
        assert!(tls.contains("cannot do TLS"), "{tls}");

        let clients = RdKafkaClients::new(&map(&[("bootstrap.servers", "127.0.0.1:1")])).unwrap();
        let topics = Subscription::Topics(vec!["t".into()]);
        let wrong = map(&[("session.timeout.ms", "soon")]);
        let error = clients.sink_consumer("c", 0, &topics, &wrong).await.err().unwrap().to_string();
        assert!(
            error.starts_with("Invalid value soon for the Kafka client configuration session.timeout.ms"),
            "{error}"
        );
    }
}
