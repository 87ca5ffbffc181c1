//! The service as a whole, on a real port, while there is no Kafka; and the migration.

use super::helpers::*;
use order_service::config::{Config, StoreConfig};
use order_service::startup::Application;
use order_service::store::migration;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

async fn exchange(url: &str, request: String) -> (u16, String) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

async fn get(url: &str, path: &str) -> (u16, Value) {
    let (status, answer) =
        exchange(url, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_serves_and_stops_without_kafka() {
    let folder = Folder::new();
    migrated(&folder).await;
    let config = Config {
        listen: "127.0.0.1:0".into(),
        advertised_url: None,
        // Nothing listens on this port.
        kafka: "127.0.0.1:1".into(),
        store: StoreConfig::Events { database: folder.database() },
        tables: tables(),
        registry_topic: "service-registry".into(),
        registry_secret: "0123456789abcdef".to_owned().into(),
    };
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
    let application = Application::bind(config).unwrap();
    let url = application.url().to_owned();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(application.run(shutdown.clone()));

    assert_eq!(get(&url, "/health/live").await.0, 200);
    let (status, ready) = get(&url, "/health/ready").await;
    assert_eq!(status, 503);
    assert_eq!(ready["checks"]["kafka"]["detail"], "waiting for Kafka at 127.0.0.1:1");
    assert_eq!(get(&url, "/orders").await.0, 200, "reads do not need Kafka");

    let head = "POST /users/ann/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{ORDER}", ORDER.len());
    let (status, answer) = exchange(&url, request).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("orderId") && answer.contains("retry-after: 2"), "{answer}");

    let long = " ".repeat(70_000);
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let (status, answer) = exchange(&url, chunked).await;
    assert_eq!(status, 413, "{answer}");

    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(15), running).await.expect("stops").unwrap().unwrap();
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).await.is_err());
}

#[tokio::test]
async fn the_migration_can_be_repeated_and_refuses_a_foreign_table() {
    use sea_orm::ConnectionTrait;
    let folder = Folder::new();
    let database = migrated(&folder).await;
    migration::run(&folder.database(), &tables()).await.unwrap();

    database.execute_unprepared("CREATE TABLE foreign_orders (order_id TEXT)").await.unwrap();
    let mut other = tables();
    other.orders = "foreign_orders".into();
    let error = migration::run(&folder.database(), &other).await.unwrap_err().to_string();
    assert!(error.contains("foreign_orders") && error.contains("drop or rename"), "{error}");
}
