//! Kafka's jars, from Maven Central.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::{apt, variable};
use crate::paths::{cache, which};
use crate::sh::{human, say};

const VERSION: &str = "4.3.0";

/// group, artifact, version. `connect-*` is the Java worker that differences are measured against. Without the slf4j
/// binding, which only Kafka's release archive adds, the broker logs nothing at all.
const ARTIFACTS: [(&str, &str, &str); 5] = [
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.apache.kafka", "connect-runtime", VERSION),
    ("org.apache.kafka", "connect-file", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"),
];

pub(super) fn find_or_download() -> anyhow::Result<PathBuf> {
    if let Some(libs) = variable("TESTKIT_KAFKA_LIBS") {
        let libs = PathBuf::from(libs);
        ensure!(broker_jar(&libs), "TESTKIT_KAFKA_LIBS={} holds no kafka_2.13-*.jar", libs.display());
        return Ok(libs);
    }
    let home = cache()?.join(format!("kafka-{VERSION}"));
    let libs = home.join("libs");
    if broker_jar(&libs) {
        return Ok(libs);
    }
    if which("mvn").is_none() {
        apt::install(
            "Maven (for Kafka's jars)",
            &["maven"],
            "install Maven, or set TESTKIT_KAFKA_LIBS to the libs folder of an unpacked Kafka",
        )?;
    }
    // A run that is interrupted leaves this folder, never a half-filled cache.
    let partial = cache()?.join(format!("kafka-{VERSION}.partial-{}", std::process::id()));
    download(&partial).with_context(|| {
        format!(
            "cannot download Kafka {VERSION} (is Maven Central, or a mirror in ~/.m2/settings.xml, reachable?); \
             TESTKIT_KAFKA_LIBS may name the libs folder of an unpacked Kafka instead"
        )
    })?;
    if let Err(error) = fs::rename(&partial, &home) {
        // Another run may have been faster; its jars are as good.
        fs::remove_dir_all(&partial).ok();
        ensure!(broker_jar(&libs), "cannot move the download to {}: {error}", home.display());
    }
    Ok(libs)
}

fn broker_jar(libs: &Path) -> bool {
    let entries = fs::read_dir(libs).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| {
        let name = name.to_string_lossy();
        name.starts_with("kafka_2.13-") && name.ends_with(".jar")
    })
}

fn download(home: &Path) -> anyhow::Result<()> {
    let libs = home.join("libs");
    fs::create_dir_all(&libs).with_context(|| format!("cannot create {}", libs.display()))?;
    fs::write(home.join("pom.xml"), pom()).context("cannot write pom.xml")?;
    let log = home.join("mvn.log");
    let out = File::create(&log).context("cannot write mvn.log")?;
    say(format_args!("downloading Kafka {VERSION} with Maven (about 90 jars, a minute or two)"));
    let mut maven = Command::new("mvn")
        .args(["-B", "-ntp", "-q", "dependency:copy-dependencies"])
        .arg(format!("-DoutputDirectory={}", libs.display()))
        .current_dir(home)
        .stdin(Stdio::null())
        .stderr(out.try_clone().context("cannot write mvn.log")?)
        .stdout(out)
        .spawn()
        .context("cannot start mvn")?;
    let started = Instant::now();
    let mut said = started;
    let status = loop {
        if let Some(status) = maven.try_wait().context("cannot wait for mvn")? {
            break status;
        }
        if said.elapsed() > Duration::from_secs(15) {
            said = Instant::now();
            say(format_args!("still downloading Kafka ({})", human(started.elapsed())));
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    if !status.success() || !broker_jar(&libs) {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let errors: Vec<&str> = text.lines().filter(|line| line.contains("ERROR")).take(5).collect();
        bail!("mvn failed ({status}), see {}: {}", log.display(), errors.join("; "));
    }
    Ok(())
}

fn pom() -> String {
    let dependencies: String = ARTIFACTS
        .iter()
        .map(|(group, artifact, version)| {
            format!(
                "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>\n"
            )
        })
        .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>local</groupId>\n  <artifactId>kafka-for-tests</artifactId>\n  <version>1</version>\n  <packaging>pom</packaging>\n  \
         <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}
