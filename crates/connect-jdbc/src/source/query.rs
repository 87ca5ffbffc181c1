//! The SQL of a source, in the words of the reference: people look for these statements in their database's log.

use super::config::Isolation;
use super::tables::SourceTable;
use crate::dialect::Dialect;
use crate::url::JdbcUrl;
use std::fmt::Write;

/// How the rows to read are told from those that were read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Criteria {
    /// All rows, each time.
    Bulk,
    Incrementing(String),
    /// The first of these that is not null.
    Timestamp(Vec<String>),
    TimestampIncrementing {
        timestamps: Vec<String>,
        id: String,
    },
}

/// What is read: a table, or what the user's query gives.
#[derive(Clone, Copy, Debug)]
pub(super) enum From<'a> {
    Table(&'a SourceTable),
    Query(&'a str),
}

/// The value of a parameter, in the order in which they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bind {
    /// The timestamp to go on after.
    Begin,
    /// The timestamp before which rows are complete.
    End,
    /// The number to go on after.
    Id,
    /// The last number of a range.
    LastId,
}

/// How a database writes parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholders {
    /// `?`
    Question,
    /// `$1`
    Numbered,
}

/// A text with the values it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) binds: Vec<Bind>,
}

impl Criteria {
    pub(super) fn timestamps(&self) -> &[String] {
        match self {
            Self::Timestamp(timestamps) | Self::TimestampIncrementing { timestamps, .. } => timestamps,
            Self::Bulk | Self::Incrementing(_) => &[],
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Incrementing(id) | Self::TimestampIncrementing { id, .. } => Some(id),
            Self::Bulk | Self::Timestamp(_) => None,
        }
    }
}

/// The statement of a poll.
pub(super) fn select(
    dialect: &dyn Dialect,
    placeholders: Placeholders,
    from: From<'_>,
    criteria: &Criteria,
    suffix: &str,
) -> Statement {
    let mut text = Text::new(dialect, placeholders, from);
    match criteria {
        Criteria::Bulk => {}
        Criteria::Incrementing(id) => {
            let id = text.column(id);
            text.add(format_args!(" WHERE {id} > "));
            text.bind(Bind::Id);
            text.add(format_args!(" ORDER BY {id} ASC"));
        }
        Criteria::Timestamp(timestamps) => {
            let time = text.first_of(timestamps);
            text.add(format_args!(" WHERE {time} > "));
            text.bind(Bind::Begin);
            text.add(format_args!(" AND {time} < "));
            text.bind(Bind::End);
            text.add(format_args!(" ORDER BY {time} ASC"));
        }
        Criteria::TimestampIncrementing { timestamps, id } => {
            let (time, id) = (text.first_of(timestamps), text.column(id));
            text.add(format_args!(" WHERE {time} < "));
            text.bind(Bind::End);
            text.add(format_args!(" AND (({time} = "));
            text.bind(Bind::Begin);
            text.add(format_args!(" AND {id} > "));
            text.bind(Bind::Id);
            text.add(format_args!(") OR {time} > "));
            text.bind(Bind::Begin);
            text.add(format_args!(") ORDER BY {time},{id} ASC"));
        }
    }
    text.end(suffix)
}

/// The rows of a range of numbers: one part of a first read.
pub(super) fn select_range(
    dialect: &dyn Dialect,
    placeholders: Placeholders,
    table: &SourceTable,
    id: &str,
    suffix: &str,
) -> Statement {
    let mut text = Text::new(dialect, placeholders, From::Table(table));
    let id = text.column(id);
    text.add(format_args!(" WHERE {id} > "));
    text.bind(Bind::Id);
    text.add(format_args!(" AND {id} <= "));
    text.bind(Bind::LastId);
    text.add(format_args!(" ORDER BY {id} ASC"));
    text.end(suffix)
}

/// The smallest and the largest number beyond one.
pub(super) fn select_bounds(
    dialect: &dyn Dialect,
    placeholders: Placeholders,
    table: &SourceTable,
    id: &str,
) -> Statement {
    let mut text = Text::new(dialect, placeholders, From::Table(table));
    let id = text.column(id);
    text.sql = format!("SELECT MIN({id}), MAX({id}) FROM {}", table.quoted(dialect));
    text.add(format_args!(" WHERE {id} > "));
    text.bind(Bind::Id);
    text.end("")
}

/// No row of a table, but its columns.
pub(super) fn select_nothing(dialect: &dyn Dialect, table: &SourceTable) -> String {
    format!("SELECT * FROM {} WHERE 1 = 0", table.quoted(dialect))
}

/// What a session is told for `transaction.isolation.mode`; `None` is an isolation that the database does not have.
pub(super) fn isolate(url: &JdbcUrl, isolation: Isolation) -> Option<&'static str> {
    use Isolation::*;
    Some(match (url, isolation) {
        (_, Default) => return None,
        (JdbcUrl::MySql(_), ReadUncommitted) => "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
        (JdbcUrl::MySql(_), ReadCommitted) => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        (JdbcUrl::MySql(_), RepeatableRead) => "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        (JdbcUrl::MySql(_), Serializable) => "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        (JdbcUrl::Postgres(_), ReadUncommitted) => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"
        }
        (JdbcUrl::Postgres(_), ReadCommitted) => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED"
        }
        (JdbcUrl::Postgres(_), RepeatableRead) => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        }
        (JdbcUrl::Postgres(_), Serializable) => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"
        }
        (JdbcUrl::Sqlite(_), ReadUncommitted) => "PRAGMA read_uncommitted = true",
        (JdbcUrl::Sqlite(_), Serializable) => "PRAGMA read_uncommitted = false",
        (JdbcUrl::Sqlite(_), ReadCommitted | RepeatableRead) => return None,
    })
}

/// What asks a database for its time.
pub(super) fn current_time(url: &JdbcUrl) -> &'static str {
    match url {
        JdbcUrl::MySql(_) | JdbcUrl::Postgres(_) => "SELECT CURRENT_TIMESTAMP",
        // The reference's text gives the seconds twice.
        JdbcUrl::Sqlite(_) => "SELECT strftime('%Y-%m-%d %H:%M:%f','now')",
    }
}

struct Text<'a> {
    dialect: &'a dyn Dialect,
    placeholders: Placeholders,
    /// `` `shop`.`users`. ``; nothing where columns stand alone, since a query has no name.
    prefix: String,
    sql: String,
    binds: Vec<Bind>,
}

impl<'a> Text<'a> {
    fn new(dialect: &'a dyn Dialect, placeholders: Placeholders, from: From<'_>) -> Self {
        let (prefix, sql) = match from {
            From::Table(table) => {
                let name = table.quoted(dialect);
                (format!("{name}."), format!("SELECT * FROM {name}"))
            }
            From::Query(query) => (String::new(), query.to_owned()),
        };
        Self { dialect, placeholders, prefix, sql, binds: Vec::new() }
    }

    fn column(&self, name: &str) -> String {
        format!("{}{}", self.prefix, self.dialect.identifier(name))
    }

    fn first_of(&self, names: &[String]) -> String {
        match names {
            [name] => self.column(name),
            names => {
                let columns: Vec<String> = names.iter().map(|name| self.column(name)).collect();
                format!("COALESCE({})", columns.join(","))
            }
        }
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // A String takes everything.
        let _ = self.sql.write_fmt(text);
    }

    fn bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        match self.placeholders {
            Placeholders::Question => self.sql.push('?'),
            Placeholders::Numbered => self.add(format_args!("${}", self.binds.len())),
        }
    }

    fn end(mut self, suffix: &str) -> Statement {
        if !suffix.is_empty() {
            self.add(format_args!(" {suffix}"));
        }
        Statement { sql: self.sql, binds: self.binds }
    }
}

#[cfg(test)]
mod tests;
