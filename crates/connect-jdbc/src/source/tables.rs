//! Tables by name: as they are listed, as the tasks' configurations carry them, and as offsets know them.

use crate::dialect::Dialect;
use crate::url::JdbcUrl;

/// A table as the database lists it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceTable {
    /// The database, on MariaDB and MySQL.
    pub(crate) catalog: Option<String>,
    /// On PostgreSQL.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl SourceTable {
    fn parts(&self) -> impl Iterator<Item = &str> {
        [self.catalog.as_deref(), self.schema.as_deref(), Some(self.name.as_str())].into_iter().flatten()
    }

    /// `mydb.users` on MariaDB, `public.users` on PostgreSQL, `users` on SQLite: the name in offsets, and the one that regular
    /// expressions see.
    pub(crate) fn full_name(&self) -> String {
        self.parts().collect::<Vec<_>>().join(".")
    }

    /// As SQL names it, and the `tables` key of a task's configuration.
    pub(crate) fn quoted(&self, dialect: &dyn Dialect) -> String {
        self.parts().map(|part| dialect.identifier(part)).collect::<Vec<_>>().join(".")
    }
}

/// The tables of a task's configuration, in the form of the reference: quoted names with commas between them.
pub(crate) fn write_tables(tables: &[SourceTable], dialect: &dyn Dialect) -> String {
    tables.iter().map(|table| table.quoted(dialect)).collect::<Vec<_>>().join(",")
}

/// Reads what [`write_tables`] or the reference has written.
pub(crate) fn read_tables(text: &str, url: &JdbcUrl) -> Result<Vec<SourceTable>, String> {
    let mut tables = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut parts = Vec::new();
        loop {
            let (part, after) = read_part(rest)?;
            parts.push(part);
            match after.strip_prefix('.') {
                Some(after) => rest = after,
                None => {
                    rest = after;
                    break;
                }
            }
        }
        tables.push(table_of(parts, url)?);
        rest = rest.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(format!("'{text}' is no list of tables")),
        };
    }
    Ok(tables)
}

/// A name up to the next `.` or `,`, and what follows it.
fn read_part(text: &str) -> Result<(String, &str), String> {
    let quote = text.chars().next().filter(|c| matches!(c, '`' | '"'));
    let Some(quote) = quote else {
        let end = text.find(['.', ',']).unwrap_or(text.len());
        return Ok((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            name.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            name.push(quote);
        } else {
            return Ok((name, &text[at + 1..]));
        }
    }
    Err(format!("the quotation mark of {text} does not end"))
}

fn table_of(mut parts: Vec<String>, url: &JdbcUrl) -> Result<SourceTable, String> {
    if parts.iter().any(String::is_empty) {
        return Err(format!("'{}' is no name of a table", parts.join(".")));
    }
    let name = parts.pop().unwrap_or_default();
    let (catalog, schema) = match (parts.pop(), parts.pop(), parts.pop()) {
        (None, ..) => (None, None),
        (Some(database), None, _) if matches!(url, JdbcUrl::MySql(_)) => (Some(database), None),
        (Some(schema), None, _) => (None, Some(schema)),
        (Some(schema), Some(catalog), None) => (Some(catalog), Some(schema)),
        _ => return Err(format!("the name of table '{name}' has more than three parts")),
    };
    Ok(SourceTable { catalog, schema, name })
}

#[cfg(test)]
mod tests;
