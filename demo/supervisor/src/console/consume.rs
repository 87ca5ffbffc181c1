//! `consume`: the records of a topic, a line each.

use super::broker::{Broker, BrokerArgs, config};
use super::format::RecordFormat;
use anyhow::{Context as _, bail};
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// How long joining a group may take before that counts as the silence of --timeout-ms.
const JOINING: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    broker: BrokerArgs,

    /// What to read
    #[arg(long)]
    topic: String,

    /// Begin with the first record, not with the next that comes (a group begins where it stopped, if it has read before)
    #[arg(long)]
    from_beginning: bool,

    /// Stop after so many records
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    max_messages: Option<u64>,

    /// Stop when no record has come for so long
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout_ms: Option<u64>,

    /// Read as a member of this consumer group, which remembers how far it has read
    #[arg(long, conflicts_with = "partition")]
    group: Option<String>,

    /// Only this partition
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,

    /// Where to begin in --partition: a number, earliest or latest
    #[arg(long, requires = "partition", conflicts_with = "from_beginning")]
    offset: Option<Begin>,

    /// What is printed: print.key=true, print.headers=true, print.timestamp=true, print.partition=true, print.offset=true,
    /// print.value=false, key.separator=X, ...
    #[arg(long, visible_alias = "formatter-property", value_name = "NAME=VALUE")]
    property: Vec<String>,

    /// Whether to print records of transactions that have not been committed
    #[arg(long, default_value = "read_uncommitted", value_parser = ["read_uncommitted", "read_committed"])]
    isolation_level: String,
}

/// Where to begin in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    Earliest,
    Latest,
    At(i64),
}

impl FromStr for Begin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            _ => match text.parse() {
                Ok(offset) if offset >= 0 => Ok(Self::At(offset)),
                _ => Err("an offset is a number from 0, earliest or latest".to_owned()),
            },
        }
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let format = RecordFormat::from_properties(&args.property)?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
    let broker = args.broker.connect()?;
    let consumer = consumer(&args, &broker)?;

    let mut read = 0;
    let mut out = std::io::stdout().lock();
    let mut quiet_until = args.timeout_ms.map(|_| Instant::now() + JOINING);
    if args.group.is_none() {
        quiet_until = deadline(&args);
    }
    let mut joined = args.group.is_none();
    loop {
        let silence = async {
            match quiet_until {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let message = tokio::select! {
            message = consumer.recv() => message,
            () = silence => break,
            // a group that has its partitions is no longer joining: from now on silence counts
            () = assigned(&consumer), if !joined => {
                joined = true;
                quiet_until = deadline(&args);
                continue;
            }
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        };
        let message = match message {
            Ok(message) => message,
            Err(KafkaError::MessageConsumption(code)) if may_pass(code) => continue,
            Err(error) => return Err(error).with_context(|| format!("reading {}", args.topic)),
        };
        if !write(&mut out, &format, &message)? {
            break;
        }
        if args.group.is_some() {
            consumer.store_offset_from_message(&message).context("remembering how far this was read")?;
        }
        read += 1;
        if args.max_messages.is_some_and(|most| read >= most) {
            break;
        }
        joined = true;
        quiet_until = deadline(&args);
    }
    match consumer.commit_consumer_state(CommitMode::Sync) {
        // nothing to tell: there is no group, or nothing was read since it was last told
        Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
        told if args.group.is_some() => told.context("telling the group how far this was read")?,
        _ => {}
    }
    eprintln!("Processed a total of {read} messages");
    Ok(())
}

fn deadline(args: &Args) -> Option<Instant> {
    args.timeout_ms.map(|millis| Instant::now() + Duration::from_millis(millis))
}

/// False if nobody reads any more, as behind `| head`.
fn write(
    out: &mut impl std::io::Write,
    format: &RecordFormat,
    message: &BorrowedMessage<'_>,
) -> anyhow::Result<bool> {
    // flushed at once: a person watches, or a pipe waits
    match out.write_all(&format.line(message)).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("writing"),
    }
}

/// Resolves when the group has given this member something to read.
async fn assigned(consumer: &StreamConsumer) {
    loop {
        if consumer.assignment().is_ok_and(|partitions| partitions.count() > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// librdkafka tells of broken connections, and mends them by itself.
fn may_pass(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
    )
}

fn consumer(args: &Args, broker: &Broker) -> anyhow::Result<StreamConsumer> {
    let topic = broker.topic(&args.topic)?;
    let mut config = config(&broker.address);
    config
        .set("isolation.level", &args.isolation_level)
        .set("auto.offset.reset", if args.from_beginning { "earliest" } else { "latest" })
        .set("session.timeout.ms", "6000")
        // a record counts as read when it was printed
        .set("enable.auto.offset.store", "false");
    let Some(group) = &args.group else {
        // without a group nothing is committed, and each partition is read directly
        let consumer: StreamConsumer =
            config.set("group.id", "demo-console").set("enable.auto.commit", "false").create()?;
        consumer.assign(&assignment(args, broker, &topic.partitions)?)?;
        return Ok(consumer);
    };
    let consumer: StreamConsumer =
        config.set("group.id", group).set("enable.auto.commit", "true").create()?;
    consumer.subscribe(&[&args.topic])?;
    Ok(consumer)
}

fn assignment(args: &Args, broker: &Broker, partitions: &[i32]) -> anyhow::Result<TopicPartitionList> {
    let mut assignment = TopicPartitionList::new();
    let begin = match args.offset {
        None if args.from_beginning => Begin::Earliest,
        None => Begin::Latest,
        Some(begin) => begin,
    };
    let wanted: Vec<i32> = match args.partition {
        Some(partition) if !partitions.contains(&partition) => {
            let last = partitions.last().copied().unwrap_or_default();
            bail!("{} has no partition {partition}; its partitions are 0 to {last}", args.topic);
        }
        Some(partition) => vec![partition],
        None => partitions.to_vec(),
    };
    for partition in wanted {
        let (first, next) = broker.offsets(&args.topic, partition)?;
        let offset = match begin {
            Begin::Earliest => first,
            Begin::Latest => next,
            Begin::At(offset) => offset,
        };
        assignment.add_partition_offset(&args.topic, partition, Offset::Offset(offset))?;
    }
    Ok(assignment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_number_or_an_end() {
        assert_eq!("earliest".parse(), Ok(Begin::Earliest));
        assert_eq!("latest".parse(), Ok(Begin::Latest));
        assert_eq!("17".parse(), Ok(Begin::At(17)));
        for wrong in ["-1", "first", ""] {
            assert!(wrong.parse::<Begin>().unwrap_err().contains("earliest or latest"));
        }
    }
}
