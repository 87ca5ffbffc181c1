//! What runs, as data: every child with its arguments, environment and files. Pure, so that a reader (and a test) sees
//! the whole configuration of the platform in one place.

mod workers;

use crate::args::Store;
use crate::engines::database::Database;
use crate::names::Names;
use crate::ports::Ports;
use std::collections::BTreeMap;
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
    /// The connector and its tasks are RUNNING, by Kafka Connect's status.
    Connector(Connector),
}

/// A connector, seen from one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connector {
    /// `http://host:port/connectors/NAME`
    pub(crate) url: String,
    /// What the worker is to be told of it first; nothing where it knows already.
    pub(crate) put: Option<BTreeMap<&'static str, String>>,
}

/// A configuration file a child reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) const ORDER_SERVICES: [&str; 2] = ["order-service-1", "order-service-2"];
pub(crate) const CATALOG: &str = "catalog-service";
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

    /// The stages, in order of start; the children of one stage start together.
    pub(crate) fn stages(&self) -> Vec<Vec<ChildPlan>> {
        let mut stages = Vec::new();
        if self.kafka.is_none() {
            stages.push(vec![self.broker()]);
        }
        stages.push(vec![self.order_migration(), self.catalog_migration()]);
        stages.push(vec![self.order_service(0), self.order_service(1), self.catalog()]);
        // after the services, which create the topics it reads
        stages.push(self.workers());
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
        env.push(("CONNECT_URLS", self.connect_urls().join(",")));
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
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Where a run's files go: beside `debug` in the target directory, where `cargo clean` finds them.
pub(crate) fn default_work_dir(bin_dir: &Path, run: &str) -> PathBuf {
    let base = bin_dir.parent().map_or_else(std::env::temp_dir, Path::to_path_buf);
    base.join("demo").join(run)
}

#[cfg(test)]
mod tests;
