//! Even loads, for one kind of work: connectors and tasks are balanced apart from each other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Gives each item to the one who has least; among equals to the one who had less before, then to the first.
pub(super) fn give<T: Ord>(mut shares: Vec<&mut BTreeSet<T>>, items: impl IntoIterator<Item = T>) {
    shares.sort_by_key(|share| share.len());
    let mut least: BinaryHeap<Reverse<(usize, usize)>> =
        shares.iter().enumerate().map(|(place, share)| Reverse((share.len(), place))).collect();
    for item in items {
        let Some(Reverse((load, place))) = least.pop() else { return };
        shares[place].insert(item);
        least.push(Reverse((load + 1, place)));
    }
}

/// Gives the items in turn, whatever each has.
pub(super) fn deal<T: Ord>(mut shares: Vec<&mut BTreeSet<T>>, items: impl IntoIterator<Item = T>) {
    if shares.is_empty() {
        return;
    }
    let turns = (0..shares.len()).cycle();
    for (item, place) in items.into_iter().zip(turns) {
        shares[place].insert(item);
    }
}

/// What has to be taken from whom so that nobody has more than a fair share of `total`, which may be more than they have together.
/// Where it does not divide evenly, those who have more already keep one more than others. The first of each share goes first.
pub(super) fn surplus<T: Ord + Clone>(
    total: usize,
    shares: &BTreeMap<&str, Vec<&T>>,
) -> BTreeMap<String, BTreeSet<T>> {
    let mut surplus = BTreeMap::new();
    let Some(least) = total.checked_div(shares.len()) else { return surplus };
    let mut extras = total % shares.len();
    for (member, share) in shares {
        let mut fair = least;
        if share.len() > least && extras > 0 {
            extras -= 1;
            fair += 1;
        }
        if share.len() > fair {
            let taken = share[..share.len() - fair].iter().map(|item| (*item).clone()).collect();
            surplus.insert((*member).to_owned(), taken);
        }
    }
    surplus
}
