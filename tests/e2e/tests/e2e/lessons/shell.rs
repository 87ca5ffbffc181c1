//! Runs what a lesson says, beside anything else on this machine: on ports of its own, with binaries that are built.

use super::expected;
use super::markdown::Block;
use anyhow::{Context as _, bail};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use testkit::Process;

/// The ports of the demo, as the lessons name them.
const PORTS: [u16; 6] = [8000, 8001, 8002, 8003, 8083, 9092];
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Shell {
    port_offset: u16,
    demo: PathBuf,
    background: Option<Process>,
}

impl Shell {
    /// `number` keeps lessons that run at the same time apart.
    pub(super) fn new(number: usize) -> anyhow::Result<Self> {
        let number = u16::try_from(number).context("a lesson's number")?;
        // two test binaries at a time begin at different places
        let begin = u16::try_from(std::process::id() % 90).context("a remainder")?;
        let offsets = (0..90).map(|step| 5_000 + (begin + step) % 90 * 100 + number * 10);
        let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        let mut offsets = offsets.filter(|offset| PORTS.iter().all(|port| free(port + offset)));
        let port_offset = offsets.next().context("no six free ports for the demo")?;
        Ok(Self { port_offset, demo: testkit::bin("demo"), background: None })
    }

    /// Commands and outputs name the ports of a demo without offset.
    fn moved(&self, text: &str) -> String {
        PORTS.iter().fold(text.to_owned(), |text, port| {
            text.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", port + self.port_offset))
        })
    }

    fn command(&self, script: &str, prefix: &str) -> Command {
        let demo = format!("'{}'", self.demo.display());
        let script = self.moved(script).replace("cargo demo --", &demo).replace("cargo demo", &demo);
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("{prefix}{script}")])
            .env("DEMO_PORT_OFFSET", self.port_offset.to_string())
            .stdin(Stdio::null());
        command
    }

    /// Starts what is to run until the lesson ends.
    pub(super) fn start(&mut self, script: &str) {
        // `exec`: what is stopped at the end is the demo, and not the bash in front of it
        self.background = Some(Process::spawn("lesson", &mut self.command(script, "exec ")));
    }

    /// What the started has printed so far.
    pub(super) fn printed(&self) -> String {
        self.background.as_ref().map(Process::log).unwrap_or_default()
    }

    pub(super) fn ended(&mut self) -> bool {
        !self.background.as_mut().is_some_and(Process::is_running)
    }

    /// Exit code and output of a command, stdout and stderr as they come.
    pub(super) async fn run(&self, script: &str) -> anyhow::Result<(ExitStatus, String)> {
        let mut command =
            tokio::process::Command::from(self.command(script, "exec 2>&1; set -eo pipefail\n"));
        command.kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.with_context(|| format!("it still ran after {} s", PATIENCE.as_secs()))?;
        let output = output.context("running bash")?;
        Ok((output.status, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    pub(super) fn compare(&self, block: &Block, output: &str) -> anyhow::Result<()> {
        match &block.expected {
            Some(expected) => expected::compare(&self.moved(expected), output),
            None => Ok(()),
        }
    }

    /// As a person ends it, with Ctrl-C; a demo that was up until then says nothing of errors.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        let Some(mut demo) = self.background.take() else { return Ok(()) };
        if !demo.is_running() {
            bail!("the demo had ended before the lesson did:\n{}", demo.log());
        }
        demo.signal("INT");
        let status = demo.wait_exit(Duration::from_secs(30)).await?;
        if !status.success() {
            bail!("the demo ended with {status}:\n{}", demo.log());
        }
        Ok(())
    }
}
