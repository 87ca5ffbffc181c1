//! The herder of a standalone worker: the whole of it, on logs in memory and with fake plugins.

use super::*;
use crate::herder::{Herder, LoggerLevel, Put, RestartRequest, State as RunState, StateInfo, TaskId};
use crate::ports::{PeerError, Peers};
use crate::signature::RequestSignature;
use crate::store::MemoryTopic;
use crate::testing::{EmptyCluster, MemoryGroups, NoOffsets, config, plugins, worker_config};
use async_trait::async_trait;
use bytes::Bytes;
use expect_test::{Expect, expect};

struct NoPeers;

#[async_trait]
impl Peers for NoPeers {
    async fn put_task_configs(
        &self,
        url: &str,
        _: &str,
        _: Bytes,
        _: Option<&RequestSignature>,
    ) -> Result<(), PeerError> {
        Err(PeerError::Unreachable { url: url.into(), reason: "a test has no network".into() })
    }
}

/// One logger, `root`.
#[derive(Default)]
struct OneLogger(Mutex<String>);

impl LogLevels for OneLogger {
    fn all(&self) -> Vec<LoggerLevel> {
        self.get("root").into_iter().collect()
    }

    fn get(&self, name: &str) -> Option<LoggerLevel> {
        let level = self.0.lock().unwrap().clone();
        (name == "root").then(|| LoggerLevel { name: name.into(), level, last_modified: None })
    }

    fn set(&self, name: &str, level: &str) -> Vec<String> {
        *self.0.lock().unwrap() = level.into();
        vec![name.into()]
    }
}

async fn herder_with(changes: &[(&str, &str)]) -> ConnectHerder {
    herder_on(&MemoryTopic::new(), changes).await
}

/// With statuses in that topic.
async fn herder_on(statuses: &MemoryTopic, changes: &[(&str, &str)]) -> ConnectHerder {
    let herder = ConnectHerder::new(HerderParts {
        worker_config: worker_config(changes),
        plugins: plugins(),
        clients: Arc::new(EmptyCluster),
        offsets: Arc::new(NoOffsets),
        group_offsets: Arc::new(MemoryGroups::default()),
        config_log: Arc::new(MemoryTopic::new().log()),
        status_log: Arc::new(statuses.log()),
        group: Arc::new(SoloGroup::default()),
        peers: Arc::new(NoPeers),
        log_levels: Arc::new(OneLogger::default()),
        url: "http://127.0.0.1:8083/".into(),
        worker_id: "127.0.0.1:8083".into(),
        version: "4.3.0".into(),
        commit: "test".into(),
        deadlines: Deadlines {
            local: Duration::from_secs(3),
            remote: Duration::from_secs(3),
            task_configs: Duration::from_secs(3),
        },
        patience: Duration::from_millis(500),
    });
    herder.start().await.unwrap();
    herder.ready();
    herder
}

async fn herder() -> ConnectHerder {
    herder_with(&[]).await
}

fn sink(changes: &[(&str, &str)]) -> ConfigMap {
    let mut base =
        config(&[("connector.class", "FakeSink"), ("topics", "orders"), ("fake.password", "test1357")]);
    base.extend(config(changes));
    base
}

/// Polls until there is an answer.
async fn eventually<T>(what: &str, probe: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(answer) = probe().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in time: {what}");
}

/// Waits until the first task is in `state`.
async fn first_task(herder: &ConnectHerder, name: &str, state: RunState) -> StateInfo {
    let id = TaskId { connector: name.into(), task: 0 };
    let what = format!("{id} {state:?}");
    eventually(&what, async || herder.task_status(&id).await.ok().filter(|task| task.state == state)).await
}

/// Waits until the connector itself is in `state`.
async fn connector(herder: &ConnectHerder, name: &str, state: RunState) -> StateInfo {
    eventually(&format!("{name} {state:?}"), async || {
        let status = herder.connector_status(name).await.ok()?;
        (status.connector.state == state).then_some(status.connector)
    })
    .await
}

#[track_caller]
fn check<T: std::fmt::Debug>(result: Result<T, HerderError>, expected: Expect) {
    expected.assert_debug_eq(&result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_made_seen_and_deleted() {
    let herder = herder().await;
    let made = herder.create_connector(" orders ", sink(&[("tasks.max", "2")]), None).await.unwrap();
    assert_eq!((made.name.as_str(), made.tasks.len(), made.config["name"].as_str()), ("orders", 0, "orders"));
    assert_eq!(made.config["fake.password"], "[hidden]");
    assert_eq!(herder.connectors().await, ["orders"]);
    let task = first_task(&herder, "orders", RunState::Running).await;
    assert_eq!(herder.connector("orders").await.unwrap().tasks, [0, 1]);
    assert_eq!((task.worker_id.as_str(), task.trace), ("127.0.0.1:8083", None));
    let status = herder.connector_status("orders").await.unwrap();
    assert_eq!(
        (status.connector.state, status.connector.version.as_deref()),
        (RunState::Running, Some("1.2"))
    );
    herder.delete_connector("orders").await.unwrap();
    assert_eq!(herder.connectors().await, Vec::<String>::new());
    check(
        herder.delete_connector("orders").await,
        expect![[r#"
        NotFound(
            "Connector orders not found",
        )
    "#]],
    );
    // The leader removes it after the tasks have stopped.
    eventually("the status is removed", async || herder.connector_status("orders").await.err()).await;
    check(
        herder.connector_status("orders").await,
        expect![[r#"
        NotFound(
            "No status found for connector orders",
        )
    "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn put_creates_replaces_and_leaves_alone() {
    let herder = herder().await;
    let (put, _) = herder.put_connector_config("orders", sink(&[])).await.unwrap();
    assert_eq!(put, Put::Created);
    first_task(&herder, "orders", RunState::Running).await;
    let written = herder.inner.state().config().offset();

    let shown = herder.connector("orders").await.unwrap().config;
    let (put, _) = herder.put_connector_config("orders", shown).await.unwrap();
    assert_eq!(put, Put::Updated);
    assert_eq!(herder.inner.state().config().offset(), written, "an equal configuration is not written");

    let mut shown = herder.connector("orders").await.unwrap().config;
    shown.insert("tasks.max".into(), "2".into());
    let (put, info) = herder.put_connector_config("orders", shown).await.unwrap();
    assert_eq!((put, info.config["tasks.max"].as_str()), (Put::Updated, "2"));
    eventually("a second task", async || {
        let status = herder.connector_status("orders").await.ok()?;
        let running = status.tasks.iter().filter(|(_, task)| task.state == RunState::Running);
        (running.count() == 2).then_some(())
    })
    .await;
    let stored = herder.inner.stored("orders").unwrap();
    assert_eq!(stored["fake.password"], "test1357", "the secret was kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_changes_adds_and_removes_keys() {
    let herder = herder().await;
    let patch = |pairs: &[(&str, Option<&str>)]| {
        pairs.iter().map(|(key, value)| (key.to_string(), value.map(str::to_owned))).collect()
    };
    check(
        herder.patch_connector_config("a", patch(&[])).await,
        expect![[r#"
        NotFound(
            "Connector a not found",
        )
    "#]],
    );
    herder.create_connector("a", sink(&[("fake.key", "x")]), None).await.unwrap();
    let patched =
        patch(&[("fake.key", None), ("fake.number", Some("3")), ("fake.password", Some("[hidden]"))]);
    let info = herder.patch_connector_config("a", patched).await.unwrap();
    assert_eq!((info.config.get("fake.key"), info.config["fake.number"].as_str()), (None, "3"));
    assert_eq!(herder.inner.stored("a").unwrap()["fake.password"], "test1357");
    check(
        herder.patch_connector_config("a", patch(&[("fake.number", Some("x"))])).await,
        expect![[r#"
            BadRequest(
                "Connector configuration is invalid and contains the following 1 error(s):\nInvalid value x for configuration fake.number: Not a number of type INT\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`",
            )
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_paused_resumed_and_stopped() {
    let herder = herder().await;
    let paused = herder.create_connector("a", sink(&[]), Some(TargetState::Paused)).await.unwrap();
    assert_eq!(paused.name, "a");
    connector(&herder, "a", RunState::Paused).await;
    assert_eq!(
        herder.connector("a").await.unwrap().tasks,
        Vec::<usize>::new(),
        "it makes no tasks before it runs"
    );
    herder.set_target_state("a", TargetState::Started).await.unwrap();
    first_task(&herder, "a", RunState::Running).await;
    herder.set_target_state("a", TargetState::Paused).await.unwrap();
    first_task(&herder, "a", RunState::Paused).await;
    check(
        herder.reset_connector_offsets("a").await,
        expect![[r#"
            BadRequest(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/a/stop' endpoint",
            )
        "#]],
    );
    herder.set_target_state("a", TargetState::Stopped).await.unwrap();
    connector(&herder, "a", RunState::Stopped).await;
    assert_eq!(herder.connector("a").await.unwrap().tasks, Vec::<usize>::new());
    eventually("its task is forgotten", async || {
        herder.connector_status("a").await.unwrap().tasks.is_empty().then_some(())
    })
    .await;
    expect!["The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages offsets externally, they will need to be manually reset in the system that the connector uses."]
        .assert_eq(&herder.reset_connector_offsets("a").await.unwrap());
    herder.set_target_state("a", TargetState::Started).await.unwrap();
    first_task(&herder, "a", RunState::Running).await;
    for target in [TargetState::Started, TargetState::Paused, TargetState::Stopped] {
        let error = herder.set_target_state("b", target).await.unwrap_err();
        assert_eq!(error, HerderError::NotFound("Unknown connector b".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_failed_is_restarted_when_asked() {
    let herder = herder().await;
    herder.create_connector("a", sink(&[("fake.at", "start"), ("fake.how", "fail")]), None).await.unwrap();
    first_task(&herder, "a", RunState::Failed).await;
    let failed = RestartRequest { include_tasks: true, only_failed: true };
    let plan = herder.restart_connector("a", failed).await.unwrap().unwrap();
    assert_eq!((plan.connector.state, plan.tasks[0].1.state), (RunState::Running, RunState::Restarting));
    first_task(&herder, "a", RunState::Failed).await;
    assert_eq!(herder.restart_connector("a", RestartRequest::default()).await, Ok(None));
    let task = TaskId { connector: "a".into(), task: 0 };
    assert_eq!(herder.restart_task(&task).await, Ok(()));
    for (connector, number, expected) in [("b", 0, "Unknown connector: b"), ("a", 7, "Unknown task: a-7")] {
        let error = herder.restart_task(&TaskId { connector: connector.into(), task: number }).await;
        assert_eq!(error, Err(HerderError::NotFound(expected.into())));
    }
    let error = herder.restart_connector("b", failed).await;
    assert_eq!(error, Err(HerderError::NotFound("Unknown connector: b".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_failed_is_restarted_by_itself_if_configured() {
    let statuses = MemoryTopic::new();
    let auto = [("errors.auto.restart.enable", "true"), ("errors.auto.restart.backoff.initial.ms", "10")];
    let herder = herder_on(&statuses, &auto).await;
    herder.create_connector("a", sink(&[("fake.at", "start"), ("fake.how", "fail")]), None).await.unwrap();
    first_task(&herder, "a", RunState::Failed).await;
    let written = || statuses.records().last().map(|record| record.offset).unwrap_or_default();
    let before = written();
    // RESTARTING and FAILED, twice.
    eventually("two more attempts", async || (written() >= before + 4).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_of_loggers_reach_the_worker_by_the_config_topic() {
    let herder = herder().await;
    herder.set_cluster_logger("root", "debug").await.unwrap();
    assert_eq!(herder.logger("root").await.unwrap().level, "DEBUG");
    let error = herder.set_logger("root", "LOUD").await;
    assert_eq!(error, Err(HerderError::NotFound("invalid log level 'LOUD'.".into())));
    assert_eq!(herder.logger("x").await, Err(HerderError::NotFound("Logger x not found.".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals() {
    let herder = herder().await;
    check(
        herder.create_connector("a", sink(&[("name", "b")]), None).await,
        expect![[r#"
        BadRequest(
            "Connector name configuration (b) doesn't match connector name in the URL (a)",
        )
    "#]],
    );
    check(
        herder.create_connector("a", config(&[("x.password", "p")]), None).await,
        expect![[r#"
        BadRequest(
            "Connector config {x.password=[hidden], name=a} contains no connector type: set connector.class",
        )
    "#]],
    );
    check(
        herder.create_connector("", sink(&[("tasks.max", "x"), ("fake.number", "y")]), None).await,
        expect![[r#"
            BadRequest(
                "Connector configuration is invalid and contains the following 4 error(s):\nInvalid value  for configuration name: String may not be empty\nInvalid value x for configuration tasks.max: Not a number of type INT\nInvalid value null for configuration tasks.max: Value must be non-null\nInvalid value y for configuration fake.number: Not a number of type INT\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`",
            )
        "#]],
    );
    check(
        herder.create_connector("a", sink(&[("fake.password", "[hidden]")]), None).await,
        expect![[r#"
            BadRequest(
                "Connector configuration is invalid and contains the following 1 error(s):\nInvalid value [hidden] for configuration fake.password: [hidden] stands for a stored value and none is stored for this key: write the value itself\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`",
            )
        "#]],
    );
    assert_eq!(herder.connectors().await.len(), 0);
    herder.create_connector("a", sink(&[]), None).await.unwrap();
    check(
        herder.create_connector("a", sink(&[]), None).await,
        expect![[r#"
        Conflict(
            "Connector a already exists",
        )
    "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_may_fail_panic_or_hang_while_it_validates() {
    let herder = herder().await;
    let attempt = async |at: &str, how: &str| {
        let error = herder
            .create_connector("a", sink(&[("fake.at", at), ("fake.how", how)]), None)
            .await
            .unwrap_err();
        let kind = match error {
            HerderError::BadRequest(_) => 400,
            HerderError::Internal(_) => 500,
            _ => 0,
        };
        format!("{kind} {}", error.to_string().replace('\n', " | "))
    };
    let answers = [
        attempt("validate", "fail").await,
        attempt("validate", "panic").await,
        attempt("validate", "hang").await,
        attempt("validate_remote", "fail").await,
        attempt("validate_remote", "panic").await,
        attempt("validate_remote", "hang").await,
    ];
    expect![[r#"
        400 Connector configuration is invalid and contains the following 1 error(s): | fake.key and fake.number do not go together | You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`
        500 validating: the plugin panicked: told to panic
        500 validating: the plugin did not answer within 3 s
        400 Connector configuration is invalid and contains the following 1 error(s): | fake.key: cannot log in with [hidden] | You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`
        500 validating: the plugin panicked: told to panic
        400 Connector configuration is invalid and contains the following 1 error(s): | The outside system that the configuration names cannot be reached: the plugin did not answer within 3 s | You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"#]]
    .assert_eq(&answers.join("\n"));
    assert_eq!(herder.connectors().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_a_start_are_in_the_status() {
    let herder = herder().await;
    for (name, at, how) in
        [("fails", "start", "fail"), ("panics", "start", "panic"), ("many", "task_configs", "fail")]
    {
        herder.create_connector(name, sink(&[("fake.at", at), ("fake.how", how)]), None).await.unwrap();
    }
    let failed = first_task(&herder, "fails", RunState::Failed).await;
    assert_eq!(
        failed.trace.as_deref(),
        Some("org.apache.kafka.connect.errors.ConnectException: no luck with [hidden]")
    );
    let panicked = first_task(&herder, "panics", RunState::Failed).await;
    assert_eq!(panicked.trace.as_deref(), Some("the task panicked: told to panic"));
    let many = connector(&herder, "many", RunState::Failed).await;
    assert_eq!(herder.connector("many").await.unwrap().tasks, Vec::<usize>::new());
    expect!["org.apache.kafka.connect.errors.ConnectException: The connector many has generated 2 tasks, which is greater than 1, the maximum number of tasks it is configured to create: raise tasks.max"]
        .assert_eq(many.trace.as_deref().unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_wait_for_the_start_and_then_answer_409() {
    let herder = herder().await;
    herder.starting("it waits for Kafka");
    check(
        herder.create_connector("a", sink(&[]), None).await,
        expect![[r#"
        Conflict(
            "Cannot complete request momentarily: it waits for Kafka",
        )
    "#]],
    );
    let waiting = tokio::spawn({
        let herder = herder.clone();
        async move { herder.create_connector("a", sink(&[]), None).await }
    });
    herder.ready();
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_creations_of_one_name_have_one_winner() {
    let herder = herder().await;
    let attempts = (0..8).map(|_| herder.create_connector("a", sink(&[]), None));
    let results = futures::future::join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|error| matches!(error, HerderError::Conflict(_)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_tasks_and_refuses_changes() {
    let herder = herder().await;
    herder.create_connector("a", sink(&[]), None).await.unwrap();
    first_task(&herder, "a", RunState::Running).await;
    tokio::time::timeout(Duration::from_secs(3), herder.shutdown()).await.unwrap();
    first_task(&herder, "a", RunState::Unassigned).await;
    assert!(matches!(herder.create_connector("b", sink(&[]), None).await, Err(HerderError::Conflict(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_a_connector_like_any_other() {
    let herder = herder().await;
    let source = config(&[("connector.class", "FakeSource"), ("topic", "lines")]);
    let (put, info) = herder.put_connector_config("lines", source.clone()).await.unwrap();
    assert_eq!((put, info.ty.unwrap().as_str()), (Put::Created, "source"));
    first_task(&herder, "lines", RunState::Running).await;
    assert_eq!(herder.connector_status("lines").await.unwrap().ty.unwrap().as_str(), "source");
    let plugins = herder.plugins(true).await;
    let types: Vec<_> = plugins.iter().map(|plugin| (plugin.class.as_str(), plugin.ty)).collect();
    assert!(types.contains(&("org.example.FakeSourceConnector", "source")), "{types:?}");
    let failing = config(&[("connector.class", "FakeSource"), ("fake.at", "poll"), ("fake.how", "fail")]);
    herder.create_connector("fails", failing, None).await.unwrap();
    let failed = first_task(&herder, "fails", RunState::Failed).await;
    expect!["org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSourceTask due to unrecoverable exception: the file is gone"]
        .assert_eq(failed.trace.as_deref().unwrap_or_default());
    herder.delete_connector("lines").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_worker_refuses_what_only_a_cluster_knows() {
    let herder = herder().await;
    check(
        herder.put_task_configs("a", Bytes::from_static(b"[]"), None).await,
        expect![[r#"
            BadRequest(
                "Kafka Connect in standalone mode does not support externally setting task configurations.",
            )
        "#]],
    );
    check(
        herder.fence_zombies("a", Bytes::new(), None).await,
        expect![[r#"
            BadRequest(
                "Kafka Connect in standalone mode does not support exactly-once source connectors.",
            )
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_topics_can_be_switched_off() {
    let herder = herder_with(&[("topic.tracking.enable", "false")]).await;
    let refused = || Err(HerderError::Forbidden("Topic tracking is disabled.".into()));
    assert_eq!(herder.connector_topics("a").await, refused());
    assert_eq!(herder.reset_connector_topics("a").await, refused().map(drop));
    let herder = herder_with(&[("topic.tracking.allow.reset", "false")]).await;
    assert_eq!(herder.connector_topics("a").await, Ok(Vec::new()));
    let refused = HerderError::Forbidden("Topic tracking reset is disabled.".into());
    assert_eq!(herder.reset_connector_topics("a").await, Err(refused));
}
