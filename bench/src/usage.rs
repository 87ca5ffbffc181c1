//! What a process has used, as Linux accounts for it in `/proc`.

use std::fs;

use anyhow::{Context, bail};

const MIB: f64 = 1024.0;

/// Sizes in MiB. Times count the process with all its threads, user and system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// Resident: what `ps` and `top` call RSS, with the pages of program and libraries that are in memory.
    pub(crate) rss: f64,
    /// The largest [`rss`](Usage::rss) since the process began, kept by the kernel: no sampling misses it.
    pub(crate) peak: f64,
    /// Resident, with pages that several processes map divided among them.
    pub(crate) pss: f64,
    pub(crate) threads: f64,
    pub(crate) cpu_seconds: f64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Usage> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}; has the process ended?"))
        };
        let status = read("status")?;
        Ok(Usage {
            rss: number(&status, "VmRSS:")? / MIB,
            peak: number(&status, "VmHWM:")? / MIB,
            pss: number(&read("smaps_rollup")?, "Pss:")? / MIB,
            threads: number(&status, "Threads:")?,
            cpu_seconds: cpu_seconds(&read("stat")?)?,
        })
    }
}

/// The number after `name` at the beginning of a line; sizes are in KiB there.
fn number(text: &str, name: &str) -> anyhow::Result<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    let value = rest.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse().ok());
    value.with_context(|| format!("/proc tells no {name}"))
}

/// Fields 14 and 15 of `/proc/PID/stat`. Field 2, the program's name in parentheses, may hold spaces.
fn cpu_seconds(stat: &str) -> anyhow::Result<f64> {
    /// USER_HZ: 100 on every architecture that Linux gives this file on.
    const TICKS: f64 = 100.0;
    let Some((_, fields)) = stat.rsplit_once(')') else { bail!("/proc/PID/stat has another form: {stat}") };
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
    let [user, system] = ticks[..] else { bail!("/proc/PID/stat has another form: {stat}") };
    Ok((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 8 20 0 4 0 99 1000 200";
        assert_eq!(cpu_seconds(stat).unwrap(), 2.0);
        assert!(cpu_seconds("42 (a) S 1").is_err());
    }

    #[test]
    fn this_process_has_used_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss > 0.0 && usage.peak >= usage.rss && usage.pss > 0.0, "{usage:?}");
        assert!(usage.threads >= 1.0, "{usage:?}");
    }

    #[test]
    fn a_missing_line_is_named() {
        assert_eq!(number("VmRSS:\t  2048 kB\n", "VmRSS:").unwrap(), 2048.0);
        assert!(number("", "VmHWM:").unwrap_err().to_string().contains("VmHWM"));
    }
}
