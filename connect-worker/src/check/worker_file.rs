//! The worker's file: which keys are fine, which change nothing, which are refused.

use super::report::{Finding, Verdict, WorkerReport};
use crate::rest;
use connect_api::ConfigMap;
use connect_api::config::{ConfigDef, ConfigFault, Default as KeyDefault};
use connect_kafka::{ClientKind, ClientVerdict, judge_client_setting};
use connect_runtime::plugins::Plugins;
use connect_runtime::secrets::Masker;
use connect_runtime::worker_config::{DISTRIBUTED_CONFIG, Read, STANDALONE_CONFIG, WorkerConfig};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Standalone,
    Distributed,
}

impl Mode {
    /// A file with the keys of both, as some copy them together, is for the mode that needs more.
    fn of(values: &ConfigMap) -> Self {
        let cluster_keys =
            ["group.id", "config.storage.topic", "status.storage.topic", "offset.storage.topic"];
        if cluster_keys.iter().any(|key| values.contains_key(*key)) {
            Self::Distributed
        } else {
            Self::Standalone
        }
    }

    fn table(self) -> &'static ConfigDef {
        match self {
            Self::Standalone => &STANDALONE_CONFIG,
            Self::Distributed => &DISTRIBUTED_CONFIG,
        }
    }

    fn read(self, values: &ConfigMap, plugins: &Plugins) -> Result<Read, Vec<ConfigFault>> {
        match self {
            Self::Standalone => WorkerConfig::standalone(values, plugins),
            Self::Distributed => WorkerConfig::distributed(values, plugins),
        }
    }
}

/// Looks at the values, and gives the configuration against which connectors are checked: without the keys that are refused.
/// Nothing when there is none to be had even so.
pub(super) fn review(
    origin: &str,
    values: &ConfigMap,
    repeated: &[String],
    plugins: &Plugins,
) -> (WorkerReport, Option<WorkerConfig>) {
    let mode = Mode::of(values);
    let mut findings: Vec<Finding> = repeated
        .iter()
        .map(|key| {
            Finding::new(
                Verdict::Differs,
                key,
                format!("{key} is given more than once: the last value counts"),
            )
        })
        .collect();
    let read = match mode.read(values, plugins) {
        Ok(read) => Some(read),
        Err(faults) => {
            let masker = Masker::default();
            findings.extend(faults.iter().map(|fault| {
                Finding::new(Verdict::Refused, &fault.key, masker.scrub(&fault.message, values))
            }));
            mode.read(&without(mode, values, &faults), plugins).ok()
        }
    };
    if let Some(read) = &read {
        findings.extend(
            read.notes.iter().map(|note| Finding::new(Verdict::NoEffect, &note.key, note.message.clone())),
        );
        if let Err(fault) = rest::options(&read.config) {
            findings.push(Finding::new(Verdict::Refused, &fault.key, fault.message));
        }
    }
    findings.extend(client_settings(values));
    findings.extend(other_defaults(mode, values));
    // A key below a refused one, such as a setting of a converter that is not there, is not fine either.
    let concerns = |finding: &Finding, key: &str| match key.strip_prefix(finding.key.as_str()) {
        Some(rest) => rest.is_empty() || (rest.starts_with('.') && finding.verdict == Verdict::Refused),
        None => false,
    };
    let fine = values.keys().filter(|key| !findings.iter().any(|finding| concerns(finding, key)));
    let fine = fine.cloned().collect();
    let mode = if mode == Mode::Distributed { "distributed" } else { "standalone" };
    let report = WorkerReport { file: origin.to_owned(), mode, fine, findings };
    (report, read.map(|read| read.config))
}

/// The values without those at fault, with something harmless where a key is required.
fn without(mode: Mode, values: &ConfigMap, faults: &[ConfigFault]) -> ConfigMap {
    let mut rest = values.clone();
    for fault in faults {
        rest.shift_remove(&fault.key);
        // A converter is at fault by its own keys, too.
        rest.retain(|key, _| !key.starts_with(&format!("{}.", fault.key)));
    }
    for key in mode.table().keys.iter().filter(|key| key.default == KeyDefault::Required) {
        let stand_in = match key.name {
            "bootstrap.servers" => "localhost:9092",
            "key.converter" | "value.converter" => "org.apache.kafka.connect.json.JsonConverter",
            // Any text will do for names of topics, groups and files, if they are not the same.
            name => name,
        };
        rest.entry(key.name.to_owned()).or_insert_with(|| stand_in.to_owned());
    }
    rest
}

/// `consumer.*`, `producer.*`, `admin.*`.
fn client_settings(values: &ConfigMap) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, value) in values {
        let (kind, setting) = match key.split_once('.') {
            Some(("consumer", setting)) => (ClientKind::Consumer, setting),
            Some(("producer", setting)) => (ClientKind::Producer, setting),
            Some(("admin", setting)) if !setting.starts_with("listeners") => (ClientKind::Admin, setting),
            _ => continue,
        };
        findings.extend(client_finding(kind, key, setting, value));
    }
    findings
}

/// What to say about a client setting; `key` is the key it stands under.
pub(super) fn client_finding(kind: ClientKind, key: &str, setting: &str, value: &str) -> Option<Finding> {
    match judge_client_setting(kind, setting, value) {
        ClientVerdict::Used => None,
        ClientVerdict::Ignored(why) => Some(Finding::new(Verdict::NoEffect, key, format!("{key} {why}"))),
        ClientVerdict::Refused(why) => Some(Finding::new(Verdict::Refused, key, format!("{key}: {why}"))),
    }
}

/// Where our defaults are not Java's.
fn other_defaults(mode: Mode, values: &ConfigMap) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !values.contains_key("listeners") {
        findings.push(Finding::new(
            Verdict::Differs,
            "listeners",
            "listeners is not set: this worker then listens on 127.0.0.1:8083 alone, Java's on all interfaces; other workers \
             and machines need listeners=http://0.0.0.0:8083",
        ));
    }
    if mode == Mode::Distributed && !values.contains_key("scheduled.rebalance.max.delay.ms") {
        findings.push(Finding::new(
            Verdict::Differs,
            "scheduled.rebalance.max.delay.ms",
            "scheduled.rebalance.max.delay.ms is not set: the work of a worker that died moves after 10 s, with Java's after \
             300 s",
        ));
    }
    findings
}
