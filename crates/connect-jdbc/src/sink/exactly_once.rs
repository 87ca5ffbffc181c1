//! Positions in the database: with `exactly.once.enabled` the next offset of each partition moves in the transaction that writes the
//! rows before it, and only from where this task left it (docs/specs/delivery.md says why that writes each record once).

mod table;

use super::fault::Fault;
use super::write::Failure;
use crate::driver::{Connection, DbError, ErrorKind};
use connect_api::{ConnectError, PutError, SinkRecord, TopicPartition};
use std::collections::{BTreeMap, HashMap};
pub(super) use table::PositionTable;

pub(super) struct Positions {
    table: PositionTable,
    /// The next offset as this task has read or written it; `None`: there is no row yet. Partitions that are not here have to be asked
    /// about.
    known: HashMap<TopicPartition, Option<i64>>,
    rejected: Option<Rejection>,
}

/// Records that the runtime was asked to pass over before the rest of their batch is written.
struct Rejection {
    /// By partition: where it may go on once the rest is written, and how much of it was left in the batch. A rest that has got lost
    /// (to another task, which has taken the partition over) must not be skipped.
    passed: BTreeMap<TopicPartition, (i64, usize)>,
}

/// What a put is to do.
pub(super) struct Step {
    /// The records that are not written yet.
    pub(super) new: Vec<usize>,
    pub(super) advance: Advance,
}

/// Where each partition goes with a transaction.
#[derive(Debug, Default)]
pub(super) struct Advance(Vec<Move>);

#[derive(Debug)]
struct Move {
    partition: TopicPartition,
    from: Option<i64>,
    to: i64,
    /// The first offset of the put.
    first: i64,
}

impl Advance {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Positions {
    pub(super) fn new(table: PositionTable) -> Self {
        Self { table, known: HashMap::new(), rejected: None }
    }

    /// Whether records were rejected that the table's positions have not passed yet.
    pub(super) fn has_rejected(&self) -> bool {
        self.rejected.is_some()
    }

    /// Takes over partitions: where to begin in those that the table knows.
    pub(super) async fn open(
        &mut self,
        connection: &mut Connection,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, DbError> {
        // Until the table has answered, what was known is of an earlier time.
        self.known.retain(|partition, _| !partitions.contains(partition));
        let table = self.table.read(connection).await?;
        let mut begin = Vec::new();
        for partition in partitions {
            let next = table.get(partition).copied();
            self.known.insert(partition.clone(), next);
            begin.extend(next.map(|next| (partition.clone(), next)));
        }
        Ok(begin)
    }

    /// What is new among the records of a put, and how far they go.
    pub(super) async fn step(
        &mut self,
        connection: &mut Connection,
        records: &[SinkRecord],
    ) -> Result<Step, Failure> {
        let spans = spans(records);
        let unknown: Vec<TopicPartition> =
            spans.keys().filter(|partition| !self.known.contains_key(*partition)).cloned().collect();
        if !unknown.is_empty() {
            // `open` could not ask, so the records come from where the consumer group thought it was.
            let begin = self.open(connection, &unknown).await?;
            if begin.iter().any(|(partition, next)| *next < spans[partition].first) {
                let error =
                    ConnectError::failed("the sink's table of positions is behind the consumer group");
                return Err(self.seek(error, &spans));
            }
        }
        let mut advance: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        let mut new = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            let partition = partition_of(record);
            if self.next(&partition).is_none_or(|next| record.offset >= next) {
                let to = advance.entry(partition).or_insert(record.offset + 1);
                *to = (*to).max(record.offset + 1);
                new.push(index);
            }
        }
        for (partition, (passed, left)) in self.rejected.iter().flat_map(|rejection| &rejection.passed) {
            if spans.get(partition).map_or(0, |span| span.count) == *left {
                let to = advance.entry(partition.clone()).or_insert(*passed);
                *to = (*to).max(*passed);
            }
        }
        let moves = advance.into_iter().filter_map(|(partition, to)| {
            let from = self.next(&partition);
            let first = spans.get(&partition).map_or(to, |span| span.first);
            from.is_none_or(|from| from < to).then_some(Move { partition, from, to, first })
        });
        Ok(Step { new, advance: Advance(moves.collect()) })
    }

    fn next(&self, partition: &TopicPartition) -> Option<i64> {
        self.known.get(partition).copied().flatten()
    }

    /// Moves the positions in the open transaction. If one is not where this task left it, another has written the records:
    /// the transaction is rolled back, and reading goes on where the table says.
    pub(super) async fn fence(
        &mut self,
        connection: &mut Connection,
        advance: &Advance,
    ) -> Result<(), Failure> {
        for step in &advance.0 {
            let moved = match step.from {
                Some(from) => self.table.advance(connection, &step.partition, from, step.to).await?,
                None => match self.table.insert(connection, &step.partition, step.to).await {
                    Ok(()) => true,
                    // The row is there: somebody else was the first.
                    Err(error) if error.kind == ErrorKind::BadRow => false,
                    Err(error) => return Err(error.into()),
                },
            };
            if !moved {
                connection.roll_back().await?;
                return Err(self.fenced(connection, step, advance).await?);
            }
        }
        Ok(())
    }

    async fn fenced(
        &mut self,
        connection: &mut Connection,
        step: &Move,
        advance: &Advance,
    ) -> Result<Failure, Failure> {
        let Move { partition, from, .. } = step;
        let table = self.table.read(connection).await?;
        let Some(now) = table.get(partition) else {
            // Nobody can say what of it is written.
            let gone = format!(
                "the position of {partition} has gone from table {}; restart the task to go on where the consumer group has \
                 committed, or reset the connector's offsets",
                self.table.name()
            );
            return Ok(Failure::Put(PutError::Fatal(ConnectError::failed(gone))));
        };
        let from = from.map_or("none".to_owned(), |from| from.to_string());
        let error = ConnectError::failed(format!(
            "the position of {partition} in table {} is {now}, not {from} as this task left it: a commit whose outcome was \
             unknown has succeeded, or another task writes this partition",
            self.table.name()
        ));
        let mut positions = Vec::new();
        for Move { partition, first, .. } in &advance.0 {
            let next = table.get(partition).copied();
            self.known.insert(partition.clone(), next);
            // Where there is no row yet, the records of this put are still to be written.
            positions.push((partition.clone(), next.unwrap_or(*first)));
        }
        self.rejected = None;
        Ok(Failure::Put(PutError::Seek { error, positions }))
    }

    fn seek(&mut self, error: ConnectError, spans: &BTreeMap<TopicPartition, Span>) -> Failure {
        self.rejected = None;
        let position = |(partition, span): (&TopicPartition, &Span)| {
            (partition.clone(), self.next(partition).unwrap_or(span.first))
        };
        Failure::Put(PutError::Seek { error, positions: spans.iter().map(position).collect() })
    }

    /// The transaction with these moves is committed.
    pub(super) fn committed(&mut self, advance: &Advance) {
        for Move { partition, to, .. } in &advance.0 {
            self.known.insert(partition.clone(), Some(*to));
        }
        self.rejected = None;
    }

    /// Bad records go to the dead-letter topic before the position passes them: nobody would read them again for it.
    pub(super) fn reject_first(&mut self, records: &[SinkRecord], faults: Vec<Fault>) -> Failure {
        let mut passed = self.rejected.take().map(|rejection| rejection.passed).unwrap_or_default();
        let spans = spans(records);
        for (_, left) in passed.values_mut() {
            *left = 0;
        }
        for (partition, span) in &spans {
            if let Some((_, left)) = passed.get_mut(partition) {
                *left = span.count;
            }
        }
        for fault in &faults {
            let record = &records[fault.index];
            let partition = partition_of(record);
            let count = spans[&partition].count;
            let (next, left) = passed.entry(partition).or_insert((record.offset + 1, count));
            *next = (*next).max(record.offset + 1);
            *left -= 1;
        }
        self.rejected = Some(Rejection { passed });
        Failure::Put(PutError::RejectFirst(faults.into_iter().map(Fault::rejected).collect()))
    }
}

/// The records of a partition in a put.
struct Span {
    first: i64,
    count: usize,
}

fn spans(records: &[SinkRecord]) -> BTreeMap<TopicPartition, Span> {
    let mut spans: BTreeMap<TopicPartition, Span> = BTreeMap::new();
    for record in records {
        let span = spans.entry(partition_of(record)).or_insert(Span { first: record.offset, count: 0 });
        span.first = span.first.min(record.offset);
        span.count += 1;
    }
    spans
}

fn partition_of(record: &SinkRecord) -> TopicPartition {
    TopicPartition { topic: record.topic.clone(), partition: record.partition }
}
