//! W7: with a database per instance two instances tell different stories; with one database fed by the sink, the same.

use crate::support::platform::Platform;
use crate::support::worker::{Worker, platform_sink};
use crate::support::{PATIENCE, get};
use testkit::eventually;

#[tokio::test]
async fn in_local_mode_two_instances_answer_differently() -> anyhow::Result<()> {
    let platform = Platform::new("orders", "catalog").await?;
    let one = platform.local_order_service().await;
    let two = platform.local_order_service().await;

    let first = one.place("ann", 1, 1).await?;
    let second = two.place("ann", 1, 2).await?;
    assert_eq!((first.status, second.status), (201, 201));

    let id = |answer: &crate::support::Answer| answer.body["orderId"].as_str().unwrap_or_default().to_owned();
    assert_eq!(one.order_ids("ann").await?, [id(&first)]);
    assert_eq!(two.order_ids("ann").await?, [id(&second)]);
    assert_eq!(get(format!("{}/orders/{}", two.url, id(&first))).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn in_events_mode_they_answer_alike() -> anyhow::Result<()> {
    they_answer_alike(&Platform::new("orders", "catalog").await?).await
}

#[tokio::test]
async fn in_events_mode_they_answer_alike_on_postgresql() -> anyhow::Result<()> {
    they_answer_alike(&Platform::on_postgres("orders", "catalog").await?).await
}

async fn they_answer_alike(platform: &Platform) -> anyhow::Result<()> {
    let one = platform.order_service().await;
    let two = platform.order_service().await;
    let catalog = platform.catalog_service().await;
    catalog.create_product(1, 5).await?;
    let worker = Worker::start(&[]).await?;
    let topics = format!("{},{}", platform.orders, platform.decisions);
    let created = worker.create("orders-sink", &platform_sink(&platform.read, &topics)).await?;
    assert_eq!(created.status, 201, "{}", created.body);

    let mut placed = Vec::new();
    for (service, qty) in [(&one, 2), (&two, 3), (&one, 1)] {
        let answer = service.place("ann", 1, qty).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        placed.push(answer.body["orderId"].as_str().unwrap_or_default().to_owned());
    }
    placed.reverse();

    for service in [&one, &two] {
        eventually("all three orders, newest first", PATIENCE, async || {
            let ids = service.order_ids("ann").await?;
            anyhow::ensure!(ids == placed, "{ids:?}");
            Ok(Some(()))
        })
        .await;
    }
    let mut statuses = Vec::new();
    for id in &placed {
        let (a, b) = (one.decided(id).await, two.decided(id).await);
        assert_eq!(a, b, "two instances, one truth");
        statuses.push(a["status"].as_str().unwrap_or_default().to_owned());
    }
    // three orders of 6 in all over a stock of 5: one of them cannot be served, which one depends on the partitions
    let rejected = statuses.iter().filter(|status| *status == "REJECTED").count();
    assert_eq!(rejected, 1, "{statuses:?}");
    let confirmed: i64 =
        [1, 3, 2].iter().zip(&statuses).filter(|(_, s)| *s == "CONFIRMED").map(|(qty, _)| qty).sum();
    assert_eq!(catalog.stock(1).await?, 5 - confirmed);
    Ok(())
}

/// An instance that stops leaves no trace in what the others answer.
#[tokio::test]
async fn a_killed_instance_takes_no_order_with_it() -> anyhow::Result<()> {
    let platform = Platform::new("orders", "catalog").await?;
    let mut one = platform.order_service().await;
    let two = platform.order_service().await;
    let worker = Worker::start(&[]).await?;
    let created = worker.create("orders-sink", &platform_sink(&platform.read, &platform.orders)).await?;
    assert_eq!(created.status, 201, "{}", created.body);
    let placed = one.place("ann", 1, 1).await?;
    assert_eq!(placed.status, 201);
    one.process.kill9();
    let id = placed.body["orderId"].as_str().unwrap_or_default().to_owned();
    eventually("the order on the other instance", PATIENCE, async || {
        let ids = two.order_ids("ann").await?;
        anyhow::ensure!(ids == [id.clone()], "{ids:?}");
        Ok(Some(()))
    })
    .await;
    Ok(())
}
