//! Sets of connectors and tasks.

use crate::herder::TaskId;
use std::collections::BTreeSet;

/// Connectors and tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub connectors: BTreeSet<String>,
    pub tasks: BTreeSet<TaskId>,
}

impl Work {
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }

    pub fn len(&self) -> usize {
        self.connectors.len() + self.tasks.len()
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.connectors.extend(other.connectors.iter().cloned());
        self.tasks.extend(other.tasks.iter().cloned());
    }

    /// Takes away what is also in `other`.
    pub fn remove(&mut self, other: &Self) {
        self.connectors.retain(|connector| !other.connectors.contains(connector));
        self.tasks.retain(|task| !other.tasks.contains(task));
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            connectors: self.connectors.difference(&other.connectors).cloned().collect(),
            tasks: self.tasks.difference(&other.tasks).cloned().collect(),
        }
    }

    /// What is here and in `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self {
            connectors: self.connectors.intersection(&other.connectors).cloned().collect(),
            tasks: self.tasks.intersection(&other.tasks).cloned().collect(),
        }
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        !self.connectors.is_disjoint(&other.connectors) || !self.tasks.is_disjoint(&other.tasks)
    }
}
