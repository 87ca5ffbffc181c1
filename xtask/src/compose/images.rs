//! The images everything is made from, and a look at the one that is ours.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail, ensure};

use super::engine::{Docker, output};
use super::project::Project;
use crate::paths::root;
use crate::sh::{self, say};

/// The variables of `.env` that name them, with what the script for machines without a registry calls the same.
const BASES: [(&str, &str); 4] = [
    ("RUNTIME_IMAGE", "DEBIAN_TAG"),
    ("RUST_IMAGE", "RUST_TAG"),
    ("MARIADB_IMAGE", "MARIADB_TAG"),
    ("KAFKA_IMAGE", "KAFKA_TAG"),
];

/// Present, pulled, or made by the script that `BASE_IMAGES` names.
pub(super) fn provide(docker: &Docker, project: &mut Project) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for (variable, _) in BASES {
        let image = project.setting(variable)?;
        if present(docker, &image) {
            continue;
        }
        say(format_args!("pulling {image}"));
        let pull = output(docker.docker().args(["pull", "--quiet", &image]));
        if let Err(error) = pull {
            say(format_args!("{error:#}"));
            missing.push(image);
        }
    }
    if !missing.is_empty() {
        make(project, &missing)?;
        if let Some(image) = missing.iter().find(|image| !present(docker, image)) {
            bail!("there is still no image {image}");
        }
    }
    trust_what_this_machine_trusts(docker, project)
}

fn present(docker: &Docker, image: &str) -> bool {
    docker
        .docker()
        .args(["image", "inspect", image])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn make(project: &Project, missing: &[String]) -> anyhow::Result<()> {
    let script = std::env::var_os("BASE_IMAGES")
        .map_or_else(|| root().join("../shared/tools/base-images"), PathBuf::from);
    ensure!(
        script.is_file(),
        "{} cannot be pulled, and {} is not there to make them; load them (`docker load`) or name such a script in \
         BASE_IMAGES",
        missing.join(", "),
        script.display()
    );
    let mut command = std::process::Command::new(script);
    for (variable, tag) in BASES {
        command.env(tag, project.setting(variable)?);
    }
    sh::run(command.stdout(std::io::stderr()))
}

/// Where a proxy with a certificate of its own stands between this machine and the registry of crates, the build has to
/// know that certificate; then the Rust image is extended by what this machine trusts. The final image is not concerned.
fn trust_what_this_machine_trusts(docker: &Docker, project: &mut Project) -> anyhow::Result<()> {
    const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
    let added =
        std::fs::read_dir("/usr/local/share/ca-certificates").is_ok_and(|mut dir| dir.next().is_some());
    if !added || !Path::new(BUNDLE).is_file() {
        return Ok(());
    }
    let rust = project.setting("RUST_IMAGE")?;
    let context = project.folder().join("rust");
    std::fs::create_dir_all(&context)?;
    std::fs::copy(BUNDLE, context.join("ca-certificates.crt"))
        .with_context(|| format!("copying {BUNDLE}"))?;
    std::fs::write(context.join("Dockerfile"), format!("FROM {rust}\nCOPY ca-certificates.crt {BUNDLE}\n"))?;
    let image = "compose-check/rust:trusting";
    output(docker.docker().args(["build", "--quiet", "-t", image]).arg(&context))?;
    say(format_args!("compiling in {rust} with this machine's certificates added"));
    project.set("RUST_IMAGE", image);
    Ok(())
}

/// Small, not root, and without secrets in its history or environment.
pub(super) fn judge(docker: &Docker, project: &Project, limit_mb: u64) -> anyhow::Result<()> {
    let image = project.setting("PLATFORM_IMAGE")?;
    let format = "{{.Size}} {{.Config.User}}";
    let text = output(docker.docker().args(["image", "inspect", "--format", format, &image]))?;
    let (bytes, user) = text.split_once(' ').context("docker image inspect said something else")?;
    let megabytes = bytes.parse::<u64>().context("the size of the image")? / 1_000_000;
    say(format_args!("{image} has {megabytes} MB (limit {limit_mb}) and runs as {user}"));
    ensure!(megabytes < limit_mb, "{image} has {megabytes} MB, the limit is {limit_mb}");
    let root = user.is_empty() || user.starts_with("0") || user.starts_with("root");
    ensure!(!root, "{image} runs as root");
    Ok(())
}
