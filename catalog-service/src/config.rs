//! The command line and the environment, checked before anything starts.

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use contracts::{TopicSpec, registry};
use service_kit::operator::OperatorToken;
use service_kit::secret::Secret;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Products, and a decision for every order: confirmed while stock lasts.
///
/// Secrets come from the environment only: REGISTRY_SECRET (shared by all services, at least 16 characters) and
/// OPERATOR_TOKEN (who may change products, at least 8 characters), or from files that REGISTRY_SECRET_FILE and
/// OPERATOR_TOKEN_FILE name.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the catalog and decide orders (what happens without a subcommand, too).
    Serve(ServeArgs),
    /// Create the tables, then exit. Safe to repeat.
    Migrate(MigrateArgs),
}

#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Insert six sample products if there is no product yet.
    #[arg(long)]
    pub seed: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// The catalog's own database: mysql://USER:PASSWORD@HOST:PORT/NAME, mariadb://.., postgres://.. or
    /// sqlite:///ABSOLUTE/FILE. DATABASE_URL_FILE names a file that holds it instead.
    // Not required for clap: it would be asked for twice when a subcommand is given.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<DatabaseUrl>,
}

impl DatabaseArgs {
    pub fn url(&self) -> anyhow::Result<DatabaseUrl> {
        let given = self.database_url.as_ref().map(|url| url.as_str().to_owned());
        let url = Secret::given_or_in_file(given, "DATABASE_URL")?.with_context(|| {
            "neither DATABASE_URL nor DATABASE_URL_FILE is set; write mysql://USER:PASSWORD@HOST:PORT/DATABASE or \
             sqlite:///ABSOLUTE/FILE"
        })?;
        url.expose().parse().map_err(anyhow::Error::msg).context("DATABASE_URL cannot be used")
    }
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// How other processes reach this instance [default: http://ADDRESS it listens on].
    #[arg(long, env = "ADVERTISED_URL")]
    pub advertised_url: Option<String>,
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", default_value = "127.0.0.1:9092")]
    pub kafka: String,
    #[command(flatten)]
    pub database: DatabaseArgs,
    #[arg(long, env = "ORDERS_TOPIC", default_value = TopicSpec::ORDERS)]
    pub orders_topic: String,
    #[arg(long, env = "DECISIONS_TOPIC", default_value = TopicSpec::DECISIONS)]
    pub decisions_topic: String,
    /// Instances of one group share the orders between them.
    #[arg(long, env = "CONSUMER_GROUP", default_value = "catalog-service")]
    pub consumer_group: String,
    #[arg(long, env = "REGISTRY_TOPIC", default_value = TopicSpec::REGISTRY)]
    pub registry_topic: String,
}

/// What `serve` needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub advertised_url: Option<String>,
    pub kafka: String,
    pub database_url: DatabaseUrl,
    pub orders_topic: String,
    pub decisions_topic: String,
    pub consumer_group: String,
    pub registry_topic: String,
    pub registry_secret: Secret,
    pub operator_token: OperatorToken,
}

impl Config {
    pub fn new(args: ServeArgs) -> anyhow::Result<Self> {
        if let Some(url) = &args.advertised_url {
            let rule = registry::check_url(url).map_err(anyhow::Error::msg);
            rule.with_context(|| format!("ADVERTISED_URL={url} must read http://HOST:PORT"))?;
        } else if args.listen.ip().is_unspecified() {
            bail!(
                "LISTEN={} is no address to send others to; set ADVERTISED_URL=http://HOST:PORT",
                args.listen
            );
        }
        let topics = [
            ("ORDERS_TOPIC", &args.orders_topic),
            ("DECISIONS_TOPIC", &args.decisions_topic),
            ("REGISTRY_TOPIC", &args.registry_topic),
        ];
        for (key, topic) in topics {
            // the dead-letter topic's name is four characters longer
            let chars = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            if topic.is_empty() || topic.len() > 245 || !topic.bytes().all(chars) {
                bail!("{key}={topic:?} is no topic name; use 1 to 245 letters, digits, '.', '_' or '-'");
            }
        }
        if args.orders_topic == args.decisions_topic {
            bail!("ORDERS_TOPIC and DECISIONS_TOPIC are both {:?}; they must differ", args.orders_topic);
        }
        if args.consumer_group.trim().is_empty() {
            bail!("CONSUMER_GROUP is empty; give the group of the catalog's instances a name");
        }
        Ok(Self {
            listen: args.listen,
            advertised_url: args.advertised_url,
            kafka: args.kafka,
            database_url: args.database.url()?,
            orders_topic: args.orders_topic,
            decisions_topic: args.decisions_topic,
            consumer_group: args.consumer_group,
            registry_topic: args.registry_topic,
            registry_secret: Secret::from_env("REGISTRY_SECRET", 16)?,
            operator_token: Secret::from_env("OPERATOR_TOKEN", 8)?.into(),
        })
    }
}

/// A database's address in the form sea-orm knows. It may hold a password: `Debug` shows the scheme only.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return match path.starts_with('/') && path.len() > 1 && !path.contains(['?', '#']) {
                true => Ok(Self(url.into())),
                false => Err("a SQLite database is given as sqlite:///ABSOLUTE/FILE".into()),
            };
        }
        let (scheme, rest) = [
            ("mysql", "mysql://"),
            ("mysql", "mariadb://"),
            ("postgres", "postgres://"),
            ("postgres", "postgresql://"),
        ]
        .into_iter()
        .find_map(|(scheme, prefix)| Some((scheme, url.strip_prefix(prefix)?)))
        .ok_or("it must begin with mysql://, mariadb://, postgres:// or sqlite://")?;
        let (authority, database) = rest.rsplit_once('/').unwrap_or((rest, ""));
        if authority.is_empty() || database.is_empty() || database.starts_with('?') {
            return Err(format!("it must read {scheme}://USER:PASSWORD@HOST:PORT/DATABASE"));
        }
        Ok(Self(format!("{scheme}://{rest}")))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.split(':').next().unwrap_or_default();
        write!(f, "DatabaseUrl({scheme}:..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        let parsed = |url: &str| url.parse::<DatabaseUrl>().map(|url| url.as_str().to_owned());
        assert_eq!(parsed("mysql://u:p@h:3306/shop").unwrap(), "mysql://u:p@h:3306/shop");
        assert_eq!(parsed("mariadb://u:p@h:3306/shop").unwrap(), "mysql://u:p@h:3306/shop");
        assert_eq!(parsed("postgresql://u:p@h:5432/shop").unwrap(), "postgres://u:p@h:5432/shop");
        assert_eq!(parsed("sqlite:///tmp/shop.db").unwrap(), "sqlite:///tmp/shop.db");
        for bad in [
            "",
            "shop",
            "postgres://h",
            "mysql://h:3306",
            "mysql://h:3306/",
            "mysql:///shop",
            "sqlite://shop.db",
            "sqlite::memory:",
            "sqlite:///shop.db?mode=ro",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
        assert_eq!(
            format!("{:?}", "mysql://u:secret@h/d".parse::<DatabaseUrl>()),
            "Ok(DatabaseUrl(mysql:..))"
        );
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let database = "sqlite:///tmp/shop.db";
        let cli = Cli::parse_from(["catalog-service", "migrate", "--seed", "--database-url", database]);
        assert!(matches!(cli.command, Some(Command::Migrate(MigrateArgs { seed: true, .. }))));
        let cli = Cli::parse_from(["catalog-service", "--database-url", database, "--orders-topic", "o"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.orders_topic, "o");
    }
}
