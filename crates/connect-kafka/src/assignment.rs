//! Which partitions a consumer has, where it began in them, and what of them is done. Shared between the task, which marks, and
//! those who commit.

use connect_api::TopicPartition;
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
pub(crate) struct Assignment(Mutex<State>);

#[derive(Default)]
struct State {
    /// Every partition that is ours, with the offset that is done and not committed yet.
    owned: HashMap<TopicPartition, Option<i64>>,
    paused: bool,
}

impl Assignment {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing here panics with the lock held.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `starts`: where reading begins, for partitions without a committed offset and for those whose position the task keeps. What lies
    /// before is not ours to do, so that is to be committed like something done: a later start must not look for another place and
    /// pass over what was written meanwhile.
    pub(crate) fn given(
        &self,
        partitions: impl IntoIterator<Item = TopicPartition>,
        starts: &HashMap<TopicPartition, i64>,
    ) {
        let with_start = |partition| {
            let start = starts.get(&partition).copied();
            (partition, start)
        };
        self.state().owned.extend(partitions.into_iter().map(with_start));
    }

    pub(crate) fn taken(&self, partitions: &[TopicPartition]) {
        self.state().owned.retain(|partition, _| !partitions.contains(partition));
    }

    /// Ignored for a partition that is not ours (any more).
    pub(crate) fn mark_done(&self, partition: &TopicPartition, next_offset: i64) {
        if let Some(done) = self.state().owned.get_mut(partition) {
            *done = Some(next_offset);
        }
    }

    /// What is done and not committed; of all partitions, or of those that `of` picks.
    pub(crate) fn uncommitted(&self, of: impl Fn(&TopicPartition) -> bool) -> Vec<(TopicPartition, i64)> {
        let state = self.state();
        let done = state.owned.iter().filter(|(partition, _)| of(partition));
        done.filter_map(|(partition, done)| Some((partition.clone(), (*done)?))).collect()
    }

    /// A mark made after the commit began stays.
    pub(crate) fn committed(&self, offsets: &[(TopicPartition, i64)]) {
        let mut state = self.state();
        for (partition, offset) in offsets {
            if let Some(done) = state.owned.get_mut(partition)
                && *done == Some(*offset)
            {
                *done = None;
            }
        }
    }

    pub(crate) fn owned(&self) -> Vec<TopicPartition> {
        self.state().owned.keys().cloned().collect()
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.state().paused = paused;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.state().paused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(partition: i32) -> TopicPartition {
        TopicPartition { topic: "t".into(), partition }
    }

    #[test]
    fn marks_live_from_done_to_committed() {
        let assignment = Assignment::default();
        assignment.given([partition(0), partition(1)], &HashMap::new());
        assert_eq!(assignment.uncommitted(|_| true), []);
        assignment.mark_done(&partition(0), 5);
        assignment.mark_done(&partition(9), 5);
        let committing = assignment.uncommitted(|_| true);
        assert_eq!(committing, [(partition(0), 5)]);
        assignment.mark_done(&partition(0), 6);
        assignment.committed(&committing);
        assert_eq!(assignment.uncommitted(|_| true), [(partition(0), 6)]);
        assignment.committed(&[(partition(0), 6)]);
        assert_eq!(assignment.uncommitted(|_| true), []);
    }

    #[test]
    fn where_a_partition_begins_is_committed_once_until_something_is_done() {
        let assignment = Assignment::default();
        let starts = HashMap::from([(partition(0), 7), (partition(9), 7)]);
        assignment.given([partition(0), partition(1)], &starts);
        assert_eq!(assignment.uncommitted(|_| true), [(partition(0), 7)]);
        assignment.committed(&[(partition(0), 7)]);
        assert_eq!(assignment.uncommitted(|_| true), []);
        assignment.taken(&[partition(0)]);
        assignment.given([partition(0)], &starts);
        assignment.mark_done(&partition(0), 8);
        assert_eq!(assignment.uncommitted(|_| true), [(partition(0), 8)]);
    }

    #[test]
    fn a_partition_that_comes_back_starts_clean() {
        let assignment = Assignment::default();
        assignment.given([partition(0), partition(1)], &HashMap::new());
        assignment.mark_done(&partition(0), 5);
        assignment.taken(&[partition(0)]);
        assignment.given([partition(0)], &HashMap::new());
        assert_eq!(assignment.uncommitted(|_| true), []);
        assignment.mark_done(&partition(0), 3);
        assert_eq!(assignment.uncommitted(|_| true), [(partition(0), 3)]);
    }
}
