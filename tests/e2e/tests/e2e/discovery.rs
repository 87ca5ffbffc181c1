//! The registry topic on real Kafka: who is announced is used, who leaves or dies is not, and nobody gets in by forgery.

use crate::support::platform::{Platform, Service};
use crate::support::{PATIENCE, get};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{eventually, kafka_client};
use uuid::Uuid;

/// The instances of order-service that the gateway knows.
async fn instances(gateway: &Service) -> anyhow::Result<Vec<Value>> {
    let status = get(format!("{}/status.json", gateway.url)).await?.body;
    let services = status["services"].as_array().cloned().unwrap_or_default();
    let of_orders = services.into_iter().find(|service| service["name"] == "order-service");
    Ok(of_orders.and_then(|service| service["instances"].as_array().cloned()).unwrap_or_default())
}

async fn wait_for_instances(gateway: &Service, count: usize) -> Vec<Value> {
    eventually(format!("{count} instances"), PATIENCE, async || {
        let found = instances(gateway).await?;
        anyhow::ensure!(found.len() == count, "{found:?}");
        Ok(Some(found))
    })
    .await
}

#[tokio::test]
async fn instances_come_leave_and_die() -> anyhow::Result<()> {
    let platform = Platform::new("orders", "catalog").await?;
    let mut one = platform.order_service().await;
    let gateway = platform.gateway().await;
    let mut two = platform.order_service().await;
    wait_for_instances(&gateway, 2).await;

    // killed: what was announced is not true any more, and no client notices
    one.process.kill9();
    for n in 0..40 {
        let order = json!({"productId": 1, "qty": 1, "unitPrice": n});
        let placed =
            crate::support::post(format!("{}/order-service/users/ann/orders", gateway.url), &order).await?;
        assert_eq!(placed.status, 201, "order {n}: {}", placed.body);
        let location = placed.headers["location"].to_str()?;
        assert!(location.starts_with("/order-service/orders/"), "{location}");
    }
    // stopped: it says good-bye, and is gone long before its lease ends
    two.process.terminate();
    assert!(two.process.wait_exit(Duration::from_secs(15)).await?.success());
    eventually("the stopped instance to be gone", Duration::from_secs(4), async || {
        let found = instances(&gateway).await?;
        anyhow::ensure!(found.iter().all(|instance| instance["url"] != two.url), "{found:?}");
        Ok(Some(()))
    })
    .await;
    wait_for_instances(&gateway, 0).await;
    let nobody = get(format!("{}/order-service/orders", gateway.url)).await?;
    assert_eq!(nobody.status, 503, "{}", nobody.body);
    assert!(nobody.headers.contains_key("retry-after"));
    assert!(nobody.body["detail"].as_str().unwrap_or_default().contains("order-service"), "{}", nobody.body);
    Ok(())
}

#[tokio::test]
async fn a_forged_announcement_is_dropped() -> anyhow::Result<()> {
    let platform = Platform::new("orders", "catalog").await?;
    let honest = platform.order_service().await;
    let gateway = platform.gateway().await;
    wait_for_instances(&gateway, 1).await;

    let instance = Uuid::new_v4();
    let key = format!("order-service/{instance}");
    let value = json!({
        "service": "order-service", "instance": instance, "url": "http://127.0.0.1:1", "leaseMs": 60000, "sequence": 1,
    });
    let value = value.to_string();
    let wrong = "0".repeat(64);
    let real_key = {
        let known = instances(&gateway).await?;
        format!("order-service/{}", known[0]["id"].as_str().unwrap_or_default())
    };
    type Forgery<'a> = (&'a str, Option<&'a [u8]>, &'a [(&'a str, &'a [u8])]);
    let forgeries: [Forgery<'_>; 4] = [
        (&key, Some(value.as_bytes()), &[]),
        (&key, Some(value.as_bytes()), &[("registry-signature", wrong.as_bytes())]),
        (&key, Some(b"\xff not json"), &[("registry-signature", b"zz")]),
        // a tombstone for the honest one
        (&real_key, None, &[("registry-signature", wrong.as_bytes())]),
    ];
    for (key, value, headers) in forgeries {
        kafka_client::produce(&platform.kafka, &platform.registry, Some(key.as_bytes()), value, headers)
            .await?;
    }
    eventually("the forgeries to be counted", PATIENCE, async || {
        let status = get(format!("{}/status.json", gateway.url)).await?.body;
        let refused = status["registry"]["refusedRecords"].as_u64().unwrap_or_default();
        anyhow::ensure!(refused >= 4, "{}", status["registry"]);
        Ok(Some(()))
    })
    .await;
    let found = instances(&gateway).await?;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["url"], honest.url);
    for _ in 0..20 {
        assert_eq!(get(format!("{}/order-service/health/live", gateway.url)).await?.status, 200);
    }
    Ok(())
}
