//! The command line and the environment, read and checked once.

use crate::store::ReadTables;
use crate::store::database::{DatabaseUrl, DatabaseUrlError};
use clap::{Parser, Subcommand, ValueEnum};
use contracts::TopicSpec;
use service_kit::kafka::{self, BootstrapError};
use service_kit::secret::{Secret, SecretError};
use std::path::PathBuf;

/// Takes orders and publishes them to Kafka; answers reads from the tables a connector fills.
#[derive(Debug, Parser)]
#[command(name = "order-service", version)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Take orders and answer reads (the default)
    Serve,
    /// Create the read tables, then exit
    Migrate,
}

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes any free one
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:0", global = true)]
    pub listen: String,
    /// The URL under which the gateway reaches this instance [default: http://<bound address>]
    #[arg(long, env = "ADVERTISED_URL", global = true)]
    pub advertised_url: Option<String>,
    #[arg(long = "kafka", env = "KAFKA_BOOTSTRAP_SERVERS", default_value = "127.0.0.1:9092", global = true)]
    pub kafka: String,
    /// The read tables: mysql://USER:PASSWORD@HOST:PORT/DATABASE, mariadb://.., postgres://.., or sqlite:///ABSOLUTE/FILE.db
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    #[arg(long, env = "ORDER_STORE", value_enum, default_value = "events", global = true)]
    pub order_store: OrderStore,
    /// The instance's own SQLite file; only with --order-store local
    #[arg(long, env = "LOCAL_DATABASE", global = true)]
    pub local_database: Option<PathBuf>,
    #[arg(long, env = "ORDERS_TOPIC", default_value = TopicSpec::ORDERS, global = true)]
    pub orders_topic: String,
    #[arg(long, env = "DECISIONS_TOPIC", default_value = TopicSpec::DECISIONS, global = true)]
    pub decisions_topic: String,
    #[arg(long, env = "REGISTRY_TOPIC", default_value = TopicSpec::REGISTRY, global = true)]
    pub registry_topic: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OrderStore {
    /// Publish only; read from the tables that every instance shares
    Events,
    /// Save in a file of this instance, then publish; read that file only (the problem, to be seen)
    Local,
}

/// What `serve` runs with.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: String,
    pub advertised_url: Option<String>,
    pub kafka: String,
    pub store: StoreConfig,
    pub tables: ReadTables,
    pub registry_topic: String,
    pub registry_secret: Secret,
}

#[derive(Clone, Debug)]
pub enum StoreConfig {
    Events { database: DatabaseUrl },
    Local { file: PathBuf },
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "neither DATABASE_URL nor DATABASE_URL_FILE is set; give the database of the read tables, such as \
         sqlite:///tmp/orders.db"
    )]
    NoDatabase,
    #[error("DATABASE_URL cannot be used")]
    Database(#[from] DatabaseUrlError),
    #[error("ORDER_STORE=local needs LOCAL_DATABASE, the file this instance keeps its orders in")]
    NoLocalDatabase,
    #[error("{key} is {value:?}; give 1 to {max} letters, digits, {also} only")]
    Topic { key: &'static str, value: String, max: usize, also: &'static str },
    #[error("ORDERS_TOPIC and DECISIONS_TOPIC are both {0:?}; they must differ")]
    SameTopic(String),
    #[error("ADVERTISED_URL is {0:?}; give http://HOST:PORT without a path")]
    AdvertisedUrl(String),
    #[error("KAFKA_BOOTSTRAP_SERVERS cannot be used")]
    Kafka(#[from] BootstrapError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Config {
    pub fn from_options(options: Options) -> Result<Self, ConfigError> {
        let tables = tables(&options)?;
        check_topic("REGISTRY_TOPIC", &options.registry_topic, 249, "'.', '_' and '-'")?;
        let store = match options.order_store {
            OrderStore::Events => StoreConfig::Events { database: database(&options)? },
            OrderStore::Local => {
                StoreConfig::Local { file: options.local_database.ok_or(ConfigError::NoLocalDatabase)? }
            }
        };
        if let Some(url) = &options.advertised_url {
            let authority = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            if !authority.is_some_and(|it| !it.is_empty() && !it.contains(['/', '?', '#', ' '])) {
                return Err(ConfigError::AdvertisedUrl(url.clone()));
            }
        }
        Ok(Self {
            listen: options.listen,
            advertised_url: options.advertised_url,
            kafka: kafka::bootstrap(&options.kafka)?,
            store,
            tables,
            registry_topic: options.registry_topic,
            registry_secret: Secret::from_env("REGISTRY_SECRET", 16)?,
        })
    }
}

/// What `migrate` needs: nothing about Kafka, no secret.
pub fn for_migration(options: &Options) -> Result<(DatabaseUrl, ReadTables), ConfigError> {
    Ok((database(options)?, tables(options)?))
}

fn database(options: &Options) -> Result<DatabaseUrl, ConfigError> {
    let given = options.database_url.clone().filter(|url| !url.is_empty());
    let url = Secret::given_or_in_file(given, "DATABASE_URL")?.ok_or(ConfigError::NoDatabase)?;
    Ok(url.expose().parse()?)
}

fn tables(options: &Options) -> Result<ReadTables, ConfigError> {
    // These two name tables as well, and a sink takes a dot in a table's name for "database.table".
    const ALSO: &str = "'_' and '-' (it names a table too)";
    check_topic("ORDERS_TOPIC", &options.orders_topic, 64, ALSO)?;
    check_topic("DECISIONS_TOPIC", &options.decisions_topic, 64, ALSO)?;
    if options.orders_topic == options.decisions_topic {
        return Err(ConfigError::SameTopic(options.orders_topic.clone()));
    }
    Ok(ReadTables { orders: options.orders_topic.clone(), decisions: options.decisions_topic.clone() })
}

fn check_topic(key: &'static str, value: &str, max: usize, also: &'static str) -> Result<(), ConfigError> {
    let dots = also.contains("'.'");
    let allowed =
        |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-') || (dots && char == '.');
    if (1..=max).contains(&value.len()) && value.chars().all(allowed) && value != "." && value != ".." {
        return Ok(());
    }
    Err(ConfigError::Topic { key, value: value.into(), max, also })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str]) -> Options {
        Args::parse_from(["order-service"].iter().chain(args)).options
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
        let args = Args::parse_from(["order-service", "migrate", "--database-url", "sqlite:///tmp/a.db"]);
        assert_eq!(args.command, Some(Command::Migrate));
        let (_, tables) = for_migration(&args.options).unwrap();
        assert_eq!((tables.orders.as_str(), tables.decisions.as_str()), ("orders", "order_decisions"));
    }

    #[test]
    fn what_cannot_work_is_refused_with_key_and_remedy() {
        let database = ["--database-url", "sqlite:///tmp/a.db"];
        for (args, says) in [
            (vec![], "DATABASE_URL_FILE is set"),
            (vec!["--order-store", "local"], "LOCAL_DATABASE"),
            ([&database[..], &["--orders-topic", "a.b"]].concat(), "ORDERS_TOPIC is \"a.b\""),
            ([&database[..], &["--orders-topic", ""]].concat(), "ORDERS_TOPIC"),
            ([&database[..], &["--orders-topic", "order_decisions"]].concat(), "must differ"),
            ([&database[..], &["--registry-topic", "a b"]].concat(), "REGISTRY_TOPIC"),
            ([&database[..], &["--advertised-url", "localhost:80"]].concat(), "ADVERTISED_URL"),
            ([&database[..], &["--kafka", ""]].concat(), "KAFKA_BOOTSTRAP_SERVERS"),
        ] {
            let error = Config::from_options(options(&args)).unwrap_err().to_string();
            assert!(error.contains(says), "{args:?}: {error}");
        }
    }
}
