//! Instants in the read tables. A JDBC sink writes a Connect Timestamp as DATETIME(3) in UTC on MariaDB and MySQL, as TIMESTAMP
//! in UTC on PostgreSQL, and as epoch milliseconds in a NUMERIC column on SQLite. Everywhere else an instant is epoch milliseconds.

use super::StoreError;
use super::database::Engine;
use sea_orm::prelude::ChronoDateTimeUtc;
use sea_orm::{DbErr, QueryResult, Value};

/// The form in which the engine compares and stores the instant.
pub(super) fn to_value(engine: Engine, millis: i64) -> Result<Value, StoreError> {
    match engine {
        Engine::Sqlite => Ok(millis.into()),
        Engine::MariaDb | Engine::Postgres => {
            let instant =
                ChronoDateTimeUtc::from_timestamp_millis(millis).ok_or(StoreError::Instant(millis))?;
            Ok(instant.naive_utc().into())
        }
    }
}

pub(super) fn read(engine: Engine, row: &QueryResult, column: &str) -> Result<i64, DbErr> {
    match engine {
        Engine::Sqlite => row.try_get("", column),
        Engine::MariaDb | Engine::Postgres => {
            let instant: sea_orm::prelude::ChronoDateTime = row.try_get("", column)?;
            Ok(instant.and_utc().timestamp_millis())
        }
    }
}
