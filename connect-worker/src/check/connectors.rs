//! The connectors of a running cluster: would they start here?

use super::report::{ConnectorReport, Finding, Verdict};
use super::worker_file::client_finding;
use connect_api::ConfigMap;
use connect_api::config::HIDDEN;
use connect_kafka::ClientKind;
use connect_runtime::config_providers::Resolved;
use connect_runtime::connector_config::{Settings, framework_tables, unknown_keys};
use connect_runtime::herder::ConnectorType;
use connect_runtime::plugins::Plugins;
use connect_runtime::secrets::Masker;
use connect_runtime::worker_config::WorkerConfig;

const OVERRIDES: [(&str, ClientKind); 3] = [
    ("consumer.override.", ClientKind::Consumer),
    ("producer.override.", ClientKind::Producer),
    ("admin.override.", ClientKind::Admin),
];

/// Checks what can be checked without touching anything outside.
pub(super) fn review(
    name: &str,
    config: &ConfigMap,
    plugins: &Plugins,
    worker: Option<&WorkerConfig>,
) -> ConnectorReport {
    let class = config.get("connector.class").map(|class| class.trim()).unwrap_or_default().to_owned();
    let tables = match plugins.connector(&class) {
        Ok(plugin) => {
            framework_tables(plugin.ty()).iter().copied().chain([plugin.config_def()]).collect::<Vec<_>>()
        }
        // Which keys are secret has to be guessed then.
        Err(_) => framework_tables(ConnectorType::Sink).to_vec(),
    };
    let masker = Masker::new(tables);
    let mut findings = overrides(config);
    findings.extend(match plugins.connector(&class) {
        Err(why) => vec![Finding::new(Verdict::Refused, "connector.class", why)],
        Ok(_) => match worker {
            Some(worker) => settings(config, plugins, worker),
            None => vec![Finding::new(
                Verdict::Differs,
                "connector.class",
                "the rest is checked when the worker's file can be read",
            )],
        },
    });
    for finding in &mut findings {
        finding.message = masker.scrub(&finding.message, config);
    }
    ConnectorReport { name: name.to_owned(), class, findings }
}

fn settings(config: &ConfigMap, plugins: &Plugins, worker: &WorkerConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Resolved { config: plain, secrets } = match worker.providers.resolve(config) {
        Ok(resolved) => resolved,
        Err(error) => {
            findings.push(Finding::new(
                Verdict::Differs,
                "config.providers",
                format!("config.providers cannot be asked from here: {}", error.chain()),
            ));
            Resolved { config: config.clone(), secrets: Vec::new() }
        }
    };
    for key in plain.iter().filter(|(_, value)| is_placeholder(value)).map(|(key, _)| key) {
        findings.push(Finding::new(
            Verdict::Refused,
            key,
            format!("{key} holds a placeholder that no config provider of the worker's file resolves"),
        ));
    }
    let Ok(plugin) = plugins.connector(config.get("connector.class").map(String::as_str).unwrap_or_default())
    else {
        return findings;
    };
    let framework = Settings::read(plugin.ty(), &plain, worker, plugins).err().unwrap_or_default();
    let own = plugin.config_def().parse(&plain).err().unwrap_or_default();
    let refused = framework.into_iter().chain(own).map(|fault| (fault.key, fault.message));
    let mut refused: Vec<_> = refused.collect();
    if refused.is_empty() {
        refused.extend(plugin.validate(&plain));
    }
    // A placeholder that could not be replaced is no wrong value.
    refused.retain(|(key, _)| !plain.get(key).is_some_and(|value| is_placeholder(value)));
    findings.extend(refused.iter().map(|(key, message)| {
        let message = secrets.iter().fold(message.clone(), |text, secret| text.replace(secret, HIDDEN));
        Finding::new(Verdict::Refused, key, message)
    }));
    for (key, meant) in unknown_keys(plugin.ty(), config, plugin.config_def()) {
        let meant = meant.map(|meant| format!(": did you mean {meant}?")).unwrap_or_default();
        let message = format!("{key} is not known to the connector and is ignored{meant}");
        findings.push(Finding::new(Verdict::NoEffect, &key, message));
    }
    findings
}

/// `${alias:...}`
fn is_placeholder(value: &str) -> bool {
    value.split("${").skip(1).any(|rest| rest.split_once('}').is_some_and(|(inside, _)| inside.contains(':')))
}

fn overrides(config: &ConfigMap) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, value) in config {
        for (prefix, kind) in OVERRIDES {
            if let Some(setting) = key.strip_prefix(prefix) {
                findings.extend(client_finding(kind, key, setting, value));
            }
        }
    }
    findings
}
