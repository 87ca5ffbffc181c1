use super::*;
use crate::testing::{config, plugins, worker_config};
use expect_test::{Expect, expect};

fn base(changes: &[(&str, &str)]) -> ConfigMap {
    let mut base = config(&[("name", "orders"), ("connector.class", "FakeSink"), ("topics", "orders")]);
    for (key, value) in changes {
        if value.is_empty() {
            base.shift_remove(*key)
        } else {
            base.insert((*key).into(), (*value).into())
        };
    }
    base
}

fn settings(changes: &[(&str, &str)]) -> Result<Settings, Vec<ConfigFault>> {
    Settings::read(ConnectorType::Sink, &base(changes), &worker_config(&[]), &plugins())
}

#[test]
fn defaults_come_from_the_worker() {
    let settings = settings(&[("topics", "a, b,a"), ("tasks.max", "3")]).unwrap();
    assert_eq!(
        settings.sink.as_ref().unwrap().subscription,
        Subscription::Topics(vec!["a".into(), "b".into()])
    );
    assert_eq!(settings.common.tasks_max, 3);
    assert_eq!(settings.sink.as_ref().unwrap().max_poll_records, 500);
    assert_eq!(settings.common.key_converter.class, "org.apache.kafka.connect.storage.StringConverter");
    assert_eq!(settings.common.value_converter.config["schemas.enable"], "true");
}

#[test]
fn a_connectors_converter_replaces_the_workers_with_its_keys() {
    let own = settings(&[("value.converter", "JsonConverter")]).unwrap();
    assert_eq!(
        own.common.value_converter.config.len(),
        0,
        "the worker's schemas.enable is not for the connector's class"
    );
    let keys_alone = settings(&[("value.converter.schemas.enable", "false")]).unwrap();
    assert_eq!(keys_alone.common.value_converter.config["schemas.enable"], "true");
}

#[test]
fn overrides_reach_the_clients_without_their_prefix() {
    let settings =
        settings(&[("consumer.override.max.poll.records", "7"), ("producer.override.linger.ms", "5")])
            .unwrap();
    assert_eq!(settings.sink.as_ref().unwrap().max_poll_records, 7);
    assert_eq!(settings.sink.as_ref().unwrap().consumer_overrides["max.poll.records"], "7");
    assert_eq!(settings.common.producer_overrides["linger.ms"], "5");
}

#[track_caller]
fn check(changes: &[(&str, &str)], expected: Expect) {
    let faults = settings(changes).err().unwrap_or_default();
    expected.assert_eq(&faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("\n"));
}

#[test]
fn faults_of_topics() {
    check(&[("topics", "")], expect!["Must configure one of topics or topics.regex"]);
    check(
        &[("topics.regex", "o.*")],
        expect!["topics and topics.regex are mutually exclusive options, but both are set."],
    );
    check(
        &[("topics", "a,,b c")],
        expect![[r#"
        Invalid value  for configuration topics: a topic name is empty: remove the extra comma
        Invalid value b c for configuration topics: a topic name consists of letters, digits, '.', '_' and '-'"#]],
    );
    check(
        &[("topics", "orders # all")],
        expect![
            "Invalid value orders # all for configuration topics: '#' is not legal in a topic name (a comment needs a line of its own: remove the text from '#' on)"
        ],
    );
    check(
        &[("topics", ""), ("topics.regex", "(")],
        expect![
            "Invalid value ( for configuration topics.regex: it is no regular expression this worker understands (look-around and back references are not supported)"
        ],
    );
}

#[test]
fn faults_of_the_dead_letter_topic() {
    check(
        &[("errors.deadletterqueue.topic.name", "orders")],
        expect![
            "The DLQ topic 'orders' may not be included in the list of topics ('topics=[orders]') consumed by the connector"
        ],
    );
    check(
        &[("topics", ""), ("topics.regex", "or.*"), ("errors.deadletterqueue.topic.name", "orders.dlq")],
        expect![
            "The DLQ topic 'orders.dlq' may not be matched by the regex for the topics ('topics.regex=or.*') consumed by the connector"
        ],
    );
    check(
        &[("topics", ""), ("topics.regex", "orders"), ("errors.deadletterqueue.topic.name", "orders.dlq")],
        expect![""],
    );
    check(
        &[("errors.deadletterqueue.topic.name", "a b")],
        expect![
            "Invalid value a b for configuration errors.deadletterqueue.topic.name: a topic name consists of letters, digits, '.', '_' and '-'"
        ],
    );
}

#[test]
fn faults_of_the_common_keys() {
    check(&[("name", "")], expect![[r#"Missing required configuration "name" which has no default value."#]]);
    check(
        &[("name", "a\u{7}b")],
        expect!["Invalid value ab for configuration name: it may not contain control characters"],
    );
    check(
        &[("name", "orders # the first")],
        expect![
            "Invalid value orders # the first for configuration name: it holds ' #' (a comment needs a line of its own: remove the text from '#' on)"
        ],
    );
    check(
        &[("tasks.max", "0")],
        expect!["Invalid value 0 for configuration tasks.max: Value must be at least 1"],
    );
    check(
        &[("tasks.max", "2000000000")],
        expect!["Invalid value 2000000000 for configuration tasks.max: Value must be no more than 1000"],
    );
    check(
        &[("tasks.max", "abc"), ("errors.tolerance", "some")],
        expect![[r#"
        Invalid value abc for configuration tasks.max: Not a number of type INT
        Invalid value some for configuration errors.tolerance: String must be one of: none, all"#]],
    );
    check(
        &[("transforms", "route"), ("predicates", "p")],
        expect![[r#"
        transforms is set: transforms are not supported yet: remove transforms and the transforms.* keys
        predicates is set: predicates are not supported yet: remove predicates and the predicates.* keys"#]],
    );
    check(
        &[("value.converter", "org.apache.kafka.connect.json.json.JsonConverter")],
        expect![
            "Invalid value org.apache.kafka.connect.json.json.JsonConverter for configuration value.converter: Class org.apache.kafka.connect.json.json.JsonConverter could not be found (did you mean org.apache.kafka.connect.json.JsonConverter?). Available converters: org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter"
        ],
    );
    check(
        &[("connector.plugin.version", "1.0")],
        expect![
            "Plugin org.example.FakeSinkConnector not found that matches the version range [1.0,1.0], available versions: [1.2]"
        ],
    );
    check(&[("connector.plugin.version", "[1.0,2.0)")], expect![""]);
    check(
        &[("connector.plugin.version", "[1")],
        expect!["[1 is no version range: write one as 4.3.0, [4.0,5.0) or [4.0,)"],
    );
    check(
        &[("key.converter", "Json"), ("key.converter.plugin.version", "(,4)")],
        expect![
            "Plugin org.apache.kafka.connect.json.JsonConverter not found that matches the version range (,4), available versions: [4.3.0]"
        ],
    );
    check(
        &[("consumer.override.max.poll.records", "many")],
        expect![
            "Invalid value many for configuration max.poll.records: it must be a whole number of at least 1"
        ],
    );
}

#[test]
fn the_policy_none_forbids_overrides() {
    let worker = worker_config(&[("connector.client.config.override.policy", "None")]);
    let faults = Settings::read(
        ConnectorType::Sink,
        &base(&[("consumer.override.fetch.min.bytes", "1")]),
        &worker,
        &plugins(),
    )
    .unwrap_err();
    expect!["The 'None' policy does not allow 'consumer.override.fetch.min.bytes' to be overridden in the connector configuration: remove the key, or set connector.client.config.override.policy=All in the worker's file"]
        .assert_eq(&faults[0].message);
}

#[test]
fn unknown_keys_are_found_with_a_guess() {
    let config = base(&[("insert.mode", "x"), ("fake.kye", "1"), ("value.converter.x", "1"), ("topic", "a")]);
    let plugins = plugins();
    let unknown =
        unknown_keys(ConnectorType::Sink, &config, plugins.connector("FakeSink").unwrap().config_def());
    assert_eq!(
        unknown,
        [
            ("insert.mode".to_owned(), None),
            ("fake.kye".to_owned(), Some("fake.key")),
            ("topic".to_owned(), Some("topics")),
        ]
    );
}

#[test]
fn a_source_has_no_topics_and_refuses_what_is_not_there_yet() {
    let config = |pairs: &[(&str, &str)]| {
        let mut config = config(&[("name", "lines"), ("connector.class", "FakeSource")]);
        config.extend(crate::testing::config(pairs));
        config
    };
    let read = |pairs: &[(&str, &str)]| {
        Settings::read(ConnectorType::Source, &config(pairs), &worker_config(&[]), &plugins())
    };
    let settings =
        read(&[("producer.override.linger.ms", "5"), ("exactly.once.support", "requested")]).unwrap();
    assert_eq!(settings.sink, None);
    assert_eq!(settings.common.producer_overrides["linger.ms"], "5");
    let faults = read(&[
        ("topic.creation.default.partitions", "3"),
        ("exactly.once.support", "required"),
        ("transaction.boundary", "connector"),
        ("offsets.storage.topic", "o"),
        ("errors.tolerance", "some"),
    ])
    .unwrap_err();
    let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    expect![[r#"
        Invalid value some for configuration errors.tolerance: String must be one of: none, all
        topic.creation.default.partitions is set: topic.creation.* is not supported yet: remove these keys; the broker makes the topic by itself (auto.create.topics.enable), or create it beforehand
        This worker does not have exactly-once source support enabled.
        The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.
        offsets.storage.topic is set: an offsets topic of a connector's own is not supported yet: leave the key out"#]].assert_eq(&messages.join("\n"));
    let unknown = unknown_keys(
        ConnectorType::Source,
        &config(&[("errors.deadletterqueue.topic.name", "d")]),
        &ConfigDef::new(&[]),
    );
    assert_eq!(unknown.len(), 1, "a source has no dead-letter topic");
}
