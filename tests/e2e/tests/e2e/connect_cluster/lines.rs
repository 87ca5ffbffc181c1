//! Files that grow by numbered lines, and what has become of the lines.

use crate::support::PATIENCE;
use crate::support::folder::append;
use anyhow::ensure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use testkit::eventually;
use testkit::kafka_client::Tail;

/// A file whose lines are `name 0`, `name 1`, ...
#[derive(Clone)]
pub(super) struct Growing {
    pub(super) name: String,
    pub(super) path: PathBuf,
    count: Arc<AtomicU64>,
}

impl Growing {
    pub(super) fn new(name: &str, path: PathBuf) -> Self {
        Self { name: name.to_owned(), path, count: Arc::default() }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn grow(&self, lines: u64) -> anyhow::Result<()> {
        let from = self.count();
        let text: String = (from..from + lines).map(|n| format!("{} {n}\n", self.name)).collect();
        append(&self.path, &text)?;
        self.count.store(from + lines, Ordering::Relaxed);
        Ok(())
    }
}

/// Lets files grow until it is told to stop, or dropped.
pub(super) struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
}

impl Writer {
    /// On a thread of its own: a test that waits for something must not keep the lines from coming.
    pub(super) fn start(files: Vec<Growing>, lines: u64, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for file in &files {
                    file.grow(lines)?;
                }
                std::thread::sleep(pause);
            }
            Ok(())
        });
        Self { stop, thread: Some(thread) }
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().map(|thread| thread.join());
        thread.map_or(Ok(()), |ended| ended.unwrap_or_else(|_| anyhow::bail!("the writer panicked")))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The numbers seen of every name, in the order they came.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, Vec<u64>>);

impl Seen {
    pub(super) fn add(&mut self, line: &str) {
        let (name, number) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a line of ours: {line:?}"));
        let number = number.parse().unwrap_or_else(|_| panic!("not a line of ours: {line:?}"));
        self.0.entry(name.to_owned()).or_default().push(number);
    }

    pub(super) fn of(&self, name: &str) -> &[u64] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// All of the file's lines are there.
    pub(super) fn complete(&self, file: &Growing) -> anyhow::Result<()> {
        let (count, mut there) = (file.count(), vec![false; usize::try_from(file.count())?]);
        for number in self.of(&file.name) {
            ensure!(*number < count, "{} {number} was never written", file.name);
            there[usize::try_from(*number)?] = true;
        }
        let missing: Vec<usize> = (0..there.len()).filter(|n| !there[*n]).collect();
        ensure!(
            missing.is_empty(),
            "{} of {count} lines of {} are missing, the first is {}",
            missing.len(),
            file.name,
            missing[0]
        );
        Ok(())
    }

    /// Each line was first seen after all lines before it, and there is no gap.
    #[track_caller]
    pub(super) fn assert_in_order(&self, name: &str) {
        let mut next = 0;
        for number in self.of(name) {
            assert!(*number <= next, "{name} {number} came before {name} {next}");
            next = next.max(number + 1);
        }
    }

    /// Each line from `from` on came once, in the order of the file.
    #[track_caller]
    pub(super) fn assert_once(&self, file: &Growing, from: u64) {
        let seen: Vec<u64> = self.of(&file.name).iter().copied().filter(|number| *number >= from).collect();
        let expected: Vec<u64> = (from..file.count()).collect();
        let differ = seen.iter().zip(&expected).position(|(seen, expected)| seen != expected);
        let around = differ.map(|at| &seen[at.saturating_sub(3)..(at + 3).min(seen.len())]);
        assert!(
            seen == expected,
            "{}: {} lines instead of {} (from {from}), around the first difference {around:?}",
            file.name,
            seen.len(),
            expected.len()
        );
    }
}

/// The lines of a topic.
pub(super) struct TopicLines {
    tail: Tail,
    pub(super) seen: Seen,
}

impl TopicLines {
    pub(super) fn new(bootstrap: &str, topic: &str) -> anyhow::Result<Self> {
        Ok(Self { tail: Tail::new(bootstrap, topic)?, seen: Seen::default() })
    }

    pub(super) async fn read(&mut self) -> anyhow::Result<&Seen> {
        for message in self.tail.more().await? {
            self.seen.add(message.value_str().unwrap_or("null"));
        }
        Ok(&self.seen)
    }

    /// Waits until all lines of the files are there.
    pub(super) async fn complete(&mut self, files: &[Growing]) {
        eventually("all lines in the topic", PATIENCE * 2, async || {
            self.read().await?;
            files.iter().try_for_each(|file| self.seen.complete(file))?;
            Ok(Some(()))
        })
        .await;
    }
}

/// The lines of a file that a sink writes.
pub(super) fn file_lines(path: &Path) -> Seen {
    let mut seen = Seen::default();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // Without the last one if it is not written to its end.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().for_each(|line| seen.add(line));
    seen
}

/// Waits until all lines of the files are in the file of a sink.
pub(super) async fn file_complete(path: &Path, files: &[Growing]) -> Seen {
    eventually(format!("all lines in {}", path.display()), PATIENCE * 2, async || {
        let seen = file_lines(path);
        files.iter().try_for_each(|file| seen.complete(file))?;
        Ok(Some(seen))
    })
    .await
}
