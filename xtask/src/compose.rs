//! `cargo xtask compose-check`: docker-compose.yml from nothing, used, hurt, measured and taken down again.

mod engine;
mod hurt;
mod images;
mod measure;
mod project;

use std::process::{Command, ExitCode};

use crate::sh::{self, OURS, Stages, cargo, say};
use engine::Docker;
use project::Project;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Install Docker, docker-compose and debootstrap (Debian, as root) and start dockerd where they are missing
    #[arg(long)]
    provision: bool,

    /// How many orders the story places
    #[arg(long, default_value_t = 400)]
    orders: u32,

    /// Leave everything up at the end, to look at; says how to take it down
    #[arg(long)]
    keep: bool,
}

/// What everything together may take, as promised to people with small machines.
const MEMORY_LIMIT_MIB: u64 = 1536;
const IMAGE_LIMIT_MB: u64 = 150;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut stages = Stages::new();
    let Some(docker) = stages.run("docker", || Docker::find(args.provision)) else {
        return Ok(stages.finish("compose-check"));
    };
    let Some(mut project) = stages.run("secrets", || Project::new(&docker)) else {
        return Ok(stages.finish("compose-check"));
    };
    steps(args, &docker, &mut project, &mut stages);
    if stages.failed() {
        project.show_logs();
    }
    if args.keep {
        say(format_args!("everything stays up: {}", project.how_to_stop()));
        project.keep();
    } else {
        stages.run("down", || project.down());
    }
    Ok(stages.finish("compose-check"))
}

/// Each needs the one before.
fn steps(args: &Args, docker: &Docker, project: &mut Project, stages: &mut Stages) -> Option<()> {
    stages.run("without secrets", || project.refuses_without_secrets())?;
    stages.run("base images", || images::provide(docker, project))?;
    stages.run("image", || {
        say("compiling in a container; the first time this takes about 15 minutes on 2 processors");
        project.compose(&["build", "order-service"])?;
        images::judge(docker, project, IMAGE_LIMIT_MB)
    })?;
    // before it is up: a story that cannot be built need not wait
    stages.run("story", || sh::run(cargo().args(["build", OURS, "--bin", "gateway-story"])))?;
    stages.run("up", || {
        project.compose(&["up", "-d"])?;
        project.wait_until_healthy()
    })?;
    stages.run("orders while things break", || {
        let mut story = Command::new(crate::paths::target()?.join("debug/gateway-story"));
        story.arg("--gateway").arg(project.gateway());
        story.arg("--operator-token-file").arg(project.secret("operator_token"));
        story.args(["--orders", &args.orders.to_string(), "--seconds", "40"]);
        hurt::while_it_runs(story, project)
    });
    // also after a story that went wrong: the table tells whether memory was why
    stages.run("healthy again", || project.wait_until_healthy())?;
    stages.run("memory and rights", || measure::containers(project, MEMORY_LIMIT_MIB))
}
