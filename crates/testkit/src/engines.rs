//! Where the engines of this test run are. Only the environment says so: a default such as `localhost:9092` could be
//! somebody's data.

use std::path::PathBuf;

use anyhow::{Context, ensure};

/// The MariaDB server of this test run and an account that may do everything on it.
#[derive(Debug, Clone)]
pub struct MariaDb {
    /// `mysql://user:password@host:port`, without a database; add `/name`.
    pub url_root: String,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
}

/// The PostgreSQL server of this test run and an account that may do everything on it.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// `postgres://user:password@host:port`, without a database; add `/name`.
    pub url_root: String,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
}

/// `host:port` of the Kafka broker.
pub fn kafka() -> anyhow::Result<String> {
    variable("TESTKIT_KAFKA", "host:port of a Kafka broker")
}

pub fn mariadb() -> anyhow::Result<MariaDb> {
    parse_mariadb(&variable("TESTKIT_MARIADB", "mysql://user:password@host:port of a MariaDB server")?)
}

pub fn postgres() -> anyhow::Result<Postgres> {
    parse_postgres(&variable(
        "TESTKIT_POSTGRES",
        "postgres://user:password@host:port of a PostgreSQL server",
    )?)
}

/// The folder with Kafka's jars.
pub fn kafka_libs() -> anyhow::Result<PathBuf> {
    let libs = PathBuf::from(variable("TESTKIT_KAFKA_LIBS", "the folder with Kafka's jars")?);
    ensure!(libs.is_dir(), "TESTKIT_KAFKA_LIBS={} is not a folder", libs.display());
    Ok(libs)
}

pub(crate) fn variable(name: &str, meaning: &str) -> anyhow::Result<String> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        _ => anyhow::bail!(
            "{name} ({meaning}) is not set: run `cargo xtask test`, or one command with engines by `cargo xtask engines -- COMMAND`"
        ),
    }
}

fn parse_mariadb(url: &str) -> anyhow::Result<MariaDb> {
    // The driver's own error would quote the URL and with it the password.
    let opts = mysql_async::Opts::from_url(url)
        .ok()
        .context("TESTKIT_MARIADB is not of the form mysql://user:password@host:port")?;
    ensure!(
        opts.db_name().is_none(),
        "TESTKIT_MARIADB must not name a database: tests create databases of their own"
    );
    Ok(MariaDb {
        url_root: url.trim_end_matches('/').to_owned(),
        host: opts.ip_or_hostname().to_owned(),
        port: opts.tcp_port(),
        user: opts.user().context("TESTKIT_MARIADB names no user")?.to_owned(),
        password: opts.pass().unwrap_or_default().to_owned(),
    })
}

/// The account is written into other URLs as it is, so characters that would have to be escaped there are refused.
fn parse_postgres(url: &str) -> anyhow::Result<Postgres> {
    let parsed = || {
        let root = url.trim_end_matches('/');
        let rest = root.strip_prefix("postgres://").or_else(|| root.strip_prefix("postgresql://"))?;
        let (account, place) = rest.rsplit_once('@')?;
        let (user, password) = account.split_once(':')?;
        let (host, port) = place.rsplit_once(':')?;
        let plain = |text: &str| !text.is_empty() && !text.contains(['%', '/', '?', '#', '@', ':']);
        [user, password, host].into_iter().all(plain).then_some(())?;
        Some(Postgres {
            url_root: format!("postgres://{rest}"),
            host: host.to_owned(),
            port: port.parse().ok()?,
            user: user.to_owned(),
            password: password.to_owned(),
        })
    };
    parsed().context(
        "TESTKIT_POSTGRES is not of the form postgres://user:password@host:port, without a database (tests create their \
         own) and without special characters",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_url_is_taken_apart() {
        let db = parse_mariadb("mysql://root:test1357@127.0.0.1:3307/").unwrap();
        assert_eq!(
            (db.url_root.as_str(), db.host.as_str(), db.port, db.user.as_str(), db.password.as_str()),
            ("mysql://root:test1357@127.0.0.1:3307", "127.0.0.1", 3307, "root", "test1357")
        );
    }

    #[test]
    fn a_postgres_url_is_taken_apart() {
        let db = parse_postgres("postgresql://postgres:test1357@127.0.0.1:5433/").unwrap();
        assert_eq!(
            (db.url_root.as_str(), db.host.as_str(), db.port, db.user.as_str(), db.password.as_str()),
            ("postgres://postgres:test1357@127.0.0.1:5433", "127.0.0.1", 5433, "postgres", "test1357")
        );
        for url in [
            "postgres://u:secret@h:1/shop",
            "mysql://u:secret@h:1",
            "postgres://u:secret@h",
            "postgres://u@h:1",
        ] {
            let error = format!("{:#}", parse_postgres(url).unwrap_err());
            assert!(error.contains("TESTKIT_POSTGRES") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_url_with_a_database_or_of_another_kind_is_refused_without_its_password() {
        for url in ["mysql://root:secret@127.0.0.1:3306/shop", "postgres://root:secret@127.0.0.1/"] {
            let error = format!("{:#}", parse_mariadb(url).unwrap_err());
            assert!(error.contains("TESTKIT_MARIADB") && !error.contains("secret"), "{error}");
        }
    }
}
