//! The form of `/status.json`.

use crate::ask::AskError;
use crate::discovery::table::Instance;
use crate::upstream::Target;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub generated_at: String,
    pub services: Vec<Service>,
    pub registry: Registry,
    pub connect: Vec<Worker>,
    pub topics: Vec<Topic>,
    /// As order-service tells them.
    pub last_orders: Vec<Value>,
    /// As catalog-service tells them.
    pub products: Vec<Value>,
    /// Why `lastOrders` or `products` could not be read.
    pub problems: BTreeMap<&'static str, Problem>,
}

/// Why something cannot be shown: a code, for which the page has a text in each of its languages, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub code: &'static str,
    pub detail: String,
    /// The HTTP status that was answered, with the code `STATUS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl Problem {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), status: None }
    }

    /// `who` was asked and did not answer as it should.
    pub(super) fn of(who: &str, error: &AskError) -> Self {
        let (code, status) = match error {
            AskError::NoInstance => ("NO_INSTANCE", None),
            AskError::Unreachable => ("UNREACHABLE", None),
            AskError::Timeout => ("TIMEOUT", None),
            AskError::Status(status) => ("STATUS", Some(*status)),
            AskError::Strange => ("STRANGE", None),
        };
        Self { code, detail: format!("{who} {error}"), status }
    }
}

#[derive(Debug, Serialize)]
pub struct Service {
    pub name: &'static str,
    pub instances: Vec<ServiceInstance>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceInstance {
    pub id: String,
    pub url: String,
    pub lease_remaining_ms: u64,
    /// `UP`, or `ASIDE` after it could not be reached.
    pub state: &'static str,
    pub in_flight: usize,
}

impl ServiceInstance {
    pub(super) fn new(instance: &Instance, target: &Target, now: Instant) -> Self {
        Self {
            id: instance.id.to_string(),
            url: instance.url.to_string(),
            lease_remaining_ms: instance.lease_remaining.as_millis() as u64,
            state: if target.is_aside(now) { "ASIDE" } else { "UP" },
            in_flight: target.in_flight(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registry {
    /// The registry topic cannot be read: instances neither join nor leave.
    pub frozen: bool,
    pub since: Option<String>,
    pub reason: Option<String>,
    /// Forged or malformed records so far, as often as they were read.
    pub refused_records: u64,
}

#[derive(Debug, Serialize)]
pub struct Worker {
    pub url: String,
    pub healthy: bool,
    pub connectors: Vec<Connector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Connector {
    pub name: String,
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    pub tasks: Vec<Task>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    pub id: i64,
    pub state: String,
    /// The first line only, without what may be secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    pub name: String,
    /// By its name a topic for records that could not be processed: what it holds wants to be looked at.
    pub dead_letters: bool,
    pub partitions: Option<usize>,
    /// End minus beginning, over all partitions. Compaction makes it more than there is.
    pub records: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
