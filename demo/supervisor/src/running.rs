//! What a running demo tells of itself, in a file that the commands beside it read: `target/demo/running-PORT.json`, by
//! the port of its gateway. For its owner's eyes only, since the operator token and database passwords are in it.

use crate::plan;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lets every command of a terminal mean the same demo.
pub(crate) const PORT_OFFSET: &str = "DEMO_PORT_OFFSET";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The process id of the demo itself.
    pub(crate) supervisor: u32,
    pub(crate) bootstrap: String,
    pub(crate) operator_token: String,
    /// URLs, by the names that a person uses.
    pub(crate) databases: BTreeMap<String, String>,
    /// A file here by the name of a child keeps that child from being started again.
    pub(crate) down_dir: PathBuf,
    /// How long a killed child stays away.
    pub(crate) away_seconds: u64,
    /// In order of start.
    pub(crate) children: Vec<RunningChild>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningChild {
    pub(crate) name: String,
    pub(crate) state: ChildState,
    pub(crate) pid: Option<u32>,
    pub(crate) restarts: u32,
    pub(crate) address: String,
    /// Whether the demo can go on without it for a while.
    pub(crate) may_be_killed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChildState {
    Up,
    Starting,
    Down,
}

impl ChildState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Starting => "starting",
            Self::Down => "down",
        }
    }
}

impl Running {
    pub(crate) fn child(&self, name: &str) -> anyhow::Result<&RunningChild> {
        self.children.iter().find(|child| child.name == name).with_context(|| {
            let names: Vec<&str> = self.children.iter().map(|child| child.name.as_str()).collect();
            format!("there is no {name:?} in this demo; there are: {}", names.join(", "))
        })
    }

    pub(crate) fn marker(&self, name: &str) -> PathBuf {
        self.down_dir.join(name)
    }
}

/// The file of the demo whose gateway listens on this port. `bin_dir` is where the `demo` binary is.
pub(crate) fn file(bin_dir: &Path, gateway_port: u16) -> PathBuf {
    plan::default_work_dir(bin_dir, &format!("running-{gateway_port}.json"))
}

/// The demo with this port offset, if it runs.
pub(crate) fn find(port_offset: u16) -> anyhow::Result<Running> {
    let port = 8000 + port_offset;
    let own = std::env::current_exe().context("asking for the path of this program")?;
    let file = file(own.parent().context("this program is in no directory")?, port);
    let absent = || {
        anyhow::anyhow!(
            "no demo is running with its gateway on port {port}: start `cargo demo` in another terminal (one that was \
             started with --port-offset N is found with the same flag, or {PORT_OFFSET}=N)"
        )
    };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(absent()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let running: Running = serde_json::from_str(&text)
        .with_context(|| format!("{} is not of this version of the demo", file.display()))?;
    // a demo that was killed left its file behind
    if alive(running.supervisor) { Ok(running) } else { Err(absent()) }
}

/// Replaces the file at once, so that no reader sees half of it.
pub(crate) fn write(file: &Path, running: &Running) -> anyhow::Result<()> {
    let next = file.with_extension("json.next");
    let text = serde_json::to_string_pretty(running).context("writing JSON")?;
    let written = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&next)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&next, file));
    written.with_context(|| format!("writing {}", file.display()))
}

fn alive(pid: u32) -> bool {
    signal(pid, "0").is_ok()
}

/// `kill -SIGNAL PID`: std knows no signals but SIGKILL to an own child, and every system has `kill` in its shell.
pub(crate) fn signal(pid: u32, signal: &str) -> anyhow::Result<()> {
    let told =
        Command::new("sh").args(["-c", "kill -\"$0\" \"$1\" 2>/dev/null", signal, &pid.to_string()]).status();
    if !told.context("running sh")?.success() {
        bail!("there is no process {pid}, or it is not yours");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(supervisor: u32) -> Running {
        Running {
            supervisor,
            bootstrap: "127.0.0.1:9092".into(),
            operator_token: "t".into(),
            databases: BTreeMap::from([("orders".into(), "sqlite:///w/orders.db".into())]),
            down_dir: "/w/down".into(),
            away_seconds: 7,
            children: vec![RunningChild {
                name: "gateway".into(),
                state: ChildState::Up,
                pid: Some(17),
                restarts: 0,
                address: "http://127.0.0.1:8000".into(),
                may_be_killed: true,
            }],
        }
    }

    #[test]
    fn what_was_written_is_read_and_nobody_else_may() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = std::env::temp_dir().join(format!("demo-running-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("running-1.json");
        write(&file, &sample(1)).unwrap();
        let read: Running = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(read, sample(1));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_child_that_is_not_there_is_answered_with_those_that_are() {
        let error = sample(1).child("catalogue").unwrap_err().to_string();
        assert_eq!(error, "there is no \"catalogue\" in this demo; there are: gateway");
    }

    #[test]
    fn this_process_is_alive() {
        assert!(alive(std::process::id()));
    }
}
