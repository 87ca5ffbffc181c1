//! On what the figures were measured: without that they say little.

use std::fs;
use std::process::Command;

/// One line for the report.
pub(crate) fn describe() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let mut parts = vec![format!("{cpus} x {}", model().unwrap_or_else(|| "unknown processor".to_owned()))];
    if let Some(memory) = memory_gib() {
        parts.push(format!("{memory:.0} GiB"));
    }
    if let Ok(kernel) = fs::read_to_string("/proc/sys/kernel/osrelease") {
        parts.push(format!("Linux {}", kernel.trim()));
    }
    if let Some(java) = java() {
        parts.push(java);
    }
    if let Some(load) = load() {
        parts.push(format!("load before the first run {load}"));
    }
    parts.join(", ")
}

/// The number of processes that wanted to run in the last minute, on average.
pub(crate) fn load() -> Option<String> {
    Some(fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.to_owned())
}

fn model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_gib() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kib: f64 =
        text.lines().find(|line| line.starts_with("MemTotal"))?.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0 / 1024.0)
}

fn java() -> Option<String> {
    let answer = Command::new("java").arg("-version").output().ok()?;
    Some(String::from_utf8_lossy(&answer.stderr).lines().next()?.trim().replace('"', ""))
}
