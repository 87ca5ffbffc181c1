//! Kafka, a sink and a source in memory. Everything that happens to the outside goes into one journal, and the world can be made
//! to end at any entry of it.

pub(crate) mod sink;
pub(crate) mod source;

use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError, Converter, SchemaRef, Value};
use connect_runtime::ports::{KafkaClients, RecordProducer, SinkConsumer, SourceProducer, Subscription};
use std::sync::{Arc, Mutex};

pub(crate) struct Journal<E> {
    entries: Mutex<Entries<E>>,
    death: tokio::sync::Notify,
}

struct Entries<E> {
    list: Vec<E>,
    /// The process dies when the journal has this many entries: the next thing to happen never returns.
    dies_at: Option<usize>,
}

impl<E> Default for Journal<E> {
    fn default() -> Self {
        let entries = Mutex::new(Entries { list: Vec::new(), dies_at: None });
        Self { entries, death: tokio::sync::Notify::new() }
    }
}

impl<E: Clone> Journal<E> {
    pub(crate) fn die_at(&self, entries: usize) {
        self.entries.lock().unwrap().dies_at = Some(entries);
    }

    /// Returns when the process is dead.
    pub(crate) async fn death(&self) {
        self.death.notified().await;
    }

    /// The process comes up again, and nothing has happened to it yet.
    pub(crate) fn begin_again(&self) {
        *self.entries.lock().unwrap() = Entries { list: Vec::new(), dies_at: None };
    }

    pub(crate) fn entries(&self) -> Vec<E> {
        self.entries.lock().unwrap().list.clone()
    }

    pub(crate) fn note(&self, event: E) {
        self.entries.lock().unwrap().list.push(event);
    }

    /// Two entries per deed would hide a crash between deed and answer; so a deed is done, written down, and then the
    /// process may die before it hears of it.
    async fn happened(&self, event: E) {
        let dead = {
            let mut entries = self.entries.lock().unwrap();
            entries.list.push(event);
            entries.dies_at.is_some_and(|at| entries.list.len() >= at)
        };
        if dead {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// The clients of one task, which asks only for what its direction needs.
pub(crate) enum Clients {
    Sink(Arc<sink::World>),
    Source(Arc<source::World>),
}

#[async_trait]
impl KafkaClients for Clients {
    async fn sink_consumer(
        &self,
        _: &str,
        _: usize,
        _: &Subscription,
        _: &ConfigMap,
    ) -> Result<Box<dyn SinkConsumer>, ConnectError> {
        let Self::Sink(world) = self else { unreachable!("a source task consumes nothing") };
        Ok(Box::new(sink::Consumer::new(world.clone())))
    }

    async fn source_producer(
        &self,
        connector: &str,
        task: usize,
        overrides: &ConfigMap,
    ) -> Result<Box<dyn SourceProducer>, ConnectError> {
        let Self::Source(world) = self else { unreachable!("a sink task asks for no such producer") };
        assert_eq!((connector, task, overrides.len()), ("c", 0, 0));
        Ok(Box::new(source::Producer::new(world.clone())))
    }

    async fn dead_letter_producer(
        &self,
        _: &str,
        _: usize,
        _: &ConfigMap,
    ) -> Result<Arc<dyn RecordProducer>, ConnectError> {
        let Self::Sink(world) = self else { unreachable!("a source has no dead-letter topic") };
        Ok(Arc::new(sink::Producer(world.clone())))
    }

    async fn ensure_topic(
        &self,
        _: &str,
        partitions: i32,
        replication_factor: i32,
    ) -> Result<(), ConnectError> {
        assert!(matches!(self, Self::Sink(_)), "the broker makes the topics of a source");
        assert_eq!((partitions, replication_factor), (1, 1));
        Ok(())
    }

    async fn cluster_id(&self) -> Result<Option<String>, ConnectError> {
        Ok(None)
    }
}

/// Texts, but for `bad`, which it refuses both ways.
pub(crate) struct TextConverter;

impl Converter for TextConverter {
    fn to_connect_data(
        &mut self,
        _: &str,
        bytes: Option<&Bytes>,
    ) -> Result<(Option<SchemaRef>, Value), ConnectError> {
        match bytes {
            Some(bytes) if &**bytes == b"bad" => Err(ConnectError::data("this is bad")),
            Some(bytes) => Ok((None, Value::from(std::str::from_utf8(bytes).unwrap()))),
            None => Ok((None, Value::Null)),
        }
    }

    fn from_connect_data(
        &mut self,
        topic: &str,
        _: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConnectError> {
        assert_eq!((topic, &**out), ("t", &b""[..]));
        match value {
            Value::Null => Ok(false),
            Value::String(text) => {
                out.extend_from_slice(text.as_bytes());
                if text == "bad" { Err(ConnectError::data("this is bad")) } else { Ok(true) }
            }
            other => panic!("{other:?}"),
        }
    }

    fn class_name(&self) -> &'static str {
        "org.example.TextConverter"
    }
}

/// Whether the record of that offset cannot be converted.
pub(crate) fn is_bad(offset: i64) -> bool {
    offset % 10 == 7
}
