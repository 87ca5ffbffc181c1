//! Java, which the broker and its tools run on.

use std::process::Command;

use anyhow::{Context, bail};

use super::apt;
use crate::paths::which;

/// Kafka 4's broker refuses older ones.
const OLDEST: u32 = 17;

pub(super) fn require() -> anyhow::Result<()> {
    if which("java").is_none() {
        apt::install("Java", &["default-jre-headless"], "install a Java runtime, 17 or newer")?;
    }
    let output = Command::new("java").arg("-version").output().context("cannot start java")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match major(&text) {
        Some(version) if version >= OLDEST => Ok(()),
        Some(version) => bail!("java on PATH is version {version}, Kafka needs {OLDEST} or newer"),
        None => bail!("cannot tell the version of java from its answer to -version: {}", text.trim()),
    }
}

/// `17` from `openjdk version "17.0.15" 2025-04-15`, `8` from `java version "1.8.0_292"`.
fn major(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    let mut numbers = quoted.split(['.', '_', '-', '+']).map(str::parse);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_found_in_old_and_new_answers() {
        assert_eq!(major("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK ..."), Some(17));
        assert_eq!(major("openjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(major("openjdk version \"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(major("java version \"1.8.0_292\""), Some(8));
        assert_eq!(major("command not found"), None);
    }
}
