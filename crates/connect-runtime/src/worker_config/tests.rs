use super::*;
use crate::properties;
use crate::testing::plugins;
use expect_test::{Expect, expect};

/// The worker file of the walkthrough "standalone mode".
const STOCK: &str = "\
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.storage.file.filename=/tmp/connect.offsets
offset.flush.interval.ms=10000
";

fn read(text: &str) -> Result<Read, Vec<ConfigFault>> {
    WorkerConfig::read(&properties::parse(text.as_bytes()).unwrap().values, &plugins())
}

#[test]
fn the_stock_file_with_defaults() {
    let Read { config, notes } = read(STOCK).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.listeners, [Listener { host: "127.0.0.1".into(), port: 8083 }]);
    assert_eq!(config.key_converter.config["schemas.enable"], "false");
    assert_eq!(config.offset_flush_interval, Duration::from_secs(10));
    assert_eq!(config.shutdown_timeout, Duration::from_secs(5));
    assert_eq!(config.override_policy, OverridePolicy::All);
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn client_settings_are_sorted_by_prefix() {
    let more =
        "consumer.max.poll.records=7\nproducer.acks=all\nadmin.request.timeout.ms=1\nsasl.mechanism=PLAIN\n";
    let clients =
        read(&format!("{STOCK}{more}")).unwrap_or_else(|faults| panic!("{faults:?}")).config.clients;
    assert_eq!(clients.consumer["max.poll.records"], "7");
    assert_eq!(clients.producer["acks"], "all");
    assert_eq!(clients.admin["request.timeout.ms"], "1");
    assert_eq!(clients.common["sasl.mechanism"], "PLAIN");
    assert_eq!(clients.common.len(), 1);
}

#[test]
fn keys_without_effect_are_noted_without_their_values() {
    let more =
        "plugin.path=\\D:\\\\Work\\\\lib\nrest.port=8083\noffset.flush.intervall.ms=5\nmy.password=geheim\n";
    let notes = read(&format!("{STOCK}{more}")).unwrap_or_else(|faults| panic!("{faults:?}")).notes;
    expect![[r#"
        plugin.path is ignored: the plugins of this worker are part of its binary
        rest.port is ignored, as in Kafka since 3.0: use listeners
        offset.flush.intervall.ms is not a key of the worker and is ignored: did you mean offset.flush.interval.ms?
        my.password is not a key of the worker and is ignored"#]]
    .assert_eq(&notes.join("\n"));
}

#[track_caller]
fn check(changes: &[(&str, &str)], expected: Expect) {
    let mut values = properties::parse(STOCK.as_bytes()).unwrap().values;
    for (key, value) in changes {
        match *value {
            "" => values.shift_remove(*key),
            value => values.insert((*key).into(), value.into()),
        };
    }
    let faults = match WorkerConfig::read(&values, &plugins()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    };
    expected.assert_eq(&faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("\n"));
}

#[test]
fn faults() {
    check(
        &[("bootstrap.servers", ""), ("offset.storage.file.filename", "/tmp/o # offsets")],
        expect![[r#"
            Missing required configuration "bootstrap.servers" which has no default value.
            Invalid value /tmp/o # offsets for configuration offset.storage.file.filename: it holds ' #' (a comment needs a line of its own: remove the text from '#' on)"#]],
    );
    check(
        &[("bootstrap.servers", "localhost")],
        expect!["Invalid value localhost for configuration bootstrap.servers: 'localhost' is not host:port"],
    );
    check(
        &[("offset.flush.interval.ms", "10s")],
        expect!["Invalid value 10s for configuration offset.flush.interval.ms: Not a number of type LONG"],
    );
    check(
        &[("listeners", "https://:8083")],
        expect![
            "Invalid value https://:8083 for configuration listeners: https is not supported yet: use http and put a TLS proxy in front"
        ],
    );
    check(
        &[("connector.client.config.override.policy", "Principal")],
        expect![
            "Invalid value Principal for configuration connector.client.config.override.policy: this policy is not supported yet: use All or None"
        ],
    );
    check(
        &[("rest.extension.classes", "a.B")],
        expect![
            "rest.extension.classes is set: REST extensions (such as basic authentication) are not supported: remove the key and put a proxy in front"
        ],
    );
    check(
        &[("value.converter", "org.apache.kafka.connect.json.json.JsonConverter")],
        expect![
            "Invalid value org.apache.kafka.connect.json.json.JsonConverter for configuration value.converter: Class org.apache.kafka.connect.json.json.JsonConverter could not be found (did you mean org.apache.kafka.connect.json.JsonConverter?). Available converters: org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter"
        ],
    );
    check(
        &[("header.converter", "StringConverter")],
        expect![
            "Invalid value StringConverter for configuration header.converter: only org.apache.kafka.connect.storage.SimpleHeaderConverter is supported yet: use it or remove the key"
        ],
    );
    check(
        &[("value.converter.schemas.enable", "yes")],
        expect![
            "value.converter: Invalid value yes for configuration schemas.enable: Expected value to be either true or false"
        ],
    );
}
