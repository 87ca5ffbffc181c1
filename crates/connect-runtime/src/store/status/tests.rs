use super::*;
use crate::herder::State;
use crate::ports::{LogReader, LogRecord};
use crate::store::MemoryTopic;
use crate::store::golden::{STATUS, entries};
use crate::store::status_records::StatusRecord;
use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn status(state: State, generation: i32) -> Status {
    Status {
        state,
        trace: None,
        worker_id: "127.0.0.1:22983".into(),
        generation,
        version: Some("4.3.0".into()),
    }
}

fn task(connector: &str, task: usize) -> TaskId {
    TaskId { connector: connector.into(), task }
}

async fn started(topic: &MemoryTopic) -> StatusStore {
    let store = StatusStore::new(Arc::new(topic.log()));
    store.start().await.unwrap();
    store
}

#[tokio::test]
async fn the_topic_of_a_java_cluster_is_understood() {
    let topic = MemoryTopic::new();
    let java = topic.log();
    for entry in entries(STATUS) {
        java.append(vec![LogRecord { key: entry.key.unwrap(), value: entry.value }]).await.unwrap();
    }
    let store = started(&topic).await;
    assert_eq!(store.connector("lines-sink"), Some(status(State::Unassigned, 14)));
    assert_eq!(store.tasks("lines-sink"), [(0, Status { version: None, ..status(State::Unassigned, 14) })]);
    assert_eq!(store.connector("broken"), None);
    assert_eq!(store.topics("lines-sink"), [], "they were reset");
    let topics = store.topics("lines-source");
    assert_eq!((topics.len(), topics[0].topic.as_str(), topics[0].task), (1, "lines", 0));
    let let_go = store.let_go(-1);
    assert_eq!(let_go.connectors.len(), 3, "the worker was stopped properly");
    assert_eq!(let_go.tasks, BTreeSet::from([task("lines-sink", 0)]));
}

/// What was understood is written again as it was.
#[test]
fn our_records_are_javas_byte_for_byte() {
    let java = entries(STATUS);
    let written = java.iter().filter(|entry| entry.value.is_some());
    let mut failed = 0;
    for entry in written.clone() {
        let key = entry.key.clone().unwrap();
        let text = std::str::from_utf8(&key).unwrap();
        let (our_key, our_value) = match parse(text, entry.value.as_deref()).unwrap() {
            StatusRecord::Connector(name, Some(status)) => (connector_key(&name), status_value(&status)),
            StatusRecord::Task(id, Some(status)) => {
                failed += usize::from(status.trace.is_some());
                (task_key(&id), status_value(&status))
            }
            StatusRecord::Topic { status: Some(status), .. } => {
                let record = topic_record(&status);
                (record.key, record.value.unwrap())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((our_key, Some(our_value)), (key, entry.value.clone()));
    }
    assert_eq!((written.count(), failed), (40, 1));
}

#[tokio::test]
async fn what_is_put_is_seen_by_all() {
    let topic = MemoryTopic::new();
    let (first, second) = (started(&topic).await, started(&topic).await);
    first.put_connector("c", status(State::Running, 1));
    first.put_task(&task("c", 1), status(State::Running, 1));
    first.put_task(&task("c", 0), status(State::Failed, 1));
    first.put_topic(TopicStatus { topic: "t".into(), connector: "c".into(), task: 0, discovered: 7 });
    first.flush().await;
    assert_eq!(second.connector("c").unwrap().state, State::Running);
    let states: Vec<_> = second.tasks("c").into_iter().map(|(task, status)| (task, status.state)).collect();
    assert_eq!(states, [(0, State::Failed), (1, State::Running)]);
    assert_eq!(second.topics("c").len(), 1);
    assert_eq!(second.connectors(), BTreeSet::from(["c".to_owned()]));

    first.put_task(&task("c", 1), status(State::Unassigned, 1));
    first.flush().await;
    second.remove_topic("c", "t");
    second.remove_task(&task("c", 1));
    second.flush().await;
    assert_eq!((first.topics("c").len(), first.tasks("c").len()), (0, 1));
}

#[tokio::test]
async fn removing_a_connector_removes_its_tasks_even_before_they_are_read_back() {
    let topic = MemoryTopic::new();
    let store = started(&topic).await;
    store.put_task(&task("c", 0), status(State::Running, 1));
    store.flush().await;
    store.put_task(&task("c", 1), status(State::Running, 1));
    store.remove_connector("c");
    store.put_connector("other", status(State::Running, 1));
    store.flush().await;
    let keys: Vec<_> = topic.records().into_iter().map(|entry| entry.key.unwrap()).collect();
    assert_eq!(keys, ["status-connector-other"], "all else is compacted away");
}

#[tokio::test]
async fn a_safe_put_does_not_overrule_a_later_generation() {
    let topic = MemoryTopic::new();
    let store = started(&topic).await;
    let of =
        |worker: &str, state, generation| Status { worker_id: worker.into(), ..status(state, generation) };
    store.put_connector("c", of("new", State::Running, 5));
    store.put_task(&task("c", 0), of("new", State::Running, 5));
    store.flush().await;
    store.put_connector_safe("c", of("old", State::Unassigned, 4));
    store.put_task_safe(&task("c", 0), of("old", State::Failed, 4));
    store.put_task_safe(&task("c", 1), of("old", State::Failed, 4));
    store.flush().await;
    assert_eq!(store.connector("c").unwrap().worker_id, "new");
    assert_eq!(store.task(&task("c", 0)).unwrap().worker_id, "new");
    assert_eq!(store.task(&task("c", 1)).unwrap().worker_id, "old", "nobody has spoken of it");
    store.put_connector_safe("c", of("old", State::Paused, 5));
    store.flush().await;
    assert_eq!(store.connector("c").unwrap().worker_id, "old");
}

/// A worker that hung, and lost its work meanwhile, does not know of it at once: what it says then hides the word of the one who runs
/// the work now.
#[tokio::test]
async fn what_hides_the_word_of_who_runs_it_is_answered() {
    let topic = MemoryTopic::new();
    let (now, late, third) = (started(&topic).await, started(&topic).await, started(&topic).await);
    let of =
        |worker: &str, state, generation| Status { worker_id: worker.into(), ..status(state, generation) };
    late.put_connector("c", of("late", State::Running, 4));
    late.put_task(&task("c", 0), of("late", State::Running, 4));
    late.flush().await;
    now.put_connector("c", of("now", State::Running, 6));
    now.put_task(&task("c", 0), of("now", State::Paused, 6));
    now.flush().await;
    for state in [State::Running, State::Failed] {
        late.put_connector("c", of("late", state, 4));
        late.put_task(&task("c", 0), of("late", state, 4));
        late.flush().await;
        now.flush().await;
        assert_eq!(third.connector("c"), Some(of("now", State::Running, 6)));
        assert_eq!(third.task(&task("c", 0)), Some(of("now", State::Paused, 6)));
    }
    // A leader that hung may remove what was there in its time, and has been made again since.
    late.remove_connector("c");
    late.flush().await;
    now.flush().await;
    assert_eq!(third.connector("c"), Some(of("now", State::Running, 6)));
    assert_eq!(third.task(&task("c", 0)), Some(of("now", State::Paused, 6)));
    // Who has given it up has nothing to repeat, nor has anybody an older word than the other.
    now.put_connector("c", of("now", State::Unassigned, 6));
    now.put_task(&task("c", 0), of("now", State::Running, 6));
    now.flush().await;
    late.put_connector("c", of("late", State::Running, 5));
    late.put_task(&task("c", 0), of("late", State::Running, 7));
    late.flush().await;
    now.flush().await;
    assert_eq!(third.connector("c").unwrap().worker_id, "late");
    assert_eq!(third.task(&task("c", 0)).unwrap().worker_id, "late");
}

/// Fails for a while, and for ever for keys that begin with `bad`.
struct Flaky {
    log: crate::store::MemoryLog,
    failures: AtomicUsize,
}

#[async_trait]
impl TopicLog for Flaky {
    async fn start(&self, reader: LogReader) -> Result<(), ConnectError> {
        self.log.start(reader).await
    }

    async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError> {
        let away = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if away || records.iter().any(|record| record.key.starts_with(b"status-connector-bad")) {
            return Err(ConnectError::failed("no broker"));
        }
        self.log.append(records).await
    }

    async fn read_to_end(&self) -> Result<(), ConnectError> {
        self.log.read_to_end().await
    }
}

#[tokio::test(start_paused = true)]
async fn while_kafka_is_away_only_the_newest_status_is_kept() {
    let topic = MemoryTopic::new();
    let store = StatusStore::new(Arc::new(Flaky { log: topic.log(), failures: 20.into() }));
    store.start().await.unwrap();
    for generation in 0..100 {
        store.put_connector("c", status(State::Running, generation));
        store.put_task(&task("c", 0), status(State::Running, generation));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    store.flush().await;
    assert_eq!(store.connector("c").unwrap().generation, 99);
    assert_eq!(store.task(&task("c", 0)).unwrap().generation, 99);
    assert!(topic.records().last().unwrap().offset < 10, "hardly any of the older ones was written");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_kafka_never_takes_holds_back_no_other() {
    let topic = MemoryTopic::new();
    let store = StatusStore::new(Arc::new(Flaky { log: topic.log(), failures: 0.into() }));
    for n in 0..5 {
        store.put_connector(&format!("bad-{n}"), status(State::Running, 1));
    }
    for n in 0..5 {
        store.put_connector(&format!("good-{n}"), status(State::Running, 1));
    }
    store.start().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(topic.records().len(), 5);
    for n in 0..5 {
        store.put_connector(&format!("bad-{n}"), status(State::Running, 1));
        store.remove_connector(&format!("bad-{n}"));
    }
    let flushed = tokio::time::timeout(Duration::from_secs(60), store.flush()).await;
    assert!(flushed.is_err(), "what was put is not there, and flush does not pretend it is");
}

#[tokio::test]
async fn a_safe_put_is_checked_again_before_each_try() {
    let topic = MemoryTopic::new();
    let store = StatusStore::new(Arc::new(topic.log()));
    // Not started yet: it waits, and meanwhile another worker has spoken.
    store.put_connector_safe("c", Status { worker_id: "old".into(), ..status(State::Unassigned, 4) });
    let other = started(&topic).await;
    other.put_connector("c", Status { worker_id: "new".into(), ..status(State::Running, 5) });
    other.flush().await;
    store.start().await.unwrap();
    store.flush().await;
    assert_eq!(store.connector("c").unwrap().worker_id, "new");
}

/// Reads on only when it is told to: a worker that has hung.
struct Hung {
    topic: MemoryTopic,
    reader: std::sync::Mutex<Option<LogReader>>,
}

#[async_trait]
impl TopicLog for Hung {
    async fn start(&self, reader: LogReader) -> Result<(), ConnectError> {
        *self.reader.lock().unwrap() = Some(reader);
        Ok(())
    }

    async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError> {
        self.topic.log().append(records).await
    }

    async fn read_to_end(&self) -> Result<(), ConnectError> {
        let mut reader = self.reader.lock().unwrap();
        self.topic.records().into_iter().for_each(|entry| reader.as_mut().unwrap()(entry));
        Ok(())
    }
}

#[tokio::test]
async fn what_others_have_said_is_read_before_a_safe_put() {
    let topic = MemoryTopic::new();
    let late = StatusStore::new(Arc::new(Hung { topic: topic.clone(), reader: Default::default() }));
    late.start().await.unwrap();
    let now = started(&topic).await;
    now.put_connector("c", Status { worker_id: "now".into(), ..status(State::Running, 6) });
    now.flush().await;
    let offset = topic.records().last().unwrap().offset;
    late.put_connector_safe("c", Status { worker_id: "late".into(), ..status(State::Unassigned, 4) });
    late.flush().await;
    assert_eq!(topic.records().last().unwrap().offset, offset, "nothing was written");
}
