//! Plugins and clients for unit tests: what they do is said by the configuration.

use crate::plugins::Plugins;
use crate::ports::{
    KafkaClients, OffsetStore, RawRecord, RecordProducer, SinkConsumer, SourceProducer, Subscription,
};
use crate::worker_config::WorkerConfig;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::config::ConfigValueType as Ty;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Converter, OffsetMap, PollError, PutError, SchemaRef,
    SinkConnector, SinkRecord, SinkTask, SinkTaskContext, SourceConnector, SourceRecord, SourceTask,
    SourceTaskContext, TopicPartition, Value,
};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn config(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

pub(crate) fn plugins() -> Plugins {
    Plugins::new()
        .with_sink(Arc::new(FakeSink::named(&[
            "org.example.FakeSinkConnector",
            "com.example.FakeSinkConnector",
        ])))
        .with_source(Arc::new(FakeSource))
        .with_converters(
            &[
                "org.apache.kafka.connect.json.JsonConverter",
                "org.apache.kafka.connect.storage.StringConverter",
            ],
            |_, config, _| {
                SCHEMAS_ENABLE
                    .parse(config)
                    .map_err(|faults| ConnectError::config(faults[0].message.clone()))?;
                Ok(Box::new(FakeConverter))
            },
        )
}

static SCHEMAS_ENABLE: ConfigDef =
    ConfigDef::new(&[ConfigKey::new("schemas.enable", Ty::Boolean, "").default("true")]);

pub(crate) fn worker_config(changes: &[(&str, &str)]) -> WorkerConfig {
    let mut values = config(&[
        ("bootstrap.servers", "localhost:9092"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "true"),
        ("offset.storage.file.filename", "/tmp/offsets"),
        ("task.shutdown.graceful.timeout.ms", "100"),
    ]);
    values.extend(config(changes));
    match WorkerConfig::read(&values, &plugins()) {
        Ok(read) => read.config,
        Err(faults) => panic!("{faults:?}"),
    }
}

struct FakeConverter;

impl Converter for FakeConverter {
    fn to_connect_data(
        &mut self,
        _: &str,
        _: Option<&Bytes>,
    ) -> Result<(Option<SchemaRef>, Value), ConnectError> {
        Ok((None, Value::Null))
    }

    fn from_connect_data(
        &mut self,
        _: &str,
        _: Option<&SchemaRef>,
        _: &Value,
    ) -> Result<Option<Bytes>, ConnectError> {
        Ok(None)
    }

    fn class_name(&self) -> &'static str {
        "fake"
    }
}

/// `fake.at` names the call that misbehaves, `fake.how` in which way: `fail`, `panic`, `hang`.
pub(crate) struct FakeSink {
    classes: &'static [&'static str],
}

static FAKE_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("fake.key", Ty::String, ""),
    ConfigKey::new("fake.password", Ty::Password, ""),
    ConfigKey::new("fake.number", Ty::Int, ""),
    ConfigKey::new("fake.at", Ty::String, ""),
    ConfigKey::new("fake.how", Ty::String, ""),
]);

impl FakeSink {
    pub(crate) fn named(classes: &'static [&'static str]) -> Self {
        Self { classes }
    }
}

fn misbehaves(config: &ConfigMap, at: &str) -> Option<String> {
    let how = (config.get("fake.at").map(String::as_str) == Some(at)).then(|| config["fake.how"].clone())?;
    if how == "panic" {
        panic!("told to panic");
    }
    Some(how)
}

#[async_trait]
impl SinkConnector for FakeSink {
    fn class_names(&self) -> &'static [&'static str] {
        self.classes
    }

    fn version(&self) -> &'static str {
        "1.2"
    }

    fn config_def(&self) -> &'static ConfigDef {
        &FAKE_CONFIG
    }

    fn validate(&self, config: &ConfigMap) -> Vec<(String, String)> {
        match misbehaves(config, "validate").as_deref() {
            // Blocks its thread, as bad plugins do.
            Some("hang") => std::thread::sleep(Duration::from_secs(5)),
            Some(_) => {
                return vec![("fake.key".into(), "fake.key and fake.number do not go together".into())];
            }
            None => {}
        }
        Vec::new()
    }

    async fn validate_remote(&self, config: &ConfigMap) -> Vec<(String, String)> {
        match misbehaves(config, "validate_remote").as_deref() {
            Some("hang") => std::future::pending().await,
            Some(_) => vec![("fake.key".into(), format!("cannot log in with {}", config["fake.password"]))],
            None => Vec::new(),
        }
    }

    fn task_configs(&self, config: &ConfigMap, max_tasks: usize) -> Vec<ConfigMap> {
        let more = usize::from(misbehaves(config, "task_configs").is_some());
        vec![config.clone(); max_tasks + more]
    }

    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::new(FakeTask)
    }
}

struct FakeTask;

#[async_trait]
impl SinkTask for FakeTask {
    async fn start(&mut self, _: SinkTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        match misbehaves(config, "start").as_deref() {
            Some("hang") => std::future::pending().await,
            Some(_) => Err(ConnectError::failed(format!("no luck with {}", config["fake.password"]))),
            None => Ok(()),
        }
    }

    async fn put(&mut self, _: &[SinkRecord]) -> Result<(), PutError> {
        Ok(())
    }

    async fn stop(&mut self) {}
}

/// Reads nothing; misbehaves like [`FakeSink`].
struct FakeSource;

#[async_trait]
impl SourceConnector for FakeSource {
    fn class_names(&self) -> &'static [&'static str] {
        &["org.example.FakeSourceConnector"]
    }

    fn version(&self) -> &'static str {
        "1.3"
    }

    fn config_def(&self) -> &'static ConfigDef {
        &FAKE_CONFIG
    }

    fn validate(&self, _: &ConfigMap) -> Vec<(String, String)> {
        Vec::new()
    }

    async fn validate_remote(&self, _: &ConfigMap) -> Vec<(String, String)> {
        Vec::new()
    }

    fn task_configs(&self, config: &ConfigMap, _: usize) -> Vec<ConfigMap> {
        vec![config.clone()]
    }

    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(FakeSourceTask { fails: false })
    }
}

struct FakeSourceTask {
    fails: bool,
}

#[async_trait]
impl SourceTask for FakeSourceTask {
    async fn start(&mut self, _: SourceTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        self.fails = misbehaves(config, "poll").is_some();
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        if self.fails {
            return Err(PollError::Fatal(ConnectError::failed("the file is gone")));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(Vec::new())
    }

    async fn stop(&mut self) {}
}

/// Nothing is remembered.
pub(crate) struct NoOffsets;

#[async_trait]
impl OffsetStore for NoOffsets {
    async fn get(&self, _: &str, _: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        Ok(None)
    }

    async fn set(&self, _: &str, _: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn all(&self, _: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        Ok(Vec::new())
    }
}

/// A cluster without records.
pub(crate) struct EmptyCluster;

struct EmptyConsumer;

#[async_trait]
impl SinkConsumer for EmptyConsumer {
    async fn poll(&mut self, _: usize, timeout: Duration) -> Result<Vec<RawRecord>, ConnectError> {
        tokio::time::sleep(timeout.min(Duration::from_millis(10))).await;
        Ok(Vec::new())
    }

    fn mark_done(&mut self, _: &TopicPartition, _: i64) {}

    fn take_revoked(&mut self) -> Vec<TopicPartition> {
        Vec::new()
    }

    async fn commit(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    fn pause(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    fn resume(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn close(&mut self) {}
}

struct NoProducer;

#[async_trait]
impl RecordProducer for NoProducer {
    async fn send(&self, _: &str, _: crate::ports::OutgoingRecord) -> Result<(), ConnectError> {
        Ok(())
    }
}

#[async_trait]
impl SourceProducer for NoProducer {
    async fn send(
        &self,
        _: crate::ports::ProducerRecord,
    ) -> Result<crate::ports::Delivery, crate::ports::ProduceError> {
        Ok(Box::pin(async { Ok(()) }))
    }
}

#[async_trait]
impl KafkaClients for EmptyCluster {
    async fn sink_consumer(
        &self,
        _: &str,
        _: usize,
        _: &Subscription,
        _: &ConfigMap,
    ) -> Result<Box<dyn SinkConsumer>, ConnectError> {
        Ok(Box::new(EmptyConsumer))
    }

    async fn source_producer(
        &self,
        _: &str,
        _: usize,
        _: &ConfigMap,
    ) -> Result<Arc<dyn SourceProducer>, ConnectError> {
        Ok(Arc::new(NoProducer))
    }

    async fn dead_letter_producer(
        &self,
        _: &str,
        _: usize,
        _: &ConfigMap,
    ) -> Result<Arc<dyn RecordProducer>, ConnectError> {
        Ok(Arc::new(NoProducer))
    }

    async fn ensure_topic(&self, _: &str, _: i32, _: i32) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn cluster_id(&self) -> Result<Option<String>, ConnectError> {
        Ok(Some("empty".into()))
    }
}
