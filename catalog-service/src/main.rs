use catalog_service::config::{Cli, Command, Config};
use clap::Parser;

#[actix_web::main]
async fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    service_kit::telemetry::init("catalog-service");
    let result = match cli.command {
        Some(Command::Migrate(args)) => catalog_service::startup::migrate(args).await,
        None => run(cli.serve).await,
        Some(Command::Serve(args)) => run(args).await,
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("catalog-service: {}", catalog_service::chain::chain(error.as_ref()));
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(args: catalog_service::config::ServeArgs) -> anyhow::Result<()> {
    let config = Config::new(args)?;
    catalog_service::startup::serve(config, service_kit::shutdown::token()).await
}
