//! Kafka Connect workers of a cluster as processes, Apache Kafka's and ours, started alike from a property file.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::Process;
use crate::engines::kafka_libs;
use crate::names::{bin, log_dir};

/// Apache Kafka's own worker, as `connect-distributed.sh` would start it. It logs warnings, and what its herder does.
#[track_caller]
pub fn java_connect_distributed(name: &str, properties: &Path) -> anyhow::Result<Process> {
    let logging = log_dir().join("connect-log4j2.properties");
    // Several tests write the same text.
    std::fs::write(&logging, LOGGING).with_context(|| format!("cannot write {}", logging.display()))?;
    let mut command = Command::new("java");
    command
        // It lives for seconds, beside others on a small machine: to be there soon is worth more than to be fast later.
        .args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"])
        .arg(format!("-Dlog4j2.configurationFile={}", logging.display()))
        .arg("-cp")
        .arg(kafka_libs()?.join("*"))
        .arg("org.apache.kafka.connect.cli.ConnectDistributed")
        .arg(properties);
    Ok(Process::spawn(name, &mut command))
}

/// Our worker, under the name of Kafka's script.
#[track_caller]
pub fn connect_distributed(name: &str, properties: &Path) -> Process {
    let mut command = Command::new(bin("connect-worker"));
    Process::spawn(name, command.arg0("connect-distributed").arg(properties))
}

const LOGGING: &str = "status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.herder.name = org.apache.kafka.connect.runtime.distributed
logger.herder.level = info
logger.metrics.name = org.apache.kafka.common
logger.metrics.level = error
";
