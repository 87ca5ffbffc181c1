//! MariaDB's bulk load straight into a table: which columns take a field of the file for what the bound value would have been
//! there, and the statement.

use super::mysql_load::FORMAT;
use super::{Dialect, LoadKind, MySql, TableId, Target};

const TEXTS: &[&str] = &["char", "varchar", "tinytext", "text", "mediumtext", "longtext"];
const BYTES: &[&str] = &["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"];
const WHOLE: &[&str] = &["tinyint", "smallint", "mediumint", "int", "bigint", "decimal"];
const FRACTIONS: &[&str] = &["float", "double"];

/// Whether each field becomes in the column what the bound value would have. A text is a text either way. A number is not one
/// where its digits mean something else (BIT, ENUM, YEAR) or are rounded twice (a whole number in a FLOAT).
pub(crate) fn takes_straight(target: &Target<'_>, kind: LoadKind) -> bool {
    let Some(column) = target.column else { return false };
    let base = column.base_type();
    let is_one_of = |types: &[&str]| types.contains(&base.as_str());
    match kind {
        LoadKind::Text => true,
        LoadKind::Integer => is_one_of(WHOLE) || is_one_of(TEXTS),
        LoadKind::Float | LoadKind::Double => is_one_of(FRACTIONS),
        LoadKind::Bytes => is_one_of(BYTES),
        LoadKind::Date => is_one_of(&["date", "datetime", "timestamp"]),
        LoadKind::DateTime => is_one_of(&["datetime", "timestamp"]),
        LoadKind::Time => is_one_of(&["time"]),
    }
}

/// `file` is a name that we choose and the server asks for. Texts are in UTF-8 and the columns may have any character set. Bytes
/// come as hexadecimal digits.
pub(crate) fn straight_load(
    dialect: &MySql,
    file: &str,
    table: &TableId,
    columns: &[Target<'_>],
    kinds: &[LoadKind],
) -> String {
    let mut fields = Vec::with_capacity(columns.len());
    let mut sets = Vec::new();
    for (index, (column, kind)) in columns.iter().zip(kinds).enumerate() {
        let name = dialect.identifier(column.name);
        match kind {
            LoadKind::Bytes => {
                sets.push(format!("{name}=UNHEX(@__connect_bulk_{index})"));
                fields.push(format!("@__connect_bulk_{index}"));
            }
            _ => fields.push(name),
        }
    }
    let mut sql = format!(
        "LOAD DATA LOCAL INFILE '{file}' INTO TABLE {} CHARACTER SET utf8mb4 {FORMAT} ({})",
        dialect.table(table),
        fields.join(",")
    );
    if !sets.is_empty() {
        sql.push_str(" SET ");
        sql.push_str(&sets.join(","));
    }
    sql
}

impl MySql {
    /// The statement that finds a table into which a load can be taken back, and fires no trigger: InnoDB's, and no view, sequence or
    /// table with a history. Galera, if told to split loads, commits in the middle of one. Triggers are seen by who has the right TRIGGER;
    /// under a load they do the same and fail in the same way, but may have written to tables that do not go back.
    pub(crate) fn undoes_loads(&self, table: &TableId) -> String {
        let database = self.database(table);
        let name = super::mysql::quote(&table.name);
        format!(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {name} \
             AND TABLE_TYPE = 'BASE TABLE' AND ENGINE = 'InnoDB' \
             AND NOT EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {database} \
             AND EVENT_OBJECT_TABLE = {name} AND EVENT_MANIPULATION = 'INSERT') \
             AND NOT EXISTS (SELECT 1 FROM information_schema.GLOBAL_VARIABLES \
             WHERE VARIABLE_NAME = 'WSREP_LOAD_DATA_SPLITTING' AND VARIABLE_VALUE = 'ON')"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Quoting, TableColumn};
    use connect_api::{Schema, Type};

    #[test]
    fn columns_that_take_a_field_for_the_value() {
        use LoadKind::*;
        let schema = Schema::new(Type::String);
        let takes = |sql_type: &str, kind: LoadKind| {
            let column = TableColumn::plain("c", sql_type);
            takes_straight(&Target { name: "c", schema: &schema, column: Some(&column) }, kind)
        };
        for (sql_type, kind) in [
            ("varchar(20)", Text),
            ("enum('a')", Text),
            ("datetime", Text),
            ("bigint(20) unsigned", Integer),
            ("decimal(10,2)", Integer),
            ("longtext", Integer),
            ("double", Float),
            ("varbinary(10)", Bytes),
            ("timestamp", Date),
            ("datetime(3)", DateTime),
            ("time(3)", Time),
        ] {
            assert!(takes(sql_type, kind), "{sql_type} {kind:?}");
        }
        for (sql_type, kind) in [
            ("enum('1')", Integer),
            ("bit(8)", Integer),
            ("year(4)", Integer),
            ("float", Integer),
            ("decimal(10,2)", Double),
            ("varchar(10)", Bytes),
            ("date", DateTime),
            ("time", DateTime),
            ("int(11)", Date),
        ] {
            assert!(!takes(sql_type, kind), "{sql_type} {kind:?}");
        }
    }

    #[test]
    fn the_statement() {
        let schema = Schema::new(Type::String);
        let columns = ["id", "raw"].map(|name| Target { name, schema: &schema, column: None });
        assert_eq!(
            straight_load(
                &MySql::new(Quoting::Always),
                "f",
                &TableId::named("t"),
                &columns,
                &[LoadKind::Integer, LoadKind::Bytes]
            ),
            "LOAD DATA LOCAL INFILE 'f' INTO TABLE `t` CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY \
             '\\\\' LINES TERMINATED BY '\\n' STARTING BY '' (`id`,@__connect_bulk_1) SET `raw`=UNHEX(@__connect_bulk_1)"
        );
    }
}
