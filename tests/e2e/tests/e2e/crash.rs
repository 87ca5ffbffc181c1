//! `kill -9` at the two places where a careless program loses or doubles an order.

use crate::support::PATIENCE;
use crate::support::platform::Platform;
use crate::support::worker::{Worker, platform_sink};
use contracts::{Order, encode};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::kafka_client::{self, Record, Topics};
use testkit::{Database, eventually};
use uuid::Uuid;

const ORDERS: usize = 500;

fn order(n: usize) -> Order {
    Order {
        order_id: Uuid::from_u128(n as u128 + 1),
        user_id: format!("user-{}", n % 7),
        product_id: 1,
        qty: 1,
        unit_price: 1500,
        total_price: 1500,
        created_at: 1_700_000_000_000 + n as i64,
        idempotency_key: None,
    }
}

fn record(order: &Order) -> Record {
    Record::new(order.order_id.to_string(), encode(order))
}

/// The rows are there, the offsets are not committed (the default interval is a minute): that is where it is killed.
#[tokio::test]
async fn worker_killed_between_rows_and_offset_commit() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let topic = testkit::unique("orders");
    kafka_client::create_topic(&kafka, &topic, 3, &[]).await?;
    let _topics = Topics::removed_at_the_end(&kafka, [&topic]);
    let database = Database::create(&testkit::unique("e2e_crash")).await?;
    let mut config = platform_sink(&database, &topic);
    config["auto.create"] = "true".into();
    let mut worker = Worker::start(&[]).await?;
    let name = testkit::unique("crash-sink");
    assert_eq!(worker.create(&name, &config).await?.status, 201);

    kafka_client::produce_all(&kafka, &topic, (0..ORDERS).map(|n| record(&order(n)))).await?;
    eventually("all rows", PATIENCE, async || {
        Ok((database.count(&topic).await? == ORDERS as u64).then_some(()))
    })
    .await;
    worker.process.kill9();
    let group = format!("connect-{name}");
    let committed: i64 = kafka_client::committed(&kafka, &group, &topic).await?.values().sum();
    assert_eq!(committed, 0, "nothing was committed yet: the kill came between rows and offsets");

    // what comes while it is down, must come too
    kafka_client::produce_all(&kafka, &topic, (ORDERS..ORDERS + 20).map(|n| record(&order(n)))).await?;
    worker.start_again().await;
    assert_eq!(worker.create(&name, &config).await?.status, 201);
    eventually("the rows that came meanwhile", PATIENCE, async || {
        Ok((database.count(&topic).await? == ORDERS as u64 + 20).then_some(()))
    })
    .await;
    let rows = database.query(&format!("SELECT order_id, created_at FROM `{topic}`")).await?;
    let ids: BTreeSet<_> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids.len(), ORDERS + 20, "every order once");

    // a clean stop commits what is written
    worker.process.terminate();
    assert!(worker.process.wait_exit(Duration::from_secs(15)).await?.success());
    let committed: i64 = kafka_client::committed(&kafka, &group, &topic).await?.values().sum();
    assert_eq!(committed, ORDERS as i64 + 20);
    Ok(())
}

/// The decisions are in the database, none is published: that is where it is killed.
#[tokio::test]
async fn catalog_killed_between_commit_and_publish() -> anyhow::Result<()> {
    let platform = Platform::new("orders", "catalog").await?;
    kafka_client::create_topic(&platform.kafka, &platform.orders, 3, &[]).await?;
    let catalog = platform.catalog_service().await;
    catalog.create_product(1, 40).await?;
    drop(catalog);

    let orders: Vec<Order> = (0..50).map(order).collect();
    kafka_client::produce_all(&platform.kafka, &platform.orders, orders.iter().map(record)).await?;
    let mut crashing = platform.catalog_service_that_crashes_at("catalog.after-commit");
    crashing.process.wait_exit(PATIENCE).await?;

    let decided = platform.catalog.count("decisions").await?;
    assert!(decided > 0, "it died after the commit");
    let published = kafka_client::consume_all(&platform.kafka, &platform.decisions).await?;
    assert_eq!(published.len(), 0, "it died before it published");
    assert_eq!(platform.committed().await?, 0);

    let catalog = platform.catalog_service().await;
    eventually("every order to be finished", PATIENCE, async || {
        let committed = platform.committed().await?;
        anyhow::ensure!(committed == 50, "{committed} of 50");
        Ok(Some(()))
    })
    .await;
    let published = kafka_client::consume_all(&platform.kafka, &platform.decisions).await?;
    let keys: BTreeSet<_> = published.iter().filter_map(|record| record.key_str()).collect();
    let expected: BTreeSet<_> = orders.iter().map(|order| order.order_id.to_string()).collect();
    assert_eq!(keys, expected.iter().map(String::as_str).collect(), "every order has a decision");
    assert_eq!(published.len(), 50, "and one only");
    assert_eq!(platform.catalog.count("decisions").await?, 50);
    let confirmed = published
        .iter()
        .filter(|record| record.json().is_ok_and(|json| json["payload"]["outcome"] == "CONFIRMED"))
        .count();
    assert_eq!(confirmed, 40, "as many as there was stock");
    assert_eq!(catalog.stock(1).await?, 0);
    Ok(())
}
