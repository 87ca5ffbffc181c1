//! The story of `cargo demo -- --check` through a gateway alone, such as that of docker-compose; see `demo::remote`.

use clap::Parser;
use demo::remote::{self, Args};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match remote::tell(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("gateway-story: {error:#}");
            ExitCode::from(2)
        }
    }
}
