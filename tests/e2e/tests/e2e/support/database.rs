//! A database of either server, for tests that tell the same story on both.

use testkit::{Database, PgDatabase, Rows};

pub(crate) enum AnyDatabase {
    MariaDb(Database),
    Postgres(PgDatabase),
}

/// What a JDBC connector is told of a database.
pub(crate) struct Connection<'a> {
    pub(crate) url: String,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

pub(crate) trait JdbcTarget {
    fn connection(&self) -> Connection<'_>;
}

impl JdbcTarget for Database {
    fn connection(&self) -> Connection<'_> {
        Connection { url: self.jdbc_url("mariadb"), user: &self.server.user, password: &self.server.password }
    }
}

impl JdbcTarget for PgDatabase {
    fn connection(&self) -> Connection<'_> {
        Connection { url: self.jdbc_url(), user: &self.server.user, password: &self.server.password }
    }
}

impl JdbcTarget for AnyDatabase {
    fn connection(&self) -> Connection<'_> {
        match self {
            Self::MariaDb(database) => database.connection(),
            Self::Postgres(database) => database.connection(),
        }
    }
}

impl AnyDatabase {
    /// One of each server of this test run.
    pub(crate) async fn one_of_each(name: &str) -> anyhow::Result<[AnyDatabase; 2]> {
        Ok([
            Self::MariaDb(Database::create(&testkit::unique(name)).await?),
            Self::Postgres(PgDatabase::create(&testkit::unique(name)).await?),
        ])
    }

    /// Runs one statement that returns no rows.
    pub(crate) async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Self::MariaDb(database) => database.execute(sql).await,
            Self::Postgres(database) => database.execute(sql).await,
        }
    }

    /// As services take it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::MariaDb(database) => database.url(),
            Self::Postgres(database) => database.url(),
        }
    }

    pub(crate) async fn query(&self, sql: &str) -> anyhow::Result<Rows> {
        match self {
            Self::MariaDb(database) => database.query(sql).await,
            Self::Postgres(database) => database.query(sql).await,
        }
    }

    pub(crate) async fn count(&self, table: &str) -> anyhow::Result<u64> {
        match self {
            Self::MariaDb(database) => database.count(table).await,
            Self::Postgres(database) => database.count(table).await,
        }
    }
}
