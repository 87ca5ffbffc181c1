//! Worker processes of one group.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::Process;

use crate::scenario::Side;

/// A Java worker on a busy machine.
const START: Duration = Duration::from_secs(120);
const EXIT: Duration = Duration::from_secs(60);

/// Quiet: what a worker says is only looked at when something went wrong.
const JAVA_LOGGING: &str = "status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
";

pub(crate) struct Worker {
    process: Process,
    /// Everything but standalone workers is started from this file.
    properties: PathBuf,
}

/// The workers of one group id, and that group's topics.
pub(crate) struct Cluster {
    side: Side,
    bootstrap: String,
    pub(crate) group: String,
    pub(crate) folder: PathBuf,
    properties: Vec<(String, String)>,
    ports: BTreeMap<String, u16>,
    workers: BTreeMap<String, Worker>,
}

impl Cluster {
    pub(crate) fn new(
        side: Side,
        bootstrap: &str,
        group: &str,
        folder: &Path,
        properties: &[(String, String)],
    ) -> Result<Cluster, String> {
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(folder.join("log4j2.properties"), JAVA_LOGGING))
            .map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        Ok(Cluster {
            side,
            bootstrap: bootstrap.to_owned(),
            group: group.to_owned(),
            folder: folder.to_owned(),
            properties: properties.to_vec(),
            ports: BTreeMap::new(),
            workers: BTreeMap::new(),
        })
    }

    /// `host:port` of a worker, also of one that has not been started: it is its worker id.
    pub(crate) fn address(&mut self, worker: &str) -> String {
        let port = self.ports.entry(worker.to_owned()).or_insert_with(testkit::free_port);
        format!("127.0.0.1:{port}")
    }

    /// Workers that should be alive, with their addresses.
    pub(crate) fn running(&self) -> Vec<(String, String)> {
        let port = |name: &String| self.ports.get(name).copied().unwrap_or_default();
        self.workers.keys().map(|name| (name.clone(), format!("127.0.0.1:{}", port(name)))).collect()
    }

    /// The topics of the group: configs, offsets, statuses.
    pub(crate) fn storage(&self) -> [String; 3] {
        ["configs", "offsets", "statuses"].map(|kind| format!("{}-{kind}", self.group))
    }

    fn distributed_properties(&mut self, worker: &str, extra: &[(String, String)]) -> Vec<(String, String)> {
        let [configs, offsets, statuses] = self.storage();
        let own = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut properties = vec![
            own("bootstrap.servers", &self.bootstrap),
            own("group.id", &self.group),
            own("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            own("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            own("config.storage.topic", &configs),
            own("offset.storage.topic", &offsets),
            own("status.storage.topic", &statuses),
            own("config.storage.replication.factor", "1"),
            own("offset.storage.replication.factor", "1"),
            own("status.storage.replication.factor", "1"),
            // one partition: then the order of all records is known
            own("offset.storage.partitions", "1"),
            own("status.storage.partitions", "1"),
            own("offset.flush.interval.ms", "500"),
            own("listeners", &format!("http://{}", self.address(worker))),
        ];
        for (key, value) in self.properties.iter().chain(extra) {
            properties.retain(|(other, _)| other != key);
            properties.push(own(key, value));
        }
        properties
    }

    /// Starts a worker and waits until `/health` says that it is ready.
    pub(crate) async fn start(&mut self, worker: &str, extra: &[(String, String)]) -> Result<(), String> {
        let properties = self.distributed_properties(worker, extra);
        let text: String = properties.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        let file = self.folder.join(format!("{worker}.properties"));
        std::fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let mut command = self.command("distributed")?;
        command.arg(&file);
        self.spawn(worker, &mut command, file).await
    }

    /// Starts a standalone worker from files that the scenario has written.
    pub(crate) async fn start_standalone(&mut self, worker: &str, files: &[String]) -> Result<(), String> {
        let mut command = self.command("standalone")?;
        command.args(files);
        let properties = files.first().map(PathBuf::from).unwrap_or_default();
        self.spawn(worker, &mut command, properties).await
    }

    async fn spawn(
        &mut self,
        worker: &str,
        command: &mut Command,
        properties: PathBuf,
    ) -> Result<(), String> {
        if self.workers.contains_key(worker) {
            return Err(format!("{worker} runs already"));
        }
        let url = format!("http://{}/health", self.address(worker));
        let mut process = Process::spawn(&format!("{}-{worker}", self.side.name()), command);
        let deadline = tokio::time::Instant::now() + START;
        loop {
            let healthy = reqwest::get(&url).await.is_ok_and(|answer| answer.status() == 200);
            if healthy {
                self.workers.insert(worker.to_owned(), Worker { process, properties });
                return Ok(());
            }
            if !process.is_running() || tokio::time::Instant::now() > deadline {
                return Err(format!("{worker} did not get ready: {}", end_of(&process)));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Runs a standalone worker to its end; its exit code and all that it said.
    pub(crate) async fn run_standalone(&mut self, arguments: &[String]) -> Result<(i32, String), String> {
        let mut command = self.command("standalone")?;
        let mut process = Process::spawn(&format!("{}-run", self.side.name()), command.args(arguments));
        let status = process.wait_exit(EXIT).await.map_err(|error| format!("{error:#}"))?;
        Ok((exit_code(status), process.log()))
    }

    /// SIGTERM; the exit code and what the worker said.
    pub(crate) async fn stop(&mut self, worker: &str) -> Result<(i32, String), String> {
        let mut worker = self.take(worker)?;
        worker.process.terminate();
        let status = worker.process.wait_exit(EXIT).await.map_err(|error| format!("{error:#}"))?;
        Ok((exit_code(status), worker.process.log()))
    }

    pub(crate) fn kill(&mut self, worker: &str) -> Result<(), String> {
        self.take(worker)?.process.kill9();
        Ok(())
    }

    fn take(&mut self, worker: &str) -> Result<Worker, String> {
        self.workers.remove(worker).ok_or_else(|| format!("{worker} does not run"))
    }

    /// Why a request failed, if it is that a worker has ended.
    pub(crate) fn ended(&mut self) -> Option<String> {
        self.workers.iter_mut().find_map(|(name, worker)| {
            (!worker.process.is_running()).then(|| {
                format!("{name} ({}) has ended: {}", worker.properties.display(), end_of(&worker.process))
            })
        })
    }

    fn command(&self, mode: &str) -> Result<Command, String> {
        Ok(match self.side {
            Side::Ours => {
                let mut command = Command::new(testkit::bin("connect-worker"));
                command.arg(mode);
                command
            }
            Side::Java => {
                let libs = testkit::kafka_libs().map_err(|error| format!("{error:#}"))?;
                let class = if mode == "standalone" { "ConnectStandalone" } else { "ConnectDistributed" };
                let mut command = Command::new("java");
                command
                    // Compiled once and simply: it starts in half the time.
                    .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
                    .arg(format!(
                        "-Dlog4j2.configurationFile={}",
                        self.folder.join("log4j2.properties").display()
                    ))
                    .arg("-cp")
                    .arg(libs.join("*"))
                    .arg(format!("org.apache.kafka.connect.cli.{class}"));
                command
            }
        })
    }
}

fn end_of(process: &Process) -> String {
    format!("{} ends with\n{}", process.log_path.display(), process.log_tail(15))
}

/// As a shell tells it: 128 and the signal's number when a signal ended the process.
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
