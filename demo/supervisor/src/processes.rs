//! Child processes: start, watch, kill, stop. No child outlives the demo, however that ends.
//!
//! A task of its own keeps each child (it alone may wait for it); everybody else has the handle's channel. An exit
//! that nobody asked for comes out of [`Exits`].

use crate::plan::ChildPlan;
use anyhow::{Context as _, bail};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

/// How long a child may take to stop after SIGTERM.
const GRACE: Duration = Duration::from_secs(8);

pub(crate) struct Processes {
    bin_dir: PathBuf,
    logs_dir: PathBuf,
    /// In order of start.
    running: Vec<Handle>,
    reports: mpsc::UnboundedSender<Exit>,
    /// Whether `setpriv` is there to tie a child's life to ours.
    setpriv: bool,
}

struct Handle {
    name: &'static str,
    pid: Option<u32>,
    stage: usize,
    orders: mpsc::UnboundedSender<Order>,
    ended: watch::Receiver<Option<ExitStatus>>,
}

#[derive(Clone, Copy)]
enum Order {
    Kill,
    Terminate,
}

/// Where exits that nobody asked for are reported.
pub(crate) struct Exits(mpsc::UnboundedReceiver<Exit>);

/// A child has ended without being asked to.
pub(crate) struct Exit {
    pub(crate) name: &'static str,
    pub(crate) status: ExitStatus,
    pub(crate) log: PathBuf,
}

impl Processes {
    pub(crate) fn new(bin_dir: PathBuf, logs_dir: PathBuf) -> (Self, Exits) {
        let (reports, exits) = mpsc::unbounded_channel();
        let processes = Self { bin_dir, logs_dir, running: Vec::new(), reports, setpriv: has_setpriv() };
        (processes, Exits(exits))
    }

    pub(crate) fn log_of(&self, name: &str) -> PathBuf {
        self.logs_dir.join(format!("{}.log", name.replace(' ', "-")))
    }

    /// Runs a child that is to end by itself.
    pub(crate) async fn run(&self, plan: &ChildPlan) -> anyhow::Result<()> {
        let mut child = self.spawn(plan)?;
        let status = child.wait().await.with_context(|| format!("waiting for {}", plan.name))?;
        if !status.success() {
            bail!("{} failed: {status}\n{}", plan.name, tail(&self.log_of(plan.name)));
        }
        Ok(())
    }

    /// Starts a child and keeps it. `stage` orders the end: the last stage stops first.
    pub(crate) fn start(&mut self, plan: &ChildPlan, stage: usize) -> anyhow::Result<()> {
        let child = self.spawn(plan)?;
        let pid = child.id();
        let (orders, inbox) = mpsc::unbounded_channel();
        let (tell_ended, ended) = watch::channel(None);
        tokio::spawn(keep(child, inbox, tell_ended, self.reports.clone(), plan.name, self.log_of(plan.name)));
        self.running.retain(|handle| handle.name != plan.name);
        self.running.push(Handle { name: plan.name, pid, stage, orders, ended });
        Ok(())
    }

    /// The process id that a child was started with; `setpriv` becomes the child, so it is the child's own.
    pub(crate) fn pid(&self, name: &str) -> Option<u32> {
        self.running.iter().find(|handle| handle.name == name)?.pid
    }

    /// `kill -9`, and waits until the child is gone.
    pub(crate) async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let handle = self.running.iter_mut().find(|handle| handle.name == name);
        handle.with_context(|| format!("{name} is not running"))?.end(Order::Kill).await;
        Ok(())
    }

    /// Stops everything, the last started stage first.
    pub(crate) async fn stop(&mut self) {
        while let Some(stage) = self.running.iter().map(|handle| handle.stage).max() {
            let mut ending: Vec<Handle> =
                self.running.extract_if(.., |handle| handle.stage == stage).collect();
            futures::future::join_all(ending.iter_mut().map(|handle| handle.end(Order::Terminate))).await;
        }
    }

    /// Starting happens on the supervisor's one thread, see `main`: the kernel ties the death signal to the thread
    /// that started the child.
    fn spawn(&self, plan: &ChildPlan) -> anyhow::Result<Child> {
        let program = self.bin_dir.join(plan.program);
        let log = self.log_of(plan.name);
        let log_file = OpenOptions::new().create(true).append(true).open(&log);
        let log_file = log_file.with_context(|| format!("opening {}", log.display()))?;
        let mut command = if self.setpriv {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        command
            .args(&plan.args)
            .envs(plan.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stderr(log_file.try_clone().with_context(|| format!("opening {}", log.display()))?)
            .stdout(log_file)
            // Ctrl-C at a terminal goes to the whole process group; the children are to hear of it from us, in order
            .process_group(0)
            .kill_on_drop(true);
        command.spawn().with_context(|| format!("starting {}", program.display()))
    }
}

impl Exits {
    /// The next one; waits for ever if there is none.
    pub(crate) async fn next(&mut self) -> Exit {
        match self.0.recv().await {
            Some(exit) => exit,
            None => std::future::pending().await,
        }
    }
}

impl Handle {
    async fn end(&mut self, order: Order) {
        // an error of either channel means that the child is gone already
        let _ = self.orders.send(order);
        let _ = self.ended.wait_for(Option::is_some).await;
    }
}

/// Waits for one child to end, by itself or by order.
async fn keep(
    mut child: Child,
    mut inbox: mpsc::UnboundedReceiver<Order>,
    tell_ended: watch::Sender<Option<ExitStatus>>,
    reports: mpsc::UnboundedSender<Exit>,
    name: &'static str,
    log: PathBuf,
) {
    let status = tokio::select! {
        // an order that came at the same time makes the exit an expected one
        biased;
        Some(order) = inbox.recv() => end(&mut child, order).await,
        status = child.wait() => {
            if let Ok(status) = status {
                // fails only when nobody is left to be told
                let _ = reports.send(Exit { name, status, log });
            }
            status
        }
    };
    let _ = tell_ended.send(Some(status.unwrap_or_default()));
}

async fn end(child: &mut Child, order: Order) -> std::io::Result<ExitStatus> {
    if let (Order::Terminate, Some(pid)) = (order, child.id()) {
        // std knows no signal but SIGKILL, and `unsafe` is forbidden here; every system has `kill` in its shell
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid.to_string()]).status().await;
        if told.is_ok_and(|status| status.success())
            && let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await
        {
            return status;
        }
    }
    child.start_kill()?;
    child.wait().await
}

fn has_setpriv() -> bool {
    let asked = std::process::Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// The end of a log, for an error message.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 20;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let mut tail = format!("the end of {}:", log.display());
    for line in last {
        tail.push_str("\n    ");
        tail.push_str(line);
    }
    if last.is_empty() {
        tail.push_str("\n    (empty)");
    }
    tail
}

#[cfg(test)]
mod tests;
