//! connect-kafka and the sink task loop on a real broker.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, PutError, Rejected, SinkRecord, SinkTask, SinkTaskContext, TopicPartition, Value,
};
use connect_kafka::RdKafkaClients;
use connect_runtime::control::TaskControl;
use connect_runtime::errors::ErrorPolicy;
use connect_runtime::ports::{
    KafkaClients, OutgoingRecord, RawRecord, Rebalance, SinkConsumer, Subscription,
};
use connect_runtime::secrets::Secrets;
use connect_runtime::sink_task::{SinkTaskSpec, TaskObserver, run};
use testkit::kafka_client::{
    Record, committed, consume_all, create_topic, delete_topics, group, produce_all,
};
use testkit::{eventually, kafka, unique};
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(30);

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn clients() -> RdKafkaClients {
    RdKafkaClients::new(&map(&[("bootstrap.servers", &kafka().unwrap())])).unwrap()
}

/// A consumer whose rebalances are completed as they come.
struct Member {
    inner: Box<dyn SinkConsumer>,
    lost: Vec<TopicPartition>,
    /// That were completed.
    rebalances: usize,
}

impl Member {
    async fn join(
        connector: &str,
        task: usize,
        subscription: Subscription,
        overrides: &[(&str, &str)],
    ) -> Self {
        let inner = clients().sink_consumer(connector, task, &subscription, &map(overrides)).await.unwrap();
        Self { inner, lost: Vec::new(), rebalances: 0 }
    }

    async fn poll(&mut self, max_records: usize, wait: Duration) -> anyhow::Result<Vec<RawRecord>> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut records = self.inner.poll(max_records, left).await?;
            let mut completed = false;
            while let Some(rebalance) = self.inner.rebalance() {
                completed = true;
                self.rebalances += 1;
                match rebalance {
                    Rebalance::Assigned(_) => self.inner.assign(&[]).await?,
                    Rebalance::Revoked(taken) => {
                        self.inner.revoke().await?;
                        records.retain(|record| {
                            !taken.contains(&TopicPartition {
                                topic: record.topic.clone(),
                                partition: record.partition,
                            })
                        });
                        self.lost.extend(taken);
                    }
                }
            }
            if !completed || !records.is_empty() {
                return Ok(records);
            }
        }
    }

    fn take_revoked(&mut self) -> Vec<TopicPartition> {
        std::mem::take(&mut self.lost)
    }
}

impl std::ops::Deref for Member {
    type Target = Box<dyn SinkConsumer>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl std::ops::DerefMut for Member {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

async fn consumer(connector: &str, task: usize, subscription: Subscription) -> Member {
    Member::join(connector, task, subscription, &[]).await
}

fn only(topic: &str) -> Subscription {
    Subscription::Topics(vec![topic.to_owned()])
}

async fn topic(partitions: i32) -> String {
    let name = unique("connect_kafka");
    create_topic(&kafka().unwrap(), &name, partitions, &[]).await.unwrap();
    name
}

/// Records 0..n with their number as key, spread over the partitions.
async fn fill(topic: &str, numbers: std::ops::Range<i64>) {
    let records = numbers.map(|number| Record::new(number.to_string(), format!("{{\"n\":{number}}}")));
    produce_all(&kafka().unwrap(), topic, records).await.unwrap();
}

/// Polls until `n` records are there or nothing came for ten seconds.
async fn read(consumer: &mut Member, n: usize) -> Vec<RawRecord> {
    let mut records = Vec::new();
    while records.len() < n {
        let more = consumer.poll(500, Duration::from_secs(10)).await.unwrap();
        if more.is_empty() {
            break;
        }
        assert!(more.len() <= 500);
        records.extend(more);
    }
    records
}

fn mark(consumer: &mut Member, records: &[RawRecord]) {
    for record in records {
        let partition = TopicPartition { topic: record.topic.clone(), partition: record.partition };
        consumer.mark_done(&partition, record.offset + 1);
    }
}

fn keys(records: &[RawRecord]) -> BTreeSet<String> {
    records.iter().map(|record| String::from_utf8_lossy(record.key.as_ref().unwrap()).into_owned()).collect()
}

async fn sum_committed(connector: &str, topic: &str) -> i64 {
    let offsets = committed(&kafka().unwrap(), &format!("connect-{connector}"), topic).await.unwrap();
    offsets.values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_marked_is_committed_and_the_next_member_goes_on_there() {
    let topic = topic(3).await;
    fill(&topic, 0..1200).await;
    let mut first = consumer(&topic, 0, only(&topic)).await;
    let records = read(&mut first, 1200).await;
    assert_eq!(keys(&records).len(), 1200);
    let (done, open): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| record.offset < 100);
    mark(&mut first, &done);
    let began = Instant::now();
    first.close().await;
    assert!(began.elapsed() < Duration::from_secs(5), "left after {:?}", began.elapsed());
    assert_eq!(sum_committed(&topic, &topic).await, 300);
    assert_eq!(group(&kafka().unwrap(), &format!("connect-{topic}")).await.unwrap().members, 0);

    let mut second = consumer(&topic, 0, only(&topic)).await;
    let again = read(&mut second, open.len()).await;
    assert_eq!(keys(&again), keys(&open));
    // nothing marked, nothing committed
    second.commit().await.unwrap();
    second.close().await;
    assert_eq!(sum_committed(&topic, &topic).await, 300);
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_come_whole() {
    let topic = topic(1).await;
    let headers = vec![("h".to_owned(), b"1".to_vec()), ("h".to_owned(), b"2".to_vec())];
    let records = [
        Record { headers, ..Record::new("k", "v") },
        Record { key: None, value: None, ..Record::default() },
        Record::new("", ""),
        Record::new("only a key", vec![0_u8, 255]),
    ];
    produce_all(&kafka().unwrap(), &topic, records).await.unwrap();
    let mut consumer = consumer(&topic, 0, only(&topic)).await;
    let read = read(&mut consumer, 4).await;
    let seen: Vec<_> = read.iter().map(|r| (r.offset, r.key.as_deref(), r.value.as_deref())).collect();
    type Seen<'a> = (i64, Option<&'a [u8]>, Option<&'a [u8]>);
    let expected: Vec<Seen<'_>> = vec![
        (0, Some(b"k"), Some(b"v")),
        (1, None, None),
        (2, Some(b""), Some(b"")),
        (3, Some(b"only a key"), Some(&[0, 255])),
    ];
    assert_eq!(seen, expected);
    let header = |value: &'static [u8]| ("h".to_owned(), Some(bytes::Bytes::from_static(value)));
    assert_eq!(read[0].headers, [header(b"1"), header(b"2")]);
    assert!(read.iter().all(|record| record.timestamp.is_some_and(|millis| millis > 1_600_000_000_000)));
    consumer.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_later_is_found_within_seconds() {
    let (early, late) = (topic(1).await, unique("connect_kafka_late"));
    let both = Subscription::Topics(vec![early.clone(), late.clone()]);
    let mut consumer = consumer(&early, 0, both).await;
    fill(&early, 0..3).await;
    let records = read(&mut consumer, 3).await;
    assert_eq!(records.len(), 3);
    mark(&mut consumer, &records);
    assert_eq!(consumer.poll(10, Duration::from_secs(4)).await.unwrap(), []);
    create_topic(&kafka().unwrap(), &late, 2, &[]).await.unwrap();
    fill(&late, 0..10).await;
    let began = Instant::now();
    assert_eq!(read(&mut consumer, 10).await.len(), 10);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    consumer.close().await;
    delete_topics(&kafka().unwrap(), &[&early, &late]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_matches_whole_names() {
    let stem = unique("connect_kafka_re");
    let names = [format!("{stem}_1"), format!("{stem}_22"), format!("{stem}_x"), format!("{stem}_1_no")];
    for name in &names {
        create_topic(&kafka().unwrap(), name, 1, &[]).await.unwrap();
        fill(name, 0..1).await;
    }
    let mut consumer = consumer(&stem, 0, Subscription::Pattern(format!("(?:{stem})_\\d+"))).await;
    let mut records = read(&mut consumer, 2).await;
    records.extend(consumer.poll(10, Duration::from_secs(3)).await.unwrap());
    let topics: BTreeSet<_> = records.iter().map(|record| record.topic.to_string()).collect();
    assert_eq!(topics, BTreeSet::from([names[0].clone(), names[1].clone()]));
    consumer.close().await;
    delete_topics(&kafka().unwrap(), &names.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
}

/// A consumer that begins at the end where nothing is committed.
async fn late_consumer(connector: &str, task: usize) -> Member {
    Member::join(connector, task, only(connector), &[("auto.offset.reset", "latest")]).await
}

async fn until_assigned(consumer: &mut Member, topic: &str) {
    let began = Instant::now();
    while group(&kafka().unwrap(), &format!("connect-{topic}")).await.unwrap().state != "Stable" {
        assert_eq!(consumer.poll(500, Duration::from_millis(100)).await.unwrap(), []);
        assert!(began.elapsed() < LONG);
    }
    // the group is stable when the coordinator has answered, the callback comes with the next polls
    assert_eq!(consumer.poll(500, Duration::from_secs(1)).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_begins_at_the_end_misses_nothing_while_it_is_down() {
    let topic = topic(3).await;
    fill(&topic, 0..30).await;
    let mut first = late_consumer(&topic, 0).await;
    until_assigned(&mut first, &topic).await;
    assert_eq!(sum_committed(&topic, &topic).await, 0);
    first.close().await;
    assert_eq!(sum_committed(&topic, &topic).await, 30);

    fill(&topic, 30..50).await;
    let mut second = late_consumer(&topic, 0).await;
    let records = read(&mut second, 20).await;
    assert_eq!(keys(&records), (30..50).map(|number| number.to_string()).collect());
    // read, but not done
    second.commit().await.unwrap();
    second.close().await;
    assert_eq!(sum_committed(&topic, &topic).await, 30);
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_sink_begins_is_committed_before_partitions_are_taken_away() {
    let topic = topic(2).await;
    fill(&topic, 0..20).await;
    let mut first = late_consumer(&topic, 0).await;
    until_assigned(&mut first, &topic).await;
    first.pause().unwrap();
    let mut second = late_consumer(&topic, 1).await;
    let began = Instant::now();
    while first.take_revoked().is_empty() && began.elapsed() < LONG {
        assert_eq!(first.poll(500, Duration::from_millis(100)).await.unwrap(), []);
        assert_eq!(second.poll(500, Duration::from_millis(100)).await.unwrap(), []);
    }
    assert_eq!(sum_committed(&topic, &topic).await, 20);
    fill(&topic, 20..40).await;
    first.resume().unwrap();
    let (mut records, began) = (Vec::new(), Instant::now());
    while keys(&records).len() < 20 && began.elapsed() < LONG {
        records.extend(first.poll(500, Duration::from_millis(200)).await.unwrap());
        records.extend(second.poll(500, Duration::from_millis(200)).await.unwrap());
    }
    assert_eq!(keys(&records), (20..40).map(|number| number.to_string()).collect());
    first.close().await;
    second.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_partitions_are_taken_away_what_is_done_is_committed_first() {
    let topic = topic(4).await;
    fill(&topic, 0..400).await;
    let mut first = consumer(&topic, 0, only(&topic)).await;
    let records = read(&mut first, 400).await;
    assert_eq!(records.len(), 400);
    mark(&mut first, &records);
    first.take_revoked();
    assert_eq!(sum_committed(&topic, &topic).await, 0);

    let mut second = consumer(&topic, 1, only(&topic)).await;
    let mut lost = Vec::new();
    let began = Instant::now();
    let mut second_records = Vec::new();
    // both have to poll for the group to come to an end
    while began.elapsed() < Duration::from_secs(15) {
        let more = first.poll(500, Duration::from_millis(200)).await.unwrap();
        assert_eq!(more, [], "committed records came again");
        lost.extend(first.take_revoked());
        second_records.extend(second.poll(500, Duration::from_millis(200)).await.unwrap());
        let members = group(&kafka().unwrap(), &format!("connect-{topic}")).await.unwrap();
        if members.members == 2 && members.state == "Stable" && !lost.is_empty() {
            break;
        }
    }
    assert_eq!(lost.len(), 4, "{lost:?}");
    assert_eq!(second_records, []);
    assert_eq!(sum_committed(&topic, &topic).await, 400);

    // both go on with their share
    fill(&topic, 400..800).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while ours.len() + theirs.len() < 400 && began.elapsed() < LONG {
        ours.extend(first.poll(500, Duration::from_millis(200)).await.unwrap());
        theirs.extend(second.poll(500, Duration::from_millis(200)).await.unwrap());
    }
    assert!(!ours.is_empty() && !theirs.is_empty());
    let all: BTreeSet<_> = keys(&ours).union(&keys(&theirs)).cloned().collect();
    assert_eq!((all.len(), ours.len() + theirs.len()), (400, 400));
    first.close().await;
    second.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_consumer_rests_and_goes_on_without_loss_or_repetition() {
    let topic = topic(2).await;
    fill(&topic, 0..1000).await;
    let mut consumer = consumer(&topic, 0, only(&topic)).await;
    let mut records = consumer.poll(10, LONG).await.unwrap();
    assert!(!records.is_empty());
    consumer.pause().unwrap();
    fill(&topic, 1000..1100).await;
    for _ in 0..5 {
        assert_eq!(consumer.poll(10, Duration::from_millis(300)).await.unwrap(), []);
    }
    consumer.resume().unwrap();
    let missing = 1100 - records.len();
    records.extend(read(&mut consumer, missing).await);
    assert_eq!(records.len(), 1100);
    let mut next = HashMap::new();
    for record in &records {
        let expected = next.entry(record.partition).or_insert(0);
        assert_eq!(record.offset, *expected, "partition {}", record.partition);
        *expected += 1;
    }
    consumer.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

async fn until_rebalance(consumer: &mut dyn SinkConsumer) -> Rebalance {
    let began = Instant::now();
    loop {
        if let Some(rebalance) = consumer.rebalance() {
            return rebalance;
        }
        assert_eq!(consumer.poll(500, Duration::from_millis(200)).await.unwrap(), []);
        assert!(began.elapsed() < LONG);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_waits_until_what_is_being_written_is_done() {
    let topic = topic(2).await;
    fill(&topic, 0..100).await;
    for strategy in ["RangeAssignor", "CooperativeStickyAssignor"] {
        let name = format!("{topic}-{strategy}");
        let strategy = format!("org.apache.kafka.clients.consumer.{strategy}");
        let overrides = [("partition.assignment.strategy", &*strategy)];
        let mut first = Member::join(&name, 0, only(&topic), &overrides).await;
        let records = read(&mut first, 100).await;
        assert_eq!(records.len(), 100);
        let mut second = Member::join(&name, 1, only(&topic), &overrides).await;
        let joining = async {
            let mut read = Vec::new();
            let began = Instant::now();
            while second.rebalances < 1 && began.elapsed() < LONG {
                read.extend(second.poll(500, Duration::from_millis(100)).await.unwrap());
            }
            // what comes before the next share of a cooperative group is none
            (second, read)
        };
        let writing = async {
            let revoked = until_rebalance(&mut **first).await;
            let Rebalance::Revoked(taken) = revoked else { panic!("{revoked:?}") };
            // the put goes on, and nobody else reads meanwhile
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(sum_committed(&name, &topic).await, 0, "{strategy}");
            mark(&mut first, &records);
            first.revoke().await.unwrap();
            for _ in 0..30 {
                assert_eq!(first.poll(500, Duration::from_millis(100)).await.unwrap(), [], "{taken:?}");
            }
            first
        };
        let ((mut second, read), mut first) = tokio::join!(joining, writing);
        assert_eq!(read, [], "{strategy}");
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            assert_eq!(second.poll(500, Duration::from_millis(100)).await.unwrap(), [], "{strategy}");
            assert_eq!(first.poll(500, Duration::from_millis(100)).await.unwrap(), [], "{strategy}");
        }
        first.close().await;
        second.close().await;
        assert_eq!(sum_committed(&name, &topic).await, 100, "{strategy}");
    }
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_closed_while_a_rebalance_waits_leaves_at_once() {
    let topic = topic(2).await;
    fill(&topic, 0..20).await;
    let mut first = consumer(&topic, 0, only(&topic)).await;
    until_rebalance(&mut **first).await;
    let began = Instant::now();
    first.close().await;
    assert!(began.elapsed() < Duration::from_secs(5), "left after {:?}", began.elapsed());

    let mut second = consumer(&topic, 0, only(&topic)).await;
    assert_eq!(read(&mut second, 20).await.len(), 20);
    let mut third = consumer(&topic, 1, only(&topic)).await;
    let (_, ()) = tokio::join!(until_rebalance(&mut **second), async {
        third.poll(1, Duration::from_secs(2)).await.unwrap();
    });
    let began = Instant::now();
    second.close().await;
    assert!(began.elapsed() < Duration::from_secs(5), "left after {:?}", began.elapsed());
    assert_eq!(keys(&read(&mut third, 20).await).len(), 20, "nothing was marked");
    third.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_begins_where_the_task_says_and_goes_on_where_it_sends_the_consumer() {
    let topic = topic(2).await;
    let mut records: Vec<Record> = (0..40).map(|n| Record::new(n.to_string(), "v")).collect();
    records.iter_mut().enumerate().for_each(|(n, record)| record.partition = Some((n % 2) as i32));
    produce_all(&kafka().unwrap(), &topic, records).await.unwrap();
    let at = |partition, offset| (TopicPartition { topic: topic.as_str().into(), partition }, offset);
    let mut consumer = consumer(&topic, 0, only(&topic)).await;
    let Rebalance::Assigned(given) = until_rebalance(&mut **consumer).await else { panic!("not assigned") };
    assert_eq!(given.len(), 2);
    consumer.assign(&[at(1, 15)]).await.unwrap();
    consumer.commit().await.unwrap();
    let group = format!("connect-{topic}");
    let committed_now = committed(&kafka().unwrap(), &group, &topic).await.unwrap();
    assert_eq!(committed_now.get(&1), Some(&15), "{committed_now:?}");
    let places = |records: &[RawRecord]| {
        let mut places: Vec<_> = records.iter().map(|record| (record.partition, record.offset)).collect();
        places.sort();
        places
    };
    let from = |first: i64, second: i64| -> Vec<(i32, i64)> {
        (first..20).map(|offset| (0, offset)).chain((second..20).map(|offset| (1, offset))).collect()
    };
    assert_eq!(places(&read(&mut consumer, 25).await), from(0, 15));
    // backwards, also of what was fetched and not polled, and one that is not ours
    consumer.seek(&[at(0, 3), at(1, 18), at(7, 0)]).await.unwrap();
    assert_eq!(consumer.poll(1, Duration::from_secs(10)).await.unwrap().len(), 1);
    consumer.seek(&[at(0, 19), at(1, 2)]).await.unwrap();
    assert_eq!(places(&read(&mut consumer, 19).await), from(19, 2));
    // after a pause, too
    consumer.pause().unwrap();
    consumer.resume().unwrap();
    consumer.seek(&[at(0, 10), at(1, 20)]).await.unwrap();
    assert_eq!(places(&read(&mut consumer, 10).await), from(10, 20));
    consumer.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

/// In librdkafka a pause outlives the assignment: a partition that is lost while paused and comes back after the resume
/// would stay silent.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_lost_while_paused_is_read_when_it_comes_back() {
    let topic = topic(2).await;
    let mut first = consumer(&topic, 0, only(&topic)).await;
    fill(&topic, 0..20).await;
    let records = read(&mut first, 20).await;
    assert_eq!(records.len(), 20);
    mark(&mut first, &records);
    first.take_revoked();

    first.pause().unwrap();
    let mut second = consumer(&topic, 1, only(&topic)).await;
    let began = Instant::now();
    let mut lost = Vec::new();
    while lost.is_empty() && began.elapsed() < LONG {
        assert_eq!(first.poll(500, Duration::from_millis(100)).await.unwrap(), []);
        second.poll(500, Duration::from_millis(100)).await.unwrap();
        lost.extend(first.take_revoked());
    }
    assert_eq!(lost.len(), 2, "the second member took its share");
    // until both have their new share, so that the resume finds one partition gone
    while group(&kafka().unwrap(), &format!("connect-{topic}")).await.unwrap().state != "Stable" {
        first.poll(500, Duration::from_millis(100)).await.unwrap();
        second.poll(500, Duration::from_millis(100)).await.unwrap();
    }
    for _ in 0..10 {
        first.poll(500, Duration::from_millis(100)).await.unwrap();
        second.poll(500, Duration::from_millis(100)).await.unwrap();
    }
    first.resume().unwrap();
    second.close().await;

    fill(&topic, 20..60).await;
    // the second's share comes back with the next rebalance, which a busy machine may take its time for
    let mut records = Vec::new();
    let began = Instant::now();
    while keys(&records).len() < 40 && began.elapsed() < 2 * LONG {
        records.extend(first.poll(500, Duration::from_secs(1)).await.unwrap());
    }
    assert_eq!(keys(&records).len(), 40, "both partitions are read again");
    first.close().await;
    delete_topics(&kafka().unwrap(), &[&topic]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_letter_topic_is_made_and_written() {
    let clients = clients();
    let name = unique("connect_kafka_dlq");
    let error = clients.ensure_topic(&name, 1, 3).await.unwrap_err().chain();
    assert!(error.contains("errors.deadletterqueue.topic.replication.factor"), "{error}");
    for _ in 0..2 {
        clients.ensure_topic(&name, 1, 1).await.unwrap();
    }
    let producer = clients.dead_letter_producer("c", 0, &ConfigMap::new()).await.unwrap();
    let record = OutgoingRecord {
        timestamp: Some(1_700_000_000_123),
        key: Some("k".into()),
        value: None,
        headers: vec![("h".into(), Some("1".into())), ("h".into(), None)],
    };
    producer.send(&name, record).await.unwrap();
    let written = consume_all(&kafka().unwrap(), &name).await.unwrap();
    assert_eq!(written.len(), 1);
    assert_eq!((written[0].key_str(), written[0].value.as_deref()), (Some("k"), None));
    assert_eq!(written[0].headers, [("h".to_owned(), Some(b"1".to_vec())), ("h".to_owned(), None)]);
    assert!(clients.cluster_id().await.unwrap().is_some_and(|id| !id.is_empty()));
    delete_topics(&kafka().unwrap(), &[&name]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_every_question_ends() {
    let bootstrap = format!("127.0.0.1:{}", testkit::free_port());
    let clients = RdKafkaClients::new(&map(&[("bootstrap.servers", &bootstrap)])).unwrap();
    let began = Instant::now();
    let (id, topic) = tokio::join!(clients.cluster_id(), clients.ensure_topic("t", 1, 1));
    for error in [id.unwrap_err(), topic.unwrap_err()] {
        assert!(error.chain().contains(&bootstrap), "{}", error.chain());
    }
    let mut consumer = clients.sink_consumer("c", 0, &only("t"), &ConfigMap::new()).await.unwrap();
    assert_eq!(consumer.poll(10, Duration::from_secs(2)).await.unwrap(), []);
    consumer.close().await;
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
}

/// Keeps the `n` of every record.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<Vec<Value>>>);

#[async_trait]
impl SinkTask for Numbers {
    async fn start(&mut self, _: SinkTaskContext, _: &ConfigMap) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        self.0.lock().unwrap().extend(records.iter().map(|record| record.value.clone()));
        Ok(Vec::new())
    }

    async fn stop(&mut self) {}
}

struct Nobody;

impl TaskObserver for Nobody {
    fn on_running(&self) {}
    fn on_paused(&self) {}
    fn on_topic(&self, _: &Arc<str>) {}
    fn on_retrying(&self, _: Duration, _: &str) {}
    fn on_bad_records(&self, _: u64, _: u64) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_from_topic_to_sink_and_dead_letter_topic() {
    let (topic, dlq) = (topic(1).await, unique("connect_kafka_dlq"));
    fill(&topic, 0..5).await;
    produce_all(&kafka().unwrap(), &topic, [Record::new("5", "{no json")]).await.unwrap();
    fill(&topic, 6..10).await;
    let numbers = Numbers::default();
    let converter =
        || connect_converters::create("JsonConverter", &map(&[("schemas.enable", "false")]), false).unwrap();
    let errors = map(&[
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &dlq),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    let spec = SinkTaskSpec {
        connector: topic.clone(),
        task: 0,
        subscription: only(&topic),
        key_converter: connect_converters::create("StringConverter", &ConfigMap::new(), true).unwrap(),
        value_converter: converter(),
        sink: Box::new(numbers.clone()),
        task_class: "org.example.Task".into(),
        config: ConfigMap::new(),
        errors: ErrorPolicy::from_config(&errors).unwrap(),
        clients: Arc::new(clients()),
        consumer_overrides: ConfigMap::new(),
        producer_overrides: ConfigMap::new(),
        commit_interval: Duration::from_secs(60),
        shutdown_grace: Duration::from_secs(5),
        max_poll_records: 500,
        secrets: Secrets::default(),
    };
    let stop = CancellationToken::new();
    let control = TaskControl::never_paused(stop.clone());
    let task = tokio::spawn(run(spec, control, Arc::new(Nobody)));
    eventually("nine numbers in the sink", LONG, async || {
        Ok((numbers.0.lock().unwrap().len() == 9).then_some(()))
    })
    .await;
    stop.cancel();
    task.await.unwrap().unwrap();
    assert_eq!(sum_committed(&topic, &topic).await, 10);
    let dead = consume_all(&kafka().unwrap(), &dlq).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].key_str(), dead[0].value_str()), (Some("5"), Some("{no json")));
    assert_eq!(dead[0].header("__connect.errors.topic"), Some(&*topic));
    assert_eq!(dead[0].header("__connect.errors.offset"), Some("5"));
    assert_eq!(dead[0].header("__connect.errors.stage"), Some("VALUE_CONVERTER"));
    delete_topics(&kafka().unwrap(), &[&topic, &dlq]).await.unwrap();
}
