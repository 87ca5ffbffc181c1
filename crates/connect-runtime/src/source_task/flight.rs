//! The records between the producer and Kafka's acknowledgement.

use crate::submitted::Ticket;
use std::collections::VecDeque;
use std::sync::Arc;

/// A record that was handed to the producer and whose fate is not known.
pub(super) struct Flying {
    pub(super) ticket: Option<Ticket>,
    pub(super) topic: Arc<str>,
}

/// Records by the numbers under which the producer knows them, which count up. Mostly they are settled in that order.
#[derive(Default)]
pub(super) struct Flight {
    /// `None` is settled, and waits for those before it.
    records: VecDeque<Option<Flying>>,
    /// The number of the first.
    first: usize,
    flying: usize,
}

impl Flight {
    /// The number of the record that is entered next.
    pub(super) fn next(&self) -> usize {
        self.first.wrapping_add(self.records.len())
    }

    pub(super) fn enter(&mut self, record: Flying) {
        self.records.push_back(Some(record));
        self.flying += 1;
    }

    /// `None` for a number that is settled already, or was never given.
    pub(super) fn settle(&mut self, number: usize) -> Option<Flying> {
        let record = self.records.get_mut(number.wrapping_sub(self.first))?.take()?;
        self.flying -= 1;
        while self.records.pop_front_if(|record| record.is_none()).is_some() {
            self.first = self.first.wrapping_add(1);
        }
        Some(record)
    }

    /// How many are not settled.
    pub(super) fn len(&self) -> usize {
        self.flying
    }

    /// How many numbers lie between the first that is not settled and the next to be given.
    pub(super) fn span(&self) -> usize {
        self.records.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settled_in_any_order() {
        let mut flight = Flight { first: usize::MAX, ..Flight::default() };
        let mut numbers = Vec::new();
        for topic in ["a", "b", "c"] {
            numbers.push(flight.next());
            flight.enter(Flying { ticket: None, topic: topic.into() });
        }
        assert_eq!(numbers, [usize::MAX, 0, 1]);
        let topic = |record: Option<Flying>| record.map(|record| record.topic);
        assert_eq!(topic(flight.settle(0)).as_deref(), Some("b"));
        assert_eq!((flight.len(), flight.span()), (2, 3), "the first holds its place and the next");
        assert_eq!(topic(flight.settle(usize::MAX)).as_deref(), Some("a"));
        assert_eq!((flight.len(), flight.span(), flight.next()), (1, 1, 2));
        assert!(flight.settle(0).is_none() && flight.settle(2).is_none() && flight.settle(9).is_none());
        assert_eq!(topic(flight.settle(1)).as_deref(), Some("c"));
        assert_eq!((flight.len(), flight.span(), flight.next()), (0, 0, 2));
    }
}
