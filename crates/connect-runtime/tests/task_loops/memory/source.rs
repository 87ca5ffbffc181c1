//! A source, Kafka and an offset store.

use super::{Journal, is_bad};
use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, OffsetMap, PollError, SourceRecord, SourceTask, SourceTaskContext, Value,
};
use connect_runtime::observer::TaskObserver;
use connect_runtime::ports::{NotSent, OffsetStore, ProduceError, ProducerRecord, Settled, SourceProducer};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// `(source partition, source offset)`.
pub(crate) type Place = (i64, i64);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Started,
    Running,
    ToldPaused,
    Retrying(String),
    /// Kafka has it, and has not said so yet.
    Stored(Place),
    Acknowledged(Place),
    Committed(BTreeMap<i64, i64>),
    Skipped(u64),
    Stopped,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Acknowledged after that many milliseconds.
    After(u64),
    Never,
    /// Refused for its own sake.
    TooLarge,
    /// Refused, as all others would be.
    Unauthorized,
    /// The queue has no room for it for that many milliseconds.
    NoRoom(u64),
}

#[derive(Clone, Debug)]
pub(crate) enum Polled {
    Records(Vec<Place>),
    Retry,
    Fatal,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) journal: Journal<Event>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    polls: VecDeque<Polled>,
    fates: HashMap<Place, Fate>,
    /// What Kafka has, in its order.
    topic: Vec<Place>,
    committed: BTreeMap<i64, i64>,
    store_fails: bool,
    in_flight: usize,
    most_in_flight: usize,
    topics: BTreeSet<String>,
}

impl World {
    pub(crate) fn new(polls: Vec<Polled>, fates: &[(Place, Fate)]) -> Arc<Self> {
        let state = State { polls: polls.into(), fates: fates.iter().copied().collect(), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), ..Self::default() })
    }

    /// The process comes up again; the source is asked for `polls`.
    pub(crate) fn reborn(&self, polls: Vec<Polled>) {
        self.lock().polls = polls.into();
        self.journal.begin_again();
    }

    pub(crate) fn let_store_fail(&self, fail: bool) {
        self.lock().store_fails = fail;
    }

    pub(crate) fn journal(&self) -> Vec<Event> {
        self.journal.entries()
    }

    pub(crate) fn committed(&self) -> BTreeMap<i64, i64> {
        self.lock().committed.clone()
    }

    pub(crate) fn topic(&self) -> Vec<Place> {
        self.lock().topic.clone()
    }

    pub(crate) fn topics(&self) -> BTreeSet<String> {
        self.lock().topics.clone()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.lock().most_in_flight
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn happened(&self, event: Event) {
        self.journal.happened(event).await;
    }
}

pub(crate) struct Source(pub(crate) Arc<World>, pub(crate) BTreeMap<i64, i64>);

#[async_trait]
impl SourceTask for Source {
    async fn start(&mut self, context: SourceTaskContext, _: &ConfigMap) -> Result<(), ConnectError> {
        assert_eq!((&*context.connector, context.task), ("c", 0));
        for partition in 0..2 {
            if let Some(offset) = context.offsets.offset(&map(json!({ "p": partition }))).await? {
                self.1.insert(partition, offset["n"].as_i64().unwrap());
            }
        }
        self.0.happened(Event::Started).await;
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        let next = self.0.lock().polls.pop_front();
        match next {
            Some(Polled::Records(places)) => {
                // It goes on behind what is committed.
                let new = |place: &Place| self.1.get(&place.0).is_none_or(|committed| place.1 > *committed);
                Ok(places.into_iter().filter(new).map(record).collect())
            }
            Some(Polled::Retry) => Err(PollError::Retriable {
                error: ConnectError::failed("the disk is away"),
                backoff: Duration::from_secs(3),
            }),
            Some(Polled::Fatal) => Err(PollError::Fatal(ConnectError::failed("the disk is broken"))),
            None => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Vec::new())
            }
        }
    }

    async fn stop(&mut self) {
        self.0.happened(Event::Stopped).await;
    }
}

fn map(value: serde_json::Value) -> OffsetMap {
    value.as_object().unwrap().clone()
}

fn record(place: Place) -> SourceRecord {
    let (partition, offset) = place;
    SourceRecord {
        source_partition: Some(Arc::new(map(json!({ "p": partition })))),
        source_offset: Some(map(json!({ "n": offset })).into()),
        topic: "t".into(),
        partition: None,
        timestamp: Some(offset * 1000),
        key_schema: None,
        key: Value::Null,
        value_schema: None,
        value: if is_bad(offset) { "bad".into() } else { format!("{partition}@{offset}").as_str().into() },
    }
}

pub(super) struct Producer {
    world: Arc<World>,
    /// When each record is settled, its number and its place; one that is refused then has none.
    under_way: Vec<(Instant, usize, Option<Place>)>,
    /// When the queue has room again.
    room: Option<Instant>,
}

impl Producer {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, under_way: Vec::new(), room: None }
    }
}

#[async_trait]
impl SourceProducer for Producer {
    fn send(&mut self, record: ProducerRecord<'_>, number: usize) -> Result<(), NotSent> {
        let (partition, offset) =
            std::str::from_utf8(record.value.unwrap()).unwrap().split_once('@').unwrap();
        let place: Place = (partition.parse().unwrap(), offset.parse().unwrap());
        assert_eq!((record.timestamp, record.key), (Some(place.1 * 1000), None));
        let mut state = self.world.lock();
        let fate = state.fates.get(&place).copied().unwrap_or(Fate::After(0));
        let now = Instant::now();
        let settled = match fate {
            Fate::TooLarge => {
                let error = ProduceError::Record(ConnectError::failed("1 MiB is too much"));
                return Err(NotSent::Refused(error));
            }
            Fate::NoRoom(millis) if now < *self.room.get_or_insert(now + Duration::from_millis(millis)) => {
                return Err(NotSent::NoRoom);
            }
            Fate::Unauthorized => Some((now, number, None)),
            Fate::Never => None,
            Fate::NoRoom(_) => Some((now, number, Some(place))),
            Fate::After(millis) => Some((now + Duration::from_millis(millis), number, Some(place))),
        };
        self.room = None;
        self.under_way.extend(settled);
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        Ok(())
    }

    async fn settled(&mut self, settled: &mut Settled) {
        let Some(next) = self.under_way.iter().map(|(at, ..)| *at).chain(self.room).min() else {
            return std::future::pending().await;
        };
        sleep_until(next).await;
        // In the order of the calls.
        while let Some(at) = self.under_way.iter().position(|(at, ..)| *at <= next) {
            let (_, number, place) = self.under_way.remove(at);
            self.world.lock().in_flight -= 1;
            match place {
                None => {
                    let error = ProduceError::Fatal(ConnectError::failed("not authorized"));
                    settled.refused.push((number, error));
                }
                Some(place) => {
                    self.world.lock().topic.push(place);
                    self.world.happened(Event::Stored(place)).await;
                    self.world.happened(Event::Acknowledged(place)).await;
                    settled.acknowledged.push(number);
                }
            }
        }
    }
}

pub(crate) struct Store(pub(crate) Arc<World>);

#[async_trait]
impl OffsetStore for Store {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        assert_eq!(connector, "c");
        let committed = self.0.committed();
        Ok(committed.get(&partition["p"].as_i64().unwrap()).map(|offset| map(json!({ "n": offset }))))
    }

    async fn all(&self, _: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        unreachable!("a task asks for its own partitions")
    }

    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError> {
        assert_eq!(connector, "c");
        assert!(!offsets.is_empty());
        // A disk takes its time; the task must not forget the offsets meanwhile.
        tokio::time::sleep(Duration::from_millis(5)).await;
        if self.0.lock().store_fails {
            return Err(ConnectError::failed("the disk is full"));
        }
        let offsets: BTreeMap<i64, i64> = offsets
            .into_iter()
            .map(|(partition, offset)| {
                (partition["p"].as_i64().unwrap(), offset.unwrap()["n"].as_i64().unwrap())
            })
            .collect();
        self.0.lock().committed.extend(offsets.clone());
        self.0.happened(Event::Committed(offsets)).await;
        Ok(())
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
        self.journal.note(Event::Retrying(why.to_owned()));
    }

    fn on_bad_records(&self, skipped: u64, dead_lettered: u64) {
        assert_eq!(dead_lettered, 0);
        self.journal.note(Event::Skipped(skipped));
    }
}
