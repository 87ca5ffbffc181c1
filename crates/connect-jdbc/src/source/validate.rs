//! What only the database can say of a configuration.

use super::config::{SourceConfig, Subject};
use super::keys::{QUERY, QUERY_MASKED};
use crate::config::{Faults, URL};
use crate::driver::{Connection, DbError, ErrorKind};
use crate::url::JdbcUrl;
use std::time::Duration;

/// A request waits for this; a database that needs longer to answer is reported as unreachable.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) async fn ask_database(config: &SourceConfig) -> Faults {
    let url = &config.connection.url;
    let late = || DbError::new(ErrorKind::Connect, format!("no answer within {} s", PATIENCE.as_secs()));
    let probed = tokio::time::timeout(PATIENCE, Connection::probe(url)).await.unwrap_or_else(|_| Err(late()));
    if let Err(error) = probed {
        let message = format!(
            "Could not connect to database. {url}: {error}. Check that the database runs there and that connection.url, \
             connection.user and connection.password are right"
        );
        return vec![(URL.into(), message)];
    }
    let Subject::Query { text, masked } = &config.subject else { return Faults::new() };
    let explained = tokio::time::timeout(PATIENCE, explain(url, text)).await;
    match explained.unwrap_or_else(|_| Err(late())) {
        Ok(()) => Faults::new(),
        Err(error) => {
            let key = if *masked { QUERY_MASKED } else { QUERY };
            vec![(key.into(), wrong_query(&error, *masked))]
        }
    }
}

/// Has the database read the query without running it.
async fn explain(url: &JdbcUrl, query: &str) -> Result<(), DbError> {
    let mut connection = Connection::open(url).await?;
    let verb = match url {
        JdbcUrl::MySql(_) | JdbcUrl::Postgres(_) => "EXPLAIN",
        JdbcUrl::Sqlite(_) => "EXPLAIN QUERY PLAN",
    };
    let explained = connection.run(&format!("{verb} {}", query.trim())).await;
    connection.close().await;
    explained
}

/// The reference's words; what the database said may quote the query, and is left out when that is secret.
fn wrong_query(error: &DbError, masked: bool) -> String {
    let mut text = "The configured query is not valid and has database/connection errors. Please provide the correct query by \
                    validating the query syntax and the existing table/column names with the database being connected"
        .to_owned();
    match (&error.sql_state, &error.code) {
        (Some(state), Some(code)) => text.push_str(&format!(" (SQLState: {state}, errorCode: {code})")),
        (Some(state), None) => text.push_str(&format!(" (SQLState: {state})")),
        (None, Some(code)) => text.push_str(&format!(" (errorCode: {code})")),
        (None, None) => {}
    }
    if !masked {
        text.push_str(&format!(": {}", error.message));
    }
    text
}
