use super::super::{Deadlines, Worker};
use super::*;
use crate::testing::{EmptyCluster, MemoryGroups, MemoryOffsets, config, plugins, worker_config};
use expect_test::expect;
use serde_json::{Value as Json, json};

struct Bench {
    worker: Worker,
    groups: Arc<MemoryGroups>,
}

fn bench() -> Bench {
    let groups = Arc::new(MemoryGroups::default());
    let parts = WorkerParts {
        config: worker_config(&[]),
        plugins: plugins(),
        clients: Arc::new(EmptyCluster),
        offsets: Arc::new(MemoryOffsets::default()),
        group_offsets: groups.clone(),
        deadlines: Deadlines {
            local: Duration::from_millis(500),
            remote: Duration::from_millis(500),
            task_configs: Duration::from_millis(500),
        },
    };
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    Bench { worker: Worker::new(parts, events), groups }
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
    let mut base = config(&[("name", "a"), ("connector.class", "FakeSource"), ("fake.password", "test1357")]);
    base.extend(config(changes));
    base
}

/// From `[[partition, offset], ..]`.
fn offsets(pairs: Json) -> Vec<ConnectorOffset> {
    let map = |value: &Json| value.as_object().cloned();
    let pairs = pairs.as_array().cloned().unwrap_or_default();
    pairs
        .iter()
        .map(|pair| ConnectorOffset { partition: map(&pair[0]).unwrap_or_default(), offset: map(&pair[1]) })
        .collect()
}

fn answer(result: Result<String, HerderError>) -> String {
    match result {
        Ok(text) => text,
        Err(error) => format!("{error:?}"),
    }
}

impl Bench {
    async fn alter(&self, config: &ConfigMap, pairs: Json) -> String {
        answer(self.worker.alter_offsets("a", config, Some(offsets(pairs))).await)
    }

    async fn reset(&self, config: &ConfigMap) -> String {
        answer(self.worker.alter_offsets("a", config, None).await)
    }

    /// What is shown, as it was sent.
    async fn shown(&self, config: &ConfigMap) -> String {
        match self.worker.connector_offsets("a", config).await {
            Ok(offsets) => {
                let pair = |ConnectorOffset { partition, offset }| {
                    let text = |map| serde_json::to_string(&map).unwrap_or_default();
                    format!("{} {}", text(Some(partition)), text(offset))
                };
                offsets.into_iter().map(pair).collect::<Vec<_>>().join("\n")
            }
            Err(error) => format!("{error:?}"),
        }
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.groups.calls.lock().unwrap())
    }
}

fn at(topic: &str, partition: i32) -> Json {
    json!({"kafka_topic": topic, "kafka_partition": partition})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sinks_offsets_are_set_shown_and_reset() {
    let (bench, sink) = (bench(), sink(&[("admin.override.client.rack", "b")]));
    assert_eq!(bench.shown(&sink).await, "");
    let numbers_as_text = json!([
        [{"kafka_topic": "orders", "kafka_partition": "1"}, {"kafka_offset": "5000000000"}],
        [at("orders", 0), {"kafka_offset": 3}],
        [at("items", 2), {"kafka_offset": 7}],
        // the later one counts
        [at("orders", 0), {"kafka_offset": 4}],
    ]);
    expect!["The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses."]
        .assert_eq(&bench.alter(&sink, numbers_as_text).await);
    bench.alter(&sink, json!([[at("items", 2), null]])).await;
    expect![[r#"
        {"kafka_topic":"orders","kafka_partition":0} {"kafka_offset":4}
        {"kafka_topic":"orders","kafka_partition":1} {"kafka_offset":5000000000}"#]]
    .assert_eq(&bench.shown(&sink).await);
    for _ in 0..2 {
        expect!["The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages offsets externally, they will need to be manually reset in the system that the connector uses."]
            .assert_eq(&bench.reset(&sink).await);
    }
    assert_eq!(bench.shown(&sink).await, "");
    let expected = ["list", "alter", "alter", "list", "list", "delete", "list", "delete", "list"];
    assert_eq!(bench.calls(), expected.map(|call| format!("{call} connect-a client.rack=b")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sinks_group_may_have_another_name() {
    let (bench, sink) =
        (bench(), sink(&[("consumer.override.group.id", "mine"), ("fake.knows.offsets", "true")]));
    expect!["The offsets for this connector have been altered successfully"]
        .assert_eq(&bench.alter(&sink, json!([[at("orders", 0), {"kafka_offset": 1}]])).await);
    expect!["The offsets for this connector have been reset successfully"]
        .assert_eq(&bench.reset(&sink).await);
    assert_eq!(bench.calls(), ["alter mine", "list mine", "delete mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_offset_of_a_sink_is_refused() {
    let (bench, sink) = (bench(), sink(&[]));
    let offset = || json!({"kafka_offset": 1});
    let mut answers = Vec::new();
    for pairs in [
        json!([]),
        json!([[{}, offset()]]),
        json!([[{"kafka_topic": "orders"}, offset()]]),
        json!([[{"kafka_topic": null, "kafka_partition": 0}, offset()]]),
        json!([[{"kafka_topic": "orders", "kafka_partition": null}, offset()]]),
        json!([[{"kafka_topic": "orders", "kafka_partition": "x"}, offset()]]),
        json!([[{"kafka_topic": "orders", "kafka_partition": 1.5}, offset()]]),
        json!([[at("orders", -1), offset()]]),
        json!([[at("orders", 0), {"offset": 1}]]),
        json!([[at("orders", 0), {"kafka_offset": null}]]),
        json!([[at("orders", 0), {"kafka_offset": "one"}]]),
        json!([[at("orders", 0), {"kafka_offset": -1}]]),
        json!([[at("orders", 3), offset()]]),
        json!([[at("nothing", 0), offset()]]),
    ] {
        answers.push(bench.alter(&sink, pairs).await);
    }
    expect![[r#"
        BadRequest("Partitions / offsets need to be provided for an alter offsets request")
        BadRequest("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'")
        BadRequest("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'")
        BadRequest("Kafka topic names must be valid strings and may not be null")
        BadRequest("Kafka partitions must be valid numbers and may not be null")
        BadRequest("Failed to parse the following Kafka partition value in the provided offsets: 'x'. Partition values for sink connectors need to be integers.")
        BadRequest("Failed to parse the following Kafka partition value in the provided offsets: '1.5'. Partition values for sink connectors need to be integers.")
        BadRequest("Kafka partitions cannot be negative, and kafka_partition is -1")
        BadRequest("The offset for a sink connector should either be null or contain the key 'kafka_offset'")
        BadRequest("Failed to parse the following Kafka offset value in the provided offsets: 'null'. Offset values for sink connectors need to be integers.")
        BadRequest("Failed to parse the following Kafka offset value in the provided offsets: 'one'. Offset values for sink connectors need to be integers.")
        BadRequest("Kafka offsets cannot be negative, and kafka_offset is -1")
        BadRequest("Failed to alter consumer group offsets for connector a: there is no partition 3 of topic orders: correct kafka_topic and kafka_partition, or create the topic first")
        BadRequest("Failed to alter consumer group offsets for connector a: there is no partition 0 of topic nothing: correct kafka_topic and kafka_partition, or create the topic first")"#]]
    .assert_eq(&answers.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_works_or_cannot_be_reached_is_said_to_be() {
    let bench = bench();
    let group = |group: &str| sink(&[("consumer.override.group.id", group)]);
    let answers = [
        bench.alter(&group("busy"), json!([[at("orders", 0), {"kafka_offset": 1}]])).await,
        bench.reset(&group("busy")).await,
        bench.shown(&group("unreachable")).await,
        bench.reset(&group("unreachable")).await,
    ];
    expect![[r#"
        Conflict("Failed to alter consumer group offsets for connector a either because its tasks haven't stopped completely yet or the connector was resumed before the request to alter its offsets could be successfully completed. If the connector is in a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks.")
        Conflict("Failed to reset consumer group offsets for connector a either because its tasks haven't stopped completely yet or the connector was resumed before the request to reset its offsets could be successfully completed. If the connector is in a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks.")
        Unavailable("Failed to retrieve consumer group offsets for sink connector a: no broker answers")
        Unavailable("Failed to list offsets prior to resetting offsets for sink connector a: no broker answers")"#]]
    .assert_eq(&answers.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sources_offsets_are_set_shown_and_reset() {
    let (bench, source) = (bench(), source(&[("fake.knows.offsets", "true")]));
    let set = json!([
        [{"protocol": "1", "table": "a"}, {"ts": 1, "n": 2.5}],
        [{"protocol": "1", "table": "b"}, {"ts": 1}],
    ]);
    expect!["The offsets for this connector have been altered successfully"]
        .assert_eq(&bench.alter(&source, set).await);
    // Another order of the keys is the same partition; it keeps the bytes under which a task looks for it.
    let change = json!([
        [{"table": "a", "protocol": "1"}, {"ts": 2, "done": true, "why": null}],
        [{"table": "b", "protocol": "1"}, null],
        [{"table": "c"}, {"ts": "3"}],
    ]);
    bench.alter(&source, change).await;
    expect![[r#"
        {"protocol":"1","table":"a"} {"ts":2,"done":true,"why":null}
        {"table":"c"} {"ts":"3"}"#]]
    .assert_eq(&bench.shown(&source).await);
    for _ in 0..2 {
        expect!["The offsets for this connector have been reset successfully"]
            .assert_eq(&bench.reset(&source).await);
        assert_eq!(bench.shown(&source).await, "");
    }
    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_offset_of_a_source_is_refused() {
    let (bench, source) = (bench(), source(&[]));
    let mut answers = Vec::new();
    for pairs in [
        json!([]),
        json!([[{"file": ["a"]}, {"n": 1}]]),
        json!([[{"file": "a"}, {"n": {"m": 1}}]]),
        json!([[{"file": "a"}, {"n": 9223372036854775808_u64}]]),
    ] {
        answers.push(bench.alter(&source, pairs).await);
    }
    expect![[r#"
        BadRequest("Partitions / offsets need to be provided for an alter offsets request")
        BadRequest("Offsets may only contain primitive types as values, but field file contains ARRAY")
        BadRequest("Offsets may only contain primitive types as values, but field n contains MAP")
        BadRequest("Offsets may only contain primitive types as values, but field n contains a number beyond 64 bits")"#]]
    .assert_eq(&answers.join("\n"));
    assert_eq!(bench.shown(&source).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_may_refuse_fail_panic_or_hang() {
    let bench = bench();
    let mut answers = Vec::new();
    for how in ["fail", "retry", "panic", "hang", "block"] {
        let changes = [("fake.at", "alter_offsets"), ("fake.how", how)];
        let set = json!([[at("orders", 0), {"kafka_offset": 1}]]);
        answers.push(bench.alter(&sink(&changes), set).await);
        answers.push(bench.reset(&source(&changes)).await);
    }
    answers.push(bench.reset(&sink(&[("connector.class", "Nothing")])).await);
    answers.push(bench.shown(&sink(&[("errors.tolerance", "test1357")])).await);
    expect![[r#"
        BadRequest("1 offsets are not for [hidden]")
        BadRequest("0 offsets are not for [hidden]")
        Internal("the other system is away")
        Internal("the other system is away")
        Internal("asking connector a about its offsets: the plugin panicked: told to panic")
        Internal("asking connector a about its offsets: the plugin panicked: told to panic")
        Unavailable("Timed out while calling the 'alterOffsets' method for connector a: the plugin did not answer within 0.5 s; nothing was changed")
        Unavailable("Timed out while calling the 'alterOffsets' method for connector a: the plugin did not answer within 0.5 s; nothing was changed")
        Unavailable("Timed out while calling the 'alterOffsets' method for connector a: the plugin did not answer within 0.5 s; nothing was changed")
        Unavailable("Timed out while calling the 'alterOffsets' method for connector a: the plugin did not answer within 0.5 s; nothing was changed")
        BadRequest("The configuration of connector a has to be put right first: Failed to find any class that implements Connector and which name matches Nothing, available connectors are: org.example.FakeSinkConnector, com.example.FakeSinkConnector, org.example.FakeSourceConnector")
        BadRequest("The configuration of connector a has to be put right first: Invalid value [hidden] for configuration errors.tolerance: String must be one of: none, all")"#]]
    .assert_eq(&answers.join("\n"));
    assert_eq!(bench.shown(&sink(&[])).await, "", "nothing was changed");
}
