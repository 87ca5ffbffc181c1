//! `jdbc:` URLs: users bring them from the Java worker, so they are read here as its drivers read them.
//!
//! No error of this file quotes the URL: a password may stand anywhere in it.

mod mysql;
mod percent;
mod postgres;
mod server;
mod sqlite;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a database is and how to get in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum JdbcUrl {
    MySql(MySqlUrl),
    Postgres(PostgresUrl),
    Sqlite(SqliteUrl),
}

/// MariaDB or MySQL; the two schemes mean the same to us.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MySqlUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) socket_timeout: Option<Duration>,
    pub(crate) keep_alive: bool,
    /// Whether the server may be sent a stream by LOAD DATA LOCAL.
    pub(crate) local_infile: bool,
    /// `(name, literal)` of `sessionVariables`, safe to stand in a SET statement.
    pub(crate) session_variables: Vec<(String, String)>,
    /// Driver parameters that mean nothing here.
    pub(crate) ignored: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PostgresUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Without one it has the name of the user.
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
    /// A search path: schemas with commas between them.
    pub(crate) current_schema: Option<String>,
    pub(crate) application_name: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) socket_timeout: Option<Duration>,
    /// Whether statements stay prepared; a pooler may not like it.
    pub(crate) prepare: bool,
    pub(crate) ignored: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SqliteUrl {
    pub(crate) path: PathBuf,
    pub(crate) busy_timeout: Duration,
    /// `(pragma, value)`, both from a list of known words.
    pub(crate) pragmas: Vec<(&'static str, &'static str)>,
    pub(crate) ignored: Vec<String>,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Password(pub(crate) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// What is wrong with a URL, with the expected form; never the URL itself.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UrlError(String);

impl JdbcUrl {
    /// Reads a URL; `properties` are driver parameters given outside it, which win over those inside.
    pub(crate) fn parse(url: &str, properties: &[(&str, &str)]) -> Result<Self, UrlError> {
        let url = url.trim();
        let Some(rest) = strip_prefix_ignore_case(url, "jdbc:") else {
            return Err(UrlError(format!(
                "the URL does not begin with jdbc:; the expected form is {}",
                forms()
            )));
        };
        let (engine, rest) = rest.split_once(':').unwrap_or((rest, ""));
        match engine.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => MySqlUrl::parse(rest, properties).map(JdbcUrl::MySql),
            "postgresql" => PostgresUrl::parse(rest, properties).map(JdbcUrl::Postgres),
            "sqlite" => SqliteUrl::parse(rest, properties).map(JdbcUrl::Sqlite),
            known @ ("oracle" | "sqlserver" | "db2" | "derby" | "sap" | "sybase" | "vertica" | "jtds") => {
                Err(UrlError(format!("jdbc:{known}: is not supported yet; use {}", forms())))
            }
            _ => Err(UrlError(format!("the URL names no known database; the expected form is {}", forms()))),
        }
    }

    pub(crate) fn ignored(&self) -> &[String] {
        match self {
            JdbcUrl::MySql(url) => &url.ignored,
            JdbcUrl::Postgres(url) => &url.ignored,
            JdbcUrl::Sqlite(url) => &url.ignored,
        }
    }
}

/// The place, for logs and error texts.
impl fmt::Display for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JdbcUrl::MySql(url) => write!(f, "{}:{}", url.host, url.port),
            JdbcUrl::Postgres(url) => write!(f, "{}:{}", url.host, url.port),
            JdbcUrl::Sqlite(url) => write!(f, "{}", url.path.display()),
        }
    }
}

fn no_tls(key: &str) -> UrlError {
    UrlError(format!(
        "the parameter {key} asks for TLS, and TLS to the database is not supported yet; remove the parameter only if \
         the network between worker and database is trusted"
    ))
}

fn forms() -> String {
    format!("{}, {} or {}", mysql::FORM.text, postgres::FORM.text, sqlite::FORM)
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests;
