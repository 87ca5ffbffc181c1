//! The table of instances as pure logic: records and the clock go in, instances come out. No I/O, no waiting.
//!
//! Leases are counted on a clock of the table's own, which runs only while the topic is known to be read up to its
//! end ([`Table::caught_up`]). A broker that is away, or a reader that lags, thus stops the clock instead of emptying
//! the table: the instances may well be alive, their announcements just do not get through.

use crate::upstream::BaseUrl;
use contracts::registry::RegistryRecord;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// More live instances are not taken in: one of the holders of the secret runs wild.
pub const INSTANCES_MAX: usize = 256;

/// Of how many instances, gone ones included, the last sequence is remembered, so that an old record played again is
/// known as old.
const REMEMBERED_MAX: usize = 4096;

/// The most that one proof moves the clock. The time between two proofs that are further apart was partly blind.
const STEP_MAX: Duration = Duration::from_secs(2);

/// Without a proof for so long the table counts as frozen.
const FROZEN_AFTER: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub id: Uuid,
    pub service: String,
    pub url: BaseUrl,
    pub lease_remaining: Duration,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The instance was not in the table before.
    Joined,
    /// Its lease begins anew.
    Renewed,
    Left,
    /// Its sequence does not rise, or the instance has left before.
    Old,
    /// There are [`INSTANCES_MAX`] already.
    Full,
    /// The gateway cannot send requests there.
    UnusableUrl,
}

#[derive(Debug)]
struct Entry {
    service: String,
    sequence: u64,
    /// Rises with each record applied: the smallest is forgotten first.
    touched: u64,
    lease: Lease,
}

#[derive(Debug)]
enum Lease {
    /// `until` is a reading of the table's clock.
    Live {
        url: BaseUrl,
        until: Duration,
    },
    Expired,
    /// An instance id is new at every start, so there is no way back from this.
    Left,
}

#[derive(Debug, Default)]
pub struct Table {
    entries: HashMap<Uuid, Entry>,
    /// The clock leases are counted on.
    clock: Duration,
    proven: Option<Instant>,
    applied: u64,
}

impl Table {
    pub fn apply(&mut self, record: RegistryRecord, now: Instant) -> Applied {
        self.applied += 1;
        let applied = match record {
            RegistryRecord::Left { service, instance } => self.leave(service, instance),
            RegistryRecord::Announced(announcement) => {
                let Ok(url) = BaseUrl::parse(&announcement.url) else { return Applied::UnusableUrl };
                let known = self.entries.get(&announcement.instance);
                let was_live = known.is_some_and(|entry| matches!(entry.lease, Lease::Live { .. }));
                let old = known.is_some_and(|entry| {
                    matches!(entry.lease, Lease::Left) || announcement.sequence <= entry.sequence
                });
                if old {
                    return Applied::Old;
                }
                if !was_live && self.live() >= INSTANCES_MAX {
                    return Applied::Full;
                }
                let until = self.reading(now) + Duration::from_millis(announcement.lease_ms);
                let entry = Entry {
                    service: announcement.service,
                    sequence: announcement.sequence,
                    touched: self.applied,
                    lease: Lease::Live { url, until },
                };
                self.entries.insert(announcement.instance, entry);
                if was_live { Applied::Renewed } else { Applied::Joined }
            }
        };
        self.forget_the_oldest();
        applied
    }

    fn leave(&mut self, service: String, instance: Uuid) -> Applied {
        let sequence = self.entries.get(&instance).map_or(0, |entry| entry.sequence);
        let entry = Entry { service, sequence, touched: self.applied, lease: Lease::Left };
        match self.entries.insert(instance, entry) {
            Some(Entry { lease: Lease::Live { .. }, .. }) => Applied::Left,
            _ => Applied::Old,
        }
    }

    fn live(&self) -> usize {
        self.entries.values().filter(|entry| matches!(entry.lease, Lease::Live { .. })).count()
    }

    fn forget_the_oldest(&mut self) {
        while self.entries.len() > REMEMBERED_MAX {
            let gone = self.entries.iter().filter(|(_, entry)| !matches!(entry.lease, Lease::Live { .. }));
            let Some(id) = gone.min_by_key(|(_, entry)| entry.touched).map(|(id, _)| *id) else { return };
            self.entries.remove(&id);
        }
    }

    /// At `now` every record of the topic had been applied: the clock runs on, and leases that are over end.
    pub fn caught_up(&mut self, now: Instant) {
        self.clock = self.reading(now);
        self.proven = Some(now);
        for entry in self.entries.values_mut() {
            if matches!(entry.lease, Lease::Live { until, .. } if until <= self.clock) {
                entry.lease = Lease::Expired;
            }
        }
    }

    /// What the clock shows at `now` if the topic was readable since the last proof.
    fn reading(&self, now: Instant) -> Duration {
        let since = self.proven.map_or(Duration::ZERO, |proven| now.saturating_duration_since(proven));
        self.clock + since.min(STEP_MAX)
    }

    /// Since when nothing is known of the topic, if that is long enough to matter; `started` if it never was read.
    pub fn frozen_since(&self, started: Instant, now: Instant) -> Option<Instant> {
        match self.proven {
            None => Some(started),
            Some(proven) => (now.saturating_duration_since(proven) > FROZEN_AFTER).then_some(proven),
        }
    }

    /// The live instances, in the order of their ids, with what is left of their leases at `now`.
    pub fn instances(&self, now: Instant) -> Vec<Instance> {
        let clock = self.reading(now);
        let mut instances: Vec<Instance> = self
            .entries
            .iter()
            .filter_map(|(id, entry)| match &entry.lease {
                Lease::Live { url, until } => Some(Instance {
                    id: *id,
                    service: entry.service.clone(),
                    url: url.clone(),
                    lease_remaining: until.saturating_sub(clock),
                }),
                Lease::Expired | Lease::Left => None,
            })
            .collect();
        instances.sort_by(|a, b| (&a.service, a.id).cmp(&(&b.service, b.id)));
        instances
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
