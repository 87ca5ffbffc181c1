//! Offsets of sinks' groups.

use super::{map, worker};
use connect_api::{ConfigMap, TopicPartition};
use connect_kafka::{KafkaGroupOffsets, RdKafkaClients};
use connect_runtime::ports::{GroupOffsets, GroupOffsetsError, KafkaClients, Rebalance, Subscription};
use std::time::Duration;
use testkit::kafka_client::{Record, create_topic, delete_topics, produce_all};
use testkit::{kafka, unique};

fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition }
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_listed_altered_and_deleted_while_nobody_reads() -> anyhow::Result<()> {
    let bootstrap = kafka()?;
    let (topic, none) = (unique("group_offsets"), ConfigMap::new());
    create_topic(&bootstrap, &topic, 2, &[]).await?;
    produce_all(&bootstrap, &topic, (0..20).map(|n| Record::new(n.to_string(), "v"))).await?;
    let offsets = KafkaGroupOffsets::new(&worker(&bootstrap, "workers"))?;
    let group = format!("connect-{topic}");
    let sorted = async || {
        let mut all = offsets.list(&group, &none).await.unwrap();
        all.sort_by_key(|(at, _)| at.partition);
        all
    };
    assert_eq!(sorted().await, [], "a group that does not exist has no offsets");
    offsets.delete(&group, &none).await?;

    let clients = RdKafkaClients::new(&map(&[("bootstrap.servers", &bootstrap)]))?;
    let subscription = Subscription::Topics(vec![topic.clone()]);
    let mut consumer = clients.sink_consumer(&topic, 0, &subscription, &none).await?;
    let mut read = 0;
    while read < 20 {
        if let Some(Rebalance::Assigned(_)) = consumer.rebalance() {
            consumer.assign(&[]).await?;
        }
        for record in consumer.poll(100, Duration::from_secs(10)).await? {
            read += 1;
            consumer.mark_done(&at(&topic, record.partition), record.offset + 1);
        }
    }
    consumer.commit().await?;
    let committed = sorted().await;
    assert_eq!(committed.iter().map(|(_, offset)| offset).sum::<i64>(), 20, "{committed:?}");

    // with an active member nothing is changed
    for change in [vec![(at(&topic, 0), Some(1))], vec![(at(&topic, 0), None)]] {
        let refused = offsets.alter(&group, change, &none).await.unwrap_err();
        assert!(matches!(&refused, GroupOffsetsError::NotEmpty(of) if *of == group), "{refused:?}");
    }
    let refused = offsets.delete(&group, &none).await.unwrap_err();
    assert!(matches!(refused, GroupOffsetsError::NotEmpty(_)), "{refused:?}");
    assert_eq!(sorted().await, committed);
    consumer.close().await;

    // one that does not exist spoils the whole change
    for unknown in [at(&topic, 9), at("no_such_topic_here", 0), at("no such name", 0)] {
        let change = vec![(at(&topic, 0), Some(1)), (unknown.clone(), Some(2))];
        let refused = offsets.alter(&group, change, &none).await.unwrap_err();
        assert!(matches!(&refused, GroupOffsetsError::UnknownPartition(at) if *at == unknown), "{refused:?}");
    }
    assert_eq!(sorted().await, committed);

    offsets.alter(&group, vec![(at(&topic, 0), Some(3)), (at(&topic, 1), None)], &none).await?;
    assert_eq!(sorted().await, [(at(&topic, 0), 3)]);
    offsets.delete(&group, &none).await?;
    assert_eq!(sorted().await, []);
    // a group that nobody has used yet can be given offsets, and asked to forget some it does not have
    offsets.alter(&group, vec![(at(&topic, 1), None)], &none).await?;
    offsets.alter(&group, vec![(at(&topic, 1), Some(5))], &none).await?;
    assert_eq!(sorted().await, [(at(&topic, 1), 5)]);
    offsets.delete(&group, &none).await?;

    // a connector may be on another cluster
    let elsewhere = map(&[("bootstrap.servers", "127.0.0.1:1"), ("request.timeout.ms", "100")]);
    let away = tokio::time::timeout(Duration::from_secs(60), offsets.list(&group, &elsewhere)).await?;
    assert!(away.unwrap_err().chain().contains("127.0.0.1:1"));
    delete_topics(&bootstrap, &[&topic]).await?;
    Ok(())
}
