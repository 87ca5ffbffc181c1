use clap::Parser;
use gateway::config::{Args, Config};
use service_kit::secret::Secret;

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    service_kit::telemetry::init("gateway");
    let config =
        Config::new(args, Secret::from_env("REGISTRY_SECRET", 16)?, Secret::from_env("OPERATOR_TOKEN", 1)?)?;
    gateway::startup::run(config, service_kit::shutdown::token()).await
}
