//! The connect workers: one by itself on the embedded broker, which does not evict dead members of a group; two of one cluster on a
//! real Kafka, each of which takes the other's work.

use super::{ChildPlan, Connector, PlannedFile, Ready, Settings, url};
use crate::engines::database::Database;
use crate::names::Names;
use std::path::PathBuf;

/// The only one, on the embedded broker ...
const WORKER: &str = "connect-worker";
/// ... and those of a cluster.
const WORKERS: [&str; 2] = ["connect-worker-1", "connect-worker-2"];

const FILES: [&str; 2] = ["worker-1.properties", "worker-2.properties"];

impl Settings {
    /// A cluster is shown on a real Kafka only.
    fn is_cluster(&self) -> bool {
        self.kafka.is_some()
    }

    /// The workers' names, the first of which is the one that is killed in the story.
    pub(crate) fn worker_names(&self) -> &'static [&'static str] {
        if self.is_cluster() { &WORKERS } else { &[WORKER] }
    }

    pub(crate) fn connect_urls(&self) -> Vec<String> {
        let count = self.worker_names().len();
        self.ports.connect.iter().take(count).map(|port| url(*port)).collect()
    }

    pub(super) fn workers(&self) -> Vec<ChildPlan> {
        let named = self.worker_names().iter().zip(self.connect_urls());
        named.enumerate().map(|(index, (name, place))| self.worker(index, name, place)).collect()
    }

    fn worker(&self, index: usize, name: &'static str, place: String) -> ChildPlan {
        let args = match self.is_cluster() {
            true => vec!["distributed".into(), self.worker_file(index).display().to_string()],
            false => vec![
                "standalone".into(),
                self.worker_file(index).display().to_string(),
                self.sink_file().display().to_string(),
            ],
        };
        let connector = Connector {
            url: format!("{place}/connectors/{}", self.names.connector),
            // Kafka keeps it, so one of the workers is told once.
            put: (self.is_cluster() && index == 0).then(|| self.sink_properties().into_iter().collect()),
        };
        let ready = Ready::Connector(connector);
        ChildPlan { name, program: "connect-worker", args, env: Vec::new(), ready, place }
    }

    fn worker_file(&self, index: usize) -> PathBuf {
        let name = if self.is_cluster() { FILES[index] } else { "worker.properties" };
        self.work_dir.join(name)
    }

    fn sink_file(&self) -> PathBuf {
        self.work_dir.join("sink.properties")
    }

    /// Where a cluster finds the database's user, which the connector only names: what it is told is stored in Kafka.
    fn credentials_file(&self) -> PathBuf {
        self.work_dir.join("database.properties")
    }

    /// The files of the workers, in the form any Kafka Connect worker reads.
    pub(crate) fn files(&self) -> Vec<PlannedFile> {
        let file = |path, entries: &[(&str, String)]| PlannedFile { path, text: properties(entries) };
        let worker = |(index, listener): (usize, String)| {
            file(self.worker_file(index), &self.worker_properties(listener))
        };
        let mut files: Vec<_> = self.connect_urls().into_iter().enumerate().map(worker).collect();
        if !self.is_cluster() {
            files.push(file(self.sink_file(), &self.sink_properties()));
        } else if let Database::Server { server, .. } = &self.orders_database {
            let user = [("user", server.user().to_owned()), ("password", server.password().to_owned())];
            files.push(file(self.credentials_file(), &user));
        }
        files
    }

    fn worker_properties(&self, listener: String) -> Vec<(&'static str, String)> {
        let mut worker = vec![
            ("bootstrap.servers", self.bootstrap()),
            ("listeners", listener),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter".into()),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter".into()),
            ("value.converter.schemas.enable", "true".into()),
            ("offset.flush.interval.ms", "1000".into()),
        ];
        if !self.is_cluster() {
            let offsets = self.work_dir.join("connect.offsets").display().to_string();
            worker.push(("offset.storage.file.filename", offsets));
            return worker;
        }
        let Names { connect_group, connect_topics: [configs, offsets, statuses], .. } = &self.names;
        worker.extend([
            ("group.id", connect_group.clone()),
            ("config.storage.topic", configs.clone()),
            ("offset.storage.topic", offsets.clone()),
            ("status.storage.topic", statuses.clone()),
            // as many copies as the brokers make by themselves
            ("config.storage.replication.factor", "-1".into()),
            ("offset.storage.replication.factor", "-1".into()),
            ("status.storage.replication.factor", "-1".into()),
            ("offset.storage.partitions", "5".into()),
            // nobody who watches wants to wait longer for the other worker to take over
            ("session.timeout.ms", "6000".into()),
            ("heartbeat.interval.ms", "2000".into()),
            ("scheduled.rebalance.max.delay.ms", "3000".into()),
            ("config.providers", "file".into()),
            (
                "config.providers.file.class",
                "org.apache.kafka.common.config.provider.FileConfigProvider".into(),
            ),
            ("config.providers.file.param.allowed.paths", self.work_dir.display().to_string()),
        ]);
        worker
    }

    fn sink_properties(&self) -> Vec<(&'static str, String)> {
        let Names { connector, orders_topic, decisions_topic, connector_dead_letters, .. } = &self.names;
        let mut sink = vec![
            ("name", connector.clone()),
            ("connector.class", "io.confluent.connect.jdbc.JdbcSinkConnector".into()),
            ("tasks.max", "1".into()),
            ("topics", format!("{orders_topic},{decisions_topic}")),
            ("connection.url", self.orders_database.jdbc_url()),
        ];
        if let Database::Server { server, .. } = &self.orders_database {
            let (user, password) = match self.is_cluster() {
                true => {
                    let file = self.credentials_file();
                    let from = |key: &str| format!("${{file:{}:{key}}}", file.display());
                    (from("user"), from("password"))
                }
                false => (server.user().to_owned(), server.password().to_owned()),
            };
            sink.push(("connection.user", user));
            sink.push(("connection.password", password));
        }
        sink.extend([
            ("insert.mode", "upsert".into()),
            ("pk.mode", "record_value".into()),
            ("pk.fields", "order_id".into()),
            // `order-service migrate` has made the tables
            ("auto.create", "false".into()),
            ("errors.tolerance", "all".into()),
            ("errors.deadletterqueue.topic.name", connector_dead_letters.clone()),
            ("errors.deadletterqueue.topic.replication.factor", "1".into()),
            ("errors.deadletterqueue.context.headers.enable", "true".into()),
            // a killed worker that comes back gets its partitions after this long
            ("consumer.override.session.timeout.ms", "6000".into()),
        ]);
        sink
    }
}

/// Java properties: a backslash escapes, and a value's leading blank would be skipped.
fn properties(entries: &[(&str, String)]) -> String {
    entries.iter().map(|(key, value)| format!("{key}={}\n", escape_property(value))).collect()
}

fn escape_property(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    if escaped.starts_with(' ') { format!("\\{escaped}") } else { escaped }
}
