//! What is put at once, with what is needed to make it good afterwards.

use crate::dead_letter::BadRecord;
use crate::ports::RawRecord;
use connect_api::{SinkRecord, TopicPartition};

/// A batch on its way into the sink.
#[derive(Default)]
pub(super) struct Batch {
    records: Vec<SinkRecord>,
    /// What `records` were made of, one by one, for those that the sink rejects. Empty if nobody would be told.
    raw: Vec<RawRecord>,
    /// Those that could not be converted.
    bad: Vec<BadRecord>,
    /// By partition, in the order in which they came up.
    spans: Vec<Span>,
    /// The last bad record ends the task, so nothing comes after it.
    closed: bool,
    /// How many records the batch before this one had.
    expected: usize,
}

/// What a batch has of one partition.
pub(super) struct Span {
    pub(super) partition: TopicPartition,
    pub(super) first: i64,
    /// The offset after what is done once the batch is put.
    pub(super) next: i64,
    /// Of keys and values as they came.
    bytes: usize,
}

impl Batch {
    /// What has come so far; a new batch begins.
    pub(super) fn take(&mut self) -> Batch {
        let expected = self.records.len();
        std::mem::replace(self, Batch { expected, ..Batch::default() })
    }

    pub(super) fn records(&self) -> &[SinkRecord] {
        &self.records
    }

    /// What the record at `index` was made of; without key, value and headers where these were not kept.
    pub(super) fn raw(&self, index: usize) -> Option<RawRecord> {
        let SinkRecord { topic, partition, offset, timestamp, .. } = self.records.get(index)?;
        Some(self.raw.get(index).cloned().unwrap_or_else(|| RawRecord {
            topic: topic.clone(),
            partition: *partition,
            offset: *offset,
            timestamp: *timestamp,
            key: None,
            value: None,
            headers: Vec::new(),
        }))
    }

    pub(super) fn bad(&self) -> &[BadRecord] {
        &self.bad
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What came of the consumer, good and bad.
    pub(super) fn len(&self) -> usize {
        self.records.len() + self.bad.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of keys and values as they came.
    pub(super) fn bytes(&self) -> usize {
        self.spans.iter().map(|span| span.bytes).sum()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// A record and what it was made of, of which key, value and headers are kept only if `keep`: the same for all of a batch.
    pub(super) fn push(&mut self, record: SinkRecord, raw: RawRecord, keep: bool) {
        self.done_with(&raw);
        if self.records.is_empty() {
            // Batches under load are of one size; growing to it by doubling takes up to twice the memory.
            self.records.reserve_exact(self.expected);
        }
        self.records.push(record);
        if keep {
            self.raw.push(raw);
        }
    }

    /// A record that is passed over once it is settled.
    pub(super) fn push_bad(&mut self, bad: BadRecord) {
        self.done_with(&bad.record);
        self.bad.push(bad);
    }

    fn done_with(&mut self, raw: &RawRecord) {
        let span = self.span(raw);
        span.next = raw.offset + 1;
        span.bytes += size(raw);
    }

    /// The record that ends the task: it is never done.
    pub(super) fn close(&mut self, bad: BadRecord) {
        self.leave_out(&bad.record);
        self.bad.push(bad);
        self.closed = true;
    }

    /// What is not put with this batch although it came with it.
    pub(super) fn leave_out(&mut self, raw: &RawRecord) {
        self.span(raw);
    }

    /// What has closed the batch.
    pub(super) fn take_closing(&mut self) -> Option<BadRecord> {
        if self.closed { self.bad.pop() } else { None }
    }

    fn span(&mut self, raw: &RawRecord) -> &mut Span {
        let is_its =
            |span: &Span| span.partition.partition == raw.partition && span.partition.topic == raw.topic;
        // Records come in runs of one partition.
        let found = match self.spans.last() {
            Some(last) if is_its(last) => Some(self.spans.len() - 1),
            _ => self.spans.iter().position(is_its),
        };
        let index = found.unwrap_or_else(|| {
            let partition = TopicPartition { topic: raw.topic.clone(), partition: raw.partition };
            self.spans.push(Span { partition, first: raw.offset, next: raw.offset, bytes: 0 });
            self.spans.len() - 1
        });
        &mut self.spans[index]
    }

    /// Drops what belongs to these partitions. What has closed the batch stays: what came after it was left out.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        let stays = |topic: &str, partition: i32| {
            !partitions.iter().any(|lost| lost.partition == partition && &*lost.topic == topic)
        };
        if self.spans.iter().all(|span| stays(&span.partition.topic, span.partition.partition)) {
            return;
        }
        let last = self.bad.len().saturating_sub(1);
        let (mut index, closed) = (0, self.closed);
        self.bad.retain(|bad| {
            let closes = closed && index == last;
            index += 1;
            closes || stays(&bad.record.topic, bad.record.partition)
        });
        self.records.retain(|record| stays(&record.topic, record.partition));
        self.raw.retain(|record| stays(&record.topic, record.partition));
        self.spans.retain(|span| stays(&span.partition.topic, span.partition.partition));
    }

    /// Drops records that are settled and not to be put again; `indexes` ascend.
    pub(super) fn drop_rejected(&mut self, indexes: &[usize]) {
        let drop_from = |length: usize| {
            let mut keep = vec![true; length];
            indexes.iter().filter(|index| **index < length).for_each(|index| keep[*index] = false);
            keep.into_iter()
        };
        let (mut keep_record, mut keep_raw) = (drop_from(self.records.len()), drop_from(self.raw.len()));
        self.records.retain(|_| keep_record.next().unwrap_or(true));
        self.raw.retain(|_| keep_raw.next().unwrap_or(true));
    }

    /// Where reading has to go on when nothing of the batch was written: at `positions`, and in its other partitions at its own begin.
    pub(super) fn back_to(&self, mut positions: Vec<(TopicPartition, i64)>) -> Vec<(TopicPartition, i64)> {
        for Span { partition, first, .. } in &self.spans {
            if !positions.iter().any(|(known, _)| known == partition) {
                positions.push((partition.clone(), *first));
            }
        }
        positions
    }
}

/// Of key and value.
pub(super) fn size(raw: &RawRecord) -> usize {
    let length = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, bytes::Bytes::len);
    length(&raw.key) + length(&raw.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Stage;
    use connect_api::{ConnectError, Value};

    fn raw(partition: i32, offset: i64) -> RawRecord {
        let value = Some(bytes::Bytes::from_static(b"12345"));
        let topic = "t".into();
        RawRecord { topic, partition, offset, timestamp: None, key: None, value, headers: Vec::new() }
    }

    fn good(batch: &mut Batch, partition: i32, offset: i64) {
        let record = SinkRecord {
            topic: "t".into(),
            partition,
            offset,
            timestamp: None,
            key_schema: None,
            key: Value::Null,
            value_schema: None,
            value: Value::Null,
        };
        batch.push(record, raw(partition, offset), true);
    }

    fn bad(partition: i32, offset: i64) -> BadRecord {
        let (record, error) = (raw(partition, offset), ConnectError::data("bad"));
        BadRecord { record, stage: Stage::ValueConverter, class: "x".into(), error, headers: Vec::new() }
    }

    fn partition(partition: i32) -> TopicPartition {
        TopicPartition { topic: "t".into(), partition }
    }

    fn spans(batch: &Batch) -> Vec<(i32, i64, i64)> {
        batch.spans().iter().map(|span| (span.partition.partition, span.first, span.next)).collect()
    }

    #[test]
    fn what_is_forgotten_leaves_the_rest_in_its_place() {
        let mut batch = Batch::default();
        good(&mut batch, 0, 5);
        good(&mut batch, 1, 7);
        batch.push_bad(bad(1, 8));
        good(&mut batch, 0, 6);
        batch.push_bad(bad(0, 7));
        assert_eq!(spans(&batch), [(0, 5, 8), (1, 7, 9)]);
        assert_eq!((batch.len(), batch.bytes()), (5, 25));
        batch.forget(&[partition(0), partition(9)]);
        assert_eq!(spans(&batch), [(1, 7, 9)]);
        assert_eq!((batch.records().len(), batch.raw.len(), batch.bytes()), (1, 1, 10));
        assert_eq!(batch.bad().iter().map(|bad| bad.record.offset).collect::<Vec<_>>(), [8]);
        batch.forget(&[partition(1)]);
        assert!(batch.is_empty() && batch.spans().is_empty());
    }

    #[test]
    fn what_was_not_kept_of_a_record_is_still_told_apart() {
        let mut batch = Batch::default();
        good(&mut batch, 0, 5);
        let (record, bytes) = (batch.records.remove(0), batch.raw.remove(0));
        batch.push(record, bytes.clone(), false);
        assert_eq!(batch.raw(0), Some(RawRecord { value: None, ..bytes }));
        assert_eq!((batch.raw(1), batch.bytes()), (None, 10));
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut batch = Batch::default();
        (5..8).for_each(|offset| good(&mut batch, 0, offset));
        let taken = batch.take();
        assert_eq!((taken.len(), spans(&taken)), (3, vec![(0, 5, 8)]));
        assert!(batch.is_empty() && batch.spans().is_empty() && batch.bytes() == 0);
    }

    #[test]
    fn what_is_rejected_is_dropped_and_stays_done() {
        let mut batch = Batch::default();
        (5..9).for_each(|offset| good(&mut batch, 0, offset));
        batch.drop_rejected(&[0, 2]);
        let left: Vec<i64> = batch.records().iter().map(|record| record.offset).collect();
        let raw: Vec<i64> = batch.raw.iter().map(|record| record.offset).collect();
        assert_eq!((left, raw), (vec![6, 8], vec![6, 8]));
        assert_eq!(spans(&batch), [(0, 5, 9)]);
    }

    #[test]
    fn what_closes_a_batch_is_not_forgotten_and_never_done() {
        let mut batch = Batch::default();
        good(&mut batch, 0, 5);
        batch.close(bad(1, 3));
        batch.leave_out(&raw(2, 9));
        assert_eq!(spans(&batch), [(0, 5, 6), (1, 3, 3), (2, 9, 9)]);
        batch.forget(&[partition(1), partition(2)]);
        assert!(batch.is_closed());
        assert_eq!(batch.take_closing().map(|bad| bad.record.offset), Some(3));
    }

    #[test]
    fn back_to_where_the_task_says_and_elsewhere_to_the_begin() {
        let mut batch = Batch::default();
        good(&mut batch, 0, 5);
        good(&mut batch, 1, 7);
        batch.close(bad(2, 3));
        batch.leave_out(&raw(3, 1));
        let positions = batch.back_to(vec![(partition(1), 90), (partition(8), 4)]);
        assert_eq!(
            positions,
            [(partition(1), 90), (partition(8), 4), (partition(0), 5), (partition(2), 3), (partition(3), 1)]
        );
    }
}
