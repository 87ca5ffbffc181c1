//! The databases of a run: SQLite files, or two databases on a MariaDB, MySQL or PostgreSQL server.

use anyhow::{Context as _, bail};
use mysql_async::prelude::Queryable as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::path::PathBuf;
use std::time::Duration;

/// A server, as given with `--database`. `Debug` is not derived: it holds a password.
#[derive(Clone)]
pub(crate) struct Server {
    kind: Kind,
    host: String,
    port: u16,
    user: String,
    password: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// MariaDB or MySQL.
    Mysql,
    Postgres,
}

/// One database.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite { file: PathBuf },
    Server { server: Server, name: String },
}

/// A row as text, since everything is compared and printed as text.
pub(crate) type Row = Vec<Option<String>>;

impl Server {
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        const FORM: &str = "mysql://USER:PASSWORD@HOST:PORT or postgres://USER:PASSWORD@HOST:PORT";
        // no error repeats the URL, and with it the password
        let form = || format!("--database is not of the form {FORM}");
        let (scheme, rest) = url.split_once("://").with_context(form)?;
        let kind = match scheme {
            "mysql" | "mariadb" => Kind::Mysql,
            "postgres" | "postgresql" => Kind::Postgres,
            _ => bail!(form()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() {
            bail!(
                "--database names a database or has parameters; leave that out ({FORM}), the demo creates its own"
            );
        }
        let (account, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().with_context(form)?),
            None => (address, if kind == Kind::Mysql { 3306 } else { 5432 }),
        };
        let user = percent_decode(user).with_context(form)?;
        let default_user = if kind == Kind::Mysql { "root" } else { "postgres" };
        Ok(Self {
            kind,
            host: Some(host).filter(|host| !host.is_empty()).with_context(form)?.to_owned(),
            port,
            user: if user.is_empty() { default_user.into() } else { user },
            password: percent_decode(password).with_context(form)?,
        })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The scheme of URLs, as services know it.
    fn scheme(&self) -> &'static str {
        match self.kind {
            Kind::Mysql => "mysql",
            Kind::Postgres => "postgres",
        }
    }

    async fn mysql(&self, database: Option<&str>) -> anyhow::Result<mysql_async::Conn> {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname(self.host.as_str())
            .tcp_port(self.port)
            .user(Some(self.user.as_str()))
            .pass(Some(self.password.as_str()))
            .db_name(database);
        self.connected(mysql_async::Conn::new(options)).await
    }

    async fn postgres(&self, database: &str) -> anyhow::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(database)
            .ssl_mode(PgSslMode::Disable);
        self.connected(options.connect()).await
    }

    async fn connected<C, E>(&self, connecting: impl Future<Output = Result<C, E>>) -> anyhow::Result<C>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        tokio::time::timeout(Duration::from_secs(10), connecting)
            .await
            .map_err(anyhow::Error::new)
            .and_then(|connected| connected.map_err(anyhow::Error::new))
            .with_context(|| {
                format!("no connection to the database server {}:{} as {}", self.host, self.port, self.user)
            })
    }

    async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let refused = || format!("the database server refused: {sql}");
        match self.kind {
            Kind::Mysql => {
                let mut connection = self.mysql(None).await?;
                connection.query_drop(sql).await.with_context(refused)?;
                connection.disconnect().await?;
            }
            Kind::Postgres => {
                let mut connection = self.postgres("postgres").await?;
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                    .execute(&mut connection)
                    .await
                    .with_context(refused)?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}

impl Database {
    /// What a service is given as `DATABASE_URL`.
    pub(crate) fn service_url(&self) -> String {
        match self {
            Database::Sqlite { file } => format!("sqlite://{}", file.display()),
            Database::Server { server, name } => {
                let (user, password) = (percent_encode(server.user()), percent_encode(server.password()));
                format!("{}://{user}:{password}@{}:{}/{name}", server.scheme(), server.host, server.port)
            }
        }
    }

    /// What a JDBC connector is given as `connection.url`; user and password are keys of their own there.
    pub(crate) fn jdbc_url(&self) -> String {
        match self {
            Database::Sqlite { file } => format!("jdbc:sqlite:{}", file.display()),
            Database::Server { server, name } => {
                let scheme = if server.kind == Kind::Mysql { "mariadb" } else { "postgresql" };
                format!("jdbc:{scheme}://{}:{}/{name}", server.host, server.port)
            }
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Database::Sqlite { file } => file.display().to_string(),
            Database::Server { server, name } => format!("{name} on {}:{}", server.host, server.port),
        }
    }

    /// Creates the database unless it is there. An SQLite file is created by its first user.
    pub(crate) async fn create(&self) -> anyhow::Result<()> {
        match self {
            Database::Sqlite { .. } => Ok(()),
            Database::Server { server, name } if server.kind == Kind::Mysql => {
                server.execute(&format!("CREATE DATABASE IF NOT EXISTS {name}")).await
            }
            // PostgreSQL has no IF NOT EXISTS for databases.
            Database::Server { server, name } => {
                let mut connection = server.postgres("postgres").await?;
                let found = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1")
                    .bind(name)
                    .fetch_optional(&mut connection)
                    .await
                    .context("looking for the database")?;
                connection.close().await?;
                match found {
                    Some(_) => Ok(()),
                    None => server.execute(&format!("CREATE DATABASE {name}")).await,
                }
            }
        }
    }

    /// Removes the database. An SQLite file goes with the work directory.
    pub(crate) async fn drop(&self) -> anyhow::Result<()> {
        match self {
            Database::Sqlite { .. } => Ok(()),
            Database::Server { server, name } => {
                // PostgreSQL keeps a database to which somebody is still connected.
                let force = if server.kind == Kind::Postgres { " WITH (FORCE)" } else { "" };
                server.execute(&format!("DROP DATABASE IF EXISTS {name}{force}")).await
            }
        }
    }

    /// The expression that makes a column a text.
    pub(crate) fn as_text(&self, column: &str) -> String {
        match self {
            // CHAR has one character there.
            Database::Server { server, .. } if server.kind == Kind::Postgres => {
                format!("CAST({column} AS TEXT)")
            }
            Database::Sqlite { .. } | Database::Server { .. } => format!("CAST({column} AS CHAR)"),
        }
    }

    /// The rows of a query whose columns are all text: wrap others in [`Self::as_text`].
    pub(crate) async fn rows(&self, sql: &str) -> anyhow::Result<Vec<Row>> {
        let rows = match self {
            Database::Sqlite { file } => sqlite_rows(file, sql).await,
            Database::Server { server, name } => match server.kind {
                Kind::Mysql => mysql_rows(server, name, sql).await,
                Kind::Postgres => postgres_rows(server, name, sql).await,
            },
        };
        rows.with_context(|| format!("querying {}: {sql}", self.describe()))
    }

    pub(crate) async fn count(&self, table: &str) -> anyhow::Result<usize> {
        let rows = self.rows(&format!("SELECT {} FROM {table}", self.as_text("COUNT(*)"))).await?;
        let count = rows.first().and_then(|row| row.first()?.as_deref()).context("COUNT gave no row")?;
        count.parse().with_context(|| format!("COUNT gave {count:?}"))
    }
}

async fn sqlite_rows(file: &PathBuf, sql: &str) -> anyhow::Result<Vec<Row>> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(10));
    let mut connection: SqliteConnection = options.read_only(true).connect().await?;
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
    connection.close().await?;
    rows.iter()
        .map(|row| (0..row.len()).map(|i| Ok(row.try_get::<Option<String>, _>(i)?)).collect())
        .collect()
}

async fn postgres_rows(server: &Server, name: &str, sql: &str) -> anyhow::Result<Vec<Row>> {
    let mut connection = server.postgres(name).await?;
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
    connection.close().await?;
    rows.iter()
        .map(|row| (0..row.len()).map(|i| Ok(row.try_get::<Option<String>, _>(i)?)).collect())
        .collect()
}

async fn mysql_rows(server: &Server, name: &str, sql: &str) -> anyhow::Result<Vec<Row>> {
    let mut connection = server.mysql(Some(name)).await?;
    let rows: Vec<mysql_async::Row> = connection.query(sql).await?;
    connection.disconnect().await?;
    rows.iter()
        .map(|row| {
            (0..row.len())
                .map(|i| row.get_opt::<Option<String>, _>(i).context("no such column")?.context("not text"))
                .collect()
        })
        .collect()
}

/// Percent-encodes what may not stand in the user part of a URL.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// What a person has percent-encoded; none if it is no text.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_url_keeps_odd_passwords_and_takes_every_scheme() {
        for (scheme, shown, jdbc) in [
            ("mysql", "mysql", "mariadb"),
            ("mariadb", "mysql", "mariadb"),
            ("postgres", "postgres", "postgresql"),
            ("postgresql", "postgres", "postgresql"),
        ] {
            let server = Server::parse(&format!("{scheme}://root:a%40b%2Fc@127.0.0.1:3307")).unwrap();
            assert_eq!((server.host.as_str(), server.port), ("127.0.0.1", 3307));
            assert_eq!((server.user(), server.password()), ("root", "a@b/c"));
            let database = Database::Server { server, name: "demo_orders".into() };
            assert_eq!(
                database.service_url(),
                format!("{shown}://root:a%40b%2Fc@127.0.0.1:3307/demo_orders")
            );
            assert_eq!(database.jdbc_url(), format!("jdbc:{jdbc}://127.0.0.1:3307/demo_orders"));
        }
        let server = Server::parse("postgres://db/").unwrap();
        assert_eq!((server.host.as_str(), server.port, server.user()), ("db", 5432, "postgres"));
    }

    #[test]
    fn a_bad_server_url_is_refused_without_repeating_the_password() {
        for url in [
            "oracle://u:secret@h:1",
            "mysql://u:secret@h:99999",
            "mysql://u:secret@h:3306/shop",
            "postgres://u:secret@h:5432/shop",
            "postgres://u:secret%@h:5432",
            "postgres://u:secret@:5432",
        ] {
            let error = Server::parse(url).err().expect(url).to_string();
            assert!(error.contains("mysql://USER:PASSWORD@HOST:PORT"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
