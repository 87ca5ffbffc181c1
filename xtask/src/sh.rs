//! Running commands and saying how long things took.

use std::fmt::Display;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Progress goes to stderr: stdout belongs to the command that was asked for.
pub(crate) fn say(text: impl Display) {
    eprintln!("xtask: {text}");
}

/// What every build, test and lint selects. Cargo compiles a dependency once per set of features, and the set depends on what
/// is selected together: one selection means one compilation.
pub(crate) const OURS: &str = "--workspace";

/// A program in a workspace of its own, `demo/broker` (the root Cargo.toml says why).
pub(crate) const BROKER: &str = "embedded-broker";

/// `cargo SUBCOMMAND` for the embedded broker. Its target folder is ours: the demo finds all programs in one place, and cargo
/// shares what both workspaces compile alike.
pub(crate) fn broker_cargo(subcommand: &str) -> anyhow::Result<Command> {
    let mut command = cargo();
    command.args([subcommand, "--manifest-path", "demo/broker/Cargo.toml", "--target-dir"]);
    command.arg(crate::paths::target()?);
    Ok(command)
}

/// cargo itself, without the variables that the cargo that runs xtask set for it: a build script that looks at one of
/// them would run again in every second build.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|own| text.starts_with(own))
        {
            command.env_remove(&name);
        }
    }
    command.current_dir(crate::paths::root());
    command
}

/// Runs a command with our terminal; an error names it when it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", describe(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", describe(command));
    }
    Ok(())
}

/// A command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words =
        std::iter::once(name).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    words.collect::<Vec<_>>().join(" ")
}

pub(crate) fn human(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Named stages with their times and outcomes. Every stage runs, so that one run tells everything that is wrong; a stage
/// that needs an earlier one asks [`Stages::failed`].
pub(crate) struct Stages {
    started: Instant,
    done: Vec<(String, Duration, Result<(), String>)>,
}

impl Stages {
    pub(crate) fn new() -> Self {
        Stages { started: Instant::now(), done: Vec::new() }
    }

    /// Runs a stage; `None` when it failed, which is said at once and again in the summary.
    pub(crate) fn run<T>(&mut self, name: &str, stage: impl FnOnce() -> anyhow::Result<T>) -> Option<T> {
        say(format_args!("== {name}"));
        let started = Instant::now();
        let result = stage();
        let time = started.elapsed();
        let (value, outcome) = match result {
            Ok(value) => (Some(value), Ok(())),
            Err(error) => (None, Err(format!("{error:#}"))),
        };
        match &outcome {
            Ok(()) => say(format_args!("== {name}: {}", human(time))),
            Err(error) => say(format_args!("== {name}: FAILED after {}: {error}", human(time))),
        }
        self.done.push((name.to_owned(), time, outcome));
        value
    }

    pub(crate) fn failed(&self) -> bool {
        self.done.iter().any(|(_, _, outcome)| outcome.is_err())
    }

    /// Prints the table and the total; the exit code of it all.
    pub(crate) fn finish(&self, title: &str) -> std::process::ExitCode {
        say(format_args!("{title}:"));
        for (name, time, outcome) in &self.done {
            let mark = if outcome.is_ok() { "ok    " } else { "FAILED" };
            eprintln!("  {mark} {:>13}  {name}", human(*time));
            if let Err(error) = outcome {
                for line in error.lines() {
                    eprintln!("         {line}");
                }
            }
        }
        let total = human(self.started.elapsed());
        if self.failed() {
            eprintln!("  FAILED, total {total}");
            std::process::ExitCode::FAILURE
        } else {
            eprintln!("  all ok, total {total}");
            std::process::ExitCode::SUCCESS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_times() {
        assert_eq!(human(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(human(Duration::from_secs(605)), "10 min 05 s");
    }

    #[test]
    fn a_failed_stage_does_not_stop_the_next_and_is_remembered() {
        let mut stages = Stages::new();
        assert_eq!(stages.run("one", || Ok(1)), Some(1));
        assert!(!stages.failed());
        assert_eq!(stages.run("two", || -> anyhow::Result<()> { bail!("no") }), None);
        assert_eq!(stages.run("three", || Ok(3)), Some(3));
        assert!(stages.failed());
    }

    #[test]
    fn a_command_is_described_without_its_folder() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "--workspace"]);
        assert_eq!(describe(&command), "cargo test --workspace");
    }
}
