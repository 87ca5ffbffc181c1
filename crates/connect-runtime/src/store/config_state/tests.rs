use super::*;
use crate::ports::LogRecord;
use crate::store::config_records as records;
use crate::store::golden::{CONFIGS, entries};
use crate::testing::config;
use bytes::Bytes;
use proptest::prelude::*;

/// A log without Kafka: each record has the next offset.
#[derive(Default)]
struct Log {
    state: ConfigState,
    next: i64,
}

impl Log {
    fn append(&mut self, written: impl IntoIterator<Item = LogRecord>) -> Vec<ConfigChange> {
        let mut changes = Vec::new();
        for LogRecord { key, value } in written {
            changes.extend(self.state.apply(&LogEntry {
                partition: 0,
                offset: self.next,
                key: Some(key),
                value,
            }));
            self.next += 1;
        }
        changes
    }

    fn one(&mut self, record: LogRecord) -> Option<ConfigChange> {
        self.append([record]).pop()
    }
}

fn raw(key: &str, value: &str) -> LogRecord {
    LogRecord {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
    }
}

fn ids(connector: &str, count: usize) -> Vec<TaskId> {
    (0..count).map(|task| TaskId { connector: connector.into(), task }).collect()
}

fn tasks(count: usize, mark: &str) -> Vec<ConfigMap> {
    (0..count).map(|task| config(&[("n", &task.to_string()), ("mark", mark)])).collect()
}

#[test]
fn the_topic_of_a_java_cluster_is_understood() {
    let mut state = ConfigState::default();
    assert_eq!(state.offset(), -1);
    let changes: Vec<_> = entries(CONFIGS).iter().filter_map(|entry| state.apply(entry)).collect();
    assert_eq!(state.offset(), 25);
    assert_eq!(state.connectors().collect::<Vec<_>>(), ["idle-1", "lines-sink", "lines-source"]);
    assert_eq!(state.inconsistent().count(), 0);

    assert_eq!(state.target_state("idle-1"), TargetState::Stopped);
    assert_eq!(state.target_state("lines-sink"), TargetState::Started);
    assert_eq!(state.target_state("lines-source"), TargetState::Stopped);
    let counts = ["idle-1", "lines-sink", "lines-source", "broken"].map(|name| state.task_count(name));
    assert_eq!(counts, [0, 1, 0, 0]);
    assert_eq!(state.task_ids("lines-sink"), ids("lines-sink", 1));
    let sink = state.connector_config("lines-sink").unwrap();
    assert_eq!(state.applied_config("lines-sink"), Some(sink));
    assert_eq!(sink["tasks.max"], "1");
    let task = state.task_config(&ids("lines-sink", 1)[0]).unwrap();
    assert_eq!(task["task.class"], "org.apache.kafka.connect.file.FileStreamSinkTask");
    let key = state.session_key().unwrap();
    assert_eq!((key.key.len(), key.algorithm.as_str(), key.created), (32, "HmacSHA256", 1795284742933));

    let name = |name: &str| name.to_owned();
    assert_eq!(
        changes,
        [
            ConfigChange::SessionKey,
            ConfigChange::Connector(name("lines-source")),
            ConfigChange::Tasks(name("lines-source"), ids("lines-source", 1)),
            ConfigChange::Connector(name("lines-sink")),
            ConfigChange::Tasks(name("lines-sink"), ids("lines-sink", 2)),
            ConfigChange::Connector(name("idle-1")),
            ConfigChange::Connector(name("broken")),
            ConfigChange::Tasks(name("broken"), ids("broken", 1)),
            ConfigChange::TargetState(name("lines-sink")),
            ConfigChange::TargetState(name("lines-sink")),
            ConfigChange::Restart(
                name("lines-sink"),
                RestartRequest { include_tasks: true, only_failed: false }
            ),
            ConfigChange::Restart(
                name("lines-sink"),
                RestartRequest { include_tasks: false, only_failed: true }
            ),
            ConfigChange::Connector(name("lines-sink")),
            ConfigChange::Tasks(name("lines-sink"), ids("lines-sink", 1)),
            ConfigChange::LoggerLevel {
                logger: name("org.apache.kafka.connect.runtime.Worker"),
                level: name("WARN")
            },
            ConfigChange::Tasks(name("lines-source"), Vec::new()),
            ConfigChange::TargetState(name("lines-source")),
            ConfigChange::ConnectorRemoved(name("broken")),
        ]
    );
}

/// Replays what the Java worker was told to do: our records are its records, byte for byte and in its order.
#[test]
fn the_same_operations_write_the_same_records() {
    let java = entries(CONFIGS);
    let mut log = Log::default();
    log.append(
        java.iter().map(|entry| LogRecord { key: entry.key.clone().unwrap(), value: entry.value.clone() }),
    );
    let state_after = |count: usize| {
        let mut state = ConfigState::default();
        for entry in &java[..count] {
            state.apply(entry);
        }
        state
    };
    let task_configs = |state: &ConfigState, name: &str| -> Vec<ConfigMap> {
        state.task_ids(name).iter().map(|id| state.task_config(id).unwrap().clone()).collect()
    };
    let (early, late) = (state_after(13), state_after(25));
    let both = RestartRequest { include_tasks: true, only_failed: false };
    let failed = RestartRequest { include_tasks: false, only_failed: true };
    let steps = [
        vec![records::session_key(early.session_key().unwrap())],
        vec![records::connector("lines-source", early.connector_config("lines-source").unwrap())],
        records::tasks("lines-source", &task_configs(&early, "lines-source")),
        vec![records::connector("lines-sink", early.connector_config("lines-sink").unwrap())],
        records::tasks("lines-sink", &task_configs(&early, "lines-sink")),
        vec![
            records::target_state("idle-1", TargetState::Stopped),
            records::connector("idle-1", early.connector_config("idle-1").unwrap()),
        ],
        vec![records::connector("broken", early.connector_config("broken").unwrap())],
        records::tasks("broken", &task_configs(&early, "broken")),
        vec![records::target_state("lines-sink", TargetState::Paused)],
        vec![records::target_state("lines-sink", TargetState::Started)],
        vec![records::restart("lines-sink", both), records::restart("lines-sink", failed)],
        vec![records::connector("lines-sink", late.connector_config("lines-sink").unwrap())],
        records::tasks("lines-sink", &task_configs(&late, "lines-sink")),
        vec![records::logger_level("org.apache.kafka.connect.runtime.Worker", "WARN")],
        records::tasks("lines-source", &[]),
        vec![records::target_state("lines-source", TargetState::Stopped)],
        records::remove_connector("broken"),
    ];
    let ours: Vec<LogRecord> = steps.into_iter().flatten().collect();
    assert_eq!(ours.len(), java.len());
    for (ours, java) in ours.iter().zip(&java) {
        assert_eq!((Some(&ours.key), &ours.value), (java.key.as_ref(), &java.value));
    }
}

#[test]
fn tasks_wait_for_their_commit() {
    let mut log = Log::default();
    assert_eq!(
        log.one(records::connector("c", &config(&[("v", "1")]))),
        Some(ConfigChange::Connector("c".into()))
    );
    let mut written = records::tasks("c", &tasks(2, "a"));
    let commit = written.pop().unwrap();
    assert_eq!(log.append(written), []);
    assert_eq!((log.state.task_ids("c"), log.state.task_count("c")), (Vec::new(), 0));
    assert_eq!((log.state.applied_config("c"), log.state.task_generation("c")), (None, None));
    assert_eq!(log.one(commit), Some(ConfigChange::Tasks("c".into(), ids("c", 2))));
    assert_eq!(log.state.task_ids("c"), ids("c", 2));
    assert_eq!((log.state.task_generation("c"), log.state.needs_fencing("c")), (Some(0), true));

    log.one(records::connector("c", &config(&[("v", "2")])));
    assert_eq!(log.state.applied_config("c").unwrap()["v"], "1", "the tasks are still those of the first");
    log.append(records::tasks("c", &tasks(1, "b")));
    assert_eq!(log.state.task_ids("c"), ids("c", 1));
    assert_eq!(log.state.applied_config("c").unwrap()["v"], "2");
    assert_eq!(log.state.task_config(&ids("c", 2)[1]), None, "a task that is no more has no configuration");
    assert_eq!(log.state.task_generation("c"), Some(1));
}

/// What compaction or the death of a leader leave behind.
#[test]
fn a_commit_without_all_its_tasks_makes_the_connector_inconsistent() {
    for missing in 0..3 {
        let mut log = Log::default();
        log.one(records::connector("c", &config(&[])));
        let mut written = records::tasks("c", &tasks(3, "a"));
        written.remove(missing);
        assert_eq!(log.append(written), [ConfigChange::Tasks("c".into(), Vec::new())]);
        assert_eq!(log.state.inconsistent().collect::<Vec<_>>(), ["c"]);
        assert_eq!((log.state.task_ids("c"), log.state.task_count("c")), (Vec::new(), 3));
        // The tasks of the bad commit do not count for the next one.
        let commit_alone = records::tasks("c", &tasks(3, "a")).pop().unwrap();
        log.one(commit_alone);
        assert_eq!(log.state.inconsistent().count(), 1);
        log.append(records::tasks("c", &tasks(3, "b")));
        assert_eq!(log.state.inconsistent().count(), 0);
        assert_eq!(log.state.task_ids("c"), ids("c", 3));
    }
}

#[test]
fn an_inconsistent_connector_keeps_what_was_committed_before() {
    let mut log = Log::default();
    log.one(records::connector("c", &config(&[])));
    log.append(records::tasks("c", &tasks(2, "a")));
    let mut written = records::tasks("c", &tasks(2, "b"));
    written.remove(0);
    log.append(written);
    assert!(log.state.task_ids("c").is_empty());
    assert_eq!(log.state.task_config(&ids("c", 1)[0]).unwrap()["mark"], "a");
    // A commit of no tasks at all is always complete: the connector was stopped.
    log.append(records::tasks("c", &[]));
    assert_eq!((log.state.inconsistent().count(), log.state.task_count("c")), (0, 0));
}

/// After two tasks became one, compaction leaves the record of the second in front of the commit.
#[test]
fn a_commit_may_leave_tasks_out() {
    let mut log = Log::default();
    log.one(records::connector("c", &config(&[])));
    let leftover = records::tasks("c", &tasks(2, "old")).remove(1);
    log.one(leftover);
    log.append(records::tasks("c", &tasks(1, "new")));
    assert_eq!((log.state.task_ids("c"), log.state.inconsistent().count()), (ids("c", 1), 0));
}

#[test]
fn a_removed_connector_leaves_nothing_behind() {
    let mut log = Log::default();
    log.one(records::target_state("c", TargetState::Paused));
    assert!(!log.state.contains("c"));
    log.one(records::connector("c", &config(&[("v", "1")])));
    assert_eq!(log.state.target_state("c"), TargetState::Paused, "it came before the configuration");
    log.append(records::tasks("c", &tasks(2, "a")));
    let changes = log.append(records::remove_connector("c"));
    assert_eq!(changes, [ConfigChange::ConnectorRemoved("c".into())]);
    assert_eq!(log.append(records::remove_connector("c")), [], "twice is as good as once");
    assert!(log.state.connectors.is_empty());
    // A worker that did not know yet still writes tasks; they come to nothing, also when the connector is made again.
    assert_eq!(log.append(records::tasks("c", &tasks(2, "late"))), []);
    log.one(records::connector("c", &config(&[("v", "2")])));
    assert_eq!((log.state.task_ids("c"), log.state.task_count("c")), (Vec::new(), 0));
    assert_eq!(log.state.target_state("c"), TargetState::Started);
}

#[test]
fn a_target_state_is_news_when_it_changes_a_known_connector() {
    let mut log = Log::default();
    assert_eq!(log.one(records::target_state("c", TargetState::Paused)), None);
    log.one(records::connector("c", &config(&[])));
    assert_eq!(log.one(records::target_state("c", TargetState::Paused)), None);
    let news = Some(ConfigChange::TargetState("c".into()));
    assert_eq!(log.one(records::target_state("c", TargetState::Stopped)), news);
    assert_eq!(log.one(records::target_state("c", TargetState::Started)), news);
    log.one(records::target_state("c", TargetState::Stopped));
    // A tombstone alone means the beginning again.
    assert_eq!(log.append(records::remove_connector("c").drain(1..)), []);
    assert_eq!(log.state.target_state("c"), TargetState::Started);
}

#[test]
fn fencing_records_are_kept_for_exactly_once() {
    let mut log = Log::default();
    log.one(records::connector("c", &config(&[])));
    log.append(records::tasks("c", &tasks(2, "a")));
    assert_eq!((log.state.needs_fencing("c"), log.state.fencing_count("c")), (true, None));
    assert_eq!(log.one(records::task_count("c", 2)), None);
    assert_eq!((log.state.needs_fencing("c"), log.state.fencing_count("c")), (false, Some(2)));
    log.append(records::remove_connector("c"));
    assert_eq!(log.state.fencing_count("c"), Some(2), "whoever makes it again still has to fence two");
}

#[test]
fn malformed_records_change_nothing_but_the_offset() {
    let mut log = Log::default();
    log.one(records::connector("c", &config(&[("v", "1")])));
    for record in
        [raw("connector-c", "[]"), raw("commit-c", "{}"), raw("nobody-knows", "{}"), raw("task-c", "{}")]
    {
        assert_eq!(log.one(record), None);
    }
    assert_eq!(log.state.connector_config("c").unwrap()["v"], "1");
    assert_eq!(log.state.offset(), 5);
    // Java's worker counts what is no JSON as not read; so must we, or the two never agree on an offset.
    log.one(raw("connector-c", "{"));
    assert_eq!(log.state.offset(), 5);
    assert_eq!(log.state.apply(&LogEntry { partition: 0, offset: 9, key: None, value: None }), None);
}

proptest! {
    #[test]
    fn no_record_makes_it_panic(
        written in prop::collection::vec((
            prop_oneof![
                Just("connector-a".to_owned()), Just("task-a-0".into()), Just("task-a-1".into()), Just("commit-a".into()),
                Just("target-state-a".into()), Just("tasks-fencing-a".into()), Just("session-key".into()), ".{0,12}",
            ],
            prop::option::of(prop_oneof![
                Just(r#"{"properties":{}}"#.to_owned()), Just(r#"{"tasks":1}"#.into()), Just(r#"{"tasks":2}"#.into()),
                Just(r#"{"state":"PAUSED"}"#.into()), Just(r#"{"task-count":-1}"#.into()), ".{0,12}",
            ]),
        ), 0..40),
    ) {
        let mut log = Log::default();
        for (key, value) in written {
            log.one(LogRecord { key: key.into(), value: value.map(Bytes::from) });
            prop_assert!(log.state.offset() <= log.next);
            let ids = log.state.task_ids("a");
            prop_assert!(ids.is_empty() || ids.len() == log.state.task_count("a"));
        }
    }
}
