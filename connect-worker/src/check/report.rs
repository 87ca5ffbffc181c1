//! What was found, for people and for programs.

use serde_json::{Value, json};
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Does not work here.
    Refused,
    /// Works in another way than with Java's worker.
    Differs,
    /// Accepted, and changes nothing.
    NoEffect,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Differs => "differs",
            Self::NoEffect => "no effect",
        }
    }
}

/// One thing worth knowing. `message` never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) key: String,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(verdict: Verdict, key: &str, message: impl Into<String>) -> Self {
        Self { verdict, key: key.to_owned(), message: message.into() }
    }
}

pub(super) struct WorkerReport {
    pub(super) file: String,
    pub(super) mode: &'static str,
    /// Keys that work as they stand.
    pub(super) fine: Vec<String>,
    pub(super) findings: Vec<Finding>,
}

pub(super) struct ConnectorReport {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) findings: Vec<Finding>,
}

pub(super) struct ClusterReport {
    pub(super) url: String,
    pub(super) version: String,
    pub(super) connectors: Vec<ConnectorReport>,
}

pub(super) struct Report {
    pub(super) worker: WorkerReport,
    pub(super) cluster: Option<ClusterReport>,
}

impl Report {
    /// How many things do not work here.
    pub(super) fn refused(&self) -> usize {
        let connectors = self.cluster.iter().flat_map(|cluster| &cluster.connectors);
        let findings = connectors.flat_map(|connector| &connector.findings).chain(&self.worker.findings);
        findings.filter(|finding| finding.verdict == Verdict::Refused).count()
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let Self { worker, cluster } = self;
        line(&mut text, format_args!("{} ({} worker)", worker.file, worker.mode));
        line(&mut text, format_args!("  fine       {} keys: {}", worker.fine.len(), worker.fine.join(", ")));
        findings(&mut text, &worker.findings);
        if let Some(ClusterReport { url, version, connectors }) = cluster {
            let count = connectors.len();
            let noun = if count == 1 { "connector" } else { "connectors" };
            line(&mut text, format_args!("\n{url} (Kafka Connect {version}, {count} {noun})"));
            for connector in connectors {
                let verdict = if connector.refused() { "would not work" } else { "works" };
                line(&mut text, format_args!("{} ({}): {verdict}", connector.name, connector.class));
                findings(&mut text, &connector.findings);
            }
        }
        match self.refused() {
            0 => line(&mut text, format_args!("\nEverything would work here.")),
            1 => line(&mut text, format_args!("\n1 thing would not work here.")),
            count => line(&mut text, format_args!("\n{count} things would not work here.")),
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let Self { worker, cluster } = self;
        json!({
            "worker": {
                "file": worker.file,
                "mode": worker.mode,
                "fine": worker.fine,
                "findings": findings_json(&worker.findings),
            },
            "cluster": cluster.as_ref().map(|cluster| json!({
                "url": cluster.url,
                "version": cluster.version,
                "connectors": cluster.connectors.iter().map(|connector| json!({
                    "name": connector.name,
                    "class": connector.class,
                    "works": !connector.refused(),
                    "findings": findings_json(&connector.findings),
                })).collect::<Vec<_>>(),
            })),
            "works": self.refused() == 0,
        })
    }
}

impl ConnectorReport {
    fn refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Refused)
    }
}

/// The worst first.
fn findings(text: &mut String, findings: &[Finding]) {
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.verdict);
    for Finding { verdict, key, message } in sorted {
        // Most messages name their key already.
        let message = message.replace('\n', "\n             ");
        if message.contains(key.as_str()) {
            line(text, format_args!("  {:<10} {message}", verdict.name()));
        } else {
            line(text, format_args!("  {:<10} {key}: {message}", verdict.name()));
        }
    }
}

fn findings_json(findings: &[Finding]) -> Value {
    findings
        .iter()
        .map(|finding| {
            let verdict = finding.verdict.name().replace(' ', "_");
            json!({"key": finding.key, "verdict": verdict, "message": finding.message})
        })
        .collect()
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
