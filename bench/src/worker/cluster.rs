//! A cluster of workers with topics of its own.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::Process;
use testkit::kafka_client::{Topics, create_topic};

use super::{Bench, Side};
use crate::rest::Rest;
use crate::usage::Usage;
use crate::wait::{LONG, until, watched};

/// Workers that belong to one group. What it made is removed when it goes; its workers have to go first.
pub(crate) struct Cluster<'a> {
    bench: &'a Bench,
    side: Side,
    name: String,
    folder: PathBuf,
    /// Where all connectors write to.
    pub(crate) topic: String,
    _topics: Topics,
}

pub(crate) struct Worker {
    process: Process,
    pub(crate) rest: Rest,
    /// `host:port`, as in a connector's status.
    pub(crate) id: String,
    /// Just before exec.
    pub(crate) begun: Instant,
}

impl<'a> Cluster<'a> {
    pub(crate) async fn new(bench: &'a Bench, side: Side, name: &str) -> anyhow::Result<Cluster<'a>> {
        let name = testkit::unique(&format!("bench_{name}"));
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let topic = format!("{name}_lines");
        let all = ["lines", "configs", "offsets", "status"].map(|kind| format!("{name}_{kind}"));
        let topics = Topics::removed_at_the_end(&bench.bootstrap, all);
        create_topic(&bench.bootstrap, &topic, 1, &[]).await?;
        Ok(Cluster { bench, side, name, folder, topic, _topics: topics })
    }

    /// Starts a worker and does not wait for it. Its port, and with it the name that its tasks' status has, is new each time.
    pub(crate) fn start(&self) -> anyhow::Result<Worker> {
        let id = format!("127.0.0.1:{}", testkit::free_port());
        let properties = self.folder.join(format!("{}.properties", id.replace(':', "-")));
        let name = &self.name;
        let text = format!(
            "bootstrap.servers={}\ngroup.id={name}\nlisteners=http://{id}\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\n\
             config.storage.topic={name}_configs\nconfig.storage.replication.factor=1\n\
             offset.storage.topic={name}_offsets\noffset.storage.replication.factor=1\n\
             status.storage.topic={name}_status\nstatus.storage.replication.factor=1\n\
             scheduled.rebalance.max.delay.ms=10000\n",
            self.bench.bootstrap
        );
        std::fs::write(&properties, text)
            .with_context(|| format!("cannot write {}", properties.display()))?;
        let mut command = self.bench.programs.command(self.side, &properties);
        let rest = Rest::new(&format!("http://{id}"))?;
        let begun = Instant::now();
        let process = Process::spawn(if self.side == Side::Java { "java" } else { "ours" }, &mut command);
        Ok(Worker { process, rest, id, begun })
    }

    pub(crate) async fn start_healthy(&self) -> anyhow::Result<Worker> {
        let mut worker = self.start()?;
        let (rest, begun) = (worker.rest.clone(), worker.begun);
        worker.watched(until("a healthy worker", begun, async || healthy(&rest).await)).await?;
        Ok(worker)
    }

    /// The file that a connector reads.
    pub(crate) fn file(&self, connector: &str) -> PathBuf {
        self.folder.join(format!("{connector}.txt"))
    }

    /// Creates a FileStream source, and again while the group rebalances, as a client has to.
    pub(crate) async fn create(&self, rest: &Rest, connector: &str) -> anyhow::Result<()> {
        let config: Value = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "tasks.max": "1",
            "file": self.file(connector),
            "topic": self.topic,
        });
        let what = format!("the creation of {connector}");
        until(&what, Instant::now(), async || Ok(rest.create(connector, &config).await?.then_some(()))).await
    }
}

pub(crate) async fn healthy(rest: &Rest) -> anyhow::Result<Option<()>> {
    Ok((rest.status_of("/health").await == Some(200)).then_some(()))
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Worker {
    /// Does some work with the worker. When the work fails, or the worker ends meanwhile, the error shows the end of its log.
    pub(crate) async fn watched<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        watched(&mut self.process, work).await
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.process.pid)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill9();
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&mut self) {
        self.process.terminate();
    }

    /// Waits for the end after [`terminate`](Worker::terminate).
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        self.process.wait_exit(LONG).await.map(drop)
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.terminate();
        self.ended().await
    }
}
