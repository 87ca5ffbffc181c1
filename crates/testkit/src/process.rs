//! Child processes of a test.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::names::log_dir;

/// How much of a log a failing test prints.
const TAIL_LINES: usize = 60;

/// A child whose output goes to `target/testkit/<test>-<name>-<n>.log`. It is killed when the value is dropped; when that
/// happens because the test panics, the end of its log is printed with the test's output.
#[derive(Debug)]
pub struct Process {
    pub pid: u32,
    pub log_path: PathBuf,
    name: String,
    child: Child,
}

impl Process {
    /// Starts `command`. Panics when it cannot be started: no test goes on without its program.
    #[track_caller]
    pub fn spawn(name: &str, command: &mut Command) -> Process {
        let log_path = log_dir().join(log_name(name));
        let log = File::create(&log_path)
            .and_then(|_| OpenOptions::new().append(true).open(&log_path))
            .and_then(|log| Ok((log.try_clone()?, log)));
        let (out, err) = log.unwrap_or_else(|error| panic!("cannot write {}: {error}", log_path.display()));
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name} ({:?}): {error}", command.get_program()));
        Process { pid: child.id(), log_path, name: name.to_owned(), child }
    }

    /// SIGKILL, as `kill -9`: the program gets no chance to finish anything. Returns when it is gone.
    pub fn kill9(&mut self) {
        // An error means that it has ended already, which is what was asked for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM: asks the program to stop; see [`Process::wait_exit`].
    #[track_caller]
    pub fn terminate(&mut self) {
        self.signal("TERM");
    }

    /// Sends a signal by name: `STOP` and `CONT` make a hung process out of a healthy one.
    #[track_caller]
    pub fn signal(&mut self, signal: &str) {
        if !self.is_running() {
            return; // its process id may be somebody else's by now
        }
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.pid.to_string()).status();
        assert!(
            status.as_ref().is_ok_and(ExitStatus::success) || !self.is_running(),
            "cannot send SIG{signal} to {} (process {}): {status:?}",
            self.name,
            self.pid
        );
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the program has ended by itself or by a signal; an error after `timeout`.
    pub async fn wait_exit(&mut self, timeout: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait().context("cannot wait for the child")? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                anyhow::bail!(
                    "{} (process {}) still runs after {timeout:?}; its log ends:\n{}",
                    self.name,
                    self.pid,
                    self.log_tail(TAIL_LINES)
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything the program has printed so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log_path)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let ended = self.child.try_wait().ok().flatten();
        self.kill9();
        if std::thread::panicking() {
            let state =
                ended.map_or_else(|| "was running".to_owned(), |status| format!("had ended: {status}"));
            eprintln!(
                "--- {} (process {}, {state}), end of {}:\n{}\n---",
                self.name,
                self.pid,
                self.log_path.display(),
                self.log_tail(TAIL_LINES)
            );
        }
    }
}

/// The test's name is its thread's; a process started from another thread is filed under "test".
fn log_name(name: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(1);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("test").replace("::", ".");
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
    };
    format!("{}-{}-{n}.log", plain(&test), plain(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::eventually;

    fn shell(name: &str, script: &str) -> Process {
        Process::spawn(name, Command::new("sh").args(["-c", script]))
    }

    #[tokio::test]
    async fn output_of_both_kinds_is_in_the_log_and_the_exit_code_is_told() {
        let mut process = shell("talk", "echo out; echo err >&2; exit 3");
        let status = process.wait_exit(Duration::from_secs(10)).await.unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(process.log(), "out\nerr\n");
        assert_eq!(process.log_tail(1), "err");
        assert!(process.log_path.to_string_lossy().contains("exit_code_is_told-talk-"));
    }

    #[tokio::test]
    async fn terminate_lets_the_program_finish_and_kill9_does_not() {
        let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
        let mut polite = shell("polite", script);
        let mut rude = shell("rude", script);
        for process in [&polite, &rude] {
            eventually("the program's start", Duration::from_secs(10), async || {
                Ok(process.log().contains("up").then_some(()))
            })
            .await;
        }
        polite.terminate();
        assert!(polite.wait_exit(Duration::from_secs(10)).await.unwrap().success());
        assert_eq!(polite.log(), "up\nbye\n");
        rude.kill9();
        assert!(!rude.is_running());
        assert_eq!(rude.wait_exit(Duration::ZERO).await.unwrap().signal(), Some(9));
        assert_eq!(rude.log(), "up\n");
    }

    #[tokio::test]
    async fn a_dropped_process_is_gone_and_one_that_stays_is_an_error() {
        let mut process = shell("sleeper", "echo waiting; exec sleep 60");
        let error = process.wait_exit(Duration::from_millis(300)).await.unwrap_err().to_string();
        assert!(error.contains("sleeper") && error.contains("waiting"), "{error}");
        let pid = process.pid;
        drop(process);
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists());
    }
}
