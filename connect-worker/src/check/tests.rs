use super::*;
use connect_api::ConfigMap;
use connect_runtime::properties;
use expect_test::{Expect, expect};

fn values(text: &str) -> ConfigMap {
    properties::parse(text.as_bytes()).unwrap().values
}

const WORKER: &str = "\
bootstrap.servers=localhost:9092
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.topic=connect-offsets
config.storage.topic=connect-configs
status.storage.topic=connect-status
listeners=http://:8083
scheduled.rebalance.max.delay.ms=300000
";

#[track_caller]
fn check_worker(more: &str, expected: Expect) {
    let (worker, _) =
        worker_file::review("w.properties", &values(&format!("{WORKER}{more}")), &[], &plugins());
    expected.assert_eq(&Report { worker, cluster: None }.text());
}

#[test]
fn a_worker_file_that_is_fine() {
    check_worker(
        "",
        expect![[r#"
        w.properties (distributed worker)
          fine       9 keys: bootstrap.servers, group.id, key.converter, value.converter, offset.storage.topic, config.storage.topic, status.storage.topic, listeners, scheduled.rebalance.max.delay.ms

        Everything would work here.
    "#]],
    );
}

#[test]
fn a_worker_file_with_everything_that_can_be_said() {
    check_worker(
        "plugin.path=/usr/share/java\n\
         security.protocol=SASL_SSL\n\
         sasl.jaas.config=org.example.Login required password=\"geheim\";\n\
         consumer.security.protocol=SSL\n\
         producer.acks=1\n\
         exactly.once.source.support=enabled\n\
         rest.extension.classes=org.example.Auth\n\
         value.converter=io.confluent.connect.avro.AvroConverter\n\
         value.converter.schema.registry.url=http://u:geheim@registry\n\
         response.http.headers.config=nonsense\n\
         offset.flush.intervall.ms=5\n",
        expect![[r#"
            w.properties (distributed worker)
              fine       8 keys: bootstrap.servers, group.id, key.converter, offset.storage.topic, config.storage.topic, status.storage.topic, listeners, scheduled.rebalance.max.delay.ms
              refused    rest.extension.classes is set: REST extensions (such as basic authentication) are not supported: remove the key and put a proxy in front
              refused    Invalid value enabled for configuration exactly.once.source.support: exactly-once sources are not supported yet: remove the key or set it to disabled; sources deliver at least once
              refused    Invalid value SASL_SSL for configuration security.protocol: this worker cannot do TLS or SASL towards Kafka yet: give it a PLAINTEXT listener of the brokers
              refused    Invalid value io.confluent.connect.avro.AvroConverter for configuration value.converter: Class io.confluent.connect.avro.AvroConverter could not be found. Available converters: org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter
              refused    Invalid value for configuration response.http.headers.config: the rule "nonsense" has no header; a rule is [set|add|setDate|addDate] [name]:[value]
              refused    consumer.security.protocol: Invalid value SSL for the Kafka client configuration security.protocol: this worker cannot do TLS or SASL towards Kafka yet; it needs a PLAINTEXT listener
              no effect  plugin.path has no effect: the plugins of this worker are part of its binary
              no effect  sasl.jaas.config has no effect without TLS or SASL, which this worker cannot do yet
              no effect  offset.flush.intervall.ms is not a key of the worker and is ignored: did you mean offset.flush.interval.ms?
              no effect  producer.acks has no effect: the worker sets it itself

            6 things would not work here.
        "#]],
    );
}

#[track_caller]
fn check_connector(config: &str, expected: Expect) {
    let worker_values = values(&format!(
        "{WORKER}config.providers=env\n\
         config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"
    ));
    let (worker, read) = worker_file::review("w.properties", &worker_values, &[], &plugins());
    assert_eq!(worker.findings, []);
    let connector = connectors::review("orders", &values(config), &plugins(), read.as_ref());
    let cluster =
        ClusterReport { url: "http://h:1".into(), version: "4.3.0".into(), connectors: vec![connector] };
    let text = Report { worker, cluster: Some(cluster) }.text();
    expected.assert_eq(text.split_once("\n\n").unwrap().1);
}

const SINK: &str = "\
name=orders
connector.class=io.confluent.connect.jdbc.JdbcSinkConnector
connection.url=jdbc:mysql://db/shop
topics=orders
";

#[test]
fn a_connector_that_works() {
    check_connector(
        &format!("{SINK}connection.password=${{env:PATH}}\n"),
        expect![[r#"
            http://h:1 (Kafka Connect 4.3.0, 1 connector)
            orders (io.confluent.connect.jdbc.JdbcSinkConnector): works

            Everything would work here.
        "#]],
    );
}

#[test]
fn a_connector_of_a_class_that_is_not_there() {
    check_connector(
        "name=orders\nconnector.class=io.debezium.connector.mysql.MySqlConnector\n",
        expect![[r#"
            http://h:1 (Kafka Connect 4.3.0, 1 connector)
            orders (io.debezium.connector.mysql.MySqlConnector): would not work
              refused    connector.class: Failed to find any class that implements Connector and which name matches io.debezium.connector.mysql.MySqlConnector, available connectors are: io.confluent.connect.jdbc.JdbcSourceConnector, io.aiven.connect.jdbc.JdbcSourceConnector, io.confluent.connect.jdbc.JdbcSinkConnector, io.aiven.connect.jdbc.JdbcSinkConnector, org.apache.kafka.connect.file.FileStreamSourceConnector, org.apache.kafka.connect.file.FileStreamSinkConnector

            1 thing would not work here.
        "#]],
    );
}

#[test]
fn a_connector_with_everything_that_can_be_said() {
    check_connector(
        &format!(
            "{SINK}connection.password=geheim-geheim\n\
             connection.user=${{vault:db:user}}\n\
             transforms=route\n\
             predicates=p\n\
             value.converter=AvroConverter\n\
             consumer.override.security.protocol=SASL_SSL\n\
             consumer.override.sasl.jaas.config=password=\"geheim-geheim\"\n\
             consumer.override.client.id=geheim-geheim\n\
             insert.mod=upsert\n\
             batch.size=geheim-geheim\n\
             max.retries=${{env:PATH}}\n"
        ),
        expect![[r#"
            http://h:1 (Kafka Connect 4.3.0, 1 connector)
            orders (io.confluent.connect.jdbc.JdbcSinkConnector): would not work
              refused    consumer.override.security.protocol: Invalid value SASL_SSL for the Kafka client configuration security.protocol: this worker cannot do TLS or SASL towards Kafka yet; it needs a PLAINTEXT listener
              refused    connection.user holds a placeholder that no config provider of the worker's file resolves
              refused    transforms is set: transforms are not supported yet: remove transforms and the transforms.* keys
              refused    predicates is set: predicates are not supported yet: remove predicates and the predicates.* keys
              refused    Invalid value AvroConverter for configuration value.converter: Class AvroConverter could not be found. Available converters: org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter
              refused    Invalid value [hidden] for configuration batch.size: Not a number of type INT
              refused    Invalid value [hidden] for configuration max.retries: Not a number of type INT
              no effect  consumer.override.sasl.jaas.config has no effect without TLS or SASL, which this worker cannot do yet
              no effect  insert.mod is not known to the connector and is ignored: did you mean insert.mode?

            7 things would not work here.
        "#]],
    );
}

#[test]
fn the_same_as_json() {
    let (worker, read) = worker_file::review("w.properties", &values(WORKER), &[], &plugins());
    let connector =
        connectors::review("a", &values("name=a\nconnector.class=Mongo\n"), &plugins(), read.as_ref());
    let cluster =
        ClusterReport { url: "http://h:1".into(), version: "4.3.0".into(), connectors: vec![connector] };
    expect![[r#"
        {
          "worker": {
            "file": "w.properties",
            "mode": "distributed",
            "fine": [
              "bootstrap.servers",
              "group.id",
              "key.converter",
              "value.converter",
              "offset.storage.topic",
              "config.storage.topic",
              "status.storage.topic",
              "listeners",
              "scheduled.rebalance.max.delay.ms"
            ],
            "findings": []
          },
          "cluster": {
            "url": "http://h:1",
            "version": "4.3.0",
            "connectors": [
              {
                "name": "a",
                "class": "Mongo",
                "works": false,
                "findings": [
                  {
                    "key": "connector.class",
                    "verdict": "refused",
                    "message": "Failed to find any class that implements Connector and which name matches Mongo, available connectors are: io.confluent.connect.jdbc.JdbcSourceConnector, io.aiven.connect.jdbc.JdbcSourceConnector, io.confluent.connect.jdbc.JdbcSinkConnector, io.aiven.connect.jdbc.JdbcSinkConnector, org.apache.kafka.connect.file.FileStreamSourceConnector, org.apache.kafka.connect.file.FileStreamSinkConnector"
                  }
                ]
              }
            ]
          },
          "works": false
        }"#]].assert_eq(&format!("{:#}", Report { worker, cluster: Some(cluster) }.json()));
}
