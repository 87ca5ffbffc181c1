use super::*;
use crate::herder::ConfigValueInfo;
use crate::testing::{config, plugins, worker_config};
use connect_api::config::HIDDEN;
use expect_test::expect;
use std::time::Duration;

const DEADLINES: Deadlines = Deadlines {
    local: Duration::from_millis(500),
    remote: Duration::from_millis(500),
    task_configs: Duration::from_millis(500),
};

fn sink(changes: &[(&str, &str)]) -> ConfigMap {
    let mut base = config(&[("name", "c"), ("connector.class", "FakeSink"), ("topics", "t")]);
    base.extend(config(changes));
    base
}

struct Bench {
    plugins: Plugins,
    worker: WorkerConfig,
}

impl Bench {
    fn new(worker: &[(&str, &str)]) -> Self {
        Self { plugins: plugins(), worker: worker_config(worker) }
    }

    fn validation(&self) -> Validation<'_> {
        Validation { plugins: &self.plugins, worker: &self.worker, deadlines: DEADLINES }
    }

    async fn refusal(&self, changes: &[(&str, &str)]) -> String {
        match self.validation().check(&sink(changes)).await {
            Ok(_) => panic!("{changes:?} is accepted"),
            Err(error) => error.to_string(),
        }
    }

    async fn infos(&self, config: &ConfigMap, stored: Option<&ConfigMap>) -> ConfigInfos {
        self.validation().config_infos("FakeSink", config, stored).await.unwrap()
    }
}

fn value<'a>(infos: &'a ConfigInfos, key: &str) -> &'a ConfigValueInfo {
    infos.configs.iter().map(|(_, value)| value).find(|value| value.name == key).unwrap()
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_keys() {
    let bench = Bench::new(&[]);
    let refusal = bench
        .refusal(&[
            ("name", ""),
            ("tasks.max", "x"),
            ("topics.regex", "t.*"),
            ("fake.number", "y"),
            ("key.converter", "JsonConverter"),
            ("key.converter.schemas.enable", "maybe"),
            ("connector.plugin.version", "[9,)"),
        ])
        .await;
    expect![[r#"
        Connector configuration is invalid and contains the following 9 error(s):
        Invalid value  for configuration name: String may not be empty
        Plugin org.example.FakeSinkConnector not found that matches the version range [9,), available versions: [1.2]
        Plugin org.example.FakeSinkConnector not found that matches the version range [9,), available versions: [1.2]
        Invalid value x for configuration tasks.max: Not a number of type INT
        Invalid value null for configuration tasks.max: Value must be non-null
        topics and topics.regex are mutually exclusive options, but both are set.
        topics and topics.regex are mutually exclusive options, but both are set.
        Invalid value y for configuration fake.number: Not a number of type INT
        Invalid value maybe for configuration key.converter.schemas.enable: Expected value to be either true or false
        You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"#]]
    .assert_eq(&refusal);
    let validated = bench.validation().check(&sink(&[])).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((validated.class, validated.settings.common.tasks_max), ("org.example.FakeSinkConnector", 1));
}

#[tokio::test]
async fn a_configuration_without_a_known_class_cannot_be_assessed() {
    let bench = Bench::new(&[]);
    let ask = async |pairs: &[(&str, &str)]| {
        bench.validation().config_infos("FakeSink", &config(pairs), None).await.unwrap_err()
    };
    assert_eq!(
        ask(&[("name", "c"), ("db.password", "geheim")]).await,
        HerderError::BadRequest(
            "Connector config {name=c, db.password=[hidden]} contains no connector type: set connector.class"
                .into()
        )
    );
    let HerderError::BadRequest(unknown) = ask(&[("connector.class", "NopeFakeSink")]).await else {
        panic!()
    };
    assert!(unknown.starts_with("Failed to find any class that implements Connector"), "{unknown}");
    assert_eq!(
        ask(&[("connector.class", "FakeSource")]).await,
        HerderError::BadRequest(
            "Included connector type FakeSource does not match request type FakeSink".into()
        )
    );
}

#[tokio::test]
async fn a_connectors_own_complaints_stand_at_their_keys() {
    let bench = Bench::new(&[]);
    for at in ["validate", "validate_remote"] {
        let infos = bench
            .infos(&sink(&[("fake.at", at), ("fake.how", "fail"), ("fake.password", "geheim")]), None)
            .await;
        let errors = &value(&infos, "fake.key").errors;
        assert_eq!((infos.error_count, errors.len()), (1, 1), "{at}");
        assert!(errors[0].contains("fake.key") && !errors[0].contains("geheim"), "{errors:?}");
        assert_eq!(value(&infos, "fake.password").value.as_deref(), Some(HIDDEN));
    }
    let infos = bench.infos(&sink(&[("fake.at", "validate_remote"), ("fake.how", "hang")]), None).await;
    assert!(value(&infos, "connector.class").errors[0].contains("cannot be reached"));
    // Its other rules are asked even if a key of the framework is wrong.
    let both = sink(&[("fake.at", "validate"), ("fake.how", "fail"), ("tasks.max", "0")]);
    assert_eq!(bench.infos(&both, None).await.error_count, 2);
}

#[tokio::test]
async fn what_config_providers_know_is_checked_and_never_shown() {
    let folder = std::env::temp_dir().join(format!("validation-providers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (file, content) in [("number", "geheim-77"), ("password", "swordfish")] {
        std::fs::write(folder.join(file), content).unwrap();
    }
    let bench = Bench::new(&[
        ("config.providers", "dir"),
        ("config.providers.dir.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
    ]);
    let placeholder = |file: &str| format!("${{dir:{}:{file}}}", folder.display());
    let (number, password, missing) =
        (placeholder("number"), placeholder("password"), placeholder("missing"));

    let config =
        sink(&[("fake.key", &password), ("fake.password", &password), ("producer.override.x", &password)]);
    let infos = bench.infos(&config, None).await;
    assert_eq!(infos.error_count, 0);
    for key in ["fake.key", "fake.password", "producer.override.x"] {
        assert_eq!(value(&infos, key).value.as_ref(), Some(&password), "{key}");
    }
    let infos = bench.infos(&sink(&[("fake.number", &number)]), None).await;
    let errors = value(&infos, "fake.number").errors.join("; ");
    assert_eq!(errors, "Invalid value [hidden] for configuration fake.number: Not a number of type INT");
    let refusal = bench.refusal(&[("fake.number", &number)]).await;
    assert!(refusal.contains("Invalid value [hidden] for configuration fake.number"), "{refusal}");
    let refusal = bench.refusal(&[("fake.key", &missing)]).await;
    assert!(refusal.contains("1 error(s)") && refusal.contains("missing cannot be read"), "{refusal}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_mask_stands_for_what_is_stored() {
    let bench = Bench::new(&[]);
    let sent = sink(&[("fake.password", HIDDEN), ("fake.at", "validate_remote"), ("fake.how", "fail")]);
    let stored = sink(&[("fake.password", "geheim")]);
    let infos = bench.infos(&sent, Some(&stored)).await;
    assert_eq!(value(&infos, "fake.password").errors, Vec::<String>::new());
    assert_eq!(value(&infos, "fake.key").errors, ["fake.key: cannot log in with [hidden]"]);
    let infos = bench.infos(&sent, None).await;
    assert!(value(&infos, "fake.password").errors[0].contains("none is stored"), "{infos:?}");
}

#[tokio::test]
async fn converters_are_recommended_and_their_versions_told() {
    let bench = Bench::new(&[]);
    let infos = bench.infos(&sink(&[("key.converter", "Nope")]), None).await;
    let key = value(&infos, "key.converter");
    assert_eq!((key.value.as_deref(), key.errors.len()), (None, 1));
    assert_eq!(
        key.recommended_values,
        ["org.apache.kafka.connect.json.JsonConverter", "org.apache.kafka.connect.storage.StringConverter"]
    );
    assert!(!value(&infos, "key.converter.plugin.version").visible);
    let of_worker = value(&infos, "value.converter");
    assert_eq!(of_worker.value.as_deref(), Some("org.apache.kafka.connect.json.JsonConverter"));
    assert_eq!(value(&infos, "value.converter.plugin.version").recommended_values, ["4.3.0"]);
}
