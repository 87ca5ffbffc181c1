use super::*;
use crate::group::Protocol;
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
    WorkerConfig::standalone(&properties::parse(text.as_bytes()).unwrap().values, &plugins())
}

#[test]
fn the_stock_file_with_defaults() {
    let Read { config, notes, .. } = read(STOCK).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.listeners, [Listener { host: "127.0.0.1".into(), port: 8083 }]);
    assert_eq!(config.key_converter.config["schemas.enable"], "false");
    assert_eq!(config.offset_flush_interval, Duration::from_secs(10));
    assert_eq!(config.shutdown_timeout, Duration::from_secs(5));
    assert_eq!(config.override_policy, OverridePolicy::All);
    assert_eq!(notes, []);
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
        plugin.path has no effect: the plugins of this worker are part of its binary
        rest.port has no effect: it is gone from Kafka since 3.0: use listeners
        offset.flush.intervall.ms is not a key of the worker and is ignored: did you mean offset.flush.interval.ms?
        my.password is not a key of the worker and is ignored"#]]
    .assert_eq(&messages(&notes));
}

fn messages(notes: &[Note]) -> String {
    notes.iter().map(|note| note.message.as_str()).collect::<Vec<_>>().join("\n")
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
    let faults = match WorkerConfig::standalone(&values, &plugins()) {
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

mod distributed {
    use super::*;

    /// The stock file of the walkthrough "files through a distributed worker".
    const STOCK: &str = "\
bootstrap.servers=localhost:9092
group.id=connect-cluster-datahub-1
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
offset.flush.interval.ms=10000
";

    fn read(more: &str) -> Result<(WorkerConfig, DistributedConfig, Vec<Note>), Vec<ConfigFault>> {
        let values = properties::parse(format!("{STOCK}{more}").as_bytes()).unwrap().values;
        let Read { config, notes, .. } = WorkerConfig::distributed(&values, &plugins())?;
        let Mode::Distributed(distributed) = config.mode.clone() else { panic!("{:?}", config.mode) };
        Ok((config, *distributed, notes))
    }

    #[test]
    fn the_stock_file_with_defaults() {
        let (config, distributed, notes) = read("").unwrap();
        assert_eq!(notes, []);
        assert_eq!(distributed.group_id, "connect-cluster-datahub-1");
        let topic = |name: &str, partitions: i32| StorageTopic {
            name: name.into(),
            partitions,
            replication_factor: 1,
            settings: ConfigMap::new(),
        };
        assert_eq!(distributed.config_topic, topic("connect-configs", 1));
        assert_eq!(distributed.offset_topic, topic("connect-offsets", 25));
        assert_eq!(distributed.status_topic, topic("connect-status", 5));
        assert_eq!(distributed.protocol, Protocol::Sessioned);
        assert_eq!(distributed.scheduled_rebalance_max_delay, Duration::from_secs(10));
        assert_eq!(distributed.session_timeout, Duration::from_secs(10));
        assert_eq!(
            distributed.inter_worker_keys,
            InterWorkerKeys {
                generation_algorithm: "HmacSHA256".into(),
                size: 32,
                ttl: Duration::from_secs(3600),
                signature_algorithm: "HmacSHA256".into(),
                verification_algorithms: vec!["HmacSHA256".into()],
            }
        );
        assert_eq!(config.auto_restart, None);
        assert_eq!(config.topic_tracking, TopicTracking { enable: true, allow_reset: true });
        assert_eq!(config.admin_listeners, AdminListeners::Same);
    }

    #[test]
    fn everything_set() {
        let (config, distributed, notes) = read(
            "connect.protocol=COMPATIBLE\n\
             config.storage.partitions=7\n\
             config.storage.min.insync.replicas=2\n\
             status.storage.cleanup.policy=delete\n\
             offset.storage.file.filename=/tmp/x\n\
             offset.storage.partitions=-1\n\
             inter.worker.key.generation.algorithm=HmacSHA512\n\
             inter.worker.verification.algorithms=HmacSHA384, HmacSHA256\n\
             admin.listeners=\n\
             admin.request.timeout.ms=5\n\
             access.control.allow.origin=*\n\
             access.control.allow.methods=GET,PUT\n\
             response.http.headers.config=set X-A:b\n\
             topic.tracking.allow.reset=false\n\
             errors.auto.restart.enable=true\n\
             client.id=me\n",
        )
        .unwrap();
        assert_eq!(distributed.protocol, Protocol::Compatible);
        assert_eq!(distributed.config_topic.partitions, 1);
        assert_eq!(distributed.config_topic.settings, config_map(&[("min.insync.replicas", "2")]));
        assert_eq!(distributed.status_topic.settings, config_map(&[]));
        assert_eq!(distributed.offset_topic.settings, config_map(&[]));
        assert_eq!(distributed.offset_topic.partitions, -1);
        assert_eq!(distributed.inter_worker_keys.size, 64);
        assert_eq!(distributed.inter_worker_keys.verification_algorithms, ["HmacSHA384", "HmacSHA256"]);
        assert_eq!(config.admin_listeners, AdminListeners::Off);
        assert_eq!(config.clients.admin, config_map(&[("request.timeout.ms", "5")]));
        assert_eq!(config.clients.common, config_map(&[("client.id", "me")]));
        assert_eq!(config.access_control.allow_origin, "*");
        assert_eq!(config.access_control.allow_methods, "GET,PUT");
        assert_eq!(config.response_headers, "set X-A:b");
        assert!(!config.topic_tracking.allow_reset);
        assert_eq!(
            config.auto_restart,
            Some(AutoRestart {
                first_backoff: Duration::from_secs(10),
                max_backoff: Duration::from_secs(600)
            })
        );
        expect![[r#"
            config.storage.partitions has no effect: the config topic always has one partition
            status.storage.cleanup.policy has no effect: the internal topics are always compacted
            offset.storage.file.filename has no effect: only a standalone worker reads it"#]]
        .assert_eq(&messages(&notes));
    }

    fn config_map(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[track_caller]
    fn check(more: &str, expected: Expect) {
        let faults = read(more).err().unwrap_or_default();
        expected.assert_eq(&faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn faults() {
        check(
            "heartbeat.interval.ms=10000",
            expect![
                "Invalid value 10000 for configuration heartbeat.interval.ms: it must be lower than session.timeout.ms, which is 10000"
            ],
        );
        check(
            "inter.worker.signature.algorithm=HmacSHA512",
            expect![
                "Invalid value HmacSHA512 for configuration inter.worker.signature.algorithm: Signature algorithm must be present in inter.worker.verification.algorithms list"
            ],
        );
        check(
            "inter.worker.verification.algorithms=HmacMD5",
            expect![
                "Invalid value HmacMD5 for configuration inter.worker.verification.algorithms: the algorithm HmacMD5 is not known to this worker: use one of HmacSHA256, HmacSHA384, HmacSHA512"
            ],
        );
        check(
            "inter.worker.key.size=8",
            expect!["Invalid value 8 for configuration inter.worker.key.size: Value must be at least 40"],
        );
        check(
            "status.storage.topic=connect-configs",
            expect![
                "Invalid value connect-configs for configuration status.storage.topic: config.storage.topic has the same value; each needs a topic of its own"
            ],
        );
        check(
            "config.storage.topic=connect-configs # here",
            expect![
                "Invalid value connect-configs # here for configuration config.storage.topic: it holds ' #' (a comment needs a line of its own: remove the text from '#' on)"
            ],
        );
        check(
            "config.storage.replication.factor=0\noffset.storage.partitions=0",
            expect![[r#"
            Invalid value 0 for configuration config.storage.replication.factor: the number of copies is 1 or more, or -1 to leave it to the broker
            Invalid value 0 for configuration offset.storage.partitions: the number of partitions is 1 or more, or -1 to leave it to the broker"#]],
        );
        check(
            "connect.protocol=cooperative",
            expect![
                "Invalid value cooperative for configuration connect.protocol: String must be one of (case insensitive): eager, compatible, sessioned"
            ],
        );
        check(
            "exactly.once.source.support=enabled",
            expect![
                "Invalid value enabled for configuration exactly.once.source.support: exactly-once sources are not supported yet: remove the key or set it to disabled; sources deliver at least once"
            ],
        );
        check(
            "security.protocol=SASL_SSL\nssl.client.auth=required",
            expect![[r#"
            ssl.client.auth is set: TLS on the REST listener is not supported yet: remove the key and put a proxy in front
            Invalid value SASL_SSL for configuration security.protocol: this worker cannot do TLS or SASL towards Kafka yet: give it a PLAINTEXT listener of the brokers"#]],
        );
        check(
            "admin.listeners=http://a:1,b\nrest.advertised.listener=https",
            expect![[r#"
            Invalid value http://a:1,b for configuration admin.listeners: b: write it as http://host:port, such as http://127.0.0.1:8083
            Invalid value https for configuration rest.advertised.listener: https is not supported yet: use http and put a TLS proxy in front"#]],
        );
    }

    #[test]
    fn placeholders_of_config_providers_are_replaced() {
        let providers = "config.providers=env\n\
                         config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n";
        // A variable that every process has.
        let (config, _, notes) = read(&format!("{providers}producer.client.id=${{env:PATH}}\n")).unwrap();
        assert_eq!(config.clients.producer["client.id"], std::env::var("PATH").unwrap());
        assert_eq!(notes, []);
        check(
            &format!("{providers}client.id=${{env:NO_SUCH_VARIABLE}}"),
            expect![
                "Invalid value ${env:NO_SUCH_VARIABLE} for configuration client.id: the config provider env has no value: the worker's environment has no variable NO_SUCH_VARIABLE, or allowlist.pattern does not allow it"
            ],
        );
        check(
            &format!("{providers}session.timeout.ms=${{env:PATH}}"),
            expect!["Invalid value [hidden] for configuration session.timeout.ms: Not a number of type INT"],
        );
        check(
            "config.providers=vault\nconfig.providers.vault.class=org.example.Vault",
            expect![
                "Invalid value org.example.Vault for configuration config.providers.vault.class: there is no such config provider here: use one of org.apache.kafka.common.config.provider.FileConfigProvider, org.apache.kafka.common.config.provider.DirectoryConfigProvider, org.apache.kafka.common.config.provider.EnvVarConfigProvider"
            ],
        );
    }

    #[test]
    fn each_mode_knows_the_keys_of_the_other() {
        let values = properties::parse(format!("{STOCK}offset.storage.file.filename=/tmp/o\n").as_bytes())
            .unwrap()
            .values;
        let Read { notes, .. } = WorkerConfig::standalone(&values, &plugins()).unwrap();
        assert_eq!(notes.len(), 7, "{notes:?}");
        assert!(notes.iter().all(|note| note.message.ends_with("only a distributed worker reads it")));
    }

    #[test]
    fn no_key_is_in_two_tables() {
        let mut names: Vec<&str> = DISTRIBUTED_CONFIG.keys.iter().map(|key| key.name).collect();
        names.extend(STANDALONE_ONLY_CONFIG.keys.iter().map(|key| key.name));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
