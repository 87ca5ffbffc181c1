//! Debezium's JDBC sink connector, from Maven Central: the Java connector that `bench jdbc` measures ours beside, as its archive
//! is meant to be unpacked into a worker's plugin path.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use super::apt;
use crate::paths::{cache, which};
use crate::sh::{run, say};

const VERSION: &str = "3.6.0.Final";

/// The folder with its jars.
pub(crate) fn find_or_download() -> anyhow::Result<PathBuf> {
    let home = cache()?.join(format!("debezium-connector-jdbc-{VERSION}"));
    if home.is_dir() {
        return Ok(home);
    }
    if which("mvn").is_none() {
        apt::install("Maven (for Debezium's jars)", &["maven"], "install Maven")?;
    }
    // A run that is interrupted leaves this folder, never a half-filled cache.
    let partial = cache()?.join(format!("debezium-connector-jdbc-{VERSION}.partial-{}", std::process::id()));
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    say(format_args!("downloading Debezium's JDBC sink {VERSION} with Maven (58 MB)"));
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-ntp", "-q", "dependency:copy"])
        .arg(format!("-Dartifact=io.debezium:debezium-connector-jdbc:{VERSION}:tar.gz:plugin"))
        .arg(format!("-DoutputDirectory={}", partial.display()))
        .current_dir(&partial);
    run(&mut maven).context("cannot download Debezium's JDBC sink; is Maven Central reachable?")?;
    let archive = partial.join(format!("debezium-connector-jdbc-{VERSION}-plugin.tar.gz"));
    run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&partial))?;
    fs::remove_file(&archive).with_context(|| format!("cannot remove {}", archive.display()))?;
    if let Err(error) = fs::rename(&partial, &home) {
        // Another run may have been faster; its jars are as good.
        fs::remove_dir_all(&partial).ok();
        ensure!(home.is_dir(), "cannot move the download to {}: {error}", home.display());
    }
    Ok(home)
}
