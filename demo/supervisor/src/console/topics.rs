//! `topics`: which topics there are, and how much is in them.

use super::broker::{Broker, BrokerArgs, Topic, config};
use super::table;
use anyhow::{Context as _, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    broker: BrokerArgs,

    /// Only this topic
    #[arg(long)]
    topic: Option<String>,

    /// A line per partition, with its offsets
    #[arg(long, conflicts_with = "create")]
    describe: bool,

    /// As without it; Kafka's tool wants to be told
    #[arg(long, conflicts_with_all = ["describe", "create"])]
    list: bool,

    /// Create --topic
    #[arg(long, requires = "topic")]
    create: bool,

    /// Partitions of the new topic
    #[arg(long, requires = "create", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    partitions: i32,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let broker = args.broker.connect()?;
    if let (true, Some(name)) = (args.create, &args.topic) {
        return create(&broker, name, args.partitions).await;
    }
    let topics: Vec<&Topic> = match &args.topic {
        Some(name) => vec![broker.topic(name)?],
        None => broker.topics().collect(),
    };
    let text = if args.describe { describe(&broker, &topics)? } else { list(&broker, &topics)? };
    print!("{text}");
    Ok(())
}

fn list(broker: &Broker, topics: &[&Topic]) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for topic in topics {
        let mut records = 0;
        for partition in &topic.partitions {
            let (first, next) = broker.offsets(&topic.name, *partition)?;
            records += next - first;
        }
        rows.push(vec![topic.name.clone(), topic.partitions.len().to_string(), records.to_string()]);
    }
    Ok(table::text(&["TOPIC", "PARTITIONS", "RECORDS"], &rows))
}

fn describe(broker: &Broker, topics: &[&Topic]) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for topic in topics {
        for partition in &topic.partitions {
            let (first, next) = broker.offsets(&topic.name, *partition)?;
            let numbers = [i64::from(*partition), first, next, next - first];
            let cells = numbers.iter().map(ToString::to_string);
            rows.push(std::iter::once(topic.name.clone()).chain(cells).collect());
        }
    }
    Ok(table::text(&["TOPIC", "PARTITION", "FIRST-OFFSET", "NEXT-OFFSET", "RECORDS"], &rows))
}

async fn create(broker: &Broker, name: &str, partitions: i32) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = config(&broker.address).create()?;
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().request_timeout(Some(super::broker::PATIENCE));
    let created = admin.create_topics([&topic], &options).await.context("creating the topic")?;
    if let Some(Err((_, code))) = created.into_iter().next() {
        bail!("the topic {name:?} was not created: {code}");
    }
    println!("Created topic {name}.");
    Ok(())
}
