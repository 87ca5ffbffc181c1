//! Tables: by the name the user gave, and as the database has them.

use std::fmt;

/// A table, by the name the user gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TableId {
    /// PostgreSQL only, where it can be no other than the database of the connection.
    pub catalog: Option<String>,
    /// The database (MariaDB, MySQL), schema (PostgreSQL) or attached database (SQLite) if it is not the connection's own.
    pub database: Option<String>,
    pub name: String,
}

impl TableId {
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.catalog, &self.database].into_iter().flatten() {
            write!(f, "{part}.")?;
        }
        f.write_str(&self.name)
    }
}

/// The words of `table.types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    Table,
    /// PostgreSQL's; those of MariaDB are tables like others.
    Partitioned,
    View,
}

impl TableKind {
    pub const ALL: [Self; 3] = [Self::Table, Self::Partitioned, Self::View];

    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::Partitioned => "PARTITIONED TABLE",
            Self::View => "VIEW",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// A table as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDefinition {
    pub kind: TableKind,
    pub columns: Vec<TableColumn>,
}

/// A column as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    pub name: String,
    /// As the database writes it: `varchar(20)`, `bigint(20) unsigned`, `numeric(10,2)`, `text[]`. SQLite: as
    /// the table's author wrote it, perhaps nothing.
    pub sql_type: String,
    pub nullable: bool,
    /// Whether a row gets a value here when the statement gives none: a default, a counter.
    pub has_default: bool,
    /// Computed from other columns: nobody may write it.
    pub generated: bool,
    /// Part of the primary key.
    pub key: bool,
    /// The type to which a text must be cast to be written here; none where it can be written as it is.
    pub text_cast: Option<String>,
    /// Texts that differ may be the same here, by a collation or a type that reads them.
    pub loose_text: bool,
}

impl TableColumn {
    /// A column that holds NULL and nothing special.
    pub fn plain(name: impl Into<String>, sql_type: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sql_type: sql_type.into(),
            nullable: true,
            has_default: false,
            generated: false,
            key: false,
            text_cast: None,
            loose_text: false,
        }
    }

    /// The type's name without length, sign and brackets: `bigint`, `numeric`, `timestamp without time zone`.
    pub fn base_type(&self) -> String {
        let mut base = String::new();
        let mut depth = 0;
        for c in self.sql_type.chars() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                c if depth == 0 => base.push(c),
                _ => {}
            }
        }
        let words: Vec<&str> = base
            .split_whitespace()
            .filter(|word| !matches!(*word, "unsigned" | "signed" | "zerofill"))
            .collect();
        words.join(" ").to_ascii_lowercase()
    }

    /// What stands in the brackets: `varchar(20)` has 20, `numeric(10,2)` has 10 and 2.
    pub fn type_lengths(&self) -> Vec<u32> {
        let Some((_, rest)) = self.sql_type.split_once('(') else { return Vec::new() };
        let Some((inner, _)) = rest.split_once(')') else { return Vec::new() };
        inner.split(',').filter_map(|number| number.trim().parse().ok()).collect()
    }

    /// Whether the column holds points in time, which the server shows in the zone of the session (UTC here), not the reading
    /// of a clock: MariaDB's TIMESTAMP, PostgreSQL's TIMESTAMPTZ.
    pub fn holds_instants(&self) -> bool {
        matches!(self.base_type().as_str(), "timestamp" | "timestamp with time zone")
    }

    pub fn is_unsigned(&self) -> bool {
        self.sql_type.to_ascii_lowercase().contains("unsigned")
    }
}
