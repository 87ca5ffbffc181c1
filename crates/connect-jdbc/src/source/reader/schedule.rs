//! Which table is read next. Pure.

use std::time::Duration;
use tokio::time::Instant;

/// The tables of a task take turns: the one that was read the longest ago comes next, and tables never read come first, in
/// their order.
#[derive(Debug)]
pub(super) struct Schedule {
    /// When the last read of each table ended.
    last: Vec<Option<Instant>>,
    interval: Duration,
}

impl Schedule {
    pub(super) fn new(tables: usize, interval: Duration) -> Self {
        Self { last: vec![None; tables], interval }
    }

    /// A table and the moment from which it may be read; `None` without tables.
    pub(super) fn next(&self) -> Option<(usize, Option<Instant>)> {
        let (table, last) = self.last.iter().enumerate().min_by_key(|(table, last)| (**last, *table))?;
        Some((table, last.map(|last| last + self.interval)))
    }

    pub(super) fn was_read(&mut self, table: usize, now: Instant) {
        if let Some(last) = self.last.get_mut(table) {
            *last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_turns() {
        let second = Duration::from_secs(1);
        let mut schedule = Schedule::new(3, 5 * second);
        let start = Instant::now();
        let mut turns = Vec::new();
        for turn in 0..7_u32 {
            let (table, due) = schedule.next().unwrap();
            turns.push((table, due.map(|due| (due - start).as_secs())));
            schedule.was_read(table, start + turn * second);
        }
        let due = |second: u64| Some(second + 5);
        assert_eq!(
            turns,
            [(0, None), (1, None), (2, None), (0, due(0)), (1, due(1)), (2, due(2)), (0, due(3))]
        );
        assert_eq!(Schedule::new(0, second).next(), None);
    }
}
