//! `connect-worker check`: what would not work here, before anyone swaps a worker. Reads a worker's file and asks a cluster that runs; changes
//! nothing, contacts nothing else, shows no secret.

mod cluster;
mod connectors;
mod report;
mod worker_file;

use crate::Failure;
use crate::cli::CheckArgs;
use crate::plugins::plugins;
use crate::settings::Settings;
use report::{ClusterReport, Report};
use std::io::Write;

pub(crate) async fn run(args: CheckArgs) -> Result<(), Failure> {
    // A file that cannot be read says nothing about whether it would work.
    let settings =
        Settings::read(Some(&args.worker)).map_err(|failure| Failure::Usage(failure.to_string()))?;
    let plugins = plugins();
    let (worker, config) =
        worker_file::review(&settings.origin, &settings.values, &settings.repeated, &plugins);
    let cluster = match &args.connect {
        None => None,
        Some(url) => {
            let cluster = cluster::read(url).await.map_err(Failure::Usage)?;
            let connectors = cluster
                .connectors
                .iter()
                .map(|(name, connector)| connectors::review(name, connector, &plugins, config.as_ref()));
            Some(ClusterReport {
                connectors: connectors.collect(),
                url: cluster.url,
                version: cluster.version,
            })
        }
    };
    let report = Report { worker, cluster };
    let text = if args.json { format!("{:#}\n", report.json()) } else { report.text() };
    // Whoever closed the pipe does not want to know more.
    let _ = std::io::stdout().write_all(text.as_bytes());
    match report.refused() {
        0 => Ok(()),
        1 => Err(Failure::Check("1 thing would not work here".into())),
        count => Err(Failure::Check(format!("{count} things would not work here"))),
    }
}

#[cfg(test)]
mod tests;
