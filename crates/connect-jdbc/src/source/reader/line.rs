//! A connection to read over.

use super::settings::Settings;
use crate::driver::{Connection, DbError};
use crate::source::query;
use crate::url::JdbcUrl;
use std::time::{Duration, Instant};

/// MariaDB closes a connection whose client has not taken rows for a minute, and ours does not while Kafka is slow.
const PATIENT_SERVER: &str = "SET SESSION net_write_timeout = 86400";

/// A connection that rested longer may have been closed by the other side, so it is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);

/// Dropped in the middle of a result, it does not read the rest.
pub(in crate::source) struct Line {
    connection: Option<Connection>,
    used: Instant,
}

impl Line {
    pub(in crate::source) async fn open(settings: &Settings) -> Result<Self, DbError> {
        let mut connection = Connection::open_to_read(&settings.url).await?;
        if matches!(settings.url, JdbcUrl::MySql(_)) {
            connection.run(PATIENT_SERVER).await?;
        }
        if let Some(sql) = query::isolate(&settings.url, settings.isolation) {
            connection.run(sql).await?;
        }
        Ok(Self { connection: Some(connection), used: Instant::now() })
    }

    pub(super) async fn is_alive(&mut self) -> bool {
        self.used.elapsed() < TRUSTED_IDLE || self.get().is_alive().await
    }

    pub(super) fn was_used(&mut self) {
        self.used = Instant::now();
    }

    #[expect(clippy::expect_used, reason = "it is taken out only when the line is given up")]
    pub(in crate::source) fn get(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a line that is in use has its connection")
    }

    pub(in crate::source) async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.abandon();
        }
    }
}
