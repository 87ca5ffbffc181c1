//! The databases of a run: SQLite files, or two databases on a MariaDB or MySQL server.

use anyhow::{Context as _, bail};
use mysql_async::prelude::Queryable as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::path::PathBuf;
use std::time::Duration;

/// A MariaDB or MySQL server, as given with `--database`. `Debug` is not derived: it holds a password.
#[derive(Clone)]
pub(crate) struct Server {
    options: mysql_async::Opts,
}

/// One database.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite { file: PathBuf },
    Mysql { server: Server, name: String },
}

/// A row as text, since everything is compared and printed as text.
pub(crate) type Row = Vec<Option<String>>;

impl Server {
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        const FORM: &str = "mysql://USER:PASSWORD@HOST:PORT";
        let rest = url
            .strip_prefix("mysql://")
            .or_else(|| url.strip_prefix("mariadb://"))
            .with_context(|| format!("--database is not of the form {FORM}"))?;
        // the driver's own error could repeat the URL, and with it the password
        let options = mysql_async::Opts::from_url(&format!("mysql://{rest}"))
            .map_err(|_| anyhow::anyhow!("--database is not of the form {FORM}"))?;
        if options.db_name().is_some_and(|name| !name.is_empty()) {
            bail!("--database names a database; leave that out ({FORM}), the demo creates its own");
        }
        Ok(Self { options })
    }

    pub(crate) fn host(&self) -> &str {
        self.options.ip_or_hostname()
    }

    pub(crate) fn port(&self) -> u16 {
        self.options.tcp_port()
    }

    pub(crate) fn user(&self) -> &str {
        self.options.user().unwrap_or("root")
    }

    pub(crate) fn password(&self) -> &str {
        self.options.pass().unwrap_or_default()
    }

    async fn connect(&self, database: Option<&str>) -> anyhow::Result<mysql_async::Conn> {
        let options = mysql_async::OptsBuilder::from_opts(self.options.clone()).db_name(database);
        tokio::time::timeout(Duration::from_secs(10), mysql_async::Conn::new(options))
            .await
            .map_err(anyhow::Error::from)
            .and_then(|connected| connected.map_err(anyhow::Error::from))
            .with_context(|| {
                format!(
                    "no connection to the database server {}:{} as {}",
                    self.host(),
                    self.port(),
                    self.user()
                )
            })
    }

    async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = self.connect(None).await?;
        connection.query_drop(sql).await.with_context(|| format!("the database server refused: {sql}"))?;
        connection.disconnect().await?;
        Ok(())
    }
}

impl Database {
    /// What a service is given as `DATABASE_URL`.
    pub(crate) fn service_url(&self) -> String {
        match self {
            Database::Sqlite { file } => format!("sqlite://{}", file.display()),
            Database::Mysql { server, name } => {
                let (user, password) = (percent_encode(server.user()), percent_encode(server.password()));
                format!("mysql://{user}:{password}@{}:{}/{name}", server.host(), server.port())
            }
        }
    }

    /// What a JDBC connector is given as `connection.url`; user and password are keys of their own there.
    pub(crate) fn jdbc_url(&self) -> String {
        match self {
            Database::Sqlite { file } => format!("jdbc:sqlite:{}", file.display()),
            Database::Mysql { server, name } => {
                format!("jdbc:mariadb://{}:{}/{name}", server.host(), server.port())
            }
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Database::Sqlite { file } => file.display().to_string(),
            Database::Mysql { server, name } => format!("{name} on {}:{}", server.host(), server.port()),
        }
    }

    /// Creates the database unless it is there. An SQLite file is created by its first user.
    pub(crate) async fn create(&self) -> anyhow::Result<()> {
        match self {
            Database::Sqlite { .. } => Ok(()),
            Database::Mysql { server, name } => {
                server.execute(&format!("CREATE DATABASE IF NOT EXISTS {name}")).await
            }
        }
    }

    /// Removes the database. An SQLite file goes with the work directory.
    pub(crate) async fn drop(&self) -> anyhow::Result<()> {
        match self {
            Database::Sqlite { .. } => Ok(()),
            Database::Mysql { server, name } => {
                server.execute(&format!("DROP DATABASE IF EXISTS {name}")).await
            }
        }
    }

    /// The rows of a query whose columns are all text: wrap others in `CAST(.. AS CHAR)`, which both engines know.
    pub(crate) async fn rows(&self, sql: &str) -> anyhow::Result<Vec<Row>> {
        let rows = match self {
            Database::Sqlite { file } => sqlite_rows(file, sql).await,
            Database::Mysql { server, name } => mysql_rows(server, name, sql).await,
        };
        rows.with_context(|| format!("querying {}: {sql}", self.describe()))
    }

    pub(crate) async fn count(&self, table: &str) -> anyhow::Result<usize> {
        let rows = self.rows(&format!("SELECT CAST(COUNT(*) AS CHAR) FROM {table}")).await?;
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

async fn mysql_rows(server: &Server, name: &str, sql: &str) -> anyhow::Result<Vec<Row>> {
    let mut connection = server.connect(Some(name)).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_url_keeps_odd_passwords_and_takes_both_schemes() {
        for scheme in ["mysql", "mariadb"] {
            let server = Server::parse(&format!("{scheme}://root:a%40b%2Fc@127.0.0.1:3307")).unwrap();
            assert_eq!((server.host(), server.port()), ("127.0.0.1", 3307));
            assert_eq!((server.user(), server.password()), ("root", "a@b/c"));
            let database = Database::Mysql { server, name: "demo_orders".into() };
            assert_eq!(database.service_url(), "mysql://root:a%40b%2Fc@127.0.0.1:3307/demo_orders");
            assert_eq!(database.jdbc_url(), "jdbc:mariadb://127.0.0.1:3307/demo_orders");
        }
    }

    #[test]
    fn a_bad_server_url_is_refused_without_repeating_the_password() {
        for url in ["postgres://u:secret@h:1", "mysql://u:secret@h:99999", "mysql://u:secret@h:3306/shop"] {
            let error = Server::parse(url).err().expect(url).to_string();
            assert!(error.contains("mysql://USER:PASSWORD@HOST:PORT"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
