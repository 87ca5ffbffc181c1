//! `cargo demo`: builds what the demo runs, then becomes it. A command beside a running demo (`cargo demo -- topics`)
//! needs the binary alone, and nothing between the prompt and its output.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::sh::{self, BROKER, OURS, broker_cargo, cargo, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments of the demo itself, after `--`; `cargo demo -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let debug = crate::paths::target()?.join("debug");
    if is_command(&args.args) {
        build_quietly(&debug)?;
    } else {
        let broker = needs_broker(&args.args);
        announce(&debug, broker);
        sh::run(cargo().args(["build", OURS, "--bins"]))?;
        if broker {
            sh::run(&mut broker_cargo("build")?)?;
        }
    }
    // Not a child: Ctrl-C and the exit code are the demo's own, with nobody in between.
    let error = Command::new(debug.join("demo")).args(&args.args).exec();
    Err(anyhow::Error::new(error).context(format!("cannot run {}", debug.join("demo").display())))
}

/// The demo's own arguments are flags; what begins with a word is a command beside a demo that runs already.
fn is_command(args: &[String]) -> bool {
    args.first().is_some_and(|arg| !arg.starts_with('-'))
}

/// The same selection of packages as always, or dependencies would be compiled anew; but only the one binary.
fn build_quietly(debug: &Path) -> anyhow::Result<()> {
    let mut build = cargo();
    build.args(["build", OURS, "--bin", "demo"]);
    if debug.join("demo").is_file() {
        build.arg("-q");
    } else {
        say("building the demo's tools; the first time this takes some minutes");
    }
    sh::run(&mut build)
}

/// On a real Kafka the demo needs no broker of its own, and that one takes longest to compile.
fn needs_broker(args: &[String]) -> bool {
    !args.iter().any(|arg| arg == "--kafka" || arg.starts_with("--kafka="))
}

fn announce(debug: &Path, broker: bool) {
    let built = |name: &str| debug.join(name).is_file();
    let services = "order-service, catalog-service, gateway, connect-worker";
    match (built("demo"), !broker || built(BROKER)) {
        (true, true) => say(format_args!("building what has changed of {services}")),
        (true, false) => {
            say("building the embedded broker; the first time this takes about 10 minutes on 2 processors")
        }
        (false, true) => {
            say(format_args!(
                "building {services}; the first time this takes about 8 minutes on 2 processors"
            ));
        }
        (false, false) => say(format_args!(
            "building {services} and the embedded broker; the first time this takes about 15 minutes on 2 processors"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_command_and_a_flag_is_not() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(is_command(&args("topics")));
        assert!(is_command(&args("consume --topic orders --from-beginning")));
        assert!(!is_command(&args("--store local")));
        assert!(!is_command(&[]));
    }

    #[test]
    fn the_broker_is_built_unless_kafka_is_given() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(needs_broker(&[]));
        assert!(needs_broker(&args("--check --store events")));
        assert!(!needs_broker(&args("--check --kafka 127.0.0.1:9092")));
        assert!(!needs_broker(&args("--kafka=127.0.0.1:9092")));
    }
}
