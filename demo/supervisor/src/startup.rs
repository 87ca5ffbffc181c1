//! Brings the plan to life: files, then the children, stage by stage.

use crate::plan::{ChildPlan, PlannedFile, Ready, Settings};
use crate::processes::{Processes, tail};
use crate::progress::Progress;
use crate::readiness;
use anyhow::{Context as _, bail};
use futures::future::try_join_all;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Fails with the remedy when a binary of the plan is missing.
pub(crate) fn require_binaries(settings: &Settings, bin_dir: &Path) -> anyhow::Result<()> {
    for child in settings.stages().iter().flatten() {
        if !bin_dir.join(child.program).is_file() {
            bail!(
                "there is no {} in {}: run `cargo demo`, which builds what it starts, or name another directory with \
                 --bin-dir",
                child.program,
                bin_dir.display()
            );
        }
    }
    Ok(())
}

/// The work directory and what children read from it; for nobody else's eyes, since passwords and logs are in it.
pub(crate) fn write_files(settings: &Settings) -> anyhow::Result<()> {
    let logs = settings.logs_dir();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&logs);
    made.with_context(|| format!("creating {}", logs.display()))?;
    for PlannedFile { path, text } in settings.files() {
        let opened = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Starts every stage and waits for each to be ready.
pub(crate) async fn start(
    settings: &Settings,
    processes: &mut Processes,
    http: &reqwest::Client,
    progress: Progress,
) -> anyhow::Result<()> {
    for (number, stage) in settings.stages().iter().enumerate() {
        let (once, lasting): (Vec<_>, Vec<_>) = stage.iter().partition(|child| child.ready == Ready::Done);
        for child in &lasting {
            processes.start(child, number)?;
        }
        let processes = &*processes;
        let once = once.into_iter().map(|child| async move {
            processes.run(child).await?;
            progress.step(child.name, &child.place);
            anyhow::Ok(())
        });
        try_join_all(once).await?;
        try_join_all(lasting.into_iter().map(|child| until_ready(processes, child, http, progress))).await?;
    }
    Ok(())
}

/// Starts children of the plan again that were killed.
pub(crate) async fn start_again(
    settings: &Settings,
    processes: &mut Processes,
    http: &reqwest::Client,
    progress: Progress,
    names: &[&str],
) -> anyhow::Result<()> {
    let stages = settings.stages();
    let mut again = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        for child in stage.iter().filter(|child| names.contains(&child.name)) {
            processes.start(child, number)?;
            again.push(child);
        }
    }
    let processes = &*processes;
    try_join_all(again.into_iter().map(|child| until_ready(processes, child, http, progress))).await?;
    Ok(())
}

async fn until_ready(
    processes: &Processes,
    child: &ChildPlan,
    http: &reqwest::Client,
    progress: Progress,
) -> anyhow::Result<()> {
    let ready = readiness::wait(http, &child.ready).await;
    ready.map_err(|error| {
        anyhow::anyhow!("{}: {error:#}\n{}", child.name, tail(&processes.log_of(child.name)))
    })?;
    progress.step(child.name, &child.place);
    Ok(())
}
