//! Kafka's own command-line tools.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::engines::kafka_libs;

/// A JVM starts in seconds, on a busy machine in many.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Runs a tool such as `org.apache.kafka.tools.ConsoleProducer` as its shell script would, feeds it `stdin` and returns what
/// it printed to stdout. A failing tool is an error with its stderr.
pub async fn kafka_tool(class: &str, args: &[&str], stdin: &str) -> anyhow::Result<String> {
    let mut child = Command::new("java")
        .args(["-Xmx256m", "-cp"])
        .arg(kafka_libs()?.join("*"))
        .arg(class)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start java")?;
    let mut input = child.stdin.take().context("java has no stdin")?;
    let text = stdin.to_owned();
    // Beside the reading, not before it: a tool that prints much before it has read all would wait for us forever. A tool that
    // ends without reading everything is not an error of its own; its exit code decides.
    let feed = tokio::spawn(async move {
        let _ = input.write_all(text.as_bytes()).await;
    });
    let output = tokio::time::timeout(TIMEOUT, child.wait_with_output())
        .await
        .with_context(|| format!("{class} did not end within {TIMEOUT:?}"))?
        .with_context(|| format!("cannot read the output of {class}"))?;
    feed.abort();
    if !output.status.success() {
        bail!("{class} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
