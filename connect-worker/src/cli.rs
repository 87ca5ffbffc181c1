//! The command line.

use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Kafka Connect without the JVM: the same files, REST API and connector classes.
#[derive(Debug, Parser)]
#[command(
    name = "connect-worker",
    version = concat!(env!("CARGO_PKG_VERSION"), " (behaves like Kafka Connect 4.3.0)"),
    propagate_version = true,
    after_help = "Exit codes: 0 stopped by a signal, 1 usage, 2 the worker could not start, 3 a connector could not start.\n\
                  RUST_LOG sets what is logged, such as RUST_LOG=info,connect_rest=warn."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one worker by itself; connectors come from files and the REST API and are kept in memory.
    Standalone(StandaloneArgs),
}

#[derive(Debug, Args)]
pub struct StandaloneArgs {
    /// The worker's configuration, as for Kafka's connect-standalone.
    #[arg(value_name = "WORKER.properties")]
    pub worker: PathBuf,
    /// Connectors to start with: .properties, or JSON as a map or as the body of POST /connectors.
    #[arg(value_name = "CONNECTOR.properties|.json")]
    pub connectors: Vec<PathBuf>,
}

/// Reads the arguments, the program's name first. Started under the name of Kafka's script, `connect-standalone`, the
/// program takes that script's arguments.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let program = args.first().map(Path::new).and_then(Path::file_stem).and_then(|name| name.to_str());
    if program == Some("connect-standalone") {
        args.insert(1, "standalone".into());
    }
    Cli::try_parse_from(args).map(|cli| cli.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standalone(args: &[&str]) -> (PathBuf, usize) {
        match parse(args.iter().map(OsString::from)) {
            Ok(Command::Standalone(args)) => (args.worker, args.connectors.len()),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn both_names_of_the_program() {
        assert_eq!(
            standalone(&["connect-worker", "standalone", "w.properties", "a", "b"]),
            ("w.properties".into(), 2)
        );
        assert_eq!(standalone(&["/opt/bin/connect-standalone", "w.properties"]), ("w.properties".into(), 0));
        assert_eq!(
            standalone(&["connect-standalone.sh", "w.properties", "c.json"]),
            ("w.properties".into(), 1)
        );
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
