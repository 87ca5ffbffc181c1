//! The ports of a cluster of workers on a real broker: membership, logs, offsets of groups.

mod broker;
mod java_group;
mod log;
mod member;
mod offsets;

use connect_api::ConfigMap;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// The keys of a worker that concern its clients.
fn worker(bootstrap: &str, group: &str) -> ConfigMap {
    map(&[("bootstrap.servers", bootstrap), ("group.id", group), ("offset.flush.interval.ms", "1000")])
}
