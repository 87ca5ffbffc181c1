//! W1, files through a worker of a cluster, as the text types it.

use crate::support::folder::{Folder, append};
use crate::support::{PATIENCE, get, post, send};
use serde_json::json;
use std::path::Path;
use testkit::eventually;
use testkit::kafka_client::{Topics, consume_all};

/// The stock file, with a line that was copied from another machine. Topics and group have names of the test's own.
fn worker_file(bootstrap: &str, group: &str, port: u16) -> String {
    format!(
        r"# Licensed to the Apache Software Foundation (ASF) under one or more
bootstrap.servers={bootstrap}
# unique name for the cluster, used in forming the Connect cluster group. Note that this must not conflict with consumer group IDs
group.id={group}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.topic={group}-offsets
offset.storage.replication.factor=1
#offset.storage.partitions=25
config.storage.topic={group}-configs
config.storage.replication.factor=1
status.storage.topic={group}-status
status.storage.replication.factor=1
#status.storage.partitions=5
offset.flush.interval.ms=10000
listeners=http://127.0.0.1:{port}
plugin.path=\D:\\Work\\kafka\\confluentinc-kafka-connect-jdbc-10.7.4\\lib
"
    )
}

async fn topic_becomes(bootstrap: &str, topic: &str, lines: &[&str]) {
    let envelope =
        |line: &&str| format!(r#"{{"schema":{{"type":"string","optional":false}},"payload":"{line}"}}"#);
    let expected: Vec<String> = lines.iter().map(envelope).collect();
    eventually(format!("{} lines in {topic}", lines.len()), PATIENCE, async || {
        let records = consume_all(bootstrap, topic).await?;
        let values: Vec<_> = records.iter().map(|record| record.value_str().unwrap_or("null")).collect();
        anyhow::ensure!(values == expected, "{values:#?}");
        assert!(records.iter().all(|record| record.key.is_none() && record.partition == 0), "{records:?}");
        Ok(Some(()))
    })
    .await;
}

async fn file_becomes(path: &Path, lines: &[&str]) {
    let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
    eventually(format!("{} lines in {}", lines.len(), path.display()), PATIENCE, async || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        anyhow::ensure!(text == expected, "{text:?}");
        Ok(Some(()))
    })
    .await;
}

#[tokio::test]
async fn as_typed() -> anyhow::Result<()> {
    let bootstrap = testkit::kafka()?;
    let (group, zaiko) = (testkit::unique("connect-cluster-datahub-1"), testkit::unique("zaiko-data"));
    let internal = ["configs", "offsets", "status"].map(|kind| format!("{group}-{kind}"));
    let _topics = Topics::removed_at_the_end(&bootstrap, internal.iter().chain([&zaiko]).cloned());
    let (folder, port) = (Folder::new("w1")?, testkit::free_port());
    let url = format!("http://127.0.0.1:{port}");
    // Folders and the topic's name aside, the bodies are the text's.
    let typed = |text: &str| -> serde_json::Value {
        let text = text.replace("/zaiko/", &folder.text("zaiko-")).replace("/ec/", &folder.text("ec-"));
        serde_json::from_str(&text.replace("zaiko-data\"", &format!("{zaiko}\""))).expect("JSON")
    };
    let input = folder.path("zaiko-latest.txt");
    let output = folder.path("ec-zaiko-latest.txt");
    let csv = [
        "ITEM001,SHOP001,929,2018-10-01 01:01:01",
        "ITEM002,SHOP001,480,2018-10-01 01:01:01",
        "ITEM001,SHOP002,25,2018-10-01 01:01:01",
        "ITEM003,SHOP001,6902,2018-10-01 01:01:01",
    ];
    append(&input, &format!("{}\n", csv.join("\n")))?;

    let properties =
        folder.write("connect-distributed-1.properties", &worker_file(&bootstrap, &group, port))?;
    let mut worker = testkit::connect_distributed("connect-distributed-1", &properties);
    let about = eventually("GET /", PATIENCE, async || {
        anyhow::ensure!(get(format!("{url}/health")).await?.status == 200, "not healthy yet");
        Ok(Some(get(&url).await?))
    })
    .await;
    assert_eq!((about.status, &about.body["version"]), (200, &json!("4.3.0")));
    assert!(about.body["commit"].is_string() && about.body["kafka_cluster_id"].is_string(), "{}", about.body);
    let plugins = get(format!("{url}/connector-plugins")).await?.body;
    for (class, kind) in [
        ("io.confluent.connect.jdbc.JdbcSinkConnector", "sink"),
        ("org.apache.kafka.connect.file.FileStreamSinkConnector", "sink"),
        ("org.apache.kafka.connect.file.FileStreamSourceConnector", "source"),
    ] {
        let listed = plugins.as_array().into_iter().flatten();
        let found = listed.filter(|plugin| plugin["class"] == class).collect::<Vec<_>>();
        let [found] = found[..] else { panic!("{class} in {plugins}") };
        assert!(found["type"] == kind && found["version"].is_string(), "{found}");
    }

    let source = typed(
        r#"{"name":"load-zaiko-data","config":{"connector.class":"org.apache.kafka.connect.file.FileStreamSourceConnector","file":"/zaiko/latest.txt","topic":"zaiko-data"}}"#,
    );
    let name = source["name"].as_str().unwrap_or_default().to_owned();
    let created = post(format!("{url}/connectors"), &source).await?;
    let mut config = source["config"].clone();
    config["name"] = json!(name);
    assert_eq!(
        (created.status, created.body),
        (201, json!({"name": name, "config": config, "tasks": [], "type": "source"}))
    );
    topic_becomes(&bootstrap, &zaiko, &csv).await;

    let sink = typed(
        r#"{"name":"sink-zaiko-data","config":{"connector.class":"org.apache.kafka.connect.file.FileStreamSinkConnector","file":"/ec/zaiko-latest.txt","topics":"zaiko-data"}}"#,
    );
    let created = post(format!("{url}/connectors"), &sink).await?;
    assert_eq!((created.status, &created.body["type"]), (201, &json!("sink")), "{}", created.body);
    file_becomes(&output, &csv).await;
    assert_eq!(std::fs::read(&input)?, std::fs::read(&output)?);

    append(&input, "ITEM004,SHOP001,1,2018-10-02 02:02:02\nITEM005,SHOP001,2,2018-10-02 02:02:02\n")?;
    let more = ["ITEM004,SHOP001,1,2018-10-02 02:02:02", "ITEM005,SHOP001,2,2018-10-02 02:02:02"];
    let so_far = [&csv[..], &more].concat();
    topic_becomes(&bootstrap, &zaiko, &so_far).await;
    file_becomes(&output, &so_far).await;

    // `cat > file`: the file is another one from its first byte on.
    let again = ["ITEM001,SHOP001,1000,2018-10-03 03:03:03"];
    std::fs::write(&input, format!("{}\n", again[0]))?;
    let so_far = [&so_far[..], &again].concat();
    topic_becomes(&bootstrap, &zaiko, &so_far).await;
    file_becomes(&output, &so_far).await;

    let names = [&source["name"], &sink["name"]];
    let listed = get(format!("{url}/connectors")).await?.body;
    let listed = listed.as_array().cloned().unwrap_or_default();
    assert!(listed.len() == 2 && names.iter().all(|name| listed.contains(name)), "{listed:?}");
    for name in names {
        let url = format!("{url}/connectors/{}", name.as_str().unwrap_or_default());
        assert_eq!(get(&url).await?.status, 200);
        assert_eq!(send(reqwest::Client::new().delete(&url)).await?.status, 204);
        assert_eq!(get(&url).await?.status, 404);
    }
    assert_eq!(get(format!("{url}/connectors")).await?.body, json!([]));
    append(&input, "nobody reads this\n")?;

    worker.terminate();
    assert!(worker.wait_exit(PATIENCE).await?.success(), "{}", worker.log());
    assert!(worker.log().contains("plugin.path has no effect"), "{}", worker.log());
    topic_becomes(&bootstrap, &zaiko, &so_far).await;
    for topic in &internal {
        let records = consume_all(&bootstrap, topic).await?;
        assert!(!records.is_empty(), "{topic} is in use");
    }
    Ok(())
}
