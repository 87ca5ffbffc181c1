//! What CI runs, in the order of how soon it can fail.

use std::process::ExitCode;

use crate::sh::{self, OURS, Stages, broker_cargo, cargo, say};
use crate::{paths, test, tidy};

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut stages = Stages::new();
    stages.run("fmt", fmt);
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

fn fmt() -> anyhow::Result<()> {
    sh::run(cargo().args(["fmt", "--all", "--check"]))?;
    for other in ["demo/broker", "crates/connect-runtime/fuzz"] {
        let manifest = format!("{other}/Cargo.toml");
        sh::run(cargo().args(["fmt", "--manifest-path", &manifest, "--check"]))?;
    }
    Ok(())
}

/// The broker's own few files cost some 200 seconds of processor time, for checking what it depends on.
fn clippy() -> anyhow::Result<()> {
    let rules = ["--all-targets", "--", "-D", "warnings"];
    sh::run(cargo().args(["clippy", OURS]).args(rules))?;
    sh::run(broker_cargo("clippy")?.args(rules))
}
