//! A worker of either side with nothing but what a connector needs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use testkit::Process;
use testkit::kafka_client::Topics;

use super::Bench;
use crate::rest::Rest;
use crate::usage::Usage;
use crate::wait::{until, watched};
use crate::worker::Side;

/// The processors' time and memory are read every so often, since a process that has ended tells nothing.
pub(crate) struct Worker {
    process: Process,
    rest: Rest,
    properties: PathBuf,
    _topics: Topics,
}

impl Worker {
    pub(crate) async fn start(bench: &Bench, side: Side) -> anyhow::Result<Worker> {
        let name = testkit::unique("bench_jdbc");
        let address = format!("127.0.0.1:{}", testkit::free_port());
        let properties = std::env::temp_dir().join(format!("{name}.properties"));
        let mut text = format!(
            "bootstrap.servers={}\ngroup.id={name}\nlisteners=http://{address}\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter.schemas.enable=true\n\
             config.storage.topic={name}_configs\nconfig.storage.replication.factor=1\n\
             offset.storage.topic={name}_offsets\noffset.storage.replication.factor=1\n\
             status.storage.topic={name}_status\nstatus.storage.replication.factor=1\n\
             connector.client.config.override.policy=All\n",
            bench.bootstrap
        );
        if let (Side::Java, Some(plugin)) = (side, &bench.plugin) {
            text.push_str(&format!("plugin.path={}\nplugin.discovery=hybrid_warn\n", plugin.display()));
        }
        std::fs::write(&properties, text)
            .with_context(|| format!("cannot write {}", properties.display()))?;
        let mut command = bench.programs.command(side, &properties);
        let process = Process::spawn(if side == Side::Java { "java" } else { "ours" }, &mut command);
        let topics = ["configs", "offsets", "status"].map(|kind| format!("{name}_{kind}"));
        let mut worker = Worker {
            process,
            rest: Rest::new(&format!("http://{address}"))?,
            properties,
            _topics: Topics::removed_at_the_end(&bench.bootstrap, topics),
        };
        let rest = worker.rest.clone();
        let healthy = until("a healthy worker", Instant::now(), async || {
            Ok((rest.status_of("/health").await == Some(200)).then_some(()))
        });
        worker.watched(healthy).await?;
        Ok(worker)
    }

    pub(crate) async fn create(&mut self, name: &str, config: &Value) -> anyhow::Result<()> {
        let rest = self.rest.clone();
        let creating = until("the connector", Instant::now(), async || {
            Ok(rest.create(name, config).await?.then_some(()))
        });
        self.watched(creating).await
    }

    /// An error if a task has failed.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        self.rest.running_tasks().await.map(drop)
    }

    /// Does some work; the error shows the end of the worker's log.
    pub(crate) async fn watched<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        watched(&mut self.process, work).await
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.process.pid)
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.terminate();
        let ended = self.process.wait_exit(Duration::from_secs(60)).await;
        std::fs::remove_file(&self.properties).ok();
        ended.map(drop)
    }
}
