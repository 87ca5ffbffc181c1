//! A group of workers, its internal topics, and what its REST API says.

use crate::support::folder::Folder;
use crate::support::{Answer, PATIENCE, get, send};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::kafka_client::Topics;
use testkit::{Process, eventually};

/// A JVM starts in seconds, beside other tests on a small machine in many.
pub(super) const JAVA_PATIENCE: Duration = Duration::from_secs(150);

/// What all workers of one test share.
pub(super) struct Cluster {
    pub(super) bootstrap: String,
    /// `group.id`, and the beginning of the name of every topic and connector.
    pub(super) group: String,
    pub(super) folder: Folder,
    keys: Vec<(String, String)>,
    _topics: Topics,
}

impl Cluster {
    /// `extra` are further lines of the workers' file, or others than these: lines as plain strings, and a killed worker is missed
    /// after six seconds (the least a broker allows). `topics` are removed at the end, named as by [`topic`](Cluster::topic).
    pub(super) fn new(test: &str, extra: &[(&str, &str)], topics: &[&str]) -> anyhow::Result<Self> {
        let (bootstrap, group) = (testkit::kafka()?, testkit::unique(test));
        let string = "org.apache.kafka.connect.storage.StringConverter";
        let internal = ["configs", "offsets", "statuses"].map(|kind| format!("{group}-{kind}"));
        let mut keys: Vec<(String, String)> = [
            ("bootstrap.servers", bootstrap.as_str()),
            ("group.id", &group),
            ("config.storage.topic", &internal[0]),
            ("offset.storage.topic", &internal[1]),
            ("status.storage.topic", &internal[2]),
            ("config.storage.replication.factor", "1"),
            ("offset.storage.replication.factor", "1"),
            ("status.storage.replication.factor", "1"),
            ("offset.storage.partitions", "3"),
            ("status.storage.partitions", "2"),
            ("key.converter", string),
            ("value.converter", string),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "1000"),
            ("consumer.session.timeout.ms", "6000"),
            ("consumer.heartbeat.interval.ms", "1000"),
            ("offset.flush.interval.ms", "500"),
            // Java's worker need not search its whole class path.
            ("plugin.discovery", "service_load"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec();
        keys.retain(|(key, _)| !extra.iter().any(|(other, _)| other == key));
        keys.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let topics = topics.iter().map(|name| format!("{group}-{name}")).chain(internal);
        let _topics = Topics::removed_at_the_end(&bootstrap, topics);
        Ok(Self { folder: Folder::new(test)?, bootstrap, group, keys, _topics })
    }

    /// The full name of a topic.
    pub(super) fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.group)
    }

    pub(super) fn source(&self, file: &str, topic: &str) -> Value {
        json!({
            "connector.class": "FileStreamSource",
            "tasks.max": "1",
            "file": self.folder.text(file),
            "topic": self.topic(topic),
        })
    }

    pub(super) fn sink(&self, file: &str, topic: &str) -> Value {
        json!({
            "connector.class": "FileStreamSink",
            "tasks.max": "1",
            "file": self.folder.text(file),
            "topics": self.topic(topic),
        })
    }

    /// Starts one of our workers; see [`Member::is_up`].
    pub(super) fn ours(&self) -> anyhow::Result<Member> {
        self.member(false, &[])
    }

    /// One with further lines, or others, in its file.
    pub(super) fn ours_with(&self, extra: &[(&str, &str)]) -> anyhow::Result<Member> {
        self.member(false, extra)
    }

    /// Starts a worker of Apache Kafka.
    pub(super) fn java(&self) -> anyhow::Result<Member> {
        self.member(true, &[])
    }

    pub(super) fn java_with(&self, extra: &[(&str, &str)]) -> anyhow::Result<Member> {
        self.member(true, extra)
    }

    fn member(&self, is_java: bool, extra: &[(&str, &str)]) -> anyhow::Result<Member> {
        let id = format!("127.0.0.1:{}", testkit::free_port());
        let mut text = String::new();
        for (key, value) in &self.keys {
            writeln!(text, "{key}={value}")?;
        }
        // The last line of a key counts.
        for (key, value) in extra {
            writeln!(text, "{key}={value}")?;
        }
        writeln!(text, "listeners=http://{id}")?;
        let properties = self.folder.write(&format!("{id}.properties"), &text)?;
        let process = spawn(is_java, &properties)?;
        Ok(Member { is_java, process, url: format!("http://{id}"), id, properties })
    }
}

fn spawn(is_java: bool, properties: &Path) -> anyhow::Result<Process> {
    if is_java {
        testkit::java_connect_distributed("java", properties)
    } else {
        Ok(testkit::connect_distributed("ours", properties))
    }
}

/// One worker.
pub(super) struct Member {
    pub(super) is_java: bool,
    pub(super) process: Process,
    pub(super) url: String,
    /// `worker_id` in statuses.
    pub(super) id: String,
    properties: PathBuf,
}

impl Member {
    /// Waits until the worker is a member of its group and ready for changes.
    pub(super) async fn is_up(&mut self) {
        let patience = if self.is_java { JAVA_PATIENCE } else { PATIENCE };
        let Self { process, url, .. } = self;
        eventually(format!("the worker at {url} to be up"), patience, async || {
            assert!(process.is_running(), "the worker at {url} has ended: {}", process.log_tail(20));
            let answer = get(format!("{url}/health")).await?;
            ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
            Ok(Some(()))
        })
        .await;
    }

    /// The same command again, on the same port. It need not be up when this returns.
    pub(super) fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = spawn(self.is_java, &self.properties)?;
        Ok(())
    }

    /// The other kind of worker with the same file.
    pub(super) fn start_as(&mut self, is_java: bool) -> anyhow::Result<()> {
        self.is_java = is_java;
        self.start_again()
    }

    /// SIGTERM, and waits for its end.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.terminate();
        let status = self.process.wait_exit(PATIENCE).await?;
        // A JVM that ends by a signal says so in its exit code, however orderly it went.
        ensure!(self.is_java || status.success(), "{}: {status}\n{}", self.id, self.process.log_tail(40));
        Ok(())
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        get(format!("{}{path}", self.url)).await
    }

    pub(super) async fn create(&self, name: &str, config: &Value) -> anyhow::Result<()> {
        let body = json!({"name": name, "config": config});
        let answer = self.change(reqwest::Method::POST, "/connectors", Some(&body)).await?;
        ensure!(answer.status == 201, "creating {name}: {} {}", answer.status, answer.body);
        Ok(())
    }

    /// Sends a request that a rebalance may be in the way of, again and again while it is.
    pub(super) async fn change(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.url);
        let answer = eventually(format!("{method} {url}"), JAVA_PATIENCE, async || {
            let mut request = reqwest::Client::new().request(method.clone(), &url);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = send(request).await?;
            let message = answer.body["message"].as_str().unwrap_or_default();
            let in_the_way = answer.status == 409 && !message.contains("already exists")
                || answer.status == 500 && message.contains("rebalance")
                // The worker it was handed on to has died over it.
                || answer.status == 500 && message.contains("IO Error trying to forward")
                // Java's worker has just begun: a page, or nothing at all.
                || answer.status == 404 && !answer.body.is_object();
            ensure!(!in_the_way, "{} {message}", answer.status);
            Ok(Some(answer))
        });
        Ok(answer.await)
    }

    /// The statuses of all connectors, as this worker knows them.
    pub(super) async fn statuses(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let answer = self.get("/connectors?expand=status").await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        let connectors = answer.body.as_object().context("no object")?.iter();
        Ok(connectors.map(|(name, about)| (name.clone(), about["status"].clone())).collect())
    }
}

/// Where connectors and their first tasks run, by the number of both: `(connector or connector-0) -> worker`.
pub(super) type Placement = BTreeMap<String, String>;

/// Waits until each of `names` and one task of it is RUNNING on one of `on`, and all of these workers say the same.
pub(super) async fn all_running(names: &[String], on: &[&Member]) -> Placement {
    let what = format!("{} connectors to run on {} workers", names.len(), on.len());
    eventually(what, JAVA_PATIENCE, async || placement(names, on).await.map(Some)).await
}

/// As [`all_running`], in equal shares: connectors, and tasks.
pub(super) async fn shared_out(names: &[String], on: &[&Member]) -> Placement {
    let what = format!("{} connectors to be shared by {} workers", names.len(), on.len());
    eventually(what, JAVA_PATIENCE, async || {
        let placement = placement(names, on).await?;
        let is_connector = |item: &str| names.iter().any(|name| name == item);
        for kind in [true, false] {
            let items = placement.iter().filter(|(item, _)| is_connector(item) == kind);
            let workers: Vec<&String> = items.map(|(_, worker)| worker).collect();
            let load = |member: &&Member| workers.iter().filter(|worker| ***worker == member.id).count();
            let loads: Vec<usize> = on.iter().map(load).collect();
            let (least, most) = (loads.iter().min().unwrap_or(&0), loads.iter().max().unwrap_or(&0));
            ensure!(most - least <= 1, "connectors ({kind}) or tasks are not evenly shared: {loads:?}");
        }
        Ok(Some(placement))
    })
    .await
}

async fn placement(names: &[String], on: &[&Member]) -> anyhow::Result<Placement> {
    let mut said: Option<Placement> = None;
    for worker in on {
        let placement = running(names, &worker.statuses().await?, on)?;
        if let Some(before) = said.replace(placement) {
            ensure!(Some(&before) == said.as_ref(), "workers disagree: {before:?} and {said:?}");
        }
    }
    said.context("there is no worker")
}

fn running(
    names: &[String],
    statuses: &BTreeMap<String, Value>,
    on: &[&Member],
) -> anyhow::Result<Placement> {
    let mut placement = Placement::new();
    for name in names {
        let status = statuses.get(name).with_context(|| format!("{name} is not there"))?;
        let tasks = status["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure!(tasks.len() == 1, "{status}");
        for (item, status) in [(name.clone(), &status["connector"]), (format!("{name}-0"), &tasks[0])] {
            let worker = status["worker_id"].as_str().unwrap_or_default();
            let is_there = on.iter().any(|member| member.id == worker);
            ensure!(status["state"] == "RUNNING" && is_there, "{item}: {status}");
            placement.insert(item, worker.to_owned());
        }
    }
    Ok(placement)
}
