//! Docker and docker-compose: found, or installed and started by hand.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::paths::which;
use crate::provision;
use crate::sh::{describe, say};

/// How docker and compose are called here.
pub(super) struct Docker {
    /// `docker compose` where there is that plugin, else `docker-compose`.
    pub(super) compose: Vec<&'static str>,
}

const START_TIMEOUT: Duration = Duration::from_secs(60);

impl Docker {
    pub(super) fn find(provision: bool) -> anyhow::Result<Self> {
        if which("docker").is_none() || compose().is_none() {
            install()?;
        }
        if !answers() {
            start(provision)?;
        }
        if provision {
            // for the base images, should no registry be reachable
            if which("debootstrap").is_none() {
                install()?;
            }
        }
        let compose = compose().context("neither `docker compose` nor docker-compose can be run")?;
        say(format_args!("docker {}, {}", server_version()?, compose.join(" ")));
        Ok(Self { compose })
    }

    pub(super) fn docker(&self) -> Command {
        Command::new("docker")
    }
}

/// Runs a command and gives its standard output, without blanks at the ends.
pub(super) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", describe(command)))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({}): {}", describe(command), output.status, error.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn compose() -> Option<Vec<&'static str>> {
    [vec!["docker", "compose"], vec!["docker-compose"]]
        .into_iter()
        .find(|words| output(Command::new(words[0]).args(&words[1..]).arg("version")).is_ok())
}

fn answers() -> bool {
    server_version().is_ok()
}

fn server_version() -> anyhow::Result<String> {
    output(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]))
}

fn install() -> anyhow::Result<()> {
    provision::install(
        "Docker with docker-compose",
        &["docker.io", "docker-compose", "debootstrap", "iptables"],
        "install Docker Engine and Docker Compose (https://docs.docker.com/engine/install/)",
    )
}

/// On a machine without an init system nobody starts it for us. It is left running: it may be in use by others by then.
fn start(provision: bool) -> anyhow::Result<()> {
    if !provision && !provision::is_root() {
        bail!("no Docker engine answers: start it (`sudo systemctl start docker`), or see `docker info`");
    }
    let dockerd = which("dockerd").context(
        "no Docker engine answers and there is no dockerd to start: run `cargo xtask compose-check --provision` as root",
    )?;
    let log: PathBuf = crate::paths::target()?.join("compose/dockerd.log");
    std::fs::create_dir_all(log.parent().unwrap_or(&log))?;
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(dockerd);
    // a process group of its own, which Ctrl-C does not reach
    command.process_group(0).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().context("cannot start dockerd")?;
    say(format_args!("started dockerd (process {}, log {}); it stays", child.id(), log.display()));
    let started = Instant::now();
    while !answers() {
        if let Some(status) = child.try_wait().context("cannot wait for dockerd")? {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let last = text.lines().last().unwrap_or("its log is empty");
            bail!("dockerd ended ({status}): {last}");
        }
        if started.elapsed() > START_TIMEOUT {
            bail!("dockerd does not answer after {} s; see {}", START_TIMEOUT.as_secs(), log.display());
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(())
}
