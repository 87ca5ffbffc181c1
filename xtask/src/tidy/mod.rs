//! Rules of the house that a program can check. Each finding names its place, its rule and what to do.

mod crates;
mod dependencies;
mod lexer;
mod links;
mod source;
mod text;
mod translations;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use cargo_metadata::MetadataCommand;

use crate::paths::root;
use crate::sh::say;

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    rule: &'static str,
    remedy: String,
}

impl Finding {
    fn new(file: impl Into<String>, line: usize, rule: &'static str, remedy: impl Into<String>) -> Self {
        Finding { file: file.into(), line, rule, remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.remedy)
    }
}

/// A text file of the repository, its path relative to the root with forward slashes.
struct TextFile {
    path: String,
    text: String,
}

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    check()?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn check() -> anyhow::Result<()> {
    let root = root();
    let paths = repository_files(&root)?;
    let files = read(&root, &paths);
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .exec()
        .context("cargo metadata failed")?;

    let mut findings = dependencies::check(&metadata);
    findings.extend(crates::check(&metadata, &files));
    findings.extend(links::check(&files, &paths));
    findings.extend(translations::check(&files));
    findings.extend(files.iter().flat_map(text::check));
    findings.extend(files.iter().filter(|file| file.path.ends_with(".rs")).flat_map(source::check));
    findings.sort();

    for (path, lines) in source::long_files(&files) {
        say(format_args!("note: {path} has {lines} lines; above {} a file needs a reason", source::LONG));
    }
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    say(format_args!("tidy: {} files, nothing found", files.len()));
    Ok(())
}

/// What git tracks and what it would add: a new file is checked before it is committed.
fn repository_files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("cannot start git, which knows the files of the repository")?;
    if !output.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listed = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    // A file that is deleted but not yet committed is still listed.
    Ok(listed.split_terminator('\0').map(PathBuf::from).filter(|path| root.join(path).is_file()).collect())
}

/// Text files alone: pictures and the like are not for reading.
fn read(root: &Path, paths: &[PathBuf]) -> Vec<TextFile> {
    let read = |path: &PathBuf| {
        let bytes = fs::read(root.join(path)).ok()?;
        if bytes.contains(&0) {
            return None;
        }
        let text = String::from_utf8(bytes).ok()?;
        Some(TextFile { path: path.to_string_lossy().replace('\\', "/"), text })
    };
    paths.iter().filter_map(read).collect()
}
