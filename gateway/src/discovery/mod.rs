//! Which instances of the services there are: the pure [`table`], the [`reader`] that feeds it from Kafka, and the
//! [`Directory`] between them and those who ask.

pub mod reader;
pub mod table;

use crate::upstream::Target;
use contracts::registry::{self, RegistryRecord};
use service_kit::secret::Secret;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use table::{Applied, Instance, Table};
use uuid::Uuid;

/// A registry record is some 200 bytes long; more is no announcement of ours.
pub const RECORD_BYTES_MAX: usize = 4096;

/// Of how many keys it is remembered that their refusal was logged.
const LOGGED_KEYS_MAX: usize = 1024;

/// A registry record as it was received.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub signature: Option<&'a [u8]>,
}

/// What is known of the instances, for many to ask at once.
#[derive(Debug)]
pub struct Directory {
    started: Instant,
    inner: Mutex<Inner>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Inner {
    table: Table,
    /// One per instance, for as long as it is in the table: requests in flight are counted there.
    targets: HashMap<Uuid, Arc<Target>>,
    pools: HashMap<String, Arc<[Arc<Target>]>>,
    refused: u64,
    logged: HashSet<u64>,
    trouble: Option<String>,
}

/// The directory at one moment, for the status page.
#[derive(Debug)]
pub struct View {
    pub instances: Vec<(Instance, Arc<Target>)>,
    /// Since when the table is frozen, if it is.
    pub frozen_since: Option<Instant>,
    /// What the reader waits for, if it waits.
    pub trouble: Option<String>,
    /// Records that were forged, malformed, or too many.
    pub refused: u64,
}

impl Default for Directory {
    fn default() -> Self {
        Self { started: Instant::now(), inner: Mutex::default(), hasher: RandomState::new() }
    }
}

impl Directory {
    /// Verifies a record and takes it in. What cannot be believed is counted, and logged once per key, so that a forger
    /// cannot fill the log.
    pub fn receive(&self, secret: &Secret, record: RawRecord<'_>, now: Instant) {
        let parts = [record.key, record.value, record.signature];
        let bytes: usize = parts.iter().flatten().map(|part| part.len()).sum();
        if bytes > RECORD_BYTES_MAX {
            return self.refuse(record.key, format_args!("{bytes} bytes are more than {RECORD_BYTES_MAX}"));
        }
        match registry::verify(secret.expose().as_bytes(), record.key, record.value, record.signature) {
            Err(error) => self.refuse(record.key, format_args!("{error}")),
            Ok(verified) => match self.apply(verified, now) {
                Applied::Full => self.refuse(record.key, format_args!("the table of instances is full")),
                Applied::UnusableUrl => {
                    self.refuse(record.key, format_args!("its url is not http://HOST:PORT"))
                }
                Applied::Joined | Applied::Renewed | Applied::Left | Applied::Old => {}
            },
        }
    }

    /// Takes in a record that is known to be genuine.
    pub fn apply(&self, record: RegistryRecord, now: Instant) -> Applied {
        let (service, instance) = match &record {
            RegistryRecord::Announced(announcement) => (announcement.service.clone(), announcement.instance),
            RegistryRecord::Left { service, instance } => (service.clone(), *instance),
        };
        let mut inner = self.lock();
        let applied = inner.table.apply(record, now);
        match applied {
            Applied::Joined => tracing::info!(service, %instance, "instance joined"),
            Applied::Left => tracing::info!(service, %instance, "instance left"),
            Applied::Renewed => tracing::debug!(service, %instance, "lease renewed"),
            _ => tracing::debug!(service, %instance, ?applied, "registry record not applied"),
        }
        inner.rebuild(now);
        applied
    }

    /// The reader had read everything at `now`.
    pub fn caught_up(&self, now: Instant) {
        let mut inner = self.lock();
        inner.table.caught_up(now);
        inner.trouble = None;
        for gone in inner.rebuild(now) {
            tracing::info!(instance = %gone, "lease is over, instance removed");
        }
    }

    /// What keeps the reader from reading; whether that is news.
    pub fn in_trouble(&self, trouble: impl Into<String>) -> bool {
        let trouble = Some(trouble.into());
        let mut inner = self.lock();
        let news = inner.trouble != trouble;
        inner.trouble = trouble;
        news
    }

    /// The instances of a service that requests may go to.
    pub fn candidates(&self, service: &str) -> Arc<[Arc<Target>]> {
        self.lock().pools.get(service).cloned().unwrap_or_default()
    }

    pub fn view(&self, now: Instant) -> View {
        let inner = self.lock();
        let instances = inner.table.instances(now).into_iter();
        let with_target = |instance: Instance| {
            let target = inner.targets.get(&instance.id)?.clone();
            Some((instance, target))
        };
        View {
            instances: instances.filter_map(with_target).collect(),
            frozen_since: inner.table.frozen_since(self.started, now),
            trouble: inner.trouble.clone(),
            refused: inner.refused,
        }
    }

    fn refuse(&self, key: Option<&[u8]>, reason: std::fmt::Arguments<'_>) {
        let mut inner = self.lock();
        inner.refused += 1;
        if inner.logged.len() < LOGGED_KEYS_MAX && inner.logged.insert(self.hasher.hash_one(key)) {
            let key: String = String::from_utf8_lossy(key.unwrap_or_default()).chars().take(80).collect();
            tracing::warn!(key = ?key, %reason, "registry record refused; more from this key are only counted");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing between lock and unlock leaves the table half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Brings targets and pools in line with the table; returns who is gone.
    fn rebuild(&mut self, now: Instant) -> Vec<Uuid> {
        let instances = self.table.instances(now);
        let live: HashSet<Uuid> = instances.iter().map(|instance| instance.id).collect();
        let gone: Vec<Uuid> = self.targets.keys().filter(|id| !live.contains(*id)).copied().collect();
        self.targets.retain(|id, _| live.contains(id));
        let mut pools: HashMap<String, Vec<Arc<Target>>> = HashMap::new();
        for Instance { id, service, url, .. } in instances {
            let target = match self.targets.get(&id) {
                Some(known) if known.url == url => known.clone(),
                _ => {
                    let target = Arc::new(Target::new(id.to_string(), url));
                    self.targets.insert(id, target.clone());
                    target
                }
            };
            pools.entry(service).or_default().push(target);
        }
        self.pools = pools.into_iter().map(|(service, pool)| (service, pool.into())).collect();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::registry::{Announcement, sign};
    use std::time::Duration;

    fn announcement(sequence: u64, url: &str) -> Announcement {
        Announcement {
            service: "order-service".into(),
            instance: Uuid::from_u128(7),
            url: url.into(),
            lease_ms: 10_000,
            sequence,
        }
    }

    fn receive(directory: &Directory, announcement: &Announcement, secret: &str, now: Instant) {
        let (key, value) = (announcement.key(), announcement.to_json());
        let signature = sign(secret.as_bytes(), key.as_bytes(), Some(&value));
        let record = RawRecord {
            key: Some(key.as_bytes()),
            value: Some(&value),
            signature: Some(signature.as_bytes()),
        };
        directory.receive(&Secret::from("right".to_owned()), record, now);
    }

    #[test]
    fn genuine_records_are_believed_and_forged_ones_counted() {
        let (directory, now) = (Directory::default(), Instant::now());
        receive(&directory, &announcement(1, "http://127.0.0.1:1"), "wrong", now);
        receive(&directory, &announcement(1, "http://127.0.0.1:1"), "wrong", now);
        assert_eq!((directory.candidates("order-service").len(), directory.view(now).refused), (0, 2));
        receive(&directory, &announcement(1, "http://127.0.0.1:1"), "right", now);
        assert_eq!(directory.candidates("order-service")[0].url.to_string(), "http://127.0.0.1:1");
        assert!(directory.candidates("catalog-service").is_empty());

        let long = format!("http://127.0.0.1:1/{}", "x".repeat(RECORD_BYTES_MAX));
        receive(&directory, &announcement(2, &long), "right", now);
        receive(&directory, &announcement(2, "https://127.0.0.1:1"), "right", now);
        let no_key = RawRecord { key: None, value: None, signature: None };
        directory.receive(&Secret::from("right".to_owned()), no_key, now);
        assert_eq!((directory.candidates("order-service").len(), directory.view(now).refused), (1, 5));
    }

    #[test]
    fn an_instance_keeps_its_counts_over_renewals_but_not_over_a_new_address() {
        let (directory, now) = (Directory::default(), Instant::now());
        receive(&directory, &announcement(1, "http://127.0.0.1:1"), "right", now);
        let first = directory.candidates("order-service")[0].clone();
        receive(&directory, &announcement(2, "http://127.0.0.1:1"), "right", now);
        assert!(Arc::ptr_eq(&first, &directory.candidates("order-service")[0]));
        receive(&directory, &announcement(3, "http://127.0.0.1:2"), "right", now);
        assert_eq!(directory.candidates("order-service")[0].url.to_string(), "http://127.0.0.1:2");
    }

    #[test]
    fn expired_instances_get_no_requests() {
        let (directory, now) = (Directory::default(), Instant::now());
        directory.caught_up(now);
        receive(&directory, &announcement(1, "http://127.0.0.1:1"), "right", now);
        for second in 1..=10 {
            directory.caught_up(now + Duration::from_secs(second));
        }
        assert!(directory.candidates("order-service").is_empty());
    }
}
