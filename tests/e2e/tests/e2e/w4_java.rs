//! W4 beside the Java worker: the same files, offsets that either takes over from the other, the same answers.

use crate::support::folder::{Folder, append};
use crate::support::{PATIENCE, get};
use std::path::Path;
use std::process::Command;
use testkit::{Process, eventually, kafka_client};

const LONG: std::time::Duration = std::time::Duration::from_secs(120);

struct Setting {
    folder: Folder,
    topic: String,
    url: String,
}

impl Setting {
    fn new() -> anyhow::Result<Self> {
        let (folder, topic, port) =
            (Folder::new("w4-java")?, testkit::unique("w4-java"), testkit::free_port());
        let url = format!("http://127.0.0.1:{port}");
        folder.write(
            "worker.properties",
            &format!(
                "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.json.JsonConverter\n\
                 value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n\
                 offset.storage.file.filename={}\noffset.flush.interval.ms=500\nlisteners={url}\n",
                testkit::kafka()?,
                folder.text("connect.offsets")
            ),
        )?;
        folder.write(
            "source.properties",
            &format!(
                "name=local-file-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile={}\ntopic={topic}\n",
                folder.text("x.txt")
            ),
        )?;
        Ok(Self { folder, topic, url })
    }

    fn run(&self, name: &str, command: &mut Command) -> Process {
        let files = ["worker.properties", "source.properties"].map(|file| self.folder.path(file));
        Process::spawn(name, command.args(files))
    }

    fn java(&self) -> anyhow::Result<Process> {
        let mut command = Command::new("java");
        command.args(["-Xmx300m", "-cp"]).arg(testkit::kafka_libs()?.join("*"));
        Ok(self.run("java-standalone", command.arg("org.apache.kafka.connect.cli.ConnectStandalone")))
    }

    fn ours(&self) -> Process {
        self.run("connect-worker", Command::new(testkit::bin("connect-worker")).arg("standalone"))
    }

    /// Waits for the lines, stops the worker cleanly, and gives it no chance to have written more.
    async fn lines_then_stop(&self, mut worker: Process, expected: &[&str]) -> anyhow::Result<()> {
        let bootstrap = testkit::kafka()?;
        eventually(format!("{expected:?} in the topic"), LONG, async || {
            let records = kafka_client::consume_all(&bootstrap, &self.topic).await?;
            let values: Vec<_> = records.iter().filter_map(|record| record.value_str()).collect();
            anyhow::ensure!(values == expected, "{values:?}");
            Ok(Some(()))
        })
        .await;
        worker.terminate();
        worker.wait_exit(PATIENCE).await?;
        Ok(())
    }

    /// Answers that do not depend on whose worker it is.
    async fn answers(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        let paths = [
            "",
            "/local-file-source",
            "/local-file-source/config",
            "/local-file-source/tasks",
            "/local-file-source/status",
        ];
        eventually("a running task", LONG, async || {
            let status = get(format!("{}/connectors/local-file-source/status", self.url)).await?.body;
            anyhow::ensure!(status["tasks"][0]["state"] == "RUNNING", "{status}");
            Ok(Some(()))
        })
        .await;
        let mut answers = Vec::new();
        for path in paths {
            answers.push(get(format!("{}/connectors{path}", self.url)).await?.body);
        }
        // Java names the class of the task among its keys; there is no such class here.
        if let Some(config) = answers[3].pointer_mut("/0/config").and_then(|config| config.as_object_mut()) {
            config.remove("task.class");
        }
        Ok(answers)
    }
}

fn offsets(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

#[tokio::test]
async fn offsets_are_handed_from_one_to_the_other_and_back() -> anyhow::Result<()> {
    let setting = Setting::new()?;
    let (input, stored) = (setting.folder.path("x.txt"), setting.folder.path("connect.offsets"));
    append(&input, "one\ntwo\n")?;
    let java = setting.java()?;
    let answers_of_java = setting.answers().await?;
    setting.lines_then_stop(java, &["\"one\"", "\"two\""]).await?;
    let by_java = offsets(&stored);
    assert!(by_java.ends_with(b"{\"position\":8}x"), "{:?}", String::from_utf8_lossy(&by_java));

    let ours = setting.ours();
    assert_eq!(setting.answers().await?, answers_of_java);
    append(&input, "three\n")?;
    setting.lines_then_stop(ours, &["\"one\"", "\"two\"", "\"three\""]).await?;
    let by_us = offsets(&stored);
    let expected: Vec<u8> =
        [by_java.strip_suffix(b"\0\0\0\x0e{\"position\":8}x").unwrap(), b"\0\0\0\x0f{\"position\":14}x"]
            .concat();
    assert_eq!(by_us, expected, "but for the position, the bytes are Java's");

    append(&input, "four\n")?;
    setting.lines_then_stop(setting.java()?, &["\"one\"", "\"two\"", "\"three\"", "\"four\""]).await?;
    assert!(offsets(&stored).ends_with(b"{\"position\":19}x"));

    // Java counts characters and goes on by bytes; this worker goes on where Java's count says.
    append(&input, "fünf 한\n")?;
    let so_far = ["\"one\"", "\"two\"", "\"three\"", "\"four\"", "\"fünf 한\""];
    setting.lines_then_stop(setting.java()?, &so_far).await?;
    append(&input, "six\n")?;
    setting.lines_then_stop(setting.ours(), &[&so_far[..], &["\"six\""]].concat()).await?;
    Ok(())
}
