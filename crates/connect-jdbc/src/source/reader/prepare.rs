//! Before the first read of a table: which columns it has, and whether new rows can be found by them.

use super::ReadError;
use super::moment::Form;
use super::settings::{Job, Settings};
use crate::driver::{Connection, Parameter, Query, ResultColumn, SqlValue};
use crate::source::mode::{IncrementingColumn, TableMode};
use crate::source::query::{self, Criteria, From};
use crate::source::tables::SourceTable;
use crate::url::JdbcUrl;
use connect_api::ConnectError;
use std::sync::Arc;

/// What is known once the database was asked.
#[derive(Clone, Debug)]
pub(in crate::source) struct Prepared {
    pub(in crate::source) criteria: Criteria,
    /// The columns of the primary key, if records are to have keys.
    pub(in crate::source) key: Option<Arc<[String]>>,
}

pub(super) async fn prepare(
    settings: &Settings,
    job: &Job,
    connection: &mut Connection,
) -> Result<Prepared, ReadError> {
    let (id, timestamps): (Option<&IncrementingColumn>, &[String]) = match &job.mode {
        TableMode::Bulk => (None, &[]),
        TableMode::Incrementing(id) => (Some(id), &[]),
        TableMode::Timestamp(timestamps) => (None, timestamps),
        TableMode::TimestampIncrementing { incrementing, timestamps } => (Some(incrementing), timestamps),
    };
    let mut found = None;
    match (job.table(), id) {
        (None, Some(IncrementingColumn::Detect)) => {
            return Err(ConnectError::config(
                "the incrementing column of a query is not known; name it with incrementing.column.name",
            )
            .into());
        }
        (None, Some(IncrementingColumn::Named(name))) => found = Some(name.clone()),
        (None, None) => {}
        (Some(_), None) if timestamps.is_empty() => {}
        (Some(table), id) => {
            let sql = query::select_nothing(&*settings.dialect, table);
            let columns = connection.read(&plain(sql)).await?.columns().to_vec();
            found = id.map(|id| find_id(id, &columns, table)).transpose()?;
            exist(&columns, found.as_deref(), timestamps, table)?;
            if settings.validate_non_null {
                not_null(&columns, found.as_deref(), timestamps, table)?;
            }
        }
    }
    let criteria = match (found, timestamps.to_vec()) {
        (None, timestamps) if timestamps.is_empty() => Criteria::Bulk,
        (None, timestamps) => Criteria::Timestamp(timestamps),
        (Some(id), timestamps) if timestamps.is_empty() => Criteria::Incrementing(id),
        (Some(id), timestamps) => Criteria::TimestampIncrementing { timestamps, id },
    };
    let key = match job.table() {
        Some(table) if settings.record_key => Some(primary_key(settings, table, connection).await?),
        _ => None,
    };
    Ok(Prepared { criteria, key })
}

fn find_id(
    id: &IncrementingColumn,
    columns: &[ResultColumn],
    table: &SourceTable,
) -> Result<String, ConnectError> {
    if let IncrementingColumn::Named(name) = id {
        return Ok(name.clone());
    }
    match columns.iter().find(|column| column.auto_increment) {
        Some(column) => Ok(column.name.to_string()),
        None => Err(ConnectError::config(format!(
            "table {} has no column that the database counts up; name one with incrementing.column.name or \
             incrementing.column.mapping",
            table.full_name()
        ))),
    }
}

fn named<'a>(columns: &'a [ResultColumn], name: &str) -> Option<&'a ResultColumn> {
    let exact = columns.iter().find(|column| &*column.name == name);
    exact.or_else(|| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
}

fn exist(
    columns: &[ResultColumn],
    id: Option<&str>,
    timestamps: &[String],
    table: &SourceTable,
) -> Result<(), ConnectError> {
    let table = table.full_name();
    if let Some(id) = id.filter(|id| named(columns, id).is_none()) {
        return Err(ConnectError::config(format!(
            "Incrementing column: {id} does not exist in table '{table}'"
        )));
    }
    let missing: Vec<&str> =
        timestamps.iter().map(String::as_str).filter(|name| named(columns, name).is_none()).collect();
    if !missing.is_empty() {
        return Err(ConnectError::config(format!(
            "Timestamp columns: {} do not exist in table '{table}'",
            missing.join(", ")
        )));
    }
    Ok(())
}

/// `validate.non.null`
fn not_null(
    columns: &[ResultColumn],
    id: Option<&str>,
    timestamps: &[String],
    table: &SourceTable,
) -> Result<(), ConnectError> {
    let nullable = |name: &str| named(columns, name).is_none_or(|column| column.nullable);
    let table = table.full_name();
    if let Some(id) = id.filter(|id| nullable(id)) {
        return Err(ConnectError::failed(format!(
            "Cannot make incremental queries using incrementing column {id} on {table} because this column is nullable."
        )));
    }
    if !timestamps.is_empty() && timestamps.iter().all(|name| nullable(name)) {
        return Err(ConnectError::failed(format!(
            "Cannot make incremental queries using timestamp columns {} on {table} because all of these columns are nullable.",
            timestamps.join(",")
        )));
    }
    Ok(())
}

async fn primary_key(
    settings: &Settings,
    table: &SourceTable,
    connection: &mut Connection,
) -> Result<Arc<[String]>, ReadError> {
    let text = |text: &str| Parameter::Text(text.to_owned());
    let query = match settings.url {
        JdbcUrl::MySql(_) => {
            let (database, parameters) = match &table.catalog {
                Some(catalog) => ("?", vec![text(catalog), text(&table.name)]),
                None => ("DATABASE()", vec![text(&table.name)]),
            };
            let sql = format!(
                "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = {database} \
                 AND table_name = ? AND constraint_name = 'PRIMARY' ORDER BY ordinal_position"
            );
            Query { sql: sql.into(), parameters }
        }
        JdbcUrl::Postgres(_) => {
            let sql = "SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, n) \
                       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
                       WHERE i.indrelid = $1::text::regclass AND i.indisprimary ORDER BY k.n";
            Query { sql: sql.into(), parameters: vec![text(&table.quoted(&*settings.dialect))] }
        }
        JdbcUrl::Sqlite(_) => {
            let sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk";
            Query { sql: sql.into(), parameters: vec![text(&table.name)] }
        }
    };
    let mut rows = connection.read(&query).await?;
    let (mut columns, mut row) = (Vec::new(), Vec::new());
    while rows.next(&mut row).await? {
        if let Some(SqlValue::Text(name)) = row.first() {
            columns.push(name.to_string());
        }
    }
    if columns.is_empty() {
        return Err(ConnectError::config(format!(
            "table {} has no primary key to make record keys of; give it one or remove record.key.primary.key",
            table.full_name()
        ))
        .into());
    }
    Ok(columns.into())
}

/// In which form the timestamps of a table are compared; `None` while there is no row to tell from.
pub(super) async fn timestamp_form(
    settings: &Settings,
    job: &Job,
    timestamps: &[String],
    connection: &mut Connection,
) -> Result<Option<Form>, ReadError> {
    let column = |name: &String| settings.dialect.identifier(name);
    let columns = timestamps.iter().map(column).collect::<Vec<_>>().join(",");
    let from = match job.from() {
        From::Table(table) => table.quoted(&*settings.dialect),
        From::Query(query) => format!("({query}) AS q"),
    };
    let sql = match settings.url {
        JdbcUrl::MySql(_) => return Ok(Some(Form::Wall)),
        // With UTC a wall clock and a point in time are the same.
        JdbcUrl::Postgres(_) if settings.mapping.time_zone == jiff::tz::TimeZone::UTC => {
            return Ok(Some(Form::Wall));
        }
        JdbcUrl::Postgres(_) => format!("SELECT pg_typeof(COALESCE({columns}))::text FROM {from} LIMIT 1"),
        JdbcUrl::Sqlite(_) => {
            let first = if timestamps.len() == 1 { columns } else { format!("COALESCE({columns})") };
            format!("SELECT typeof({first}) FROM {from} WHERE {first} IS NOT NULL LIMIT 1")
        }
    };
    let mut rows = connection.read(&plain(sql)).await?;
    let mut row = Vec::new();
    if !rows.next(&mut row).await? {
        return Ok(None);
    }
    Ok(match row.first() {
        Some(SqlValue::Text(name)) => Some(match &**name {
            "timestamp with time zone" => Form::Instant,
            "text" => Form::Text,
            "integer" => Form::Millis,
            _ => Form::Wall,
        }),
        _ => None,
    })
}

pub(super) fn plain(sql: String) -> Query {
    Query { sql: sql.into(), parameters: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::ColumnKind;

    fn columns() -> Vec<ResultColumn> {
        [("ID", false, true), ("updated", true, false), ("created", false, false), ("seen", true, false)]
            .map(|(name, nullable, auto_increment)| ResultColumn {
                name: name.into(),
                table: None,
                kind: ColumnKind::Timestamp,
                nullable,
                auto_increment,
            })
            .into()
    }

    fn table() -> SourceTable {
        SourceTable { catalog: Some("shop".into()), schema: None, name: "t".into() }
    }

    #[test]
    fn columns_have_to_exist() {
        let check = |id, timestamps: &[&str]| {
            let timestamps: Vec<String> = timestamps.iter().map(|name| (*name).into()).collect();
            exist(&columns(), id, &timestamps, &table()).map_err(|error| error.to_string())
        };
        assert_eq!(check(Some("id"), &["Created"]), Ok(()));
        assert_eq!(
            check(Some("number"), &[]),
            Err("Incrementing column: number does not exist in table 'shop.t'".into())
        );
        assert_eq!(
            check(None, &["created", "a", "b"]),
            Err("Timestamp columns: a, b do not exist in table 'shop.t'".into())
        );
    }

    #[test]
    fn columns_must_not_be_null() {
        let check = |id, timestamps: &[&str]| {
            let timestamps: Vec<String> = timestamps.iter().map(|name| (*name).into()).collect();
            not_null(&columns(), id, &timestamps, &table()).map_err(|error| error.to_string())
        };
        assert_eq!(check(Some("id"), &["updated", "created"]), Ok(()));
        assert!(
            check(Some("seen"), &[])
                .unwrap_err()
                .contains("column seen on shop.t because this column is nullable.")
        );
        assert!(
            check(None, &["updated", "seen"]).unwrap_err().contains("updated,seen on shop.t because all")
        );
    }

    #[test]
    fn the_column_that_counts_up_is_found() {
        let find = |id, columns: &[ResultColumn]| find_id(id, columns, &table());
        let named = IncrementingColumn::Named("created".into());
        assert_eq!(find(&IncrementingColumn::Detect, &columns()).ok().as_deref(), Some("ID"));
        assert_eq!(find(&named, &columns()).ok().as_deref(), Some("created"));
        let error = find(&IncrementingColumn::Detect, &columns()[1..]).unwrap_err();
        assert!(error.to_string().contains("table shop.t has no column"), "{error}");
    }
}
