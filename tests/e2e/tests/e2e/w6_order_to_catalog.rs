//! W6: an order lowers the stock, under the text's own names; nothing that is wrong with a record stops the consumer.

use crate::support::PATIENCE;
use crate::support::platform::Platform;
use testkit::{eventually, kafka_client};

#[tokio::test]
async fn an_order_lowers_the_stock_and_bad_records_stop_nothing() -> anyhow::Result<()> {
    let platform = Platform::new("example-catalog-topic", "consumerGroupId").await?;
    let orders = platform.order_service().await;
    let catalog = platform.catalog_service().await;
    catalog.create_product(1, 100).await?;
    catalog.create_product(2, 3).await?;

    let placed = orders.place("ann", 1, 2).await?;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let order = &placed.body;
    assert_eq!((&order["userId"], &order["productId"]), (&"ann".into(), &1.into()));
    assert_eq!((&order["qty"], &order["unitPrice"]), (&2.into(), &1500.into()));
    assert_eq!(order["totalPrice"], 3000);
    assert_eq!(order["status"], "PLACED");
    assert!(order["orderId"].is_string() && order["createdAt"].is_string(), "{order}");

    // shortage, unknown product, and four kinds of garbage
    let shortage = orders.place("ann", 2, 4).await?.body;
    let unknown = orders.place("ann", 99, 1).await?.body;
    type Bytes<'a> = Option<&'a [u8]>;
    let garbage: [(Bytes<'_>, Bytes<'_>); 4] = [
        (Some(b"k"), Some(b"{ not json")),
        (Some(b"k"), Some(b"\xff\xfe")),
        (Some(b"k"), None),
        (None, Some(br#"{"schema":{"type":"struct"},"payload":{"qty":1}}"#)),
    ];
    for (key, value) in garbage {
        kafka_client::produce(&platform.kafka, &platform.orders, key, value, &[]).await?;
    }
    let last = orders.place("ann", 1, 5).await?.body;

    eventually("the stock of product 1 to be 93", PATIENCE, async || {
        let stock = catalog.stock(1).await?;
        anyhow::ensure!(stock == 93, "{stock}");
        Ok(Some(()))
    })
    .await;
    eventually("every record to be finished", PATIENCE, async || {
        let committed = platform.committed().await?;
        anyhow::ensure!(committed == 8, "{committed} of 8");
        Ok(Some(()))
    })
    .await;
    assert_eq!(catalog.stock(2).await?, 3);

    let decisions = kafka_client::consume_all(&platform.kafka, &platform.decisions).await?;
    let outcome_of = |order: &serde_json::Value| {
        let id = order["orderId"].as_str().unwrap_or_default();
        let of_order: Vec<_> = decisions.iter().filter(|record| record.key_str() == Some(id)).collect();
        assert_eq!(of_order.len(), 1, "decisions on {id}");
        let payload = of_order[0].json().expect("a decision is JSON")["payload"].clone();
        (payload["outcome"].as_str().map(str::to_owned), payload["reason"].as_str().map(str::to_owned))
    };
    let rejected = |reason: &str| (Some("REJECTED".to_owned()), Some(reason.to_owned()));
    assert_eq!(outcome_of(order), (Some("CONFIRMED".into()), None));
    assert_eq!(outcome_of(&last), (Some("CONFIRMED".into()), None));
    assert_eq!(outcome_of(&shortage), rejected("INSUFFICIENT_STOCK"));
    assert_eq!(outcome_of(&unknown), rejected("UNKNOWN_PRODUCT"));
    assert_eq!(decisions.len(), 4);

    let dead = kafka_client::consume_all(&platform.kafka, &format!("{}.dlq", platform.orders)).await?;
    let mut values: Vec<_> =
        dead.iter().map(|record| (record.key.as_deref(), record.value.as_deref())).collect();
    let mut expected = garbage.to_vec();
    values.sort();
    expected.sort();
    assert_eq!(values, expected, "what could not be read is kept as it came");
    Ok(())
}
