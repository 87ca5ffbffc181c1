//! `auto.evolve.widen`: which type a column gets that cannot hold a record's values. Only types that hold everything the
//! old one does.

use super::TableColumn;
use connect_api::{Schema, Type};

/// The longest value of a column in some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    /// Of texts.
    pub chars: usize,
    pub bytes: usize,
}

/// Beyond these a column gets a type without a length: all VARCHARs of a MariaDB row together have 65535 bytes.
const MYSQL_MAX_VARCHAR: usize = 1024;
const MYSQL_MAX_VARBINARY: usize = 4096;
const POSTGRES_MAX_VARCHAR: usize = 65_536;

pub(super) fn mysql(column: &TableColumn, schema: &Schema, longest: Longest) -> Option<String> {
    let base = column.base_type();
    let limit = column.type_lengths().first().map_or(0, |length| *length as usize);
    if schema.logical().is_some() {
        return None;
    }
    match (base.as_str(), &schema.ty) {
        ("tinyint" | "smallint" | "mediumint" | "int" | "integer", ty) => {
            let has = match base.as_str() {
                "tinyint" => 1,
                "smallint" => 2,
                "mediumint" => 3,
                _ => 4,
            };
            // More bytes with a sign hold all that fewer without one do.
            let (bytes, name) = integer(ty, ["TINYINT", "SMALLINT", "INT", "BIGINT"])?;
            (bytes > has).then(|| name.to_owned())
        }
        ("float", Type::Float64) => Some("DOUBLE".into()),
        ("varchar", Type::String) if longest.chars > limit => Some(match longest.chars {
            chars if chars <= MYSQL_MAX_VARCHAR => format!("VARCHAR({})", chars.next_power_of_two()),
            _ => sized(["TEXT", "MEDIUMTEXT", "LONGTEXT"], longest.bytes).to_owned(),
        }),
        ("tinytext", Type::String) if longest.bytes > 255 => {
            Some(sized(["TEXT", "MEDIUMTEXT", "LONGTEXT"], longest.bytes).to_owned())
        }
        ("text", Type::String) if longest.bytes > KIB_64 => {
            Some(sized(["TEXT", "MEDIUMTEXT", "LONGTEXT"], longest.bytes).to_owned())
        }
        ("mediumtext", Type::String) if longest.bytes > MIB_16 => Some("LONGTEXT".into()),
        ("varbinary", Type::Bytes) if longest.bytes > limit => Some(match longest.bytes {
            bytes if bytes <= MYSQL_MAX_VARBINARY => format!("VARBINARY({})", bytes.next_power_of_two()),
            bytes => sized(["BLOB", "MEDIUMBLOB", "LONGBLOB"], bytes).to_owned(),
        }),
        ("tinyblob", Type::Bytes) if longest.bytes > 255 => {
            Some(sized(["BLOB", "MEDIUMBLOB", "LONGBLOB"], longest.bytes).to_owned())
        }
        ("blob", Type::Bytes) if longest.bytes > KIB_64 => {
            Some(sized(["BLOB", "MEDIUMBLOB", "LONGBLOB"], longest.bytes).to_owned())
        }
        ("mediumblob", Type::Bytes) if longest.bytes > MIB_16 => Some("LONGBLOB".into()),
        _ => None,
    }
}

pub(super) fn postgres(column: &TableColumn, schema: &Schema, longest: Longest) -> Option<String> {
    let base = column.base_type();
    if schema.logical().is_some() {
        return None;
    }
    match (base.as_str(), &schema.ty) {
        ("smallint" | "integer", ty) => {
            let has = if base == "smallint" { 2 } else { 4 };
            let (bytes, name) = integer(ty, ["SMALLINT", "SMALLINT", "INT", "BIGINT"])?;
            (bytes > has).then(|| name.to_owned())
        }
        ("real", Type::Float64) => Some("DOUBLE PRECISION".into()),
        ("character varying", Type::String) => {
            // Without a length it holds any text.
            let limit = *column.type_lengths().first()? as usize;
            (longest.chars > limit).then(|| match longest.chars {
                chars if chars <= POSTGRES_MAX_VARCHAR => format!("VARCHAR({})", chars.next_power_of_two()),
                _ => "TEXT".into(),
            })
        }
        _ => None,
    }
}

/// The bytes that the values need, and the type that has so many.
fn integer<'n>(ty: &Type, names: [&'n str; 4]) -> Option<(usize, &'n str)> {
    let [one, two, four, eight] = names;
    match ty {
        Type::Int8 => Some((1, one)),
        Type::Int16 => Some((2, two)),
        Type::Int32 => Some((4, four)),
        Type::Int64 => Some((8, eight)),
        _ => None,
    }
}

const KIB_64: usize = 65_535;
const MIB_16: usize = 16_777_215;

fn sized(names: [&str; 3], bytes: usize) -> &str {
    match bytes {
        bytes if bytes <= KIB_64 => names[0],
        bytes if bytes <= MIB_16 => names[1],
        _ => names[2],
    }
}

/// The clause that gives a column of MariaDB another type and leaves all else as it is: MODIFY forgets what it is not told,
/// so the column's own line of SHOW CREATE TABLE is taken. `None`: there is no such line.
pub(crate) fn modify_clause(create: &str, column: &TableColumn, sql_type: &str) -> Option<String> {
    let name = format!("`{}`", column.name.replace('`', "``"));
    let before = format!("{name} {}", column.sql_type);
    let line = create.lines().find_map(|line| line.trim_start().strip_prefix(before.as_str()))?;
    let rest = line.strip_suffix(',').unwrap_or(line);
    (rest.is_empty() || rest.starts_with(' ')).then(|| format!("MODIFY {name} {sql_type}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_gets_a_type_only_to_hold_more() {
        let of = |chars: usize, bytes: usize| Longest { chars, bytes };
        let none = Longest::default();
        let (int16, int32, int64) = (Type::Int16, Type::Int32, Type::Int64);
        for (sql_type, ty, longest, in_mysql, in_postgres) in [
            ("tinyint(4)", int16.clone(), none, Some("SMALLINT"), None),
            ("tinyint(3) unsigned", Type::Int8, none, None, None),
            ("smallint", int16.clone(), none, None, None),
            ("smallint", int32.clone(), none, Some("INT"), Some("INT")),
            ("smallint", int64.clone(), none, Some("BIGINT"), Some("BIGINT")),
            ("mediumint(9) unsigned", int32.clone(), none, Some("INT"), None),
            ("int(10) unsigned", int32.clone(), none, None, None),
            ("int(10) unsigned", int64.clone(), none, Some("BIGINT"), None),
            ("integer", int64.clone(), none, Some("BIGINT"), Some("BIGINT")),
            ("bigint", int32, none, None, None),
            ("bigint", Type::Float64, none, None, None),
            ("float", Type::Float64, none, Some("DOUBLE"), None),
            ("real", Type::Float64, none, None, Some("DOUBLE PRECISION")),
            ("double", Type::Float32, none, None, None),
            ("decimal(5,2)", int64, none, None, None),
            ("varchar(5)", Type::String, of(5, 20), None, None),
            ("varchar(5)", Type::String, of(6, 24), Some("VARCHAR(8)"), None),
            ("varchar(5)", Type::String, of(2000, 8000), Some("TEXT"), None),
            ("varchar(5)", Type::String, of(70_000, 70_000), Some("MEDIUMTEXT"), None),
            ("text", Type::String, of(65_535, 65_535), None, None),
            ("text", Type::String, of(65_535, 65_536), Some("MEDIUMTEXT"), None),
            ("mediumtext", Type::String, of(1, 16_777_216), Some("LONGTEXT"), None),
            ("varbinary(1024)", Type::Bytes, of(0, 1024), None, None),
            ("varbinary(1024)", Type::Bytes, of(0, 1025), Some("VARBINARY(2048)"), None),
            ("varbinary(1024)", Type::Bytes, of(0, 5000), Some("BLOB"), None),
            ("varbinary(1024)", Type::String, of(2000, 2000), None, None),
            ("character varying(5)", Type::String, of(6, 6), None, Some("VARCHAR(8)")),
            ("character varying(5)", Type::String, of(70_000, 70_000), None, Some("TEXT")),
            ("character varying", Type::String, of(70_000, 70_000), None, None),
            ("character(5)", Type::String, of(6, 6), None, None),
            ("shop.short", Type::String, of(6, 6), None, None),
        ] {
            let column = TableColumn::plain("c", sql_type);
            let schema = Schema::new(ty);
            let widened = (mysql(&column, &schema, longest), postgres(&column, &schema, longest));
            assert_eq!(
                (widened.0.as_deref(), widened.1.as_deref()),
                (in_mysql, in_postgres),
                "{sql_type} for {schema:?} {longest:?}"
            );
        }
        let column = TableColumn::plain("c", "smallint");
        assert_eq!(mysql(&column, &Schema::date(), none), None, "a date is no number");
    }

    #[test]
    fn all_else_of_a_column_stays() {
        let create = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `a``b` int(10) unsigned NOT NULL DEFAULT 7 \
                      COMMENT 'it''s, `x`',\n  `n` varchar(5) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,\n  \
                      `last` int(11)\n) ENGINE=InnoDB";
        let clause =
            |name: &str, old: &str, new: &str| modify_clause(create, &TableColumn::plain(name, old), new);
        assert_eq!(
            clause("a`b", "int(10) unsigned", "BIGINT").as_deref(),
            Some("MODIFY `a``b` BIGINT NOT NULL DEFAULT 7 COMMENT 'it''s, `x`'")
        );
        assert_eq!(
            clause("n", "varchar(5)", "VARCHAR(8)").as_deref(),
            Some("MODIFY `n` VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL")
        );
        assert_eq!(clause("last", "int(11)", "BIGINT").as_deref(), Some("MODIFY `last` BIGINT"));
        assert_eq!(clause("id", "int(1)", "BIGINT"), None, "of another type than was believed");
        assert_eq!(clause("x", "int(11)", "BIGINT"), None);
    }
}
