//! Debian packages, where we may install them.

use std::process::Command;

use anyhow::bail;

use crate::paths::which;
use crate::sh::{run, say};

/// Installs packages as root on a machine with apt. `what` and `otherwise` make the error text of other machines.
pub(crate) fn install(what: &str, packages: &[&str], otherwise: &str) -> anyhow::Result<()> {
    if which("apt-get").is_none() {
        bail!("{what} is missing and this machine has no apt-get: {otherwise}");
    }
    if !is_root() {
        bail!("{what} is missing: run `sudo apt-get install {}`, or {otherwise}", packages.join(" "));
    }
    say(format_args!("installing {} (apt-get, a minute or two)", packages.join(", ")));
    run(&mut apt(&["update", "-qq"]))?;
    let mut install = apt(&["install", "-y", "-qq", "--no-install-recommends"]);
    run(install.args(packages))
}

fn apt(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    // Another apt may be at work on a fresh machine, and mirrors hiccup: wait and repeat instead of failing the whole run.
    command
        .args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0"])
        .args(args);
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr());
    command
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
