//! Files that grow, and when their lines arrive in the topic. A line is the connector's name and a number that counts up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::wait::until;

pub(crate) fn append(file: &Path, connector: &str, number: u64) -> anyhow::Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(format!("{connector} {number}\n").as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}

#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) connector: String,
    pub(crate) number: u64,
}

/// Reads a topic from its beginning in a thread of its own.
pub(crate) struct Tail {
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    end: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Tail {
    pub(crate) fn start(bootstrap: &str, topic: &str) -> anyhow::Result<Tail> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("client.id", "bench")
            .set("group.id", "bench")
            .set("enable.auto.commit", "false")
            .create()
            .context("cannot create a consumer")?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, 0, Offset::Beginning)?;
        consumer.assign(&assignment).with_context(|| format!("cannot read {topic}"))?;
        let (arrivals, end) = (Arc::<Mutex<Vec<Arrival>>>::default(), Arc::<AtomicBool>::default());
        let (into, ended) = (arrivals.clone(), end.clone());
        let reader = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                // An error here is about a connection, which librdkafka makes again.
                let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
                let at = Instant::now();
                let Some((connector, number)) = message.payload().and_then(parse) else { continue };
                if let Ok(mut arrivals) = into.lock() {
                    arrivals.push(Arrival { at, connector, number });
                }
            }
        });
        Ok(Tail { arrivals, end, reader: Some(reader) })
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().map(|arrivals| arrivals.clone()).unwrap_or_default()
    }

    /// Waits for one line.
    pub(crate) async fn line(&self, connector: &str, number: u64) -> anyhow::Result<()> {
        until(&format!("line {number} of {connector}"), Instant::now(), async || {
            let arrivals = self.arrivals.lock().map_err(|_| anyhow!("the reader has panicked"))?;
            let here = arrivals.iter().any(|a| a.number == number && a.connector == connector);
            Ok(here.then_some(()))
        })
        .await
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
    }
}

fn parse(line: &[u8]) -> Option<(String, u64)> {
    let (connector, number) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    Some((connector.to_owned(), number.parse().ok()?))
}

/// Adds a line to each of some files every [`Growing::PERIOD`].
pub(crate) struct Growing {
    end: Arc<AtomicBool>,
    writer: Option<JoinHandle<anyhow::Result<u64>>>,
}

impl Growing {
    pub(crate) const PERIOD: Duration = Duration::from_millis(50);

    pub(crate) fn start(files: Vec<(String, PathBuf)>) -> Growing {
        let end = Arc::<AtomicBool>::default();
        let ended = end.clone();
        let writer = std::thread::spawn(move || {
            let mut number = 0;
            while !ended.load(Ordering::Relaxed) {
                for (connector, file) in &files {
                    append(file, connector, number)?;
                }
                number += 1;
                std::thread::sleep(Self::PERIOD);
            }
            Ok(number)
        });
        Growing { end, writer: Some(writer) }
    }

    /// How many lines each file has now, and from now on.
    pub(crate) fn stop(mut self) -> anyhow::Result<u64> {
        self.end.store(true, Ordering::Relaxed);
        let writer = self.writer.take().context("stopped twice")?;
        writer.join().map_err(|_| anyhow!("the writer of the files has panicked"))?
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
    }
}

/// How many of the first `written` lines of each connector have not arrived.
pub(crate) fn missing(arrivals: &[Arrival], connectors: &[String], written: u64) -> u64 {
    let mut seen: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for arrival in arrivals.iter().filter(|arrival| arrival.number < written) {
        seen.entry(&arrival.connector).or_default().insert(arrival.number);
    }
    let arrived = |connector: &String| seen.get(connector.as_str()).map_or(0, |numbers| numbers.len() as u64);
    connectors.iter().map(|connector| written - arrived(connector)).sum()
}

/// The longest time without a line of this connector between two moments.
pub(crate) fn silence(arrivals: &[Arrival], connector: &str, from: Instant, to: Instant) -> Duration {
    let inside = arrivals.iter().filter(|a| a.connector == connector && a.at > from && a.at <= to);
    let mut last = from;
    let mut longest = Duration::ZERO;
    for arrival in inside {
        longest = longest.max(arrival.at - last);
        last = arrival.at;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(of: &[(&str, u64, u64)]) -> (Instant, Vec<Arrival>) {
        let start = Instant::now();
        let arrival = |(connector, number, ms): &(&str, u64, u64)| Arrival {
            at: start + Duration::from_millis(*ms),
            connector: (*connector).to_owned(),
            number: *number,
        };
        (start, of.iter().map(arrival).collect())
    }

    #[test]
    fn a_line_that_comes_twice_counts_once_and_one_of_another_connector_not_at_all() {
        let (_, arrivals) = arrivals(&[("a", 0, 0), ("a", 0, 1), ("b", 1, 2), ("a", 2, 3)]);
        assert_eq!(missing(&arrivals, &["a".to_owned()], 3), 1);
        assert_eq!(missing(&arrivals, &["a".to_owned(), "b".to_owned()], 2), 2);
    }

    #[test]
    fn the_longest_silence_begins_at_the_signal_or_between_two_lines() {
        let (start, arrivals) = arrivals(&[("a", 0, 10), ("b", 0, 50), ("a", 1, 200), ("a", 2, 210)]);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(silence(&arrivals, "a", at(0), at(300)), Duration::from_millis(190));
        assert_eq!(silence(&arrivals, "a", at(195), at(300)), Duration::from_millis(10));
    }

    #[test]
    fn lines_are_a_name_and_a_number() {
        assert_eq!(parse(b"file7 12"), Some(("file7".to_owned(), 12)));
        assert_eq!(parse(b"file7"), None);
    }
}
