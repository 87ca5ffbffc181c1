//! The state by itself: single rules, and random histories of whole clusters.

mod cluster;
mod histories;
mod node;
mod rig;
mod rules;

use super::*;
use crate::group::Protocol;
use crate::ports::{LogEntry, LogRecord};
use crate::worker_config::InterWorkerKeys;
use connect_api::ConfigMap;
use std::time::Duration;

fn settings(worker: usize, protocol: Protocol) -> Settings {
    Settings {
        url: format!("http://w{worker}/"),
        protocol,
        max_delay: Duration::from_secs(10),
        sync_timeout: Duration::from_secs(3),
        unsync_backoff: Duration::from_secs(300),
        keys: Some(InterWorkerKeys {
            generation_algorithm: "HmacSHA256".into(),
            size: 32,
            ttl: Duration::from_secs(3600),
            signature_algorithm: "HmacSHA256".into(),
            verification_algorithms: vec!["HmacSHA256".into()],
        }),
        auto_restart: None,
        patience: Duration::from_secs(30),
        track_topics: true,
    }
}

fn config(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn entry(offset: usize, record: &LogRecord) -> LogEntry {
    LogEntry {
        partition: 0,
        offset: offset as i64,
        key: Some(record.key.clone()),
        value: record.value.clone(),
    }
}
