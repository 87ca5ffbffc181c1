//! The binary behind `cargo demo`; see the library.

use clap::Parser;
use demo::{Args, Command, Outcome};
use std::process::ExitCode;

/// Without a command it runs the demo; the commands are typed beside a demo that runs.
#[derive(Parser)]
#[command(name = "demo", version, about = None, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    args: Args,

    #[command(subcommand)]
    command: Option<Command>,
}

/// One thread for everything: the kernel kills a child whose `--pdeathsig` is set when the *thread* that started it
/// ends, and of a pool nobody knows how long which thread lives.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        // a command has no outcome but its output
        Some(command) => demo::run_command(command).await.map(|()| Outcome::Held),
        None => demo::run(cli.args).await,
    };
    match outcome {
        Ok(Outcome::Held | Outcome::Stopped) => ExitCode::SUCCESS,
        Ok(Outcome::Differed) => ExitCode::from(1),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("demo: {}", chain(&error));
            ExitCode::from(2)
        }
    }
}

/// The error and its causes; some clients' errors repeat their cause in their own text, which need not be read twice.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}
