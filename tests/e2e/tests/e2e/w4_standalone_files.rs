//! W4, standalone mode with files, as the text types it; and what the delivery contract says about sources, on real Kafka.

use crate::support::PATIENCE;
use crate::support::folder::{Folder, append};
use crate::support::worker::Worker;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{Process, eventually, kafka_client};

fn source(topic: &str, file: &str) -> String {
    format!(
        "name=local-file-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile={file}\ntopic={topic}\n"
    )
}

/// The text's worker file: JSON without schemas.
fn worker_keys(offsets: &str) -> Vec<(&'static str, String)> {
    [
        ("key.converter.schemas.enable", "false"),
        ("value.converter.schemas.enable", "false"),
        ("offset.storage.file.filename", offsets),
        ("offset.flush.interval.ms", "10000"),
        ("plugin.path", "\\D:\\\\Work\\\\kafka\\\\lib"),
    ]
    .map(|(key, value)| (key, value.to_owned()))
    .to_vec()
}

async fn start(keys: &[(&str, String)], connectors: &[std::path::PathBuf]) -> anyhow::Result<Worker> {
    let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
    Worker::start_with(&keys, connectors).await
}

/// The values of the topic, in order.
async fn values(topic: &str) -> anyhow::Result<Vec<String>> {
    let records = kafka_client::consume_all(&testkit::kafka()?, topic).await?;
    Ok(records.iter().map(|record| record.value_str().unwrap_or("null").to_owned()).collect())
}

async fn values_become(topic: &str, expected: &[&str]) {
    eventually(format!("{topic} to hold {expected:?}"), PATIENCE, async || {
        let values = values(topic).await?;
        anyhow::ensure!(values == expected, "{values:?}");
        Ok(Some(()))
    })
    .await;
}

async fn file_becomes(path: &std::path::Path, expected: &str) {
    eventually(format!("{} to hold {expected:?}", path.display()), PATIENCE, async || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        anyhow::ensure!(text == expected, "{text:?}");
        Ok(Some(()))
    })
    .await;
}

#[tokio::test]
async fn as_typed() -> anyhow::Result<()> {
    let folder = Folder::new("w4")?;
    let topic = testkit::unique("connect-test");
    let (input, output) = (folder.path("test.txt"), folder.path("test.sink.txt"));
    append(&input, "hello-1\nhello-2\n")?;
    let connector =
        folder.write("connect-file-source.properties", &source(&topic, &folder.text("test.txt")))?;
    let mut worker = start(&worker_keys(&folder.text("connect.offsets")), &[connector]).await?;
    values_become(&topic, &["\"hello-1\"", "\"hello-2\""]).await;

    let config = json!({
        "name": "local-file-sink",
        "connector.class": "FileStreamSink",
        "tasks.max": "1",
        "file": folder.text("test.sink.txt"),
        "topics": topic,
    });
    let put = worker.put_config("local-file-sink", &config).await?;
    assert_eq!((put.status, &put.body["config"], &put.body["type"]), (201, &config, &json!("sink")));
    assert!(put.headers["location"].to_str()?.ends_with("/connectors/local-file-sink"));
    let got = worker.get("/connectors/local-file-sink").await?;
    assert_eq!((got.status, &got.body["config"]), (200, &config));
    assert_eq!(worker.get("/connectors").await?.body, json!(["local-file-sink", "local-file-source"]));
    assert_eq!(worker.get("/connectors/local-file-source").await?.body["type"], "source");
    worker.task_state("local-file-source", "RUNNING").await;
    file_becomes(&output, "hello-1\nhello-2\n").await;

    // Seen at once, and a line without its end is none.
    let appended = Instant::now();
    append(&input, "hello-3\nhal")?;
    file_becomes(&output, "hello-1\nhello-2\nhello-3\n").await;
    assert!(appended.elapsed() < Duration::from_secs(5), "{:?}", appended.elapsed());
    append(&input, "f é😀\n")?;
    file_becomes(&output, "hello-1\nhello-2\nhello-3\nhalf é😀\n").await;

    // A clean stop and a restart: nothing twice, and what was appended meanwhile arrives.
    worker.process.terminate();
    assert!(worker.process.wait_exit(PATIENCE).await?.success(), "{}", worker.process.log());
    append(&input, "hello-5\n")?;
    worker.start_again().await;
    let expected = ["\"hello-1\"", "\"hello-2\"", "\"hello-3\"", "\"half é\\uD83D\\uDE00\"", "\"hello-5\""];
    values_become(&topic, &expected).await;

    // `cat > file`, by slip: Java goes silent.
    std::fs::write(&input, "again-1\n")?;
    values_become(&topic, &[&expected[..], &["\"again-1\""]].concat()).await;
    assert!(worker.process.log().contains("plugin.path has no effect"), "{}", worker.process.log());
    Ok(())
}

#[tokio::test]
async fn the_three_forms_of_a_connector_file_and_schemas() -> anyhow::Result<()> {
    let folder = Folder::new("w4-forms")?;
    let topics = ["a", "b", "c"].map(|name| testkit::unique(&format!("w4-form-{name}")));
    let input = folder.write("latest.txt", "ITEM001,SHOP001,929,2018-10-01 01:01:01\n")?;
    let file = input.display().to_string();
    let config = |topic: &str| {
        json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "file": file, "topic": topic, "value.converter": "JsonConverter"
        })
    };
    let mut map = config(&topics[1]);
    map["name"] = json!("b");
    let connectors = [
        folder.write("a.properties", &source(&topics[0], &file))?,
        folder.write("b.json", &map.to_string())?,
        folder.write("c.json", &json!({"name": "c", "config": config(&topics[2])}).to_string())?,
    ];
    let _worker = start(&worker_keys(&folder.text("connect.offsets")), &connectors).await?;
    values_become(&topics[0], &["\"ITEM001,SHOP001,929,2018-10-01 01:01:01\""]).await;
    let envelope = r#"{"schema":{"type":"string","optional":false},"payload":"ITEM001,SHOP001,929,2018-10-01 01:01:01"}"#;
    values_become(&topics[1], &[envelope]).await;
    values_become(&topics[2], &[envelope]).await;
    Ok(())
}

/// Killed again and again while lines are appended: each line is in the topic, and first seen in the order of the file.
#[tokio::test]
async fn kill_nine_loses_no_line() -> anyhow::Result<()> {
    let folder = Folder::new("w4-kill")?;
    let topic = testkit::unique("w4-kill");
    let input = folder.path("x.txt");
    let connector = folder.write("source.properties", &source(&topic, &folder.text("x.txt")))?;
    let mut keys = worker_keys(&folder.text("connect.offsets"));
    keys.retain(|(key, _)| *key != "offset.flush.interval.ms");
    keys.push(("offset.flush.interval.ms", "50".to_owned()));
    let mut worker = start(&keys, &[connector]).await?;
    let mut written = Vec::new();
    for round in 0..4 {
        for chunk in 0..20 {
            let lines: Vec<String> = (0..50).map(|n| format!("é {round} {chunk} {n}")).collect();
            append(&input, &format!("{}\n", lines.join("\n")))?;
            written.extend(lines);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // In the middle of reading, producing, flushing: wherever it happens to be.
        worker.process.kill9();
        worker.start_again().await;
    }
    let expected: BTreeSet<String> = written.iter().map(|line| format!("\"{line}\"")).collect();
    let found = eventually("every line in the topic", PATIENCE, async || {
        let values = values(&topic).await?;
        let missing = expected.difference(&values.iter().cloned().collect()).count();
        anyhow::ensure!(missing == 0, "{missing} of {} are missing", expected.len());
        Ok(Some(values))
    })
    .await;
    let mut seen = BTreeSet::new();
    let first_seen: Vec<_> = found.iter().filter(|value| seen.insert(value.as_str())).cloned().collect();
    let in_order: Vec<_> = written.iter().map(|line| format!("\"{line}\"")).collect();
    assert!(first_seen == in_order, "the order of the file");
    Ok(())
}

/// Runs the worker until it gives up; exit code and the line that says why.
async fn refused(
    folder: &Folder,
    worker_extra: &str,
    connector: (&str, &str),
) -> anyhow::Result<(i32, String)> {
    let text = format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.json.JsonConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\nlisteners=http://127.0.0.1:{}\n\
         offset.storage.file.filename={}\n{worker_extra}",
        testkit::kafka()?,
        testkit::free_port(),
        folder.text("connect.offsets")
    );
    let worker = folder.write("worker.properties", &text)?;
    let connector = folder.write(connector.0, connector.1)?;
    let mut command = Command::new(testkit::bin("connect-worker"));
    let mut process = Process::spawn("w4-slip", command.arg("standalone").arg(worker).arg(connector));
    let status = process.wait_exit(PATIENCE).await?;
    let log = process.log();
    let why = log.lines().find(|line| line.starts_with("connect-worker: ")).unwrap_or_default().to_owned();
    Ok((status.code().unwrap_or_default(), why))
}

#[tokio::test]
async fn slips_of_the_text_fail_with_the_remedy() -> anyhow::Result<()> {
    let folder = Folder::new("w4-slips")?;
    let good = source("w4-never", &folder.text("x.txt"));
    let comment = "a comment needs a line of its own: remove the text from '#' on";
    let slip = "did you mean org.apache.kafka.connect.json.JsonConverter?";
    let in_connector =
        |line: &str, with: &str| ("c.properties", good.replace(line, &format!("{line}{with}")));
    let file = format!("file={}", folder.text("x.txt"));
    let json =
        json!({"name": "a", "connector.class": "FileStreamSource", "file": "/tmp/x", "topic": "t # comment"});
    for (worker, (name, connector), code, part) in [
        (
            "value.converter=org.apache.kafka.connect.json.json.JsonConverter\n",
            ("c.properties", good.clone()),
            2,
            slip,
        ),
        ("offset.flush.interval.ms=10000 # often\n", ("c.properties", good.clone()), 2, comment),
        ("offset.storage.file.filename=/tmp/o # file\n", ("c.properties", good.clone()), 2, comment),
        ("", in_connector("name=local-file-source", " # name"), 3, comment),
        ("", in_connector("connector.class=FileStreamSource", " # class"), 3, comment),
        ("", in_connector("tasks.max=1", " # one"), 3, comment),
        ("", in_connector(&file, " # the file"), 3, comment),
        ("", in_connector("topic=w4-never", " # the topic"), 3, comment),
        (
            "",
            in_connector("tasks.max=1", "\nvalue.converter=org.apache.kafka.connect.json.json.JsonConverter"),
            3,
            slip,
        ),
        ("", ("c.json", json.to_string()), 3, comment),
        (
            "",
            ("c.json", "{\"name\": \"a\", # the name\n\"connector.class\": \"FileStreamSource\"}".into()),
            3,
            "JSON knows no comments",
        ),
    ] {
        let (found, why) = refused(&folder, worker, (name, &connector)).await?;
        assert_eq!(found, code, "{worker}{connector}: {why}");
        assert!(why.contains(part), "{worker}{connector}: {why}");
    }
    std::fs::write(folder.path("connect.offsets"), "precious")?;
    let (code, why) = refused(&folder, "", ("c.properties", &good)).await?;
    assert!(
        code == 2 && why.contains("is no offset file of Kafka Connect") && why.contains("move it away"),
        "{why}"
    );
    assert_eq!(std::fs::read(folder.path("connect.offsets"))?, b"precious");
    Ok(())
}

/// What Kafka itself refuses: a line too large, and a topic that cannot be.
#[tokio::test]
async fn a_line_too_large_for_kafka() -> anyhow::Result<()> {
    let folder = Folder::new("w4-large")?;
    let topic = testkit::unique("w4-large");
    append(&folder.path("x.txt"), &format!("before\n{}\nafter\n", "x".repeat(2_000_000)))?;
    let worker = start(&worker_keys(&folder.text("connect.offsets")), &[]).await?;
    let mut config =
        json!({"connector.class": "FileStreamSource", "file": folder.text("x.txt"), "topic": topic});
    assert_eq!(worker.put_config("large", &config).await?.status, 201);
    let status = worker.task_state("large", "FAILED").await;
    let trace = status["tasks"][0]["trace"].as_str().unwrap_or_default();
    assert!(
        trace.contains("raise producer.override.max.request.size")
            && trace.contains("{\"position\":2000008}"),
        "{trace}"
    );
    values_become(&topic, &["\"before\""]).await;

    config["errors.tolerance"] = json!("all");
    worker.put_config("large", &config).await?;
    values_become(&topic, &["\"before\"", "\"after\""]).await;
    Ok(())
}
