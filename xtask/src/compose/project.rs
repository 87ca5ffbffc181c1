//! One project of docker-compose, with a name, secrets and a port of its own, so that it disturbs no other.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::engine::{Docker, output};
use crate::paths::{root, target};
use crate::sh::{self, human, say};

const HEALTHY_TIMEOUT: Duration = Duration::from_secs(240);

/// Takes the project down, and its secrets away, when we end, however that happens: the pipe to its standard input closes with us. Ctrl-C reaches
/// docker-compose and us, but not this shell, which has a process group of its own.
const UNDERTAKER: &str = r#"
read -r keep
[ "$keep" != keep ] || exit 0
folder=$1; shift
"$@" >&2
rm -rf "$folder"
"#;

pub(super) struct Project {
    compose: Vec<&'static str>,
    name: String,
    folder: PathBuf,
    env: BTreeMap<&'static str, String>,
    /// What `.env` says.
    defaults: HashMap<String, String>,
    undertaker: Option<Child>,
}

impl Project {
    pub(super) fn new(docker: &Docker) -> anyhow::Result<Self> {
        let name = format!("composecheck{}", std::process::id());
        let folder = target()?.join("compose").join(&name);
        let secrets = folder.join("secrets");
        std::fs::create_dir_all(&folder)?;
        sh::run(Command::new("sh").arg(root().join("deploy/make-secrets.sh")).arg(&secrets))?;
        let file = root().join(".env");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|held| held.local_addr())?.port();
        let env = [
            ("SECRETS_DIR", secrets.display().to_string()),
            ("GATEWAY_PORT", port.to_string()),
            ("PLATFORM_IMAGE", "compose-check/platform:latest".into()),
        ];
        let mut project = Self {
            compose: docker.compose.clone(),
            name,
            folder,
            env: env.into(),
            defaults: settings(&text),
            undertaker: None,
        };
        let down = project.command(&["down", "--volumes", "--remove-orphans", "--timeout", "20"]);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", UNDERTAKER, "undertaker"])
            .arg(&project.folder)
            .arg(down.get_program())
            .args(down.get_args());
        shell.envs(&project.env).current_dir(root()).stdin(Stdio::piped()).process_group(0);
        project.undertaker = Some(shell.spawn().context("cannot start sh")?);
        Ok(project)
    }

    /// As docker-compose sees it: ours, else the environment's, else what `.env` says.
    pub(super) fn setting(&self, variable: &str) -> anyhow::Result<String> {
        let own = self.env.get(variable).cloned().or_else(|| std::env::var(variable).ok());
        let own = own.or_else(|| self.defaults.get(variable).cloned());
        own.with_context(|| format!(".env has no {variable}"))
    }

    pub(super) fn set(&mut self, variable: &'static str, value: &str) {
        self.env.insert(variable, value.to_owned());
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn secret(&self, name: &str) -> PathBuf {
        self.folder.join("secrets").join(name)
    }

    pub(super) fn gateway(&self) -> String {
        format!("http://127.0.0.1:{}", self.env["GATEWAY_PORT"])
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.compose[0]);
        command.args(&self.compose[1..]).args(["--project-name", &self.name]).args(args);
        command.envs(&self.env).current_dir(root());
        command
    }

    pub(super) fn compose(&self, args: &[&str]) -> anyhow::Result<()> {
        sh::run(self.command(args).stdout(std::io::stderr()))
    }

    /// Somebody who has not made secrets yet is told so before anything starts.
    pub(super) fn refuses_without_secrets(&self) -> anyhow::Result<()> {
        let mut command = self.command(&["up", "-d"]);
        let refused = output(command.env("SECRETS_DIR", self.folder.join("nowhere")));
        let Err(error) = refused else { bail!("docker-compose came up without secrets") };
        let text = format!("{error:#}");
        ensure!(
            text.contains("made-by-make-secrets.sh"),
            "without secrets the error names no remedy: {text}"
        );
        Ok(())
    }

    /// Ids of the containers of one service that run, or of all containers.
    pub(super) fn containers(&self, service: Option<&str>) -> anyhow::Result<Vec<String>> {
        let ids = output(self.command(&["ps", "-q"]).args(service))?;
        Ok(ids.lines().map(str::to_owned).collect())
    }

    pub(super) fn wait_until_healthy(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut said = BTreeMap::new();
        loop {
            let seen = self.states()?;
            for (name, state) in &seen {
                if said.get(name) != Some(state) {
                    say(format_args!("{:>6}  {name}: {state}", human(started.elapsed())));
                }
            }
            let waiting: Vec<&str> =
                seen.iter().filter(|(_, state)| !is_good(state)).map(|(name, _)| name.as_str()).collect();
            if waiting.is_empty() && !seen.is_empty() {
                return Ok(());
            }
            if started.elapsed() > HEALTHY_TIMEOUT {
                bail!("not healthy after {}: {}", human(HEALTHY_TIMEOUT), waiting.join(", "));
            }
            said = seen;
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// `healthy`, `starting`, `exited 0` and so on, by container.
    fn states(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let format = "{{.Name}} {{if eq .State.Status \"running\"}}{{if .State.Health}}{{.State.Health.Status}}\
                      {{else}}running{{end}}{{else}}{{.State.Status}} {{.State.ExitCode}}{{end}}";
        let text = output(
            Command::new("docker").args(["inspect", "--format", format]).args(self.containers(None)?),
        )?;
        let pairs = text.lines().filter_map(|line| line.trim_start_matches('/').split_once(' '));
        Ok(pairs.map(|(name, state)| (name.to_owned(), state.to_owned())).collect())
    }

    pub(super) fn show_logs(&self) {
        if let Err(error) = self.compose(&["logs", "--tail", "15", "--no-color"]) {
            say(format_args!("{error:#}"));
        }
    }

    pub(super) fn how_to_stop(&self) -> String {
        let env = self.env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        format!("{} {}", env.join(" "), sh::describe(&self.command(&["down", "--volumes"])))
    }

    pub(super) fn keep(&mut self) {
        self.bury(b"keep\n");
    }

    pub(super) fn down(&mut self) -> anyhow::Result<()> {
        self.bury(b"down\n");
        // not by docker-compose, which wants the secrets that are gone by now
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let left = output(Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &filter]))?;
        ensure!(left.is_empty(), "{} containers are still there", left.lines().count());
        Ok(())
    }

    fn bury(&mut self, word: &[u8]) {
        let Some(mut undertaker) = self.undertaker.take() else { return };
        if let Some(mut pipe) = undertaker.stdin.take() {
            // it is closed right after, which means the same as `down`
            let _ = std::io::Write::write_all(&mut pipe, word);
        }
        if let Err(error) = undertaker.wait() {
            say(format_args!("cannot wait for docker-compose down: {error}"));
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.bury(b"down\n");
    }
}

fn is_good(state: &str) -> bool {
    matches!(state, "healthy" | "exited 0")
}

/// `NAME=value` lines.
fn settings(text: &str) -> HashMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repositorys_settings_are_read() {
        let text = std::fs::read_to_string(root().join(".env")).unwrap();
        let settings = settings(&text);
        assert_eq!(settings["GATEWAY_PORT"], "8000");
        assert!(settings["KAFKA_IMAGE"].starts_with("apache/kafka:"));
    }

    #[test]
    fn finished_migrations_are_as_good_as_healthy_services() {
        assert!(is_good("healthy") && is_good("exited 0"));
        assert!(!["starting", "unhealthy", "running", "exited 1", "restarting 2"].into_iter().any(is_good));
    }
}
