//! What runs, as data: every child with its arguments, environment and files. Pure, so that a reader (and a test) sees
//! the whole configuration of the platform in one place.

use crate::args::Store;
use crate::engines::database::Database;
use crate::names::Names;
use crate::ports::Ports;
use std::path::{Path, PathBuf};

/// What the plan is made from.
pub(crate) struct Settings {
    pub(crate) names: Names,
    pub(crate) ports: Ports,
    pub(crate) store: Store,
    /// The external Kafka, or none for the embedded broker.
    pub(crate) kafka: Option<String>,
    pub(crate) orders_database: Database,
    pub(crate) catalog_database: Database,
    pub(crate) work_dir: PathBuf,
    /// Opens `/connect/**` of the gateway and changes to the catalog.
    pub(crate) operator_token: String,
    /// Shared by those who may announce themselves in the registry.
    pub(crate) registry_secret: String,
}

/// One process to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChildPlan {
    pub(crate) name: &'static str,
    /// Its file in the directory of binaries.
    pub(crate) program: &'static str,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) ready: Ready,
    /// Shown when it is up.
    pub(crate) place: String,
}

/// When a child counts as started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// It ends by itself, with 0.
    Done,
    /// Something listens on this port.
    Port(u16),
    /// Each of these answers 200.
    Http(Vec<String>),
    /// The connector and its tasks are RUNNING, by Kafka Connect's status at this address.
    Connector(String),
}

/// A configuration file a child reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) const ORDER_SERVICES: [&str; 2] = ["order-service-1", "order-service-2"];
pub(crate) const CATALOG: &str = "catalog-service";
pub(crate) const WORKER: &str = "connect-worker";
pub(crate) const BROKER: &str = "embedded-broker";
pub(crate) const GATEWAY: &str = "gateway";

impl Settings {
    pub(crate) fn bootstrap(&self) -> String {
        self.kafka.clone().unwrap_or_else(|| local(self.ports.broker))
    }

    pub(crate) fn gateway_url(&self) -> String {
        url(self.ports.gateway)
    }

    pub(crate) fn order_service_urls(&self) -> [String; 2] {
        self.ports.orders.map(url)
    }

    pub(crate) fn logs_dir(&self) -> PathBuf {
        self.work_dir.join("logs")
    }

    /// The database that an order-service has to itself, with `--store local`.
    pub(crate) fn local_file(&self, order_service: &str) -> PathBuf {
        self.work_dir.join(format!("{order_service}.db"))
    }

    fn worker_file(&self) -> PathBuf {
        self.work_dir.join("worker.properties")
    }

    fn sink_file(&self) -> PathBuf {
        self.work_dir.join("sink.properties")
    }

    /// The stages, in order of start; the children of one stage start together.
    pub(crate) fn stages(&self) -> Vec<Vec<ChildPlan>> {
        let mut stages = Vec::new();
        if self.kafka.is_none() {
            stages.push(vec![self.broker()]);
        }
        stages.push(vec![self.order_migration(), self.catalog_migration()]);
        stages.push(vec![self.order_service(0), self.order_service(1), self.catalog()]);
        // after the services, which create the topics it reads
        stages.push(vec![self.worker()]);
        stages.push(vec![self.gateway()]);
        stages
    }

    fn broker(&self) -> ChildPlan {
        let address = local(self.ports.broker);
        ChildPlan {
            name: BROKER,
            program: BROKER,
            args: vec!["--listen".into(), address.clone()],
            env: Vec::new(),
            ready: Ready::Port(self.ports.broker),
            place: address,
        }
    }

    fn order_migration(&self) -> ChildPlan {
        ChildPlan {
            name: "order-service migrate",
            program: "order-service",
            args: vec!["migrate".into()],
            env: self.order_env(),
            ready: Ready::Done,
            place: self.orders_database.describe(),
        }
    }

    fn catalog_migration(&self) -> ChildPlan {
        ChildPlan {
            name: "catalog-service migrate",
            program: "catalog-service",
            args: vec!["migrate".into(), "--seed".into()],
            env: self.catalog_env(),
            ready: Ready::Done,
            place: self.catalog_database.describe(),
        }
    }

    fn order_service(&self, index: usize) -> ChildPlan {
        let port = self.ports.orders[index];
        let mut env = self.order_env();
        env.push(("LISTEN", local(port)));
        match self.store {
            Store::Events => env.push(("ORDER_STORE", "events".into())),
            Store::Local => {
                let file = self.local_file(ORDER_SERVICES[index]);
                env.push(("ORDER_STORE", "local".into()));
                env.push(("LOCAL_DATABASE", file.display().to_string()));
            }
        }
        self.service(ORDER_SERVICES[index], "order-service", env, port)
    }

    fn catalog(&self) -> ChildPlan {
        let mut env = self.catalog_env();
        env.push(("LISTEN", local(self.ports.catalog)));
        env.push(("CONSUMER_GROUP", self.names.catalog_group.clone()));
        self.service(CATALOG, "catalog-service", env, self.ports.catalog)
    }

    fn gateway(&self) -> ChildPlan {
        let mut env = self.common_env();
        env.push(("LISTEN", local(self.ports.gateway)));
        env.push(("CONNECT_URLS", url(self.ports.connect)));
        env.push(("EXTRA_TOPICS", self.names.connector_dead_letters.clone()));
        env.push(("OPERATOR_TOKEN", self.operator_token.clone()));
        let gateway = self.gateway_url();
        ChildPlan {
            // the one service without subcommands: it has nothing to migrate
            args: Vec::new(),
            // of use only when it has found the services
            ready: Ready::Http(vec![
                format!("{gateway}/health/ready"),
                format!("{gateway}/order-service/health/ready"),
                format!("{gateway}/catalog-service/health/ready"),
            ]),
            ..self.service(GATEWAY, "gateway", env, self.ports.gateway)
        }
    }

    fn worker(&self) -> ChildPlan {
        let connect = url(self.ports.connect);
        ChildPlan {
            name: WORKER,
            program: "connect-worker",
            args: vec![
                "standalone".into(),
                self.worker_file().display().to_string(),
                self.sink_file().display().to_string(),
            ],
            env: Vec::new(),
            ready: Ready::Connector(format!("{connect}/connectors/{}/status", self.names.connector)),
            place: connect,
        }
    }

    fn service(
        &self,
        name: &'static str,
        program: &'static str,
        env: Vec<(&'static str, String)>,
        port: u16,
    ) -> ChildPlan {
        let place = url(port);
        let ready = Ready::Http(vec![format!("{place}/health/ready")]);
        ChildPlan { name, program, args: vec!["serve".into()], env, ready, place }
    }

    fn order_env(&self) -> Vec<(&'static str, String)> {
        let mut env = self.common_env();
        env.push(("DATABASE_URL", self.orders_database.service_url()));
        env
    }

    fn catalog_env(&self) -> Vec<(&'static str, String)> {
        let mut env = self.common_env();
        env.push(("DATABASE_URL", self.catalog_database.service_url()));
        env.push(("OPERATOR_TOKEN", self.operator_token.clone()));
        env
    }

    /// Secrets go into the environment: arguments are shown to everybody by `ps`.
    fn common_env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KAFKA_BOOTSTRAP_SERVERS", self.bootstrap()),
            ("ORDERS_TOPIC", self.names.orders_topic.clone()),
            ("DECISIONS_TOPIC", self.names.decisions_topic.clone()),
            ("REGISTRY_TOPIC", self.names.registry_topic.clone()),
            ("REGISTRY_SECRET", self.registry_secret.clone()),
        ]
    }

    /// The files of the connect worker, in the form any Kafka Connect worker reads.
    pub(crate) fn files(&self) -> Vec<PlannedFile> {
        vec![
            PlannedFile { path: self.worker_file(), text: properties(&self.worker_properties()) },
            PlannedFile { path: self.sink_file(), text: properties(&self.sink_properties()) },
        ]
    }

    fn worker_properties(&self) -> Vec<(&'static str, String)> {
        vec![
            ("bootstrap.servers", self.bootstrap()),
            ("listeners", url(self.ports.connect)),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter".into()),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter".into()),
            ("value.converter.schemas.enable", "true".into()),
            ("offset.storage.file.filename", self.work_dir.join("connect.offsets").display().to_string()),
            ("offset.flush.interval.ms", "1000".into()),
        ]
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
            sink.push(("connection.user", server.user().to_owned()));
            sink.push(("connection.password", server.password().to_owned()));
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

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Java properties: a backslash escapes, and a value's leading blank would be skipped.
fn properties(entries: &[(&str, String)]) -> String {
    entries.iter().map(|(key, value)| format!("{key}={}\n", escape_property(value))).collect()
}

fn escape_property(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    if escaped.starts_with(' ') { format!("\\{escaped}") } else { escaped }
}

/// Where a run's files go: beside `debug` in the target directory, where `cargo clean` finds them.
pub(crate) fn default_work_dir(bin_dir: &Path, run: &str) -> PathBuf {
    let base = bin_dir.parent().map_or_else(std::env::temp_dir, Path::to_path_buf);
    base.join("demo").join(run)
}

#[cfg(test)]
mod tests;
