//! A server that never outlives xtask.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::sh::{human, say};

/// A shell between us and the server. It holds the reading end of a pipe whose writing end is ours: when we end, by Ctrl-C,
/// a panic or `kill -9`, the pipe closes and the shell stops the server. No signal handler and no `unsafe` could promise that.
/// Ctrl-C reaches the whole process group; the shell and, by inheritance, the server ignore it and are stopped in order.
const WATCHDOG: &str = r#"
trap '' INT HUP
exec 3<&0
signal=$1; log=$2; shift 2
"$@" 3<&- </dev/null >>"$log" 2>&1 &
server=$!
{
  read -r _ <&3
  kill "-$signal" "$server" 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sleep 1
    kill -0 "$server" 2>/dev/null || exit 0
  done
  kill -KILL "$server" 2>/dev/null
} >/dev/null 2>&1 &
watch=$!
wait "$server"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
"#;

/// Longer than a server needs on a busy machine; what is broken says so earlier by ending.
const START_TIMEOUT: Duration = Duration::from_secs(180);

pub(super) struct Engine {
    name: &'static str,
    log: PathBuf,
    shell: Child,
}

impl Engine {
    /// Starts a server, its output in `home/<name>.log`. `signal` is the one that makes it stop in order and soon.
    pub(super) fn spawn(
        name: &'static str,
        signal: &str,
        home: &Path,
        server: &Command,
    ) -> anyhow::Result<Engine> {
        let log = home.join(format!("{name}.log"));
        let shell = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", signal])
            .arg(&log)
            .arg(server.get_program())
            .args(server.get_args())
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start sh for {name}"))?;
        Ok(Engine { name, log, shell })
    }

    /// Waits until the server answers: `greeting` is sent to the port, and the first bytes of the answer are judged.
    pub(super) fn wait_until(
        mut self,
        port: u16,
        greeting: &[u8],
        answered: impl Fn(&[u8]) -> bool,
    ) -> anyhow::Result<Engine> {
        let started = Instant::now();
        let mut said = started;
        loop {
            if ask(port, greeting).is_ok_and(|answer| answered(&answer)) {
                return Ok(self);
            }
            if let Some(status) = self.shell.try_wait().context("cannot wait for the server")? {
                bail!("{} ended while it started ({status}); {}", self.name, self.log_end());
            }
            if started.elapsed() > START_TIMEOUT {
                bail!("{} does not answer after {}; {}", self.name, human(START_TIMEOUT), self.log_end());
            }
            if said.elapsed() > Duration::from_secs(15) {
                said = Instant::now();
                say(format_args!("waiting for {} ({})", self.name, human(started.elapsed())));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks the server to stop and waits until it has; the same happens when the value is dropped.
    pub(super) fn stop(self) {}

    fn log_end(&self) -> String {
        let text =
            fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(25)..].join("\n");
        format!("{} ends:\n{end}", self.log.display())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.shell.stdin.take()); // closes the pipe
        if let Err(error) = self.shell.wait() {
            say(format_args!("cannot wait for {}: {error}", self.name));
        }
    }
}

fn ask(port: u16, greeting: &[u8]) -> std::io::Result<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(greeting)?;
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(name: &str) -> PathBuf {
        let home = std::env::temp_dir().join(format!("xtask-test-{}-{name}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        home
    }

    #[test]
    fn a_server_is_stopped_politely_when_its_value_goes() {
        let home = home("polite");
        let mut server = Command::new("sh");
        server.args(["-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"]);
        let engine = Engine::spawn("polite", "TERM", &home, &server).unwrap();
        let log = engine.log.clone();
        let deadline = Instant::now() + Duration::from_secs(10);
        while fs::read_to_string(&log).unwrap_or_default().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        engine.stop();
        assert_eq!(fs::read_to_string(&log).unwrap(), "up\nbye\n");
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_server_that_ends_while_it_starts_is_an_error_with_its_log() {
        let home = home("broken");
        let mut server = Command::new("sh");
        server.args(["-c", "echo no such disk; exit 7"]);
        let engine = Engine::spawn("broken", "TERM", &home, &server).unwrap();
        let (port, _) = super::super::ports::two().unwrap();
        let error = engine.wait_until(port, b"", |_| true).err().unwrap().to_string();
        assert!(error.contains("no such disk") && error.contains("exit status: 7"), "{error}");
        fs::remove_dir_all(home).unwrap();
    }
}
