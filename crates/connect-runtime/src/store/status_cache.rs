//! The last known statuses, as they were read from the status topic.

use super::status_records::{Status, StatusRecord, TopicStatus};
use crate::group::Work;
use crate::herder::{State, TaskId};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct StatusCache {
    pub(super) connectors: BTreeMap<String, Status>,
    /// By connector.
    pub(super) tasks: BTreeMap<String, BTreeMap<usize, Status>>,
    /// By connector, then topic.
    pub(super) topics: BTreeMap<String, BTreeMap<String, TopicStatus>>,
}

impl StatusCache {
    pub(super) fn apply(&mut self, record: StatusRecord) {
        match record {
            StatusRecord::Connector(name, Some(status)) => {
                self.connectors.insert(name, status);
            }
            // Its tasks have tombstones of their own. Java's worker forgets them here already; but partitions are read in any
            // order, and a connector that was made again may have been read before: its tasks would never be seen.
            StatusRecord::Connector(name, None) => {
                self.connectors.remove(&name);
            }
            StatusRecord::Task(id, Some(status)) => {
                let tasks = self.tasks.entry(id.connector).or_default();
                if tasks.get(&id.task).is_none_or(|known| !is_stale(&status, known)) {
                    tasks.insert(id.task, status);
                }
            }
            StatusRecord::Task(id, None) => remove_below(&mut self.tasks, &id.connector, &id.task),
            StatusRecord::Topic { topic, connector, status: Some(status) } => {
                self.topics.entry(connector).or_default().insert(topic, status);
            }
            StatusRecord::Topic { topic, connector, status: None } => {
                remove_below(&mut self.topics, &connector, &topic);
            }
        }
    }

    pub(super) fn task(&self, id: &TaskId) -> Option<&Status> {
        self.tasks.get(&id.connector)?.get(&id.task)
    }

    pub(super) fn let_go(&self, since: i32) -> Work {
        let is_let_go = |status: &Status| status.state == State::Unassigned && status.generation >= since;
        let connectors = self.connectors.iter().filter(|(_, status)| is_let_go(status));
        let tasks = self.tasks.iter().flat_map(|(connector, tasks)| {
            let tasks = tasks.iter().filter(|(_, status)| is_let_go(status));
            tasks.map(|(task, _)| TaskId { connector: connector.clone(), task: *task })
        });
        Work { connectors: connectors.map(|(name, _)| name.clone()).collect(), tasks: tasks.collect() }
    }
}

fn remove_below<K: Ord, V>(map: &mut BTreeMap<String, BTreeMap<K, V>>, outer: &str, inner: &K) {
    if let Some(below) = map.get_mut(outer) {
        below.remove(inner);
        if below.is_empty() {
            map.remove(outer);
        }
    }
}

/// While tasks move fast, the worker that had a task may say UNASSIGNED after the next one has said RUNNING. Java's worker
/// ignores such a record from any worker; here a worker may take back its own word, or a task that was stopped properly
/// would be shown as running until somebody takes it.
fn is_stale(status: &Status, known: &Status) -> bool {
    status.state == State::Unassigned
        && known.state == State::Running
        && known.generation >= status.generation
        && known.worker_id != status.worker_id
}

/// Whether a worker that knows `known` may write `status`: not over the word of another worker of a later generation.
pub(super) fn is_safe(status: &Status, known: Option<&Status>) -> bool {
    known.is_none_or(|known| known.worker_id == status.worker_id || known.generation <= status.generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: State, worker: &str, generation: i32) -> Status {
        Status { state, trace: None, worker_id: worker.into(), generation, version: None }
    }

    fn task(n: usize) -> TaskId {
        TaskId { connector: "c".into(), task: n }
    }

    #[test]
    fn a_late_unassigned_of_another_worker_is_ignored() {
        let running = status(State::Running, "b", 5);
        for (late, ignored) in [
            (status(State::Unassigned, "a", 4), true),
            (status(State::Unassigned, "a", 5), true),
            (status(State::Unassigned, "a", 6), false),
            (status(State::Unassigned, "b", 5), false),
            (status(State::Failed, "a", 4), false),
        ] {
            let mut cache = StatusCache::default();
            cache.apply(StatusRecord::Task(task(0), Some(running.clone())));
            cache.apply(StatusRecord::Task(task(0), Some(late.clone())));
            let expected = if ignored { &running } else { &late };
            assert_eq!(cache.task(&task(0)), Some(expected));
            assert_eq!(
                cache.let_go(-1).tasks.contains(&task(0)),
                !ignored && late.state == State::Unassigned
            );
        }
    }

    #[test]
    fn safe_is_what_does_not_overrule_a_later_generation() {
        let known = status(State::Running, "a", 5);
        assert!(is_safe(&status(State::Unassigned, "b", 1), None));
        assert!(is_safe(&status(State::Unassigned, "a", 1), Some(&known)));
        assert!(is_safe(&status(State::Unassigned, "b", 5), Some(&known)));
        assert!(!is_safe(&status(State::Unassigned, "b", 4), Some(&known)));
    }

    #[test]
    fn a_connectors_tombstone_leaves_its_tasks_to_theirs() {
        let mut cache = StatusCache::default();
        cache.apply(StatusRecord::Connector("c".into(), Some(status(State::Unassigned, "a", 1))));
        cache.apply(StatusRecord::Task(task(0), Some(status(State::Unassigned, "a", 1))));
        assert_eq!((cache.let_go(-1).connectors.len(), cache.let_go(-1).tasks.len()), (1, 1));
        // Made again, and its task is in another partition, which happened to be read first.
        cache.apply(StatusRecord::Task(task(0), None));
        cache.apply(StatusRecord::Task(task(0), Some(status(State::Running, "b", 2))));
        cache.apply(StatusRecord::Connector("c".into(), None));
        assert_eq!(cache.let_go(-1), Work::default());
        assert_eq!(cache.task(&task(0)), Some(&status(State::Running, "b", 2)));
        cache.apply(StatusRecord::Task(task(0), None));
        assert_eq!(cache.task(&task(0)), None);
    }
}
