//! `cargo xtask test`: everything that can be tested, on real engines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::engines::Engines;
use crate::provision::provision;
use crate::sh::{self, OURS, Stages, broker_cargo, cargo, human, say};

/// Packages whose integration tests need real engines, and what is not covered without them.
const NEED_ENGINES: [(&str, &str); 2] = [
    ("e2e", "walkthroughs, crashes and the demo's check on real Kafka, MariaDB and PostgreSQL (tests/e2e)"),
    ("testkit", "the test helpers against real Kafka, MariaDB and PostgreSQL (crates/testkit/tests)"),
];

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Without real engines: what cannot run is printed as NOT COVERED
    #[arg(long)]
    embedded: bool,
    /// Only tests whose names contain this
    filter: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut stages = Stages::new();
    run_stages(args, &mut stages)?;
    Ok(stages.finish("test"))
}

/// Errors are in the stages; the result is for what is wrong with xtask itself.
pub(crate) fn run_stages(args: &Args, stages: &mut Stages) -> anyhow::Result<()> {
    // First, since it fails fast on a machine where nothing can be installed.
    let found = if args.embedded { None } else { stages.run("provision", provision) };
    if !args.embedded && found.is_none() {
        return Ok(());
    }
    let built = stages.run("build", || sh::run(cargo().args(["build", OURS])));
    let broker = stages.run("build the embedded broker", || sh::run(&mut broker_cargo("build")?));
    let tests = built.and(broker).and_then(|()| stages.run("build tests", build_tests));
    let Some(tests) = tests else { return Ok(()) };
    let (engine_tests, plain): (Vec<_>, Vec<_>) = tests.into_iter().partition(TestBinary::needs_engines);

    let filter = args.filter.as_deref();
    stages.run("tests without engines", || run_binaries(&plain, filter, None));
    if filter.is_none() {
        stages.run("doc tests", || sh::run(cargo().args(["test", "--doc", "-q", OURS])));
    }
    let Some(found) = found else {
        if filter.is_none() {
            stages.run("demo --check on the embedded engines", demo_check);
        }
        for (_, what) in NEED_ENGINES {
            say(format_args!("NOT COVERED: {what}"));
        }
        return Ok(());
    };
    let engines = stages.run("start engines", || Engines::start(&found));
    if let Some(engines) = engines {
        stages.run("tests on real engines", || run_binaries(&engine_tests, filter, Some(&engines)));
        stages.run("stop engines", || {
            drop(engines);
            Ok(())
        });
    }
    Ok(())
}

fn demo_check() -> anyhow::Result<()> {
    let demo = crate::paths::target()?.join("debug").join("demo");
    sh::run(Command::new(demo).arg("--check"))
}

/// A compiled test target. We run them ourselves and not by `cargo test`: they then have times of their own, and those that
/// need engines can be told from the rest without a second selection of packages, which would compile dependencies again.
#[derive(Debug, PartialEq, Eq)]
struct TestBinary {
    package: String,
    target: String,
    /// `lib`, `bin` or `test`
    kind: String,
    folder: PathBuf,
    executable: PathBuf,
}

impl TestBinary {
    fn needs_engines(&self) -> bool {
        self.kind == "test" && NEED_ENGINES.iter().any(|(package, _)| *package == self.package)
    }
}

fn build_tests() -> anyhow::Result<Vec<TestBinary>> {
    let mut tests = compile_tests(cargo().args(["test", OURS]))?;
    tests.extend(compile_tests(&mut broker_cargo("test")?)?);
    let without = |package: &str| !tests.iter().any(|test| test.package == package && test.kind == "test");
    if let Some((package, _)) = NEED_ENGINES.iter().find(|(package, _)| without(package)) {
        bail!("package {package} has no integration tests: correct NEED_ENGINES in xtask/src/test.rs");
    }
    Ok(tests)
}

fn compile_tests(command: &mut Command) -> anyhow::Result<Vec<TestBinary>> {
    command.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("{} failed ({})", sh::describe(command), output.status);
    }
    Ok(test_binaries(&String::from_utf8_lossy(&output.stdout)))
}

/// The test executables among cargo's messages, libraries and binaries before integration tests.
fn test_binaries(messages: &str) -> Vec<TestBinary> {
    let mut found = BTreeMap::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
        let (Some(executable), Some(manifest), Some(target)) = (
            message["executable"].as_str(),
            message["manifest_path"].as_str(),
            message["target"]["name"].as_str(),
        ) else {
            continue;
        };
        if !is_test {
            continue;
        }
        let folder = Path::new(manifest).parent().unwrap_or(Path::new("/")).to_owned();
        let package = package_name(message["package_id"].as_str().unwrap_or_default(), &folder);
        let kind = message["target"]["kind"][0].as_str().unwrap_or_default().to_owned();
        let target = target.to_owned();
        // The kind is part of the key: a library and a binary may share a name.
        let key = (kind == "test", package.clone(), target.clone(), kind.clone());
        found.insert(key, TestBinary { package, target, kind, folder, executable: executable.into() });
    }
    found.into_values().collect()
}

/// `name` from `path+file:///work/crates/name#0.1.0` and `path+file:///work/folder#name@0.1.0`.
fn package_name(id: &str, folder: &Path) -> String {
    let named =
        id.rsplit_once('#').and_then(|(_, rest)| rest.split_once('@')).map(|(name, _)| name.to_owned());
    named.unwrap_or_else(|| folder.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Runs all of them, whatever fails, and names those that did.
fn run_binaries(tests: &[TestBinary], filter: Option<&str>, engines: Option<&Engines>) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for test in tests {
        let name = format!("{} ({} {})", test.package, test.kind, test.target);
        let started = Instant::now();
        say(format_args!("-- {name}"));
        let mut command = Command::new(&test.executable);
        // As cargo does: tests open golden files relative to their package.
        command.current_dir(&test.folder).env("CARGO_MANIFEST_DIR", &test.folder);
        if let Some(engines) = engines {
            command.envs(engines.environment());
            // Each of these tests is a handful of processes; more at a time would only time out together.
            if std::env::var_os("RUST_TEST_THREADS").is_none() {
                command.arg("--test-threads=2");
            }
        } else {
            // A test that needs an engine and is not listed as such must fail here, also on a machine where somebody exported these.
            for variable in ["TESTKIT_KAFKA", "TESTKIT_MARIADB", "TESTKIT_POSTGRES", "TESTKIT_KAFKA_LIBS"] {
                command.env_remove(variable);
            }
        }
        command.args(filter);
        match command.status().with_context(|| format!("cannot run {}", test.executable.display()))? {
            status if status.success() => say(format_args!("-- {name}: {}", human(started.elapsed()))),
            status => {
                say(format_args!("-- {name}: FAILED ({status}) after {}", human(started.elapsed())));
                failed.push(name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_executables_are_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/tests/e2e#0.1.0","manifest_path":"/w/tests/e2e/Cargo.toml","target":{"kind":["test"],"name":"e2e"},"profile":{"test":true},"executable":"/w/target/debug/deps/e2e-1"}
{"reason":"compiler-artifact","package_id":"path+file:///w/demo/supervisor#demo@0.1.0","manifest_path":"/w/demo/supervisor/Cargo.toml","target":{"kind":["lib"],"name":"demo"},"profile":{"test":true},"executable":"/w/target/debug/deps/demo-1"}
{"reason":"compiler-artifact","package_id":"registry+https://x#serde@1.0.0","manifest_path":"/r/serde/Cargo.toml","target":{"kind":["lib"],"name":"serde"},"profile":{"test":false},"executable":null}
{"reason":"build-finished","success":true}
not json"#;
        let found = test_binaries(messages);
        let names: Vec<_> = found.iter().map(|test| (test.package.as_str(), test.target.as_str())).collect();
        assert_eq!(names, [("demo", "demo"), ("e2e", "e2e")], "unit tests first");
        assert_eq!(found[1].folder, Path::new("/w/tests/e2e"));
        assert_eq!(found.iter().map(TestBinary::needs_engines).collect::<Vec<_>>(), [false, true]);
    }
}
