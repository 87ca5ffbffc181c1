//! `cargo demo`: builds what the demo runs, then becomes it.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::sh::{self, cargo, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments of the demo itself, after `--`; `cargo demo -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let debug = crate::paths::target()?.join("debug");
    let broker = needs_broker(&args.args, &debug);
    let mut build = cargo();
    build.args(["build", "--workspace", "--bins"]);
    if !broker {
        build.args(["--exclude", "embedded-broker"]);
    }
    announce(&debug, broker);
    sh::run(&mut build)?;
    // Not a child: Ctrl-C and the exit code are the demo's own, with nobody in between.
    let error = Command::new(debug.join("demo")).args(&args.args).exec();
    Err(anyhow::Error::new(error).context(format!("cannot run {}", debug.join("demo").display())))
}

/// Always the whole workspace, never a list of packages: cargo compiles a dependency again for every set of features, and
/// which features it has depends on which packages are built together. With one selection, `cargo demo` and `cargo xtask
/// test` share everything. The one exception saves ten minutes: a demo on real Kafka, on a machine where the embedded
/// broker was never built, does without it (and a later full build compiles about 80 dependencies anew).
fn needs_broker(args: &[String], debug: &Path) -> bool {
    let real = args.iter().any(|arg| arg == "--kafka" || arg.starts_with("--kafka="));
    !real || debug.join("embedded-broker").exists()
}

fn announce(debug: &Path, broker: bool) {
    let what = "order-service, catalog-service, gateway, connect-worker";
    let first = !debug.join("demo").exists() || (broker && !debug.join("embedded-broker").exists());
    match (first, broker) {
        (true, true) => say(format_args!(
            "building {what} and the embedded broker; the first time this takes about 15 minutes on 2 processors"
        )),
        (true, false) => {
            say(format_args!("building {what}; the first time this takes about 6 minutes on 2 processors"))
        }
        (false, _) => say(format_args!("building what has changed of {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_left_out_only_on_real_kafka_where_it_was_never_built() {
        let nowhere = Path::new("/nonexistent");
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(needs_broker(&[], nowhere));
        assert!(needs_broker(&args("--check --store events"), nowhere));
        assert!(!needs_broker(&args("--check --kafka 127.0.0.1:9092"), nowhere));
        assert!(!needs_broker(&args("--kafka=127.0.0.1:9092"), nowhere));
    }
}
