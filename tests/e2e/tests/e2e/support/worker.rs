//! A connect-worker as a user runs it: a property file and REST.

use super::database::JdbcTarget;
use super::{Answer, PATIENCE, get, post, send};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use testkit::{Process, eventually};

pub(crate) struct Worker {
    pub(crate) process: Process,
    pub(crate) url: String,
    properties: PathBuf,
    /// Connector files on the command line.
    connectors: Vec<PathBuf>,
}

impl Worker {
    /// Starts `connect-worker standalone` against the test's Kafka with the converters of the stock file (JSON, schemas
    /// on), and waits until it is healthy. `extra` are further lines of the property file.
    pub(crate) async fn start(extra: &[(&str, &str)]) -> anyhow::Result<Worker> {
        Self::start_with(extra, &[]).await
    }

    /// [`start`](Worker::start) with connectors on the command line.
    pub(crate) async fn start_with(extra: &[(&str, &str)], connectors: &[PathBuf]) -> anyhow::Result<Worker> {
        let port = testkit::free_port();
        let bootstrap = testkit::kafka()?;
        let mut text = String::new();
        for (key, value) in [
            ("bootstrap.servers", bootstrap.as_str()),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("key.converter.schemas.enable", "true"),
            ("value.converter.schemas.enable", "true"),
            ("offset.storage.file.filename", "/tmp/connect.offsets"),
            ("listeners", format!("http://127.0.0.1:{port}").as_str()),
            // a killed worker's group is free again soon
            ("consumer.session.timeout.ms", "6000"),
        ]
        .iter()
        .filter(|(key, _)| !extra.iter().any(|(other, _)| other == key))
        .chain(extra)
        {
            writeln!(text, "{key}={value}")?;
        }
        let properties = std::env::temp_dir().join(format!("{}.properties", testkit::unique("worker")));
        std::fs::write(&properties, text)?;
        let process = Self::spawn(&properties, connectors);
        let (url, connectors) = (format!("http://127.0.0.1:{port}"), connectors.to_vec());
        let worker = Worker { process, url, properties, connectors };
        worker.wait_healthy().await;
        Ok(worker)
    }

    fn spawn(properties: &PathBuf, connectors: &[PathBuf]) -> Process {
        let mut command = Command::new(testkit::bin("connect-worker"));
        // under the name of Kafka's script
        command.arg0("connect-standalone").arg(properties).args(connectors);
        Process::spawn("connect-worker", &mut command)
    }

    /// The same command again, as an operator (or systemd) would after a crash. Standalone keeps connectors in memory, so
    /// those made through REST have to be created again.
    pub(crate) async fn start_again(&mut self) {
        self.process = Self::spawn(&self.properties, &self.connectors);
        self.wait_healthy().await;
    }

    async fn wait_healthy(&self) {
        eventually("a healthy worker", PATIENCE, async || {
            Ok((get(format!("{}/health", self.url)).await?.status == 200).then_some(()))
        })
        .await
    }

    pub(crate) async fn create(&self, name: &str, config: &Value) -> anyhow::Result<Answer> {
        post(format!("{}/connectors", self.url), &json!({"name": name, "config": config})).await
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        get(format!("{}{path}", self.url)).await
    }

    pub(crate) async fn put_config(&self, name: &str, config: &Value) -> anyhow::Result<Answer> {
        let url = format!("{}/connectors/{name}/config", self.url);
        send(reqwest::Client::new().put(url).json(config)).await
    }

    pub(crate) async fn delete(&self, name: &str) -> anyhow::Result<Answer> {
        send(reqwest::Client::new().delete(format!("{}/connectors/{name}", self.url))).await
    }

    /// Waits until task 0 is in `state` and returns the whole status.
    pub(crate) async fn task_state(&self, name: &str, state: &str) -> Value {
        eventually(format!("task 0 of {name} to be {state}"), PATIENCE, async || {
            let status = self.get(&format!("/connectors/{name}/status")).await?.body;
            anyhow::ensure!(status["tasks"][0]["state"] == state, "{status}");
            Ok(Some(status))
        })
        .await
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.properties);
    }
}

/// The configuration of a sink of records with texts as keys; `own` is what the test is about, and wins.
pub(crate) fn jdbc_sink(database: &impl JdbcTarget, topics: &str, own: Value) -> Value {
    let connection = database.connection();
    let mut config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "topics": topics,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "connection.url": connection.url,
        "connection.user": connection.user,
        "connection.password": connection.password,
    });
    let all = config.as_object_mut().expect("an object");
    all.extend(own.as_object().cloned().unwrap_or_default());
    config
}

/// The sink configuration of the platform: facts keyed by order id, upserted.
pub(crate) fn platform_sink(database: &impl JdbcTarget, topics: &str) -> Value {
    let own = json!({"tasks.max": "1", "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "order_id"});
    jdbc_sink(database, topics, own)
}
