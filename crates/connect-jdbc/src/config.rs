//! The keys that source and sink share: how to reach the database.

use crate::url::JdbcUrl;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};
use connect_api::{ConfigMap, ParsedConfig};
use std::time::Duration;

/// `(key, message)` per fault, as the worker reports them.
pub(crate) type Faults = Vec<(String, String)>;

pub(crate) const URL: &str = "connection.url";
pub(crate) const USER: &str = "connection.user";
pub(crate) const PASSWORD: &str = "connection.password";
pub(crate) const ATTEMPTS: &str = "connection.attempts";
pub(crate) const BACKOFF: &str = "connection.backoff.ms";
pub(crate) const DIALECT: &str = "dialect.name";
pub(crate) const CREDENTIALS_PROVIDER: &str = "jdbc.credentials.provider.class";
const CREDENTIALS_PROVIDER_PREFIX: &str = "jdbc.credentials.provider.";
const DEFAULT_CREDENTIALS_PROVIDER: &str = "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider";

const GROUP: &str = "Connection";

/// Kept as constants because a connector's table is one static slice.
pub(crate) const CONNECTION_KEYS: [ConfigKey; 7] = [
    ConfigKey::new(
        URL,
        Ty::String,
        "The database: jdbc:mariadb://HOST:PORT/DATABASE, jdbc:mysql://HOST:PORT/DATABASE, \
         jdbc:postgresql://HOST:PORT/DATABASE or jdbc:sqlite:/path/to/file.db. \
         Driver parameters may follow a '?'; those unknown here are ignored with a log line. Other keys that begin with \
         'connection.' are taken as driver parameters too.",
    )
    .required()
    .valid(Validator::NonEmpty)
    .importance(Importance::High)
    .group(GROUP, "JDBC URL", Width::Long),
    ConfigKey::new(USER, Ty::String, "The database user; wins over a user in the URL.")
        .importance(Importance::High)
        .group(GROUP, "JDBC User", Width::Medium),
    ConfigKey::new(PASSWORD, Ty::Password, "The user's password; wins over a password in the URL.")
        .importance(Importance::High)
        .group(GROUP, "JDBC Password", Width::Medium),
    ConfigKey::new(
        CREDENTIALS_PROVIDER,
        Ty::Class,
        "A class that provides user and password. Only the default is supported: connection.user and connection.password.",
    )
    .default(DEFAULT_CREDENTIALS_PROVIDER)
    .group(GROUP, "JDBC Credentials Provider Class", Width::Long),
    ConfigKey::new(
        ATTEMPTS,
        Ty::Int,
        "How many times in a row connecting may fail before the task fails; max.retries applies when it allows more.",
    )
    .default("3")
    .valid(Validator::AtLeast(1))
    .group(GROUP, "JDBC connection attempts", Width::Short),
    ConfigKey::new(
        BACKOFF,
        Ty::Long,
        "Milliseconds to wait after a failed attempt to connect. Without this key a sink waits retry.backoff.ms.",
    )
    .default("10000")
    .valid(Validator::AtLeast(0))
    .group(GROUP, "JDBC connection backoff in milliseconds", Width::Short),
    ConfigKey::new(
        DIALECT,
        Ty::String,
        "Empty: the dialect follows from the URL. Naming another one is not supported.",
    )
    .default("")
    .group(GROUP, "Database Dialect", Width::Long),
];

/// How to reach the database, read from the shared keys.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionConfig {
    pub(crate) url: JdbcUrl,
    pub(crate) attempts: u32,
    /// Only when the user said so.
    pub(crate) backoff: Option<Duration>,
}

impl ConnectionConfig {
    pub(crate) fn read(config: &ConfigMap, parsed: &ParsedConfig) -> Result<Self, Faults> {
        let mut faults = unsupported(
            config,
            &[
                NotYet::new(DIALECT, &[""], ""),
                NotYet::new(
                    CREDENTIALS_PROVIDER,
                    &[DEFAULT_CREDENTIALS_PROVIDER],
                    DEFAULT_CREDENTIALS_PROVIDER,
                ),
            ],
        );
        for key in config.keys() {
            if key.starts_with(CREDENTIALS_PROVIDER_PREFIX) && key != CREDENTIALS_PROVIDER {
                faults.push((key.clone(), format!("{key} is not supported yet; remove it")));
            }
        }
        let mut properties = driver_properties(config);
        if let Some(user) = parsed.optional_text(USER) {
            properties.push(("user", user));
        }
        if let Some(password) = parsed.optional_text(PASSWORD) {
            properties.push(("password", password));
        }
        match JdbcUrl::parse(parsed.text(URL), &properties) {
            Ok(url) if faults.is_empty() => Ok(Self {
                url,
                attempts: u32::try_from(parsed.integer(ATTEMPTS)).unwrap_or(u32::MAX),
                backoff: config
                    .contains_key(BACKOFF)
                    .then(|| Duration::from_millis(parsed.integer(BACKOFF).unsigned_abs())),
            }),
            Ok(_) => Err(faults),
            Err(error) => {
                faults.push((URL.into(), format!("Invalid value for configuration {URL}: {error}")));
                Err(faults)
            }
        }
    }
}

/// `connection.*` keys beyond the table go to the driver, without the prefix.
fn driver_properties(config: &ConfigMap) -> Vec<(&str, &str)> {
    config
        .iter()
        .filter(|(key, _)| !CONNECTION_KEYS.iter().any(|known| known.name == key.as_str()))
        .filter_map(|(key, value)| Some((key.strip_prefix("connection.")?, value.as_str())))
        .collect()
}

/// A key that is in the table but of which only some values are served so far.
pub(crate) struct NotYet {
    key: &'static str,
    /// Compared without case.
    served: &'static [&'static str],
    default: &'static str,
}

impl NotYet {
    pub(crate) const fn new(
        key: &'static str,
        served: &'static [&'static str],
        default: &'static str,
    ) -> Self {
        Self { key, served, default }
    }
}

/// A fault for each key that asks for something not served: nothing is ignored silently.
pub(crate) fn unsupported(config: &ConfigMap, keys: &[NotYet]) -> Faults {
    keys.iter()
        .filter_map(|rule| {
            let value = config.get(rule.key)?.trim();
            if rule.served.iter().any(|served| served.eq_ignore_ascii_case(value)) {
                return None;
            }
            let remedy = match rule.default {
                "" => "remove it".to_owned(),
                default => format!("remove it or set it to {default}"),
            };
            Some((rule.key.to_owned(), format!("{}={value} is not supported yet; {remedy}", rule.key)))
        })
        .collect()
}
