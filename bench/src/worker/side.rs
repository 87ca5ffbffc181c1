//! The two programs that are measured.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Java,
    Ours,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Java => "Java worker",
            Side::Ours => "connect-worker",
        })
    }
}

pub(crate) struct Programs {
    libs: PathBuf,
    /// As in the name of connect-runtime's jar.
    version: String,
    logging: PathBuf,
    worker: PathBuf,
}

impl Programs {
    /// Looks for everything before anything is measured: a long run should not end at its second step.
    pub(crate) fn find(worker: &Path, sides: &[Side]) -> anyhow::Result<Programs> {
        let libs = testkit::kafka_libs()?;
        let mut version = "none".to_owned();
        if sides.contains(&Side::Java) {
            ensure!(which("java"), "there is no java on PATH: install a Java runtime, 17 or newer");
            version = jar_version(&libs, "connect-runtime-")?;
            jar_version(&libs, "connect-file-")?;
        }
        if sides.contains(&Side::Ours) {
            ensure!(
                worker.is_file(),
                "{} is not there: build it, or let `cargo xtask bench worker` do so",
                worker.display()
            );
        }
        let logging = std::env::temp_dir().join(format!("bench-log4j2-{}.properties", std::process::id()));
        std::fs::write(&logging, LOGGING).with_context(|| format!("cannot write {}", logging.display()))?;
        Ok(Programs { libs, version, logging, worker: worker.to_owned() })
    }

    pub(crate) fn java_version(&self) -> &str {
        &self.version
    }

    pub(crate) fn command(&self, side: Side, properties: &Path) -> Command {
        match side {
            Side::Java => {
                let mut command = Command::new("java");
                // What bin/kafka-run-class.sh of Kafka's release adds, and the heap of the figures in the issue.
                command
                    .args(["-Xmx1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"])
                    .args(["-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"])
                    .arg("-Djava.awt.headless=true")
                    .arg(format!("-Dlog4j2.configurationFile={}", self.logging.display()))
                    .arg("-cp")
                    .arg(self.libs.join("*"))
                    .arg("org.apache.kafka.connect.cli.ConnectDistributed")
                    .arg(properties);
                command
            }
            Side::Ours => {
                let mut command = Command::new(&self.worker);
                command.arg("distributed").arg(properties);
                command
            }
        }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        std::fs::remove_file(&self.logging).ok();
    }
}

fn which(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// `4.3.0` when there is a `PREFIX4.3.0.jar`.
fn jar_version(libs: &Path, prefix: &str) -> anyhow::Result<String> {
    let entries = std::fs::read_dir(libs).with_context(|| format!("cannot read {}", libs.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let version = |name: String| Some(name.strip_prefix(prefix)?.strip_suffix(".jar")?.to_owned());
    names.filter_map(version).next().with_context(|| {
        format!(
            "there is no {prefix}*.jar in {}: the Java worker cannot run; `cargo xtask provision` downloads it when \
             TESTKIT_KAFKA_LIBS is not set",
            libs.display()
        )
    })
}

/// As config/connect-log4j2.yaml of Kafka's release: everything from INFO on, to standard output.
const LOGGING: &str = "status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %X{connector.context}%m (%c:%L)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
";
