//! Against fake plugins, in real time: a task's thread knows no stopped clock.

use super::*;
use crate::testing::{EmptyCluster, MemoryGroups, NoOffsets, config, plugins, worker_config};
use expect_test::{Expect, expect};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

/// Long enough for a busy machine; nothing is measured with it.
const LONG: Duration = Duration::from_secs(20);

struct Bench {
    worker: Worker,
    events: UnboundedReceiver<WorkerEvent>,
}

impl Bench {
    fn new() -> Self {
        Self::with(&[("task.shutdown.graceful.timeout.ms", "300")])
    }

    fn with(keys: &[(&str, &str)]) -> Self {
        let parts = WorkerParts {
            config: worker_config(keys),
            plugins: plugins(),
            clients: Arc::new(EmptyCluster),
            offsets: Arc::new(NoOffsets),
            group_offsets: Arc::new(MemoryGroups::default()),
            deadlines: Deadlines {
                local: Duration::from_millis(500),
                remote: Duration::from_millis(500),
                task_configs: Duration::from_millis(500),
            },
        };
        let (sender, events) = mpsc::unbounded_channel();
        Self { worker: Worker::new(parts, sender), events }
    }

    /// The next event, on one line.
    async fn next(&mut self) -> String {
        let event = timeout(LONG, self.events.recv()).await.expect("an event").expect("a worker");
        match event {
            WorkerEvent::Connector { run, name, status } => format!("{run} {name} {}", text(status)),
            WorkerEvent::Task { run, id, status } => format!("{run} {id} {}", text(status)),
            WorkerEvent::TaskConfigs { run, connector, configs } => {
                format!("{run} {connector} wants {} tasks", configs.len())
            }
            WorkerEvent::TopicUsed { connector, task, topic } => {
                format!("{connector}-{task} uses {topic}")
            }
        }
    }

    async fn check(&mut self, expected: &[&str]) {
        for expected in expected {
            assert_eq!(self.next().await, *expected);
        }
    }

    /// Nothing more is told, after a while in which something could have been.
    async fn check_silence(&mut self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(self.events.try_recv().ok(), None);
    }

    fn start_tasks(&self, run: u64, connector: &str, changes: &[(&str, &str)], count: usize) -> Work {
        let config = sink(changes);
        let ids: Vec<_> = (0..count).map(|task| id(connector, task)).collect();
        for id in &ids {
            self.worker.start_task(run, id, config.clone(), config.clone(), TargetState::Started);
        }
        Work { connectors: Default::default(), tasks: ids.into_iter().collect() }
    }
}

fn text(status: RunStatus) -> String {
    match status {
        RunStatus::Failed { trace } => format!("FAILED {trace}"),
        other => format!("{other:?}"),
    }
}

fn id(connector: &str, task: usize) -> TaskId {
    TaskId { connector: connector.into(), task }
}

fn sink(changes: &[(&str, &str)]) -> ConfigMap {
    let mut base = config(&[
        ("name", "a"),
        ("connector.class", "FakeSink"),
        ("topics", "orders"),
        ("fake.password", "test1357"),
    ]);
    base.extend(config(changes));
    base
}

fn source(changes: &[(&str, &str)]) -> ConfigMap {
    let mut base = config(&[("name", "s"), ("connector.class", "FakeSource"), ("fake.password", "test1357")]);
    base.extend(config(changes));
    base
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_tells_its_status_and_its_tasks() {
    let mut bench = Bench::new();
    bench.worker.start_connector(7, "a", sink(&[("tasks.max", "2")]), TargetState::Started);
    bench.check(&["7 a Running"]).await;
    let Some(WorkerEvent::TaskConfigs { run: 7, connector, configs }) = bench.events.recv().await else {
        panic!("no task configurations");
    };
    assert_eq!((connector.as_str(), configs.len()), ("a", 2));
    assert_eq!(configs[1], {
        let mut config = sink(&[("tasks.max", "2")]);
        config.insert("task.class".into(), "org.example.FakeSinkTask".into());
        config
    });
    bench.worker.reconfigure_tasks("a");
    bench.check(&["7 a wants 2 tasks"]).await;
    bench.worker.reconfigure_tasks("b");
    assert_eq!(bench.worker.running().connectors, ["a".to_owned()].into());
    bench.worker.stop(&bench.worker.running()).await;
    bench.check(&["7 a Ended"]).await;
    assert_eq!(bench.worker.running(), Work::default());
    bench.worker.set_target_state("a", TargetState::Paused);
    bench.worker.reconfigure_tasks("a");
    bench.check_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_goes_where_its_target_state_says() {
    use TargetState::{Paused, Started, Stopped};
    let mut bench = Bench::new();
    bench.worker.start_connector(1, "a", sink(&[]), Paused);
    bench.check(&["1 a Paused"]).await;
    bench.worker.set_target_state("a", Started);
    bench.check(&["1 a Running", "1 a wants 1 tasks"]).await;
    bench.worker.set_target_state("a", Started);
    bench.check(&["1 a wants 1 tasks"]).await;
    bench.worker.set_target_state("a", Stopped);
    bench.worker.set_target_state("a", Stopped);
    bench.check(&["1 a Stopped"]).await;
    bench.worker.set_target_state("a", Paused);
    bench.check(&["1 a Paused"]).await;
    bench.worker.reconfigure_tasks("a");
    bench.check_silence().await;

    bench.worker.start_connector(2, "b", sink(&[]), Stopped);
    bench.check(&["2 b Stopped"]).await;
    bench.worker.set_target_state("b", Started);
    bench.check(&["2 b Running", "2 b wants 1 tasks"]).await;

    bench.worker.start_connector(3, "b", sink(&[("tasks.max", "3")]), Started);
    bench.check(&["2 b Ended", "3 b Running", "3 b wants 3 tasks"]).await;
}

async fn check_failure(config: ConfigMap, expected: Expect) {
    let mut bench = Bench::new();
    bench.worker.start_connector(1, "a", config, TargetState::Started);
    expected.assert_eq(bench.next().await.strip_prefix("1 a FAILED ").expect("a failure"));
    bench.worker.set_target_state("a", TargetState::Paused);
    bench.worker.set_target_state("a", TargetState::Started);
    bench.check_silence().await;
    bench.worker.set_target_state("a", TargetState::Stopped);
    bench.check(&["1 a Stopped"]).await;
    bench.worker.stop(&bench.worker.running()).await;
    bench.check(&["1 a Ended"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_fails_with_a_reason_and_stays_failed() {
    check_failure(
        sink(&[("connector.class", "Nothing")]),
        expect!["org.apache.kafka.connect.errors.ConnectException: Failed to find any class that implements Connector and which name matches Nothing, available connectors are: org.example.FakeSinkConnector, com.example.FakeSinkConnector, org.example.FakeSourceConnector"],
    )
    .await;
    check_failure(
        sink(&[("topics", ""), ("fake.number", "x")]),
        expect![
            "org.apache.kafka.common.config.ConfigException: Must configure one of topics or topics.regex"
        ],
    )
    .await;
    check_failure(
        sink(&[("fake.number", "test1357")]),
        expect!["org.apache.kafka.common.config.ConfigException: Invalid value [hidden] for configuration fake.number: Not a number of type INT"],
    )
    .await;
    check_failure(
        sink(&[("fake.at", "task_configs"), ("fake.how", "fail")]),
        expect!["org.apache.kafka.connect.errors.ConnectException: The connector a has generated 2 tasks, which is greater than 1, the maximum number of tasks it is configured to create: raise tasks.max"],
    )
    .await;
    check_failure(
        sink(&[("fake.at", "task_configs"), ("fake.how", "panic")]),
        expect!["the plugin panicked: told to panic"],
    )
    .await;
    check_failure(
        sink(&[("fake.at", "task_configs"), ("fake.how", "block")]),
        expect!["the plugin did not answer within 0.5 s"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_asked_for_its_tasks_again_when_it_has_seen_news() {
    let mut bench = Bench::new();
    let config = source(&[("fake.at", "watch"), ("fake.how", "again")]);
    bench.worker.start_connector(3, "s", config, TargetState::Started);
    bench.check(&["3 s Running", "3 s wants 1 tasks", "3 s wants 1 tasks", "3 s wants 1 tasks"]).await;
    bench.worker.set_target_state("s", TargetState::Paused);
    while bench.next().await != "3 s Paused" {}
    bench.check_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_watch_or_tasks_fail_has_failed() {
    check_failure(
        source(&[("fake.at", "task_configs"), ("fake.how", "fail")]),
        expect!["org.apache.kafka.connect.errors.ConnectException: the database is away for [hidden]"],
    )
    .await;
    check_failure(
        source(&[("fake.at", "task_configs"), ("fake.how", "hang")]),
        expect!["the plugin did not answer within 0.5 s"],
    )
    .await;
    let mut bench = Bench::new();
    let config = source(&[("fake.at", "watch"), ("fake.how", "panic")]);
    bench.worker.start_connector(3, "s", config, TargetState::Started);
    bench.check(&["3 s Running", "3 s wants 1 tasks", "3 s FAILED the plugin panicked: told to panic"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_tasks_are_let_through_when_that_is_wanted() {
    let mut bench = Bench::new();
    let config = sink(&[("fake.at", "task_configs"), ("fake.how", "fail"), ("tasks.max.enforce", "false")]);
    bench.worker.start_connector(1, "a", config, TargetState::Started);
    bench.check(&["1 a Running", "1 a wants 2 tasks"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_state_overtakes_a_connector_that_hangs() {
    let mut bench = Bench::new();
    let config = sink(&[("fake.at", "task_configs"), ("fake.how", "block")]);
    bench.worker.start_connector(1, "a", config, TargetState::Started);
    bench.worker.set_target_state("a", TargetState::Paused);
    bench.check(&["1 a Paused"]).await;
    bench.worker.set_target_state("a", TargetState::Started);
    bench.worker.stop(&bench.worker.running()).await;
    bench.check(&["1 a Ended"]).await;
    // Also after the deadline of the call that was left behind.
    tokio::time::sleep(Duration::from_millis(600)).await;
    bench.check_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_paused_and_resumed_where_it_is() {
    let mut bench = Bench::new();
    let work = bench.start_tasks(4, "a", &[], 1);
    bench.check(&["4 a-0 Running"]).await;
    bench.worker.set_target_state("a", TargetState::Paused);
    bench.worker.set_target_state("b", TargetState::Started);
    bench.check(&["4 a-0 Paused"]).await;
    bench.worker.set_target_state("a", TargetState::Started);
    bench.check(&["4 a-0 Running"]).await;
    assert_eq!(bench.worker.running(), work);
    bench.worker.stop(&work).await;
    bench.check(&["4 a-0 Ended"]).await;
    bench.worker.set_target_state("a", TargetState::Paused);
    bench.check_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_begins_paused_is_not_started() {
    let mut bench = Bench::new();
    let config = sink(&[("fake.at", "start"), ("fake.how", "fail")]);
    bench.worker.start_task(1, &id("a", 0), config.clone(), config, TargetState::Paused);
    bench.check(&["1 a-0 Paused"]).await;
    bench.check_silence().await;
    bench.worker.set_target_state("a", TargetState::Started);
    bench
        .check(&["1 a-0 FAILED org.apache.kafka.connect.errors.ConnectException: no luck with [hidden]"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_fails_with_a_reason_and_stays_failed() {
    let cases = [
        (
            [("fake.at", "start"), ("fake.how", "fail")],
            "org.apache.kafka.connect.errors.ConnectException: no luck with [hidden]",
        ),
        ([("fake.at", "start"), ("fake.how", "panic")], "the task panicked: told to panic"),
        (
            [("topics", ""), ("fake.how", "")],
            "org.apache.kafka.common.config.ConfigException: Must configure one of topics or topics.regex",
        ),
    ];
    for (changes, expected) in cases {
        let mut bench = Bench::new();
        let work = bench.start_tasks(1, "a", &changes, 1);
        bench.check(&[&format!("1 a-0 FAILED {expected}")]).await;
        bench.worker.set_target_state("a", TargetState::Paused);
        bench.worker.set_target_state("a", TargetState::Started);
        bench.check_silence().await;
        assert_eq!(bench.worker.running(), work);
        bench.worker.stop(&work).await;
        bench.check(&["1 a-0 Ended"]).await;
    }
}

/// As many stuck tasks as there are threads in the runtime, and more, in every way there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_tasks_hold_up_nothing_and_are_cut_off() {
    let mut bench = Bench::new();
    let mut stuck = Work::default();
    let ways = [
        ("blocked-start", "start", "block"),
        ("endless-start", "start", "hang"),
        ("blocked-stop", "stop", "block"),
        ("endless-stop", "stop", "hang"),
    ];
    for (connector, at, how) in ways {
        let work = bench.start_tasks(1, connector, &[("fake.at", at), ("fake.how", how)], 2);
        stuck.tasks.extend(work.tasks);
    }
    let good = bench.start_tasks(2, "good", &[], 1);
    let mut running: Vec<String> = Vec::new();
    for _ in 0..5 {
        running.push(bench.next().await);
    }
    running.sort();
    let expected = [
        "1 blocked-stop-0 Running",
        "1 blocked-stop-1 Running",
        "1 endless-stop-0 Running",
        "1 endless-stop-1 Running",
        "2 good-0 Running",
    ];
    assert_eq!(running, expected);
    timeout(LONG, bench.worker.stop(&stuck)).await.expect("a stop in time");
    let mut ended = Vec::new();
    while let Ok(event) = bench.events.try_recv() {
        match event {
            WorkerEvent::Task { id, status: RunStatus::Ended, .. } => ended.push(id),
            other => panic!("{other:?}"),
        }
    }
    ended.sort();
    assert_eq!(ended, stuck.tasks.into_iter().collect::<Vec<_>>());
    assert_eq!(bench.worker.running(), good);
    bench.worker.set_target_state("good", TargetState::Paused);
    bench.check(&["2 good-0 Paused"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_started_again_replaces_the_older_run() {
    let mut bench = Bench::new();
    bench.start_tasks(1, "a", &[], 1);
    bench.check(&["1 a-0 Running"]).await;
    bench.start_tasks(2, "a", &[], 1);
    bench.check(&["1 a-0 Ended", "2 a-0 Running"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_told_once_and_again_when_they_were_forgotten() {
    let mut bench = Bench::new();
    let config = source(&[("fake.topic", "lines")]);
    bench.worker.start_task(1, &id("s", 3), config.clone(), config, TargetState::Started);
    bench.check(&["1 s-3 Running", "s-3 uses lines"]).await;
    bench.check_silence().await;
    bench.worker.forget_topics("other");
    bench.check_silence().await;
    bench.worker.forget_topics("s");
    bench.check(&["s-3 uses lines"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_repeats_itself_is_running_and_says_why() {
    let mut bench = Bench::new();
    let config = source(&[("fake.at", "poll"), ("fake.how", "retry")]);
    bench.worker.start_task(1, &id("s", 0), config.clone(), config, TargetState::Started);
    bench.check(&["1 s-0 Running"]).await;
    let retrying = async {
        loop {
            if let Some(retrying) = bench.worker.retrying(&id("s", 0)) {
                return retrying;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let retrying = timeout(LONG, retrying).await.expect("a retry");
    assert_eq!(retrying.why, "[hidden] is refused for now");
    assert_eq!(bench.worker.retrying(&id("s", 1)), None);
    bench.check_silence().await;
    bench.worker.set_target_state("s", TargetState::Paused);
    bench.check(&["1 s-0 Paused"]).await;
    assert_eq!(bench.worker.retrying(&id("s", 0)), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_config_providers_know_is_neither_stored_nor_told() {
    let folder = std::env::temp_dir().join(format!("connect-worker-providers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("place"), "hideout-42").unwrap();
    let mut bench = Bench::with(&[
        ("config.providers", "dir"),
        ("config.providers.dir.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
    ]);
    let placeholder = format!("${{dir:{}:place}}", folder.display());
    // A key whose name does not say that it is secret.
    let stored = sink(&[("fake.key", &placeholder), ("topics", &placeholder)]);
    bench.worker.start_connector(1, "a", stored.clone(), TargetState::Started);
    bench.check(&["1 a Running"]).await;
    let Some(WorkerEvent::TaskConfigs { configs, .. }) = bench.events.recv().await else {
        panic!("no task configurations");
    };
    assert_eq!((&configs[0]["fake.key"], &configs[0]["topics"]), (&placeholder, &placeholder));

    let mut failing = stored;
    failing.insert("fake.number".into(), placeholder);
    bench.worker.start_task(2, &id("a", 0), failing, configs[0].clone(), TargetState::Started);
    bench
        .check(&["2 a-0 FAILED org.apache.kafka.common.config.ConfigException: Invalid value [hidden] for configuration fake.number: Not a number of type INT"])
        .await;
    std::fs::remove_dir_all(&folder).unwrap();

    // The place is gone, and with it the value.
    bench.worker.start_connector(
        3,
        "a",
        sink(&[("fake.key", "${dir:/nowhere:place}")]),
        TargetState::Started,
    );
    bench.check(&["1 a Ended"]).await;
    let failed = bench.next().await;
    assert!(failed.starts_with("3 a FAILED org.apache.kafka.common.config.ConfigException: Invalid value ${dir:/nowhere:place} for configuration fake.key"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_worker_cuts_its_tasks_off() {
    let mut bench = Bench::new();
    bench.start_tasks(1, "a", &[("fake.at", "stop"), ("fake.how", "block")], 1);
    bench.start_tasks(1, "b", &[("fake.at", "start"), ("fake.how", "hang")], 1);
    bench.check(&["1 a-0 Running"]).await;
    let Bench { worker, mut events } = bench;
    drop(worker);
    let mut ended = Vec::new();
    for _ in 0..2 {
        ended.push(timeout(LONG, events.recv()).await.expect("an event").expect("an end"));
    }
    let expected =
        ["a", "b"].map(|name| WorkerEvent::Task { run: 1, id: id(name, 0), status: RunStatus::Ended });
    assert_eq!(ended, expected);
}
