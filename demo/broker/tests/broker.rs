//! What the platform needs of the broker, asked with the client that the platform uses.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Broker {
    child: Child,
    address: String,
}

impl Broker {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_embedded-broker"))
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("the one line").to_owned();
        Self { child, address }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        config
    }

    async fn create_topic(&self, name: &str, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let created = admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap();
        assert!(created.iter().all(Result::is_ok), "{created:?}");
    }

    async fn produce(&self, topic: &str, values: std::ops::Range<usize>) {
        let producer: FutureProducer =
            self.config().set("enable.idempotence", "true").set("acks", "all").create().unwrap();
        for value in values {
            let (key, value) = (format!("key-{value}"), value.to_string());
            let record = FutureRecord::to(topic).key(&key).payload(&value);
            producer.send(record, Duration::from_secs(10)).await.unwrap();
        }
    }

    fn member(&self, topic: &str) -> BaseConsumer {
        let consumer: BaseConsumer = self
            .config()
            .set("group.id", "readers")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "6000")
            .create()
            .unwrap();
        consumer.subscribe(&[topic]).unwrap();
        consumer
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until `count` records have come, and commits.
fn consume(consumer: &BaseConsumer, count: usize) -> Vec<usize> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut values = Vec::new();
    while values.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} records came", values.len());
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message.unwrap();
        values.push(std::str::from_utf8(message.payload().unwrap()).unwrap().parse().unwrap());
        consumer.commit_message(&message, CommitMode::Sync).unwrap();
    }
    values.sort_unstable();
    values
}

#[tokio::test]
async fn idempotent_records_come_through_a_group_that_continues_where_it_was() {
    let broker = Broker::start();
    broker.create_topic("orders", 6).await;
    broker.produce("orders", 0..50).await;
    let first = broker.member("orders");
    assert_eq!(consume(&first, 50), Vec::from_iter(0..50));
    drop(first);

    broker.produce("orders", 50..60).await;
    let second = broker.member("orders");
    assert_eq!(consume(&second, 10), Vec::from_iter(50..60), "only what the first had not committed");
}

#[tokio::test]
async fn records_sent_in_bursts_are_all_there() {
    let broker = Broker::start();
    broker.create_topic("decisions", 6).await;
    let producer: FutureProducer = broker
        .config()
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .create()
        .unwrap();
    for burst in 0..200 {
        let sent = (0..10).map(|value| {
            let value = (burst * 10 + value).to_string();
            let record = FutureRecord::to("decisions").key(&value).payload(&value);
            producer.send_result(record).unwrap()
        });
        for delivery in sent.collect::<Vec<_>>() {
            delivery.await.unwrap().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(consume(&broker.member("decisions"), 2_000), Vec::from_iter(0..2_000));
}

#[tokio::test]
async fn a_group_continues_in_the_middle_of_a_batch() {
    let broker = Broker::start();
    broker.create_topic("decisions", 1).await;
    let producer: FutureProducer =
        broker.config().set("enable.idempotence", "true").set("linger.ms", "200").create().unwrap();
    for batch in 0..3 {
        let sent = (0..10).map(|value| {
            let value = (batch * 10 + value).to_string();
            let record = FutureRecord::to("decisions").key("one").payload(&value);
            producer.send_result(record).unwrap()
        });
        for delivery in sent.collect::<Vec<_>>() {
            delivery.await.unwrap().unwrap();
        }
    }
    let first = broker.member("decisions");
    let ends = first.fetch_watermarks("decisions", 0, Duration::from_secs(10)).unwrap();
    assert_eq!(ends, (0, 30), "beginning and end of the partition");
    assert_eq!(consume(&first, 14), Vec::from_iter(0..14));
    drop(first);
    assert_eq!(consume(&broker.member("decisions"), 16), Vec::from_iter(14..30));
}

#[test]
fn a_taken_port_is_one_line_with_the_remedy() {
    let broker = Broker::start();
    let second = Command::new(env!("CARGO_BIN_EXE_embedded-broker"))
        .args(["--listen", &broker.address])
        .output()
        .unwrap();
    let error = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&broker.address) && error.contains("--listen"), "{error}");
}

#[test]
fn sigterm_ends_it_at_once_even_while_clients_are_connected() {
    let mut broker = Broker::start();
    let client: BaseConsumer = broker.config().create().unwrap();
    client.fetch_metadata(None, Duration::from_secs(10)).unwrap();
    let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &broker.child.id().to_string()]).status();
    assert!(told.unwrap().success());
    let asked = Instant::now();
    assert!(broker.child.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}
