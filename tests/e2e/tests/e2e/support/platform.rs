//! Order-service and catalog-service as processes, with topics, groups and databases of the test's own.

use super::database::AnyDatabase;
use super::{Answer, PATIENCE, get, send};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use testkit::kafka_client::{self, Topics};
use testkit::{Database, PgDatabase, Process, eventually};

pub(crate) const OPERATOR_TOKEN: &str = "e2e-operator-token";
const REGISTRY_SECRET: &str = "e2e-registry-secret-0123456789";

/// A service that is up: its process and where it answers.
pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) url: String,
}

/// The names and databases that the services of one test share.
pub(crate) struct Platform {
    pub(crate) kafka: String,
    pub(crate) orders: String,
    pub(crate) decisions: String,
    pub(crate) group: String,
    pub(crate) registry: String,
    /// The read tables.
    pub(crate) read: AnyDatabase,
    /// The catalog's own tables.
    pub(crate) catalog: AnyDatabase,
    files: PathBuf,
    _topics: Topics,
}

impl Platform {
    /// Unique names; both migrations have run. `orders` and `group` may be given (the walkthrough's own names) as a prefix.
    pub(crate) async fn new(orders: &str, group: &str) -> anyhow::Result<Platform> {
        let read = AnyDatabase::MariaDb(Database::create(&testkit::unique("e2e_read")).await?);
        let catalog = AnyDatabase::MariaDb(Database::create(&testkit::unique("e2e_catalog")).await?);
        Self::on(read, catalog, orders, group).await
    }

    /// The same on PostgreSQL.
    pub(crate) async fn on_postgres(orders: &str, group: &str) -> anyhow::Result<Platform> {
        let read = AnyDatabase::Postgres(PgDatabase::create(&testkit::unique("e2e_read")).await?);
        let catalog = AnyDatabase::Postgres(PgDatabase::create(&testkit::unique("e2e_catalog")).await?);
        Self::on(read, catalog, orders, group).await
    }

    async fn on(
        read: AnyDatabase,
        catalog: AnyDatabase,
        orders: &str,
        group: &str,
    ) -> anyhow::Result<Platform> {
        let kafka = testkit::kafka()?;
        let (orders, decisions) = (testkit::unique(orders), testkit::unique("order_decisions"));
        let registry = testkit::unique("service-registry");
        let topics = [orders.clone(), format!("{orders}.dlq"), decisions.clone(), registry.clone()];
        let platform = Platform {
            _topics: Topics::removed_at_the_end(&kafka, topics),
            kafka,
            orders,
            decisions,
            group: testkit::unique(group),
            registry,
            read,
            catalog,
            files: std::env::temp_dir().join(testkit::unique("e2e_files")),
        };
        std::fs::create_dir_all(&platform.files)?;
        platform.one_shot("order-service", &["migrate"], &platform.read).await?;
        platform.one_shot("catalog-service", &["migrate"], &platform.catalog).await?;
        Ok(platform)
    }

    async fn one_shot(&self, service: &str, args: &[&str], database: &AnyDatabase) -> anyhow::Result<()> {
        let mut command = self.command(service, database);
        let mut process = Process::spawn(&format!("{service}-migrate"), command.args(args));
        let status = process.wait_exit(PATIENCE).await?;
        anyhow::ensure!(status.success(), "{service} migrate: {status}\n{}", process.log());
        Ok(())
    }

    fn command(&self, service: &str, database: &AnyDatabase) -> Command {
        let mut command = Command::new(testkit::bin(service));
        command
            .env("KAFKA_BOOTSTRAP_SERVERS", &self.kafka)
            .env("DATABASE_URL", database.url())
            .env("ORDERS_TOPIC", &self.orders)
            .env("DECISIONS_TOPIC", &self.decisions)
            .env("CONSUMER_GROUP", &self.group)
            .env("REGISTRY_TOPIC", &self.registry)
            .env("REGISTRY_SECRET", REGISTRY_SECRET)
            .env("OPERATOR_TOKEN", OPERATOR_TOKEN);
        command
    }

    fn spawn(&self, name: &str, command: &mut Command) -> Service {
        let port = testkit::free_port();
        let process = Process::spawn(name, command.env("LISTEN", format!("127.0.0.1:{port}")));
        Service { process, url: format!("http://127.0.0.1:{port}") }
    }

    async fn start(&self, name: &str, command: &mut Command) -> Service {
        let service = self.spawn(name, command);
        eventually(format!("{name} to be ready"), PATIENCE, async || {
            let answer = get(format!("{}/health/ready", service.url)).await?;
            anyhow::ensure!(answer.status == 200, "{}", answer.body);
            Ok(Some(()))
        })
        .await;
        service
    }

    pub(crate) async fn order_service(&self) -> Service {
        self.start("order-service", &mut self.command("order-service", &self.read)).await
    }

    /// An instance in `local` mode, with an SQLite file of its own.
    pub(crate) async fn local_order_service(&self) -> Service {
        let file = self.files.join(testkit::unique("orders"));
        let mut command = self.command("order-service", &self.read);
        command.env("ORDER_STORE", "local").env("LOCAL_DATABASE", file);
        self.start("order-service-local", &mut command).await
    }

    pub(crate) async fn catalog_service(&self) -> Service {
        self.start("catalog-service", &mut self.command("catalog-service", &self.catalog)).await
    }

    /// A gateway that finds this platform's services.
    pub(crate) async fn gateway(&self) -> Service {
        self.start("gateway", &mut self.command("gateway", &self.read)).await
    }

    /// A catalog that kills itself at the named point. Not awaited: it may be gone before anybody sees it ready.
    pub(crate) fn catalog_service_that_crashes_at(&self, point: &str) -> Service {
        let mut command = self.command("catalog-service", &self.catalog);
        self.spawn("catalog-service-crashing", command.env("CRASH_AT", point))
    }

    /// Number of orders the catalog's group has finished, over all partitions.
    pub(crate) async fn committed(&self) -> anyhow::Result<i64> {
        Ok(kafka_client::committed(&self.kafka, &self.group, &self.orders).await?.values().sum())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.files);
    }
}

impl Service {
    pub(crate) async fn place(&self, user: &str, product: i64, qty: i32) -> anyhow::Result<Answer> {
        let order = json!({"productId": product, "qty": qty, "unitPrice": 1500});
        super::post(format!("{}/users/{user}/orders", self.url), &order).await
    }

    /// The ids of a user's orders, newest first.
    pub(crate) async fn order_ids(&self, user: &str) -> anyhow::Result<Vec<String>> {
        let answer = get(format!("{}/users/{user}/orders?limit=100", self.url)).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.body);
        let orders = answer.body["orders"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(orders.iter().filter_map(|order| order["orderId"].as_str().map(str::to_owned)).collect())
    }

    pub(crate) async fn create_product(&self, id: i64, qty: i64) -> anyhow::Result<()> {
        let product =
            json!({"productId": id, "name": format!("product {id}"), "unitPrice": 1500, "qty": qty});
        let request = reqwest::Client::new().post(format!("{}/products", self.url));
        let answer = send(request.bearer_auth(OPERATOR_TOKEN).json(&product)).await?;
        anyhow::ensure!(answer.status == 201, "{} {}", answer.status, answer.body);
        Ok(())
    }

    pub(crate) async fn stock(&self, id: i64) -> anyhow::Result<i64> {
        let answer = get(format!("{}/products/{id}", self.url)).await?;
        answer.body["qty"].as_i64().ok_or_else(|| anyhow::anyhow!("no qty in {}", answer.body))
    }

    /// Waits until the order shows another status than PLACED.
    pub(crate) async fn decided(&self, order_id: &str) -> Value {
        eventually(format!("the decision on {order_id}"), PATIENCE, async || {
            let answer = get(format!("{}/orders/{order_id}", self.url)).await?;
            anyhow::ensure!(answer.status == 200 && answer.body["status"] != "PLACED", "{}", answer.body);
            Ok(Some(answer.body))
        })
        .await
    }
}
