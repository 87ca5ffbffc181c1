use super::*;
use crate::herder::State;
use crate::testing::{EmptyCluster, NoOffsets, config, plugins, worker_config};
use expect_test::{Expect, expect};

fn herder() -> StandaloneHerder {
    let herder = StandaloneHerder::new(StandaloneParts {
        worker: worker_config(&[]),
        plugins: plugins(),
        clients: Arc::new(EmptyCluster),
        offsets: Arc::new(NoOffsets),
        worker_id: "127.0.0.1:8083".into(),
        version: "4.3.0".into(),
        commit: "test".into(),
        deadlines: Deadlines { local: Duration::from_secs(3), remote: Duration::from_secs(3) },
        patience: Duration::from_millis(50),
    });
    herder.ready();
    herder
}

fn sink(changes: &[(&str, &str)]) -> ConfigMap {
    let mut base =
        config(&[("connector.class", "FakeSink"), ("topics", "orders"), ("fake.password", "test1357")]);
    base.extend(config(changes));
    base
}

/// Polls the status until the first task is in `state`.
async fn first_task(herder: &StandaloneHerder, name: &str, state: State) -> crate::herder::StateInfo {
    for _ in 0..200 {
        let status = herder.connector_status(name).await.unwrap();
        if let Some((0, task)) = status.tasks.first().cloned()
            && task.state == state
        {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no {state:?}: {:?}", herder.connector_status(name).await);
}

#[track_caller]
fn check<T: std::fmt::Debug>(result: Result<T, HerderError>, expected: Expect) {
    expected.assert_debug_eq(&result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_made_seen_and_deleted() {
    let herder = herder();
    let made = herder.create_connector(" orders ", sink(&[("tasks.max", "2")]), None).await.unwrap();
    assert_eq!((made.name.as_str(), made.tasks.len(), made.config["name"].as_str()), ("orders", 0, "orders"));
    assert_eq!(made.config["fake.password"], "[hidden]");
    assert_eq!(herder.connectors().await, ["orders"]);
    assert_eq!(herder.connector("orders").await.unwrap().tasks, [0, 1]);
    let task = first_task(&herder, "orders", State::Running).await;
    assert_eq!((task.worker_id.as_str(), task.trace), ("127.0.0.1:8083", None));
    let status = herder.connector_status("orders").await.unwrap();
    assert_eq!((status.connector.state, status.connector.version.as_deref()), (State::Running, Some("1.2")));
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
    let herder = herder();
    let (put, _) = herder.put_connector_config("orders", sink(&[])).await.unwrap();
    assert_eq!(put, Put::Created);
    let before = herder.inner.find("orders").unwrap();

    let shown = herder.connector("orders").await.unwrap().config;
    let (put, _) = herder.put_connector_config("orders", shown).await.unwrap();
    assert_eq!(put, Put::Updated);
    assert!(
        Arc::ptr_eq(&before, &herder.inner.find("orders").unwrap()),
        "an equal configuration restarts nothing"
    );

    let mut shown = herder.connector("orders").await.unwrap().config;
    shown.insert("tasks.max".into(), "2".into());
    let (put, info) = herder.put_connector_config("orders", shown).await.unwrap();
    assert_eq!((put, info.tasks), (Put::Updated, vec![0, 1]));
    assert_eq!(
        herder.inner.find("orders").unwrap().config["fake.password"],
        "test1357",
        "the secret was kept"
    );
    first_task(&herder, "orders", State::Running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals() {
    let herder = herder();
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
            "Connector configuration is invalid and contains the following 3 error(s):\nInvalid value  for configuration name: String may not be empty\nInvalid value x for configuration tasks.max: Not a number of type INT\nInvalid value y for configuration fake.number: Not a number of type INT",
        )
    "#]],
    );
    check(
        herder.create_connector("a", sink(&[("fake.password", "[hidden]")]), None).await,
        expect![[r#"
        BadRequest(
            "Connector configuration is invalid and contains the following 1 error(s):\nInvalid value [hidden] for configuration fake.password: [hidden] stands for a stored value and none is stored for this key: write the value itself",
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
    let herder = herder();
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
        400 Connector configuration is invalid and contains the following 1 error(s): | fake.key and fake.number do not go together
        500 validating: the plugin panicked: told to panic
        500 validating: the plugin did not answer within 3 s
        400 Connector configuration is invalid and contains the following 1 error(s): | fake.key: cannot log in with [hidden]
        500 validating: the plugin panicked: told to panic
        400 Connector configuration is invalid and contains the following 1 error(s): | The outside system that the configuration names cannot be reached: the plugin did not answer within 3 s"#]]
    .assert_eq(&answers.join("\n"));
    assert_eq!(herder.connectors().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_a_start_are_in_the_status() {
    let herder = herder();
    for (name, at, how) in
        [("fails", "start", "fail"), ("panics", "start", "panic"), ("many", "task_configs", "fail")]
    {
        herder.create_connector(name, sink(&[("fake.at", at), ("fake.how", how)]), None).await.unwrap();
    }
    let failed = first_task(&herder, "fails", State::Failed).await;
    assert_eq!(
        failed.trace.as_deref(),
        Some("org.apache.kafka.connect.errors.ConnectException: no luck with [hidden]")
    );
    let panicked = first_task(&herder, "panics", State::Failed).await;
    assert_eq!(panicked.trace.as_deref(), Some("the task panicked: told to panic"));
    let many = herder.connector_status("many").await.unwrap();
    assert_eq!((many.connector.state, many.tasks.len()), (State::Failed, 0));
    expect!["org.apache.kafka.connect.errors.ConnectException: The connector many has generated 2 tasks, which is greater than 1, the maximum number of tasks it is configured to create: raise tasks.max"]
        .assert_eq(many.connector.trace.as_deref().unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_wait_for_the_start_and_then_answer_409() {
    let herder = herder();
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
    let herder = herder();
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
    let herder = herder();
    herder.create_connector("a", sink(&[]), None).await.unwrap();
    first_task(&herder, "a", State::Running).await;
    tokio::time::timeout(Duration::from_secs(3), herder.shutdown()).await.unwrap();
    first_task(&herder, "a", State::Unassigned).await;
    assert!(matches!(herder.create_connector("b", sink(&[]), None).await, Err(HerderError::Conflict(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_a_connector_like_any_other() {
    let herder = herder();
    let source = config(&[("connector.class", "FakeSource"), ("topic", "lines")]);
    let (put, info) = herder.put_connector_config("lines", source.clone()).await.unwrap();
    assert_eq!((put, info.ty.unwrap().as_str()), (Put::Created, "source"));
    first_task(&herder, "lines", State::Running).await;
    assert_eq!(herder.connector_status("lines").await.unwrap().ty.unwrap().as_str(), "source");
    let plugins = herder.plugins(true).await;
    let types: Vec<_> = plugins.iter().map(|plugin| (plugin.class.as_str(), plugin.ty)).collect();
    assert!(types.contains(&("org.example.FakeSourceConnector", "source")), "{types:?}");
    let failing = config(&[("connector.class", "FakeSource"), ("fake.at", "poll"), ("fake.how", "fail")]);
    herder.create_connector("fails", failing, None).await.unwrap();
    let failed = first_task(&herder, "fails", State::Failed).await;
    expect!["org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSourceTask due to unrecoverable exception: the file is gone"]
        .assert_eq(failed.trace.as_deref().unwrap_or_default());
    herder.delete_connector("lines").await.unwrap();
}
