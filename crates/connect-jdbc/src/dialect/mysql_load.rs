//! MariaDB's bulk load by way of a temporary table, and the statement that moves rows on from there.

use super::{Cell, Dialect, MySql, TableColumn, TableId, Target};
use connect_api::Value;

/// The types in which values are bound as parameters. The temporary table has these, not the target's, so that the target
/// converts, refuses and rounds exactly what it would have been given without the detour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LoadKind {
    Integer,
    Float,
    Double,
    Text,
    Bytes,
    Date,
    Time,
    DateTime,
}

impl LoadKind {
    /// `None` for NULL, which is of every kind, and for what no column takes.
    pub(crate) fn of(cell: &Cell<'_>) -> Option<Self> {
        Some(match cell {
            Cell::Text(_) => Self::Text,
            Cell::Integer(_) => Self::Integer,
            Cell::DateTime { .. } => Self::DateTime,
            Cell::Date(_) => Self::Date,
            Cell::Time { .. } => Self::Time,
            Cell::Value(value) => match value {
                Value::Boolean(_) | Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => {
                    Self::Integer
                }
                Value::Float32(_) => Self::Float,
                Value::Float64(_) => Self::Double,
                // A decimal is bound as its digits.
                Value::String(_) | Value::Decimal(_) => Self::Text,
                Value::Bytes(_) => Self::Bytes,
                Value::Date(_) => Self::Date,
                Value::Time(_) => Self::Time,
                Value::Timestamp(_) => Self::DateTime,
                Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => return None,
            },
        })
    }

    /// Whether a column of the temporary table becomes the same there as the bound value. Texts of points in time and of numbers
    /// with a fraction depend on how many digits they are known to have.
    pub(crate) fn suits(self, target: &Target<'_>) -> bool {
        match self {
            Self::Integer | Self::Text | Self::Bytes => true,
            Self::Float | Self::Double | Self::Date | Self::Time | Self::DateTime => {
                let base = target.column.map(TableColumn::base_type).unwrap_or_default();
                ["decimal", "float", "double", "date", "time", "datetime", "timestamp"]
                    .contains(&base.as_str())
            }
        }
    }

    fn sql_type(self) -> &'static str {
        match self {
            Self::Integer => "BIGINT",
            Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::Text => "LONGTEXT CHARACTER SET utf8mb4",
            // As hexadecimal digits.
            Self::Bytes => "LONGTEXT CHARACTER SET ascii",
            Self::Date => "DATE",
            Self::Time => "TIME(6)",
            Self::DateTime => "DATETIME(6)",
        }
    }
}

/// As [`write_load_field`](super::write_load_field) writes.
pub(super) const FORMAT: &str =
    r"FIELDS TERMINATED BY '\t' ENCLOSED BY '' ESCAPED BY '\\' LINES TERMINATED BY '\n' STARTING BY ''";

/// The temporary table for rows of these kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Staging {
    pub(crate) table: TableId,
    pub(crate) kinds: Vec<LoadKind>,
    /// Whether rows carry their number, because they must be moved on in their order: the engine keeps none.
    pub(crate) numbered: bool,
}

/// Not the name of a column of the target: ON DUPLICATE KEY UPDATE would not know which is meant.
const COLUMN: &str = "__connect_bulk_";
const NUMBER: &str = "__connect_bulk_row";

impl Staging {
    /// Aria without transactions is the cheapest of the engines by far (MEMORY has no TEXT), and no DDL of a temporary table
    /// commits.
    pub(crate) fn create(&self, dialect: &MySql) -> String {
        let mut columns: Vec<String> = Vec::new();
        if self.numbered {
            columns.push(format!("{NUMBER} BIGINT"));
        }
        let data = self.kinds.iter().enumerate();
        columns.extend(data.map(|(index, kind)| format!("{COLUMN}{index} {}", kind.sql_type())));
        format!(
            "CREATE OR REPLACE TEMPORARY TABLE {}({}) ENGINE=Aria TRANSACTIONAL=0",
            dialect.table(&self.table),
            columns.join(",")
        )
    }

    pub(crate) fn empty(&self, dialect: &MySql) -> String {
        // Not TRUNCATE, which commits.
        format!("DELETE FROM {}", dialect.table(&self.table))
    }

    /// `file` is a name that we choose and the server asks for.
    pub(crate) fn load(&self, dialect: &MySql, file: &str) -> String {
        // As binary: the texts are valid UTF-8, and nothing is to be converted or searched for characters.
        format!(
            "LOAD DATA LOCAL INFILE '{file}' INTO TABLE {} CHARACTER SET binary {FORMAT}",
            dialect.table(&self.table)
        )
    }

    /// Moves the rows to `target`, whose `names` are the columns; the first `keys` of them are the key if it is an upsert.
    pub(crate) fn move_on(
        &self,
        dialect: &MySql,
        target: &TableId,
        names: &[&str],
        upsert_keys: Option<usize>,
    ) -> String {
        let value = |(index, kind): (usize, &LoadKind)| match kind {
            LoadKind::Bytes => format!("UNHEX({COLUMN}{index})"),
            _ => format!("{COLUMN}{index}"),
        };
        let columns: Vec<String> = self.kinds.iter().enumerate().map(value).collect();
        let mut sql = format!(
            "INSERT INTO {}({}) SELECT {} FROM {}",
            dialect.table(target),
            dialect.list(names),
            columns.join(","),
            dialect.table(&self.table)
        );
        if self.numbered {
            sql.push_str(&format!(" ORDER BY {NUMBER}"));
        }
        if let Some(keys) = upsert_keys {
            sql.push(' ');
            sql.push_str(&dialect.on_conflict(&names[..keys], &names[keys..]));
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Quoting;

    #[test]
    fn statements_of_a_load() {
        let dialect = MySql::new(Quoting::Always);
        let staging = Staging {
            table: TableId::named("__connect_bulk_1"),
            kinds: vec![LoadKind::Text, LoadKind::Integer],
            numbered: true,
        };
        assert_eq!(
            staging.create(&dialect),
            "CREATE OR REPLACE TEMPORARY TABLE `__connect_bulk_1`(__connect_bulk_row BIGINT,__connect_bulk_0 LONGTEXT CHARACTER SET utf8mb4,\
             __connect_bulk_1 BIGINT) ENGINE=Aria TRANSACTIONAL=0"
        );
        assert_eq!(
            staging.move_on(&dialect, &TableId::named("t"), &["id", "n"], Some(1)),
            "INSERT INTO `t`(`id`,`n`) SELECT __connect_bulk_0,__connect_bulk_1 FROM `__connect_bulk_1` ORDER BY __connect_bulk_row \
             ON DUPLICATE KEY UPDATE `n`=VALUES(`n`)"
        );
        let unnumbered = Staging { numbered: false, ..staging };
        assert_eq!(
            unnumbered.move_on(&dialect, &TableId::named("t"), &["id", "n"], None),
            "INSERT INTO `t`(`id`,`n`) SELECT __connect_bulk_0,__connect_bulk_1 FROM `__connect_bulk_1`"
        );
    }
}
