//! Which instance gets the next request: of two taken by lot the one with fewer requests in flight. That needs no
//! common state between gateways and still avoids the slow instance.

use crate::upstream::Target;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Picks among `candidates` one that is not in `tried`. Instances put aside after a failure are taken only when nothing
/// else is left. `roll(n)` gives a number below `n`.
pub fn pick(
    candidates: &[Arc<Target>],
    tried: &[Arc<Target>],
    now: Instant,
    mut roll: impl FnMut(usize) -> usize,
) -> Option<Arc<Target>> {
    let fresh: Vec<&Arc<Target>> =
        candidates.iter().filter(|target| !tried.iter().any(|tried| Arc::ptr_eq(tried, target))).collect();
    let well: Vec<&Arc<Target>> = fresh.iter().copied().filter(|target| !target.is_aside(now)).collect();
    let pool = if well.is_empty() { fresh } else { well };
    match pool.len() {
        0 => None,
        1 => Some(pool[0].clone()),
        n => {
            let first = roll(n);
            // One of the others: never the same twice.
            let second = (first + 1 + roll(n - 1)) % n;
            let (first, second) = (pool[first], pool[second]);
            Some(if second.in_flight() < first.in_flight() { second } else { first }.clone())
        }
    }
}

/// A source of rolls that threads share without a lock (the SplitMix64 sequence).
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Default for Dice {
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0))
    }
}

impl Dice {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

    pub fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A number below `n`, which is not 0.
    pub fn roll(&self, n: usize) -> usize {
        let mut z = self.0.fetch_add(Self::STEP, Ordering::Relaxed).wrapping_add(Self::STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        // The remainder fits: n is a usize.
        (z % n as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{BaseUrl, InFlight};
    use std::collections::HashMap;

    fn targets(n: usize) -> Vec<Arc<Target>> {
        let url = BaseUrl::parse("http://a:1").unwrap();
        (0..n).map(|i| Arc::new(Target::new(i.to_string(), url.clone()))).collect()
    }

    #[test]
    fn nothing_to_pick_from() {
        let one = targets(1);
        let dice = Dice::seeded(1);
        assert!(pick(&[], &[], Instant::now(), |n| dice.roll(n)).is_none());
        assert!(pick(&one, &one, Instant::now(), |n| dice.roll(n)).is_none());
    }

    #[test]
    fn of_two_the_less_busy_one_is_taken() {
        let two = targets(2);
        let _busy = InFlight::count(two[0].clone());
        for first in 0..2 {
            let mut rolls = [first, 0].into_iter();
            let picked = pick(&two, &[], Instant::now(), |_| rolls.next().unwrap()).unwrap();
            assert_eq!(picked.id, "1");
        }
    }

    #[test]
    fn all_instances_get_their_share_and_a_tried_one_none() {
        let four = targets(4);
        let dice = Dice::seeded(7);
        let mut counts: HashMap<String, usize> = HashMap::new();
        for _ in 0..3000 {
            let picked = pick(&four, &four[..1], Instant::now(), |n| dice.roll(n)).unwrap();
            *counts.entry(picked.id.clone()).or_default() += 1;
        }
        assert!(!counts.contains_key("0"));
        assert!(counts.len() == 3 && counts.values().all(|count| *count > 800), "{counts:?}");
    }

    #[test]
    fn a_failed_one_is_taken_only_when_nothing_else_is_left() {
        let two = targets(2);
        let now = Instant::now();
        two[0].failed(now);
        let dice = Dice::seeded(3);
        for _ in 0..50 {
            assert_eq!(pick(&two, &[], now, |n| dice.roll(n)).unwrap().id, "1");
        }
        assert_eq!(pick(&two, &two[1..], now, |n| dice.roll(n)).unwrap().id, "0");
        two[1].failed(now);
        assert!(pick(&two, &[], now, |n| dice.roll(n)).is_some());
    }
}
