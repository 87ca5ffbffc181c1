//! Kafka and a sink.

use super::{Journal, is_bad};
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{
    ConfigMap, ConnectError, PutError, Rejected, SinkRecord, SinkTask, SinkTaskContext, TopicPartition,
};
use connect_runtime::ports::{OutgoingRecord, RawRecord, RecordProducer, SinkConsumer};
use connect_runtime::sink_task::TaskObserver;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// `(partition, offset)`; there is one topic.
pub(crate) type Place = (i32, i64);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Started,
    Put(Vec<Place>),
    PutRefused(Vec<Place>),
    DeadLetter(Place),
    Skipped(u64),
    Marked(Place),
    Committed(BTreeMap<i32, i64>),
    Paused,
    Resumed,
    Retrying,
    Running,
    /// The status says so; [`Event::Paused`] is the consumer's.
    ToldPaused,
    Stopped,
    Closed,
}

/// What a call of `put` answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Ok,
    Retry,
    Fatal,
    /// Takes that many milliseconds, then succeeds.
    Slow(u64),
}

/// What a call of `poll` brings.
#[derive(Clone, Debug)]
pub(crate) enum Polled {
    Records(Vec<Place>),
    /// Nothing, but these partitions are somebody else's now.
    Revoked(Vec<i32>),
    Error,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) journal: Journal<Event>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    polls: VecDeque<Polled>,
    /// Answers of `put`, `Ok` when used up.
    puts: VecDeque<Answer>,
    dead_letter_fails: bool,
    commit_fails: bool,
    marked: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    revoked: Vec<TopicPartition>,
    topics: BTreeSet<String>,
}

impl World {
    pub(crate) fn new(polls: Vec<Polled>, puts: Vec<Answer>) -> Arc<Self> {
        let state = State { polls: polls.into(), puts: puts.into(), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), ..Self::default() })
    }

    pub(crate) fn let_dead_letters_fail(&self) {
        self.lock().dead_letter_fails = true;
    }

    pub(crate) fn let_commits_fail(&self, fail: bool) {
        self.lock().commit_fails = fail;
    }

    pub(crate) fn journal(&self) -> Vec<Event> {
        self.journal.entries()
    }

    pub(crate) fn committed(&self) -> BTreeMap<i32, i64> {
        self.lock().committed.clone()
    }

    pub(crate) fn topics(&self) -> BTreeSet<String> {
        self.lock().topics.clone()
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.lock().polls.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn happened(&self, event: Event) {
        self.journal.happened(event).await;
    }
}

pub(super) struct Consumer {
    world: Arc<World>,
    paused: bool,
}

impl Consumer {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, paused: false }
    }
}

#[async_trait]
impl SinkConsumer for Consumer {
    async fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<RawRecord>, ConnectError> {
        assert!(max_records > 0);
        // While paused only what concerns the group comes through.
        let next = {
            let mut state = self.world.lock();
            match state.polls.front() {
                Some(Polled::Records(_)) if self.paused => None,
                _ => state.polls.pop_front(),
            }
        };
        match next {
            Some(Polled::Records(places)) => Ok(places.into_iter().map(record).collect()),
            Some(Polled::Error) => Err(ConnectError::failed("the consumer is fenced")),
            Some(Polled::Revoked(partitions)) => {
                let mut state = self.world.lock();
                for partition in partitions {
                    state.marked.remove(&partition);
                    state.revoked.push(TopicPartition { topic: "t".into(), partition });
                }
                Ok(Vec::new())
            }
            None => {
                tokio::time::sleep(timeout).await;
                Ok(Vec::new())
            }
        }
    }

    fn take_revoked(&mut self) -> Vec<TopicPartition> {
        std::mem::take(&mut self.world.lock().revoked)
    }

    fn mark_done(&mut self, partition: &TopicPartition, next_offset: i64) {
        self.world.lock().marked.insert(partition.partition, next_offset);
        self.world.journal.note(Event::Marked((partition.partition, next_offset)));
    }

    async fn commit(&mut self) -> Result<(), ConnectError> {
        let marked = {
            let mut state = self.world.lock();
            if state.commit_fails {
                return Err(ConnectError::failed("the coordinator is away"));
            }
            let marked = std::mem::take(&mut state.marked);
            state.committed.extend(marked.iter().map(|(partition, offset)| (*partition, *offset)));
            marked
        };
        if !marked.is_empty() {
            self.world.happened(Event::Committed(marked)).await;
        }
        Ok(())
    }

    fn pause(&mut self) -> Result<(), ConnectError> {
        self.paused = true;
        self.world.journal.note(Event::Paused);
        Ok(())
    }

    fn resume(&mut self) -> Result<(), ConnectError> {
        self.paused = false;
        self.world.journal.note(Event::Resumed);
        Ok(())
    }

    async fn close(&mut self) {
        self.world.happened(Event::Closed).await;
    }
}

pub(super) struct Producer(pub(super) Arc<World>);

#[async_trait]
impl RecordProducer for Producer {
    async fn send(&self, topic: &str, record: OutgoingRecord) -> Result<(), ConnectError> {
        assert_eq!(topic, "t.dlq");
        if self.0.lock().dead_letter_fails {
            return Err(ConnectError::failed("not enough replicas"));
        }
        // the record is the original one: its place is in its key
        let key = record.key.unwrap();
        let (partition, offset) = std::str::from_utf8(&key).unwrap().split_once('@').unwrap();
        let place = (partition.parse().unwrap(), offset.parse().unwrap());
        assert_eq!(record.value.as_deref(), Some(b"bad".as_slice()));
        assert_eq!(record.timestamp, Some(place.1 * 1000));
        assert_eq!(record.headers.first(), Some(&("h".to_string(), None)));
        self.0.happened(Event::DeadLetter(place)).await;
        Ok(())
    }
}

pub(crate) struct Sink(pub(crate) Arc<World>);

#[async_trait]
impl SinkTask for Sink {
    async fn start(&mut self, context: SinkTaskContext, _: &ConfigMap) -> Result<(), ConnectError> {
        assert_eq!((&*context.connector, context.task), ("c", 0));
        self.0.happened(Event::Started).await;
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        let places: Vec<Place> = records.iter().map(|record| (record.partition, record.offset)).collect();
        assert!(!places.is_empty());
        let answer = self.0.lock().puts.pop_front().unwrap_or(Answer::Ok);
        match answer {
            Answer::Ok => {}
            Answer::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Answer::Retry => {
                self.0.happened(Event::PutRefused(places)).await;
                let error = ConnectError::failed("the database is away");
                return Err(PutError::Retriable { error, backoff: Duration::from_secs(3) });
            }
            Answer::Fatal => {
                self.0.happened(Event::PutRefused(places)).await;
                return Err(PutError::Fatal(ConnectError::failed("no such table")));
            }
        }
        self.0.happened(Event::Put(places)).await;
        Ok(Vec::new())
    }

    async fn stop(&mut self) {
        self.0.happened(Event::Stopped).await;
    }
}

impl TaskObserver for World {
    fn on_running(&self) {
        self.journal.note(Event::Running);
    }

    fn on_paused(&self) {
        self.journal.note(Event::ToldPaused);
    }

    fn on_topic(&self, topic: &Arc<str>) {
        self.lock().topics.insert(topic.to_string());
    }

    fn on_retrying(&self, _: Duration, why: &str) {
        assert_eq!(why, "the database is away");
        self.journal.note(Event::Retrying);
    }

    fn on_bad_records(&self, skipped: u64, _: u64) {
        if skipped > 0 {
            self.journal.note(Event::Skipped(skipped));
        }
    }
}

fn record(place: Place) -> RawRecord {
    let (partition, offset) = place;
    RawRecord {
        topic: "t".into(),
        partition,
        offset,
        timestamp: Some(offset * 1000),
        key: Some(Bytes::from(format!("{partition}@{offset}"))),
        value: Some(if is_bad(offset) { Bytes::from_static(b"bad") } else { Bytes::from_static(b"good") }),
        headers: vec![("h".to_string(), None)],
    }
}
