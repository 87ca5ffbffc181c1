//! The keys that source and sink share: how to reach the database.

use crate::url::JdbcUrl;
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
pub(crate) const DEFAULT_CREDENTIALS_PROVIDER: &str =
    "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider";

/// What `dialect.name` may be in the reference, the served ones among them.
pub(crate) const DIALECTS: &[&str] = &[
    "",
    "Db2DatabaseDialect",
    "MySqlDatabaseDialect",
    "SybaseDatabaseDialect",
    "GenericDatabaseDialect",
    "OracleDatabaseDialect",
    "SqlServerDatabaseDialect",
    "PostgreSqlDatabaseDialect",
    "SqliteDatabaseDialect",
    "DerbyDatabaseDialect",
    "SapHanaDatabaseDialect",
    "VerticaDatabaseDialect",
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
        let mut faults = credentials_faults(config);
        let mut properties = driver_properties(config);
        if let Some(user) = parsed.optional_text(USER) {
            properties.push(("user", user));
        }
        if let Some(password) = parsed.optional_text(PASSWORD) {
            properties.push(("password", password));
        }
        let url = match JdbcUrl::parse(parsed.text(URL), &properties) {
            Ok(url) => url,
            Err(error) => {
                faults.push((URL.into(), format!("Invalid value for configuration {URL}: {error}")));
                return Err(faults);
            }
        };
        faults.extend(dialect_fault(parsed.text(DIALECT), &url));
        if !faults.is_empty() {
            return Err(faults);
        }
        // Aiven's sink has no keys for these: it tries as often and waits as long as for a write.
        let attempts = if parsed.knows(ATTEMPTS) { parsed.integer(ATTEMPTS) } else { 1 };
        Ok(Self {
            url,
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            backoff: (parsed.knows(BACKOFF) && config.contains_key(BACKOFF))
                .then(|| Duration::from_millis(parsed.integer(BACKOFF).unsigned_abs())),
        })
    }
}

/// The dialect follows from the URL, so naming it can only agree.
fn dialect_fault(name: &str, url: &JdbcUrl) -> Option<(String, String)> {
    let own = match url {
        JdbcUrl::MySql(_) => "MySqlDatabaseDialect",
        JdbcUrl::Postgres(_) => "PostgreSqlDatabaseDialect",
        JdbcUrl::Sqlite(_) => "SqliteDatabaseDialect",
    };
    if name.is_empty() || name == own {
        return None;
    }
    let message = match DIALECTS.contains(&name) {
        true => {
            format!("{DIALECT}={name} does not fit {URL}, which names a database of {own}; remove {DIALECT}")
        }
        false => format!(
            "Invalid value {name} for configuration {DIALECT}: Invalid enumerator; remove it, the dialect follows from {URL}"
        ),
    };
    Some((DIALECT.to_owned(), message))
}

/// Classes cannot be loaded here; the reference's default takes user and password from their keys, as is done anyway.
fn credentials_faults(config: &ConfigMap) -> Faults {
    let mut faults = Faults::new();
    let given = config.get(CREDENTIALS_PROVIDER).map_or("", |class| class.trim());
    if !given.is_empty() && given != DEFAULT_CREDENTIALS_PROVIDER {
        faults.push((
            CREDENTIALS_PROVIDER.to_owned(),
            format!(
                "{CREDENTIALS_PROVIDER}={given} names a Java class, which cannot run here; remove it and set {USER} and \
                 {PASSWORD}, with a config provider (${{file:..}}, ${{env:..}}) where they are secret"
            ),
        ));
    }
    for key in config.keys() {
        if key.starts_with(CREDENTIALS_PROVIDER_PREFIX) && key != CREDENTIALS_PROVIDER {
            let message = format!(
                "{key} is for a class of one's own in {CREDENTIALS_PROVIDER}; remove it and set {USER} and {PASSWORD}"
            );
            faults.push((key.clone(), message));
        }
    }
    faults
}

/// What begins with `connection.` and is not for the driver.
const OWN_KEYS: [&str; 5] = [URL, USER, PASSWORD, ATTEMPTS, BACKOFF];

/// `connection.*` keys beyond the table go to the driver, without the prefix.
fn driver_properties(config: &ConfigMap) -> Vec<(&str, &str)> {
    config
        .iter()
        .filter(|(key, _)| !OWN_KEYS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.strip_prefix("connection.")?, value.as_str())))
        .collect()
}
