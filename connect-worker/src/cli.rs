//! The command line.

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Kafka Connect without the JVM: the same files, REST API and connector classes.
#[derive(Debug, Parser)]
#[command(
    name = "connect-worker",
    version = concat!(env!("CARGO_PKG_VERSION"), " (behaves like Kafka Connect 4.3.0)"),
    propagate_version = true,
    after_help = "Exit codes: 0 stopped by a signal, 1 usage, 2 the worker could not start (check: something would not work), 3 a \
                  connector could not start.\n\
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
    /// Run one worker of a cluster; connectors are kept in Kafka and shared by all workers with the same group.id.
    Distributed(DistributedArgs),
    /// Say what of a worker's file, and of a running cluster's connectors, would not work here; changes nothing.
    Check(CheckArgs),
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

#[derive(Debug, Args)]
pub struct DistributedArgs {
    /// The worker's configuration, as for Kafka's connect-distributed. Not needed when CONNECT_* environment variables say it all, as
    /// in the container images of Kafka Connect: CONNECT_GROUP_ID is group.id.
    #[arg(value_name = "WORKER.properties")]
    pub worker: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The worker's configuration, of either mode.
    #[arg(value_name = "WORKER.properties")]
    pub worker: PathBuf,
    /// The REST API of a worker that runs, Java's or ours: its connectors are checked, too. A user and password may stand in it, as
    /// in http://user:password@host:8083.
    #[arg(long, value_name = "URL")]
    pub connect: Option<String>,
    /// Say it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// The names of Kafka's scripts and what they mean here.
const SCRIPTS: [(&str, &str); 2] =
    [("connect-standalone", "standalone"), ("connect-distributed", "distributed")];

/// Reads the arguments, the program's name first. Started under the name of one of Kafka's scripts, with or without `.sh`, the
/// program takes that script's arguments.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let program = args.first().map(Path::new).and_then(Path::file_stem).and_then(|name| name.to_str());
    if let Some((_, command)) = SCRIPTS.iter().find(|(script, _)| program == Some(script)) {
        args.insert(1, command.into());
    }
    if args.iter().any(|arg| arg == "-daemon") {
        let hint = "-daemon of Kafka's scripts is not needed: leave it out and let systemd, a container or \
                    `nohup connect-worker ... &` keep the worker running\n";
        return Err(Cli::command().error(ErrorKind::UnknownArgument, hint));
    }
    Cli::try_parse_from(args).map(|cli| cli.command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(args: &[&str], expected: Expect) {
        let shown = match parse(args.iter().map(OsString::from)) {
            Ok(command) => format!("{command:?}"),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn all_names_of_the_program() {
        check(
            &["connect-worker", "standalone", "w.properties", "a", "b"],
            expect![[r#"Standalone(StandaloneArgs { worker: "w.properties", connectors: ["a", "b"] })"#]],
        );
        check(
            &["/opt/bin/connect-standalone", "w.properties"],
            expect![[r#"Standalone(StandaloneArgs { worker: "w.properties", connectors: [] })"#]],
        );
        check(
            &["connect-standalone.sh", "w.properties", "c.json"],
            expect![[r#"Standalone(StandaloneArgs { worker: "w.properties", connectors: ["c.json"] })"#]],
        );
        check(
            &["connect-worker", "distributed", "w.properties"],
            expect![[r#"Distributed(DistributedArgs { worker: Some("w.properties") })"#]],
        );
        check(&["connect-worker", "distributed"], expect!["Distributed(DistributedArgs { worker: None })"]);
        check(
            &["/opt/kafka/bin/connect-distributed.sh", "./connect-distributed-1.properties"],
            expect![[
                r#"Distributed(DistributedArgs { worker: Some("./connect-distributed-1.properties") })"#
            ]],
        );
        check(
            &["connect-worker", "check", "w.properties", "--connect", "http://h:1", "--json"],
            expect![[
                r#"Check(CheckArgs { worker: "w.properties", connect: Some("http://h:1"), json: true })"#
            ]],
        );
    }

    #[test]
    fn what_is_not_needed_is_refused_with_a_hint() {
        check(
            &["connect-distributed", "-daemon", "w.properties"],
            expect![[r#"
            error: -daemon of Kafka's scripts is not needed: leave it out and let systemd, a container or `nohup connect-worker ... &` keep the worker running


            Usage: connect-worker <COMMAND>

            For more information, try '--help'.
        "#]],
        );
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
