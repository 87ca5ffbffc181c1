//! `produce`: a record for each line of the input.

use super::broker::{BrokerArgs, PATIENCE, config};
use super::lines::{LineFormat, Parsed};
use anyhow::Context as _;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use std::collections::VecDeque;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use tokio::sync::mpsc;

/// Lines that may be on their way at once.
const IN_FLIGHT: usize = 1000;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    broker: BrokerArgs,

    /// Where the records go
    #[arg(long)]
    topic: String,

    /// How a line is read: parse.key=true, key.separator=X (a tab unless given), parse.headers=true, null.marker=X, ...
    #[arg(long, visible_alias = "reader-property", value_name = "NAME=VALUE")]
    property: Vec<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let format = LineFormat::from_properties(&args.property)?;
    let broker = args.broker.connect()?;
    let topic = broker.topic(&args.topic)?.name.as_str();
    let producer: FutureProducer = config(&broker.address)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // the Java clients' choice of partition for a key
        .set("partitioner", "murmur2_random")
        .set("message.timeout.ms", PATIENCE.as_millis().to_string())
        .create()?;

    let at_terminal = std::io::stdin().is_terminal();
    let mut lines = lines(at_terminal);
    let mut sent: VecDeque<(u64, DeliveryFuture)> = VecDeque::new();
    let mut number = 0;
    let mut failed = None;
    while let Some(line) = lines.recv().await {
        number += 1;
        let record = match line.context("reading the input").and_then(|line| format.parse(&line, number)) {
            Ok(record) => record,
            // what was sent before is still waited for
            Err(error) => {
                failed = Some(error);
                break;
            }
        };
        sent.push_back((number, send(&producer, topic, &record)?));
        // a person wants to hear of a failure before typing the next line
        if at_terminal || sent.len() >= IN_FLIGHT {
            acknowledged(&mut sent, if at_terminal { 0 } else { IN_FLIGHT / 2 }).await?;
        }
    }
    acknowledged(&mut sent, 0).await?;
    failed.map_or(Ok(()), Err)
}

/// Waits until no more than `left` are on their way.
async fn acknowledged(sent: &mut VecDeque<(u64, DeliveryFuture)>, left: usize) -> anyhow::Result<()> {
    while sent.len() > left
        && let Some((number, delivery)) = sent.pop_front()
    {
        let delivered = delivery.await.context("the producer has gone")?;
        let delivered = delivered.map_err(|(error, _)| error);
        delivered.with_context(|| format!("line {number} was not acknowledged"))?;
    }
    Ok(())
}

fn send(producer: &FutureProducer, topic: &str, record: &Parsed) -> anyhow::Result<DeliveryFuture> {
    let mut message = FutureRecord::<[u8], [u8]>::to(topic);
    if let Some(key) = &record.key {
        message = message.key(key);
    }
    if let Some(value) = &record.value {
        message = message.payload(value);
    }
    if !record.headers.is_empty() {
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_ref() })
        });
        message = message.headers(headers);
    }
    producer.send_result(message).map_err(|(error, _)| error).context("sending")
}

/// The lines of the standard input, read on a thread of their own: the broker is to be talked to meanwhile. A terminal
/// is shown the prompt of Kafka's console producer.
fn lines(prompt: bool) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        loop {
            if prompt {
                print!(">");
                // a prompt that cannot be shown is no reason to stop
                let _ = std::io::stdout().flush();
            }
            let mut line = Vec::new();
            let line = match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => {
                    if line.ends_with(b"\n") {
                        line.pop();
                    }
                    if line.ends_with(b"\r") {
                        line.pop();
                    }
                    Ok(line)
                }
                Err(error) => Err(error),
            };
            let last = line.is_err();
            if sender.blocking_send(line).is_err() || last {
                return;
            }
        }
    });
    receiver
}
