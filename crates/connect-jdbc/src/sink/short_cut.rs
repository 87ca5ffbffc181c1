//! When rows may take a way that has to be taken back if not all goes well, and when that has happened too often lately.

use std::sync::atomic::{AtomicU32, Ordering};

/// Puts that go the safe way after the first failure; twice as many after each further one.
const FIRST_REST: u32 = 8;

const LONGEST_REST: u32 = 1024;

/// What was seen of one shape's rows. A put that is taken back costs about as much as it would have saved ten times.
#[derive(Debug, Default)]
pub(super) struct ShortCut {
    rest: AtomicU32,
    next_rest: AtomicU32,
}

impl ShortCut {
    /// Whether to take it now.
    pub(super) fn is_open(&self) -> bool {
        let resting = self.rest.load(Ordering::Relaxed);
        self.rest.store(resting.saturating_sub(1), Ordering::Relaxed);
        resting == 0
    }

    pub(super) fn went_well(&self) {
        self.next_rest.store(0, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        let rest = self.next_rest.load(Ordering::Relaxed).clamp(FIRST_REST, LONGEST_REST);
        self.rest.store(rest, Ordering::Relaxed);
        self.next_rest.store(rest * 2, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many puts go the safe way before the next try.
    fn rest(cut: &ShortCut) -> u32 {
        (0..).take_while(|_| !cut.is_open()).count() as u32
    }

    #[test]
    fn it_is_tried_less_and_less_while_it_fails() {
        let cut = ShortCut::default();
        assert_eq!(rest(&cut), 0);
        let rests: Vec<u32> = (0..9)
            .map(|_| {
                cut.failed();
                rest(&cut)
            })
            .collect();
        assert_eq!(rests, [8, 16, 32, 64, 128, 256, 512, 1024, 1024]);
        cut.went_well();
        assert!(cut.is_open());
        cut.failed();
        assert_eq!(rest(&cut), 8);
    }
}
