//! Kafka and a sink.

use super::{Journal, is_bad};
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{
    ConfigMap, ConnectError, PutError, Rejected, SinkRecord, SinkTask, SinkTaskContext, TopicPartition,
};
use connect_runtime::ports::{Commit, OutgoingRecord, RawRecord, Rebalance, RecordProducer, SinkConsumer};
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
    /// Of the put just before.
    Rejected(Vec<Place>),
    DeadLetter(Place),
    Skipped(u64),
    Marked(Place),
    /// The task has been told of these partitions.
    Opened(Vec<i32>),
    /// An assignment is completed; reading begins at these places.
    Assigned(Vec<Place>),
    /// A revocation is completed.
    Revoked(Vec<i32>),
    Sought(Vec<Place>),
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
    /// Fails for the record at this place.
    BadRecord(usize),
    /// Takes that many milliseconds, then succeeds.
    Slow(u64),
    /// Writes all but these.
    Reject(&'static [usize]),
    /// Writes nothing before these are passed over.
    RejectFirst(&'static [usize]),
    /// As [`Answer::Slow`], then wants to read elsewhere.
    Seek(u64, &'static [Place]),
}

/// What a call of `poll` brings.
#[derive(Clone, Debug)]
pub(crate) enum Polled {
    Records(Vec<Place>),
    /// Nothing, but these partitions are to be given away.
    Revoked(Vec<i32>),
    /// Nothing, but these partitions are the task's.
    Assigned(Vec<i32>),
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
    rebalance: Option<Rebalance>,
    given_away: BTreeSet<i32>,
    /// The last put was refused until records were passed over.
    rejects_first: bool,
    /// How long a commit takes.
    commit_millis: u64,
    /// What the task answers for partitions that it is told of.
    positions: Vec<Place>,
    /// What comes after the consumer was sent elsewhere.
    after_seek: Vec<Polled>,
    batch_size: usize,
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

    pub(crate) fn let_commits_take(&self, millis: u64) {
        self.lock().commit_millis = millis;
    }

    pub(crate) fn begins_at(&self, positions: &[Place]) {
        self.lock().positions = positions.to_vec();
    }

    pub(crate) fn comes_after_seek(&self, polls: Vec<Polled>) {
        self.lock().after_seek = polls;
    }

    pub(crate) fn takes_batches_of(&self, records: usize) {
        self.lock().batch_size = records;
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
        assert_eq!(self.rebalance(), None, "the group waits");
        // While paused only what concerns the group comes through.
        let next = {
            let mut state = self.world.lock();
            match state.polls.front_mut() {
                Some(Polled::Records(_)) if self.paused => None,
                Some(Polled::Records(places)) if places.len() > max_records => {
                    Some(Polled::Records(places.drain(..max_records).collect()))
                }
                _ => state.polls.pop_front(),
            }
        };
        match next {
            Some(Polled::Records(places)) => Ok(places.into_iter().map(record).collect()),
            Some(Polled::Error) => Err(ConnectError::failed("the consumer is fenced")),
            Some(Polled::Revoked(partitions)) => {
                self.world.lock().rebalance = Some(Rebalance::Revoked(named(&partitions)));
                Ok(Vec::new())
            }
            Some(Polled::Assigned(partitions)) => {
                self.world.lock().rebalance = Some(Rebalance::Assigned(named(&partitions)));
                Ok(Vec::new())
            }
            None => {
                tokio::time::sleep(timeout).await;
                Ok(Vec::new())
            }
        }
    }

    fn rebalance(&self) -> Option<Rebalance> {
        self.world.lock().rebalance.clone()
    }

    async fn assign(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        let given = self.world.lock().rebalance.take();
        let Some(Rebalance::Assigned(given)) = given else { panic!("{given:?}") };
        let positions = places(positions);
        for partition in given {
            self.world.lock().given_away.remove(&partition.partition);
        }
        self.world.lock().marked.extend(positions.iter().copied());
        self.world.happened(Event::Assigned(positions)).await;
        Ok(())
    }

    async fn revoke(&mut self) -> Result<(), ConnectError> {
        let taken = self.world.lock().rebalance.take();
        let Some(Rebalance::Revoked(taken)) = taken else { panic!("{taken:?}") };
        let taken: Vec<i32> = taken.iter().map(|partition| partition.partition).collect();
        let done: BTreeMap<i32, i64> = {
            let mut state = self.world.lock();
            let done: BTreeMap<_, _> =
                taken.iter().filter_map(|partition| state.marked.remove_entry(partition)).collect();
            state.committed.extend(&done);
            state.given_away.extend(&taken);
            done
        };
        if !done.is_empty() {
            self.world.happened(Event::Committed(done)).await;
        }
        self.world.happened(Event::Revoked(taken)).await;
        Ok(())
    }

    async fn seek(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        self.world.happened(Event::Sought(places(positions))).await;
        let mut state = self.world.lock();
        // What was on its way is thrown away.
        for polled in &mut state.polls {
            if let Polled::Records(places) = polled {
                places.retain(|(partition, _)| !positions.iter().any(|(to, _)| to.partition == *partition));
            }
        }
        let polls = std::mem::take(&mut state.after_seek);
        state.polls.extend(polls);
        Ok(())
    }

    fn mark_done(&mut self, partition: &TopicPartition, next_offset: i64) {
        assert!(!self.world.lock().given_away.contains(&partition.partition));
        self.world.lock().marked.insert(partition.partition, next_offset);
        self.world.journal.note(Event::Marked((partition.partition, next_offset)));
    }

    fn commit(&mut self) -> Commit {
        let (world, marked) = (self.world.clone(), self.world.lock().marked.clone());
        Box::pin(async move {
            let millis = world.lock().commit_millis;
            tokio::time::sleep(Duration::from_millis(millis)).await;
            {
                let mut state = world.lock();
                if state.commit_fails {
                    return Err(ConnectError::failed("the coordinator is away"));
                }
                state.committed.extend(&marked);
                state.marked.retain(|partition, offset| marked.get(partition) != Some(offset));
            }
            if !marked.is_empty() {
                world.happened(Event::Committed(marked)).await;
            }
            Ok(())
        })
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
        let bad = if is_bad(place.1) { b"bad".as_slice() } else { b"good" };
        assert_eq!(record.value.as_deref(), Some(bad));
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

    async fn open(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        let numbers: Vec<i32> = partitions.iter().map(|partition| partition.partition).collect();
        let positions = self.0.lock().positions.clone();
        self.0.happened(Event::Opened(numbers.clone())).await;
        let known = positions.into_iter().filter(|(partition, _)| numbers.contains(partition));
        Ok(known.map(|(partition, offset)| (named(&[partition]).remove(0), offset)).collect())
    }

    fn batch_size(&self) -> usize {
        self.0.lock().batch_size
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        let places: Vec<Place> = records.iter().map(|record| (record.partition, record.offset)).collect();
        let left_over = std::mem::take(&mut self.0.lock().rejects_first);
        assert!(!places.is_empty() || left_over);
        assert!(!places.iter().any(|(partition, _)| self.0.lock().given_away.contains(partition)));
        let answer = self.0.lock().puts.pop_front().unwrap_or(Answer::Ok);
        match answer {
            Answer::Ok => {}
            Answer::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Answer::Retry => {
                self.0.happened(Event::PutRefused(places)).await;
                let error = ConnectError::failed("the database is away");
                return Err(PutError::Retriable { error, backoff: Duration::from_secs(3) });
            }
            Answer::Reject(indexes) => {
                let (mut written, mut rejected) = (Vec::new(), Vec::new());
                for (index, place) in places.into_iter().enumerate() {
                    if indexes.contains(&index) { &mut rejected } else { &mut written }.push(place);
                }
                self.0.happened(Event::Put(written)).await;
                self.0.happened(Event::Rejected(rejected)).await;
                return Ok(rejected_at(indexes));
            }
            Answer::RejectFirst(indexes) => {
                self.0.lock().rejects_first = true;
                self.0.happened(Event::PutRefused(places)).await;
                return Err(PutError::RejectFirst(rejected_at(indexes)));
            }
            Answer::Seek(millis, to) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.0.happened(Event::PutRefused(places)).await;
                let positions =
                    to.iter().map(|(partition, offset)| (named(&[*partition]).remove(0), *offset));
                let error = ConnectError::failed("somebody else has written");
                return Err(PutError::Seek { error, positions: positions.collect() });
            }
            Answer::BadRecord(index) => {
                self.0.happened(Event::PutRefused(places)).await;
                return Err(PutError::BadRecord(rejected_at(&[index]).remove(0)));
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

fn rejected_at(indexes: &[usize]) -> Vec<Rejected> {
    let reject = |index: &usize| {
        let error = ConnectError::data("Data too long for column 'a'");
        let headers = vec![("__connect.errors.sqlstate".to_owned(), "22001".to_owned())];
        Rejected { index: *index, error, headers }
    };
    indexes.iter().map(reject).collect()
}

fn named(partitions: &[i32]) -> Vec<TopicPartition> {
    partitions.iter().map(|partition| TopicPartition { topic: "t".into(), partition: *partition }).collect()
}

fn places(positions: &[(TopicPartition, i64)]) -> Vec<Place> {
    positions.iter().map(|(partition, offset)| (partition.partition, *offset)).collect()
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
