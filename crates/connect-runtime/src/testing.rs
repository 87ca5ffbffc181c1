//! Plugins for unit tests, which do what their configuration says, and the ports around them.

mod ports;

pub(crate) use ports::{EmptyCluster, MemoryGroups, MemoryOffsets, NoOffsets};

use crate::plugins::{ConverterClass, Plugins};
use crate::worker_config::WorkerConfig;
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::config::ConfigValueType as Ty;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Converter, OffsetMap, PollError, PutError, Rejected,
    SchemaRef, SinkConnector, SinkRecord, SinkTask, SinkTaskContext, SourceConnector, SourceRecord,
    SourceTask, SourceTaskContext, TopicPartition, Value,
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
            [
                "org.apache.kafka.connect.json.JsonConverter",
                "org.apache.kafka.connect.storage.StringConverter",
            ]
            .map(|class| ConverterClass { class, version: "4.3.0", config_def: &SCHEMAS_ENABLE }),
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
    match WorkerConfig::standalone(&values, &plugins()) {
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
        _: &mut Vec<u8>,
    ) -> Result<bool, ConnectError> {
        Ok(false)
    }

    fn class_name(&self) -> &'static str {
        "fake"
    }
}

/// `fake.at` names the call that misbehaves, `fake.how` in which way: `fail`, `retry`, `panic`, `hang` (a future that never ends),
/// `block` (its thread, for ever).
pub(crate) struct FakeSink {
    classes: &'static [&'static str],
}

static FAKE_CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new("fake.key", Ty::String, ""),
    ConfigKey::new("fake.password", Ty::Password, ""),
    ConfigKey::new("fake.number", Ty::Int, ""),
    // Whether the connector answers for offsets that are set by hand.
    ConfigKey::new("fake.knows.offsets", Ty::Boolean, "").default("false"),
    // Where a source writes a record with each poll.
    ConfigKey::new("fake.topic", Ty::String, ""),
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
    match how.as_str() {
        "panic" => panic!("told to panic"),
        // For ever, as bad plugins do.
        "block" => loop {
            std::thread::park();
        },
        _ => Some(how),
    }
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

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool, ConnectError> {
        answer_for_offsets(config, offsets.len()).await
    }

    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::<FakeTask>::default()
    }
}

async fn answer_for_offsets(config: &ConfigMap, count: usize) -> Result<bool, ConnectError> {
    match misbehaves(config, "alter_offsets").as_deref() {
        Some("hang") => std::future::pending().await,
        Some("fail") => {
            Err(ConnectError::config(format!("{count} offsets are not for {}", config["fake.password"])))
        }
        Some(_) => Err(ConnectError::failed("the other system is away")),
        None => Ok(config.get("fake.knows.offsets").is_some_and(|knows| knows == "true")),
    }
}

#[derive(Default)]
struct FakeTask {
    config: ConfigMap,
}

#[async_trait]
impl SinkTask for FakeTask {
    async fn start(&mut self, _: SinkTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        self.config = config.clone();
        match misbehaves(config, "start").as_deref() {
            Some("hang") => std::future::pending().await,
            Some(_) => Err(ConnectError::failed(format!("no luck with {}", config["fake.password"]))),
            None => Ok(()),
        }
    }

    async fn put(&mut self, _: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        Ok(Vec::new())
    }

    async fn stop(&mut self) {
        if misbehaves(&self.config, "stop").is_some() {
            std::future::pending::<()>().await;
        }
    }
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

    async fn task_configs(&self, config: &ConfigMap, _: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        match misbehaves(config, "task_configs").as_deref() {
            Some("hang") => std::future::pending().await,
            Some(_) => {
                Err(ConnectError::failed(format!("the database is away for {}", config["fake.password"])))
            }
            None => Ok(vec![config.clone()]),
        }
    }

    /// `again`: there is news after a moment, and again after each answer.
    async fn watch(&self, config: &ConfigMap, _: usize, current: &[ConfigMap]) {
        assert_eq!(current, std::slice::from_ref(config), "what task_configs said");
        match misbehaves(config, "watch").as_deref() {
            Some("again") => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => std::future::pending().await,
        }
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[(OffsetMap, Option<OffsetMap>)],
    ) -> Result<bool, ConnectError> {
        answer_for_offsets(config, offsets.len()).await
    }

    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::<FakeSourceTask>::default()
    }
}

#[derive(Default)]
struct FakeSourceTask {
    config: ConfigMap,
}

#[async_trait]
impl SourceTask for FakeSourceTask {
    async fn start(&mut self, _: SourceTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        self.config = config.clone();
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        match misbehaves(&self.config, "poll").as_deref() {
            Some("hang") => std::future::pending::<()>().await,
            Some("retry") => {
                let error =
                    ConnectError::failed(format!("{} is refused for now", self.config["fake.password"]));
                return Err(PollError::Retriable { error, backoff: Duration::from_millis(10) });
            }
            Some(_) => return Err(PollError::Fatal(ConnectError::failed("the file is gone"))),
            None => {}
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(self.config.get("fake.topic").map(|topic| record_for(topic)).into_iter().collect())
    }

    async fn stop(&mut self) {}
}

fn record_for(topic: &str) -> SourceRecord {
    SourceRecord {
        source_partition: None,
        source_offset: None,
        topic: topic.into(),
        partition: None,
        timestamp: None,
        key_schema: None,
        key: Value::Null,
        value_schema: None,
        value: Value::Null,
    }
}
