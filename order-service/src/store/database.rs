//! Connecting to MariaDB, MySQL, PostgreSQL or SQLite.

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, SqlxSqliteConnector};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for a connection.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

const MAX_CONNECTIONS: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    MariaDb,
    Postgres,
    Sqlite,
}

/// A database's URL. `Debug` and `Display` leave out user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    url: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("the URL does not begin with mysql://, mariadb://, postgres:// or sqlite:///")]
    Scheme,
    #[error(
        "the URL names no host and database; give mysql://USER:PASSWORD@HOST:PORT/DATABASE or postgres://.."
    )]
    Incomplete,
    #[error("the URL cannot be read (special characters in the password are written as %XX)")]
    Unreadable,
    #[error("the file of sqlite:// must be absolute; give sqlite:///ABSOLUTE/FILE.db")]
    Relative,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return match path.starts_with('/') && path.len() > 1 {
                true => Ok(Self { engine: Engine::Sqlite, url: text.to_owned() }),
                false => Err(DatabaseUrlError::Relative),
            };
        }
        let (engine, rest) = [
            ("mysql://", Engine::MariaDb),
            ("mariadb://", Engine::MariaDb),
            ("postgres://", Engine::Postgres),
            ("postgresql://", Engine::Postgres),
        ]
        .into_iter()
        .find_map(|(scheme, engine)| Some((engine, text.strip_prefix(scheme)?)))
        .ok_or(DatabaseUrlError::Scheme)?;
        let (authority, database) = rest.split_once('/').ok_or(DatabaseUrlError::Incomplete)?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let database = database.split('?').next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') || database.is_empty() || database.contains('/') {
            return Err(DatabaseUrlError::Incomplete);
        }
        let (url, readable) = match engine {
            Engine::Postgres => {
                let url = format!("postgres://{rest}");
                let readable = url.parse::<sea_orm::sqlx::postgres::PgConnectOptions>().is_ok();
                (url, readable)
            }
            Engine::MariaDb | Engine::Sqlite => {
                let url = format!("mysql://{rest}");
                let readable = url.parse::<sea_orm::sqlx::mysql::MySqlConnectOptions>().is_ok();
                (url, readable)
            }
        };
        if !readable {
            return Err(DatabaseUrlError::Unreadable);
        }
        Ok(Self { engine, url })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.engine, self.url.split_once("://")) {
            (Engine::MariaDb | Engine::Postgres, Some((scheme, rest))) => {
                let place = rest.split('?').next().unwrap_or_default();
                let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
                write!(f, "{scheme}://{place}")
            }
            _ => f.write_str(&self.url),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl DatabaseUrl {
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A pool that connects when it is first used, so that a service starts while its database is away.
    pub async fn connect_lazily(&self) -> Result<DatabaseConnection, DbErr> {
        let mut options = self.options();
        if self.engine == Engine::Sqlite {
            // Not by `Database::connect`: with some of its features (which another crate of the build may switch on) sea-orm
            // asks SQLite for its version at once, and a service would not start before its file is there.
            let file: SqliteConnectOptions =
                self.url.parse().map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?;
            let pool = SqlitePoolOptions::new()
                .max_connections(MAX_CONNECTIONS)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_lazy_with(file.disable_statement_logging());
            return Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool));
        }
        options.connect_lazy(true);
        Database::connect(options).await
    }

    /// Connects now, and creates the file of an SQLite database.
    pub async fn connect_or_create(&self) -> Result<DatabaseConnection, DbErr> {
        let mut options = self.options();
        options.map_sqlx_sqlite_opts(|options| options.create_if_missing(true));
        Database::connect(options).await
    }

    fn options(&self) -> ConnectOptions {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(MAX_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        options
    }
}

/// Opens or creates an SQLite file that this process owns.
pub(crate) async fn open_file(file: &Path) -> Result<DatabaseConnection, DbErr> {
    let path = file.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options.max_connections(4).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    // Set as a path, not as a part of the URL, where some characters of a file's name would mean something.
    options.map_sqlx_sqlite_opts(move |options| options.filename(&path).create_if_missing(true));
    Database::connect(options).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_never_show_the_password() {
        let url: DatabaseUrl = "mariadb://root:p%40ss@db:3306/mydb?ssl-mode=disabled".parse().unwrap();
        assert_eq!(url.engine(), Engine::MariaDb);
        assert_eq!(url.to_string(), "mysql://db:3306/mydb");
        assert_eq!(format!("{url:?}"), "DatabaseUrl(mysql://db:3306/mydb)");
        let url: DatabaseUrl = "postgresql://shop:p%40ss@db:5432/mydb".parse().unwrap();
        assert_eq!((url.engine(), url.to_string()), (Engine::Postgres, "postgres://db:5432/mydb".into()));
        assert_eq!("sqlite:///tmp/a.db".parse::<DatabaseUrl>().unwrap().engine(), Engine::Sqlite);
        for (bad, error) in [
            ("", DatabaseUrlError::Scheme),
            ("oracle://h/d", DatabaseUrlError::Scheme),
            ("postgres://h", DatabaseUrlError::Incomplete),
            ("postgres://u:p@h:port/d", DatabaseUrlError::Unreadable),
            ("jdbc:mysql://h/d", DatabaseUrlError::Scheme),
            ("mysql://h", DatabaseUrlError::Incomplete),
            ("mysql://h/", DatabaseUrlError::Incomplete),
            ("mysql://u:p@/d", DatabaseUrlError::Incomplete),
            ("mysql://u:p@h:port/d", DatabaseUrlError::Unreadable),
            ("sqlite://a.db", DatabaseUrlError::Relative),
        ] {
            assert_eq!(bad.parse::<DatabaseUrl>(), Err(error), "{bad}");
        }
    }
}
