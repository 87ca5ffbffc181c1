//! Which tables there are, asked of the database.

use super::config::{Flavor, SourceConfig, TableFilter};
use super::tables::SourceTable;
use crate::dialect::Quoting;
use crate::driver::{self, Connection, DbError, ErrorKind, Parameter, Query, SqlValue};
use crate::url::JdbcUrl;
use connect_api::ConnectError;
use std::collections::BTreeMap;

/// Opens a connection, as often as the configuration allows while waiting may help.
pub(super) async fn connect(config: &SourceConfig) -> Result<Connection, DbError> {
    let attempts = config.connection.attempts.max(1);
    let url = &config.connection.url;
    let mut attempt = 1;
    loop {
        match Connection::open(url).await {
            Ok(connection) => return Ok(connection),
            Err(error) if attempt < attempts && error.kind == ErrorKind::Connect => {
                tracing::warn!(%url, attempt, attempts, %error, "could not connect to the database, trying again");
            }
            Err(error) => return Err(error),
        }
        attempt += 1;
        tokio::time::sleep(config.connection_backoff).await;
    }
}

/// The tables that the configuration means, in the order in which they are given to tasks.
pub(super) async fn wanted_tables(
    connection: &mut Connection,
    config: &SourceConfig,
    filter: &TableFilter,
) -> Result<Vec<SourceTable>, DbError> {
    let listed = list(connection, config).await?;
    let mut tables: Vec<SourceTable> =
        listed.into_iter().filter(|table| filter.takes(table, &config.connection.url)).collect();
    if !config.qualify_names {
        let mut unqualified: Vec<SourceTable> = Vec::with_capacity(tables.len());
        for SourceTable { name, .. } in tables {
            let table = SourceTable { catalog: None, schema: None, name };
            if !unqualified.contains(&table) {
                unqualified.push(table);
            }
        }
        tables = unqualified;
    }
    Ok(tables)
}

impl TableFilter {
    fn takes(&self, table: &SourceTable, url: &JdbcUrl) -> bool {
        match self {
            Self::All => true,
            Self::Whitelist(names) => spellings(table, url).iter().any(|name| names.contains(name)),
            Self::Blacklist(names) => !spellings(table, url).iter().any(|name| names.contains(name)),
            Self::Patterns { include, exclude } => {
                let name = table.full_name();
                include.iter().any(|pattern| pattern.matches(&name))
                    && !exclude.iter().any(|pattern| pattern.matches(&name))
            }
        }
    }
}

/// What a list may call the table: its full name, with or without quotation marks, or its name alone.
fn spellings(table: &SourceTable, url: &JdbcUrl) -> [String; 3] {
    let dialect = driver::source_dialect(url, Quoting::Always);
    [table.full_name(), table.quoted(&*dialect), table.name.clone()]
}

/// Every record goes to the topic of the table's own name, so two tables of one name would mix.
pub(super) fn refuse_namesakes(
    tables: &[SourceTable],
    config: &SourceConfig,
    filter: &TableFilter,
) -> Result<(), ConnectError> {
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for table in tables {
        by_name.entry(&table.name).or_default().push(table.full_name());
    }
    let namesakes: Vec<String> = by_name
        .into_values()
        .filter(|namesakes| namesakes.len() > 1)
        .map(|namesakes| format!("[{}]", namesakes.join(", ")))
        .collect();
    if namesakes.is_empty() {
        return Ok(());
    }
    let keys = match filter {
        TableFilter::All => "'table.whitelist' or 'table.blacklist'",
        TableFilter::Whitelist(_) => "'table.whitelist'",
        TableFilter::Blacklist(_) => "'table.blacklist'",
        TableFilter::Patterns { .. } => "'table.include.list' or 'table.exclude.list'",
    };
    let unqualified = match config.flavor {
        Flavor::Confluent => "",
        Flavor::Aiven => ", or set 'table.names.qualify' to false to let the database choose",
    };
    // The reference's first words, by which it is known.
    Err(ConnectError::failed(format!(
        "The connector uses the unqualified table name as the topic name and has detected duplicate unqualified table names. \
         Their records would be mixed in one topic. Update the connector's {keys} config (full names are possible) or its \
         'catalog.pattern' or 'schema.pattern' to include exactly one table of each of these{unqualified}: [{}]",
        namesakes.join(", ")
    )))
}

async fn list(connection: &mut Connection, config: &SourceConfig) -> Result<Vec<SourceTable>, DbError> {
    let types: Vec<String> = config.table_types.iter().map(|ty| ty.to_uppercase()).collect();
    let query = match &config.connection.url {
        JdbcUrl::MySql(url) => mysql(config, url.database.as_deref()),
        JdbcUrl::Postgres(_) => postgres(config),
        JdbcUrl::Sqlite(_) => Query { sql: SQLITE.into(), parameters: Vec::new() },
    };
    let mut rows = connection.read(&query).await?;
    let mut row = Vec::new();
    let mut tables = Vec::new();
    while rows.next(&mut row).await? {
        let mut texts = row.iter().map(text);
        let mut next = || texts.next().unwrap_or_default();
        let (ty, catalog, schema, name) = (next(), next(), next(), next());
        if let (Some(ty), Some(name)) = (ty, name)
            && types.contains(&ty.to_uppercase())
        {
            tables.push(SourceTable { catalog, schema, name });
        }
    }
    Ok(tables)
}

fn text(value: &SqlValue) -> Option<String> {
    match value {
        SqlValue::Text(text) => Some(text.to_string()),
        SqlValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// Types as the Java driver calls them, and its order. Without a pattern the URL's database is searched; without one there, every
/// one but the server's own.
fn mysql(config: &SourceConfig, database: Option<&str>) -> Query {
    let wanted = config.catalog_pattern.as_deref().filter(|pattern| !pattern.is_empty());
    let (condition, parameters) = match wanted.or(database) {
        // A name may well hold an underscore, and no name holds a %.
        Some(pattern) if pattern.contains('%') => ("TABLE_SCHEMA LIKE ?", vec![pattern]),
        Some(name) => ("TABLE_SCHEMA = ?", vec![name]),
        None => {
            ("TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')", Vec::new())
        }
    };
    let sql = format!(
        "SELECT TYPE, TABLE_SCHEMA, NULL, TABLE_NAME FROM (SELECT CASE TABLE_TYPE WHEN 'BASE TABLE' THEN 'TABLE' \
         WHEN 'SYSTEM VERSIONED' THEN 'TABLE' WHEN 'TEMPORARY' THEN 'LOCAL TEMPORARY' ELSE TABLE_TYPE END AS TYPE, \
         TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE {condition}) AS t \
         ORDER BY TYPE, TABLE_SCHEMA, TABLE_NAME"
    );
    let parameters = parameters.into_iter().map(|text| Parameter::Text(text.to_owned())).collect();
    Query { sql: sql.into(), parameters }
}

/// Types as the Java driver calls them, and its order. A catalog can only be the connection's own database.
fn postgres(config: &SourceConfig) -> Query {
    let mut sql = "SELECT type, NULL::text, schema, name FROM (SELECT CASE \
         WHEN n.nspname = 'pg_catalog' OR n.nspname = 'information_schema' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' \
         WHEN 'v' THEN 'SYSTEM VIEW' ELSE 'SYSTEM' END \
         WHEN n.nspname LIKE 'pg\\_toast%' THEN 'SYSTEM TOAST TABLE' \
         WHEN n.nspname LIKE 'pg\\_temp\\_%' THEN CASE c.relkind WHEN 'v' THEN 'TEMPORARY VIEW' ELSE 'TEMPORARY TABLE' END \
         ELSE CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' \
         WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' END END AS type, \
         n.nspname::text AS schema, c.relname::text AS name, n.nspname AS schema_order, c.relname AS name_order \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')) AS t WHERE true"
        .to_owned();
    let mut parameters = Vec::new();
    let given = |pattern: &Option<String>| pattern.clone().filter(|pattern| !pattern.is_empty());
    if let Some(pattern) = given(&config.schema_pattern) {
        parameters.push(Parameter::Text(pattern));
        sql.push_str(&format!(" AND schema LIKE ${}", parameters.len()));
    }
    if let Some(catalog) = given(&config.catalog_pattern) {
        parameters.push(Parameter::Text(catalog));
        sql.push_str(&format!(" AND current_database()::text LIKE ${}", parameters.len()));
    }
    sql.push_str(" ORDER BY type, schema_order, name_order");
    Query { sql: sql.into(), parameters }
}

/// What SQLite keeps for itself (`sqlite_...`) is no table of the user's.
const SQLITE: &str = "SELECT type, NULL, NULL, name FROM (SELECT upper(type) AS type, name FROM sqlite_master \
    WHERE type IN ('table', 'view') UNION ALL SELECT 'GLOBAL TEMPORARY', name FROM sqlite_temp_master \
    WHERE type IN ('table', 'view')) WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name";

#[cfg(test)]
mod tests;
