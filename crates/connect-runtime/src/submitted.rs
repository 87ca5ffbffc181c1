//! Which offsets may be committed: those of the longest run of done records from the first one on, per source partition.

use connect_api::{OffsetMap, SourceOffset};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A record that was handed over and is not known to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    queue: usize,
    number: u64,
}

struct Entry {
    offset: Option<SourceOffset>,
    done: bool,
}

struct Queue {
    partition: Arc<OffsetMap>,
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u64,
    /// What may be committed and was not yet taken.
    committable: Option<SourceOffset>,
}

/// The records of one task in the order in which the source gave them.
#[derive(Default)]
pub(crate) struct Submitted {
    queues: Vec<Queue>,
    /// Position in `queues`, by the partition's bytes.
    positions: HashMap<Vec<u8>, usize>,
    /// The queue of the last record; mostly the next one's too.
    last: Option<usize>,
}

impl Submitted {
    /// Enters a record at the end of its partition; nothing to remember without a partition.
    pub(crate) fn enter(
        &mut self,
        partition: Option<&Arc<OffsetMap>>,
        offset: Option<SourceOffset>,
    ) -> Option<Ticket> {
        let queue = self.queue(partition?);
        let entries = &mut self.queues[queue];
        entries.entries.push_back(Entry { offset, done: false });
        Some(Ticket { queue, number: entries.first + entries.entries.len() as u64 - 1 })
    }

    fn queue(&mut self, partition: &Arc<OffsetMap>) -> usize {
        if let Some(last) = self.last
            && (Arc::ptr_eq(&self.queues[last].partition, partition)
                || self.queues[last].partition == *partition)
        {
            return last;
        }
        let mut key = Vec::new();
        connect_api::json::push_object(&mut key, partition);
        let queues = &mut self.queues;
        let position = *self.positions.entry(key).or_insert_with(|| {
            let (partition, entries) = (partition.clone(), VecDeque::new());
            queues.push(Queue { partition, entries, first: 0, committable: None });
            queues.len() - 1
        });
        self.last = Some(position);
        position
    }

    /// The record is where it belongs, or was passed over because the user said so.
    pub(crate) fn done(&mut self, ticket: Option<Ticket>) {
        let Some(Ticket { queue: position, number }) = ticket else { return };
        let queue = &mut self.queues[position];
        let Some(entry) = number.checked_sub(queue.first).and_then(|at| queue.entries.get_mut(at as usize))
        else {
            return;
        };
        entry.done = true;
        while let Some(entry) = queue.entries.pop_front_if(|entry| entry.done) {
            queue.first += 1;
            if entry.offset.is_some() {
                queue.committable = entry.offset;
            }
        }
    }

    /// Source partition and offset of a record that is not done, for a person.
    pub(crate) fn place(&self, ticket: Ticket) -> String {
        let Ticket { queue, number } = ticket;
        let queue = &self.queues[queue];
        let entry = number.checked_sub(queue.first).and_then(|at| queue.entries.get(at as usize));
        let text = |map: &OffsetMap| {
            let mut text = Vec::new();
            connect_api::json::push_object(&mut text, map);
            String::from_utf8_lossy(&text).into_owned()
        };
        match entry.and_then(|entry| entry.offset.as_ref()) {
            Some(offset) => format!("{} at {}", text(&queue.partition), text(&offset.map())),
            None => text(&queue.partition),
        }
    }

    /// What may be committed since the last call.
    pub(crate) fn take_committable(&mut self) -> Vec<(Arc<OffsetMap>, OffsetMap)> {
        let taken = |queue: &mut Queue| Some((queue.partition.clone(), queue.committable.take()?.map()));
        self.queues.iter_mut().filter_map(taken).collect()
    }

    /// Puts back what could not be committed, unless there is something newer by now.
    pub(crate) fn put_back(&mut self, offsets: Vec<(Arc<OffsetMap>, OffsetMap)>) {
        for (partition, offset) in offsets {
            let queue = self.queue(&partition);
            self.queues[queue].committable.get_or_insert_with(|| offset.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn partition(n: usize) -> Arc<OffsetMap> {
        Arc::new(json!({ "p": n }).as_object().unwrap().clone())
    }

    fn offset(n: i64) -> Option<SourceOffset> {
        Some(SourceOffset::numbers(&["n"], [n]))
    }

    fn taken(submitted: &mut Submitted) -> Vec<String> {
        let mut taken: Vec<_> = submitted
            .take_committable()
            .into_iter()
            .map(|(partition, offset)| format!("{}@{}", partition["p"], offset["n"]))
            .collect();
        taken.sort();
        taken
    }

    #[test]
    fn a_gap_holds_back_its_own_partition_only() {
        let mut submitted = Submitted::default();
        let mut enter = |p: usize, n: i64| submitted.enter(Some(&partition(p)), offset(n));
        let (a1, b1, a2, a3) = (enter(0, 1), enter(1, 1), enter(0, 2), enter(0, 3));
        submitted.done(a2);
        assert_eq!(taken(&mut submitted), Vec::<String>::new());
        submitted.done(b1);
        assert_eq!(taken(&mut submitted), ["1@1"]);
        submitted.done(a1);
        assert_eq!(taken(&mut submitted), ["0@2"]);
        assert_eq!(taken(&mut submitted), Vec::<String>::new());
        submitted.done(a3);
        submitted.done(a3);
        let offsets = submitted.take_committable();
        submitted.put_back(offsets);
        assert_eq!(taken(&mut submitted), ["0@3"]);
    }

    #[test]
    fn what_is_put_back_does_not_hide_what_is_newer() {
        let mut submitted = Submitted::default();
        let first = submitted.enter(Some(&partition(0)), offset(1));
        submitted.done(first);
        let failed = submitted.take_committable();
        let second = submitted.enter(Some(&partition(0)), offset(2));
        submitted.done(second);
        submitted.put_back(failed);
        assert_eq!(taken(&mut submitted), ["0@2"]);
    }

    #[test]
    fn records_without_partition_or_offset() {
        let mut submitted = Submitted::default();
        assert_eq!(submitted.enter(None, offset(1)), None);
        submitted.done(None);
        let known = submitted.enter(Some(&partition(0)), offset(1));
        let unknown = submitted.enter(Some(&partition(0)), None);
        submitted.done(unknown);
        submitted.done(known);
        assert_eq!(taken(&mut submitted), ["0@1"]);
    }

    proptest! {
        /// Whatever the order of acknowledgements: what may be committed is the last of the records before the first that is not done.
        #[test]
        fn the_committed_offset_is_the_longest_done_prefix(
            partitions in prop::collection::vec(0_usize..3, 1..40),
            order in any::<prop::sample::Index>().prop_perturb(|_, mut rng| (0..40).map(|_| rng.random::<u32>()).collect::<Vec<_>>()),
            upto in 0_usize..40,
        ) {
            let mut submitted = Submitted::default();
            let mut tickets = Vec::new();
            for (n, p) in partitions.iter().enumerate() {
                tickets.push((*p, n, submitted.enter(Some(&partition(*p)), offset(n as i64))));
            }
            let mut shuffled: Vec<usize> = (0..tickets.len()).collect();
            shuffled.sort_by_key(|n| order[*n]);
            let mut committed: HashMap<usize, i64> = HashMap::new();
            let mut done = vec![false; tickets.len()];
            for n in shuffled.into_iter().take(upto) {
                submitted.done(tickets[n].2);
                done[n] = true;
                for (partition, offset) in submitted.take_committable() {
                    committed.insert(partition["p"].as_u64().unwrap() as usize, offset["n"].as_i64().unwrap());
                }
                for p in 0..3 {
                    let own: Vec<_> = tickets.iter().filter(|(partition, ..)| *partition == p).collect();
                    let prefix = own.iter().take_while(|(_, n, _)| done[*n]).last().map(|(_, n, _)| *n as i64);
                    prop_assert_eq!(committed.get(&p).copied(), prefix);
                }
            }
        }
    }
}
