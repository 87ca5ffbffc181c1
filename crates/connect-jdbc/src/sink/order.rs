//! Which group of its table a row may join, so that a delete and a write of one key never change places.
//!
//! Deletes may move forward past writes of other keys; writes stay where they are, since a write may need what a delete
//! before it has freed (the value of another unique column).

use std::collections::HashSet;

/// The groups of one table that rows may still join.
#[derive(Debug, Default)]
pub(super) struct Open {
    writes: Option<usize>,
    deletes: Option<usize>,
    /// The keys of the writes after the group of deletes.
    written_since: HashSet<Vec<u8>>,
    /// One of those writes has a key that may equal any other to the database.
    any_written_since: bool,
}

impl Open {
    /// The group of the kind.
    pub(super) fn candidate(&self, deletes: bool) -> Option<usize> {
        if deletes { self.deletes } else { self.writes }
    }

    /// Whether a row with this key (`None`: it may equal any other) may join the group. Only asked of [`candidate`](Self::candidate)s.
    pub(super) fn may_join(&self, group: usize, deletes: bool, key: Option<&[u8]>) -> bool {
        let last = self.writes.max(self.deletes) == Some(group);
        if last || !deletes {
            return last;
        }
        !self.any_written_since && key.is_some_and(|key| !self.written_since.contains(key))
    }

    /// Notes a row that joined a group, perhaps as its first.
    pub(super) fn joined(&mut self, group: usize, deletes: bool, key: Option<Vec<u8>>) {
        if deletes {
            if self.deletes != Some(group) {
                self.written_since.clear();
                self.any_written_since = false;
            }
            self.deletes = Some(group);
            return;
        }
        self.writes = Some(group);
        if self.deletes.is_some() {
            match key {
                Some(key) => {
                    self.written_since.insert(key);
                }
                None => self.any_written_since = true,
            }
        }
    }

    /// Where nothing is ever deleted.
    pub(super) fn joined_last(&mut self, group: usize) {
        self.writes = Some(group);
    }
}
