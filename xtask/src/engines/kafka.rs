//! One Kafka broker that is its own controller.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::child::Engine;
use super::ports;

/// Starts formatting and serving; [`wait`] returns when it answers. The second value is `host:port`.
pub(super) fn start(home: &Path, libs: &Path) -> anyhow::Result<(Engine, String)> {
    let (port, controller) = ports::two()?;
    let data = home.join("kafka");
    fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let properties = home.join("kafka.properties");
    fs::write(&properties, configuration(port, controller, &data))
        .context("cannot write kafka.properties")?;
    fs::write(home.join("log4j2.properties"), LOGGING).context("cannot write log4j2.properties")?;

    let format = java(home, libs, "128m")
        .args(["kafka.tools.StorageTool", "format", "-t", "c3RhbmRhbG9uZXRlc3RrYQ", "-c"])
        .arg(&properties)
        .output()
        .context("cannot start java")?;
    if !format.status.success() {
        let text = [format.stdout, format.stderr].concat();
        bail!("kafka storage format failed ({}): {}", format.status, String::from_utf8_lossy(&text).trim());
    }
    let mut broker = java(home, libs, "512m");
    broker.arg("kafka.Kafka").arg(&properties);
    Ok((Engine::spawn("kafka", "TERM", home, &broker)?, format!("127.0.0.1:{port}")))
}

pub(super) fn wait(engine: Engine, bootstrap: &str) -> anyhow::Result<Engine> {
    let port = bootstrap.rsplit(':').next().and_then(|port| port.parse().ok()).context("no port")?;
    engine.wait_until(port, &API_VERSIONS, |answer| answer.get(4..8) == Some(&CORRELATION))
}

const CORRELATION: [u8; 4] = *b"xtsk";

/// An ApiVersions request, version 0, without a client id: the smallest question of the protocol. A broker accepts
/// connections before it answers them.
const API_VERSIONS: [u8; 14] = {
    let c = CORRELATION;
    [0, 0, 0, 10, 0, 18, 0, 0, c[0], c[1], c[2], c[3], 0xff, 0xff]
};

fn java(home: &Path, libs: &Path, heap: &str) -> Command {
    let mut command = Command::new("java");
    command
        .arg(format!("-Xmx{heap}"))
        .arg(format!("-Dlog4j2.configurationFile={}", home.join("log4j2.properties").display()))
        .arg("-cp")
        .arg(libs.join("*"));
    command
}

/// A stock broker, but alone: single replicas, few internal partitions, and no three-second pause for a group's first members.
fn configuration(port: u16, controller: u16, data: &Path) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
auto.create.topics.enable=true
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
",
        data.display()
    )
}

const LOGGING: &str = "status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
logger.groups.name = org.apache.kafka.coordinator.group
logger.groups.level = info
";
