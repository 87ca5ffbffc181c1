//! What CI runs, in the order of how soon it can fail.

use std::process::ExitCode;

use crate::sh::{self, Stages, cargo, say};
use crate::{paths, test, tidy};

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut stages = Stages::new();
    stages.run("fmt", || sh::run(cargo().args(["fmt", "--all", "--check"])));
    stages.run("tidy", tidy::check);
    stages.run("clippy", clippy);
    if paths::which("cargo-deny").is_some() {
        stages.run("deny", || sh::run(cargo().args(["deny", "--workspace", "check"])));
    } else {
        say("NOT COVERED: licences and advisories of dependencies (cargo-deny is not installed)");
    }
    test::run_stages(&test::Args::default(), &mut stages)?;
    Ok(stages.finish("ci"))
}

/// The embedded broker is not left out: that would be another selection of packages (see README), and librdkafka would be
/// compiled a second time for it. Measured: 426 seconds of processor time with it, 259 without, of which about 90 would be
/// spent again in the build.
fn clippy() -> anyhow::Result<()> {
    sh::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}
