//! Finding the broker and a topic, with errors that a beginner can act on.

use super::Which;
use anyhow::{Context as _, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long a broker may take for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, clap::Args)]
pub(super) struct BrokerArgs {
    /// The Kafka to talk to: HOST:PORT, several with commas; that of the running demo unless given
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_server: Option<String>,

    #[command(flatten)]
    which: Which,
}

/// A topic with the numbers of its partitions.
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) partitions: Vec<i32>,
}

/// A broker that has answered.
pub(super) struct Broker {
    pub(super) address: String,
    /// Asks for metadata and watermarks; joins no group.
    pub(super) client: BaseConsumer,
    topics: Vec<Topic>,
}

impl BrokerArgs {
    fn address(&self) -> String {
        let running = || self.which.find().ok().map(|demo| demo.bootstrap);
        let default = || format!("127.0.0.1:{}", 9092 + self.which.port_offset);
        self.bootstrap_server.clone().or_else(running).unwrap_or_else(default)
    }

    /// Connects, and learns which topics there are.
    pub(super) fn connect(&self) -> anyhow::Result<Broker> {
        let address = self.address();
        let absent = || match self.bootstrap_server {
            Some(_) => format!("no Kafka answers at {address}"),
            None => format!(
                "no broker answers at {address}: is `cargo demo` running in another terminal? (another Kafka: \
                 --bootstrap-server HOST:PORT)"
            ),
        };
        // librdkafka would try for as long as it may; a port where nobody listens is known at once
        if !reachable(&address) {
            bail!(absent());
        }
        // librdkafka wants a group id of every consumer; nothing is committed, so no such group comes to exist
        let client: BaseConsumer = config(&address)
            .set("group.id", "demo-console")
            .set("enable.auto.commit", "false")
            .create()
            .with_context(|| format!("--bootstrap-server {address}"))?;
        let metadata = client.fetch_metadata(None, PATIENCE).map_err(|error| anyhow::anyhow!(error));
        let metadata = metadata.with_context(absent)?;
        let topics = metadata.topics().iter().map(|topic| {
            let mut partitions: Vec<i32> =
                topic.partitions().iter().map(|partition| partition.id()).collect();
            partitions.sort_unstable();
            Topic { name: topic.name().to_owned(), partitions }
        });
        let mut topics: Vec<Topic> = topics.collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Broker { address, client, topics })
    }
}

impl Broker {
    /// All topics but those that Kafka keeps for itself.
    pub(super) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.iter().filter(|topic| !topic.name.starts_with("__"))
    }

    /// Fails with the names of those there are.
    pub(super) fn topic(&self, name: &str) -> anyhow::Result<&Topic> {
        self.topics.iter().find(|topic| topic.name == name).with_context(|| {
            let names: Vec<&str> = self.topics().map(|topic| topic.name.as_str()).collect();
            let there_are = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            format!(
                "there is no topic {name:?} at {}; there are: {there_are} (a new one: `cargo demo -- topics --create \
                 --topic {name}`)",
                self.address
            )
        })
    }

    /// The first offset of a partition, and the one after its last.
    pub(super) fn offsets(&self, topic: &str, partition: i32) -> anyhow::Result<(i64, i64)> {
        let offsets = self.client.fetch_watermarks(topic, partition, PATIENCE);
        offsets.with_context(|| format!("asking for the offsets of {topic}, partition {partition}"))
    }
}

pub(super) fn config(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address)
        .set("client.id", "demo-console")
        // librdkafka writes connection errors to stderr, between our lines; ours say enough
        .set("log_level", "0");
    config
}

fn reachable(addresses: &str) -> bool {
    const PATIENCE: Duration = Duration::from_secs(3);
    let resolved = addresses.split(',').filter_map(|address| address.trim().to_socket_addrs().ok());
    resolved.flatten().any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}
