//! From a topic to a table: `table.name.format`, and Aiven's `table.name.normalize` and `topics.to.tables.mapping`.

use crate::dialect::TableId;

const TOPIC: &str = "${topic}";

/// Known to give a table for some topic; a topic with dots may still name too many parts.
#[derive(Clone, Debug)]
pub(super) struct TableNames {
    format: String,
    normalize: bool,
    /// Of the topics that have a table of their own.
    listed: Vec<(String, TableId)>,
}

impl TableNames {
    pub(super) fn new(format: &str, normalize: bool, listed: &[(String, String)]) -> Result<Self, String> {
        let listed = listed
            .iter()
            .map(|(topic, table)| Ok((topic.clone(), Self::fixed(table)?)))
            .collect::<Result<_, String>>()?;
        let names = Self { format: format.to_owned(), normalize, listed };
        names.generated("topic").map(|_| names)
    }

    /// A table's name that hangs on no topic.
    pub(super) fn fixed(name: &str) -> Result<TableId, String> {
        table_id(name).ok_or_else(|| format!("'{name}' names no table: {FORM}"))
    }

    pub(super) fn table(&self, topic: &str) -> Result<TableId, String> {
        match self.listed.iter().find(|(listed, _)| listed == topic) {
            Some((_, table)) => Ok(table.clone()),
            None => self.generated(topic),
        }
    }

    fn generated(&self, topic: &str) -> Result<TableId, String> {
        let mut name = self.format.replace(TOPIC, topic);
        if self.normalize {
            name = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        }
        if name.is_empty() {
            return Err(format!(
                "Destination table name for topic '{topic}' is empty using the format string '{}'",
                self.format
            ));
        }
        table_id(&name).ok_or_else(|| {
            format!(
                "'{name}', the name of the table for topic '{topic}' by the format string '{}', names no table: {FORM}",
                self.format
            )
        })
    }
}

const FORM: &str = "it has an empty part, more than three parts between dots, or a quote that is not closed; names are \
                    TABLE, DATABASE.TABLE (PostgreSQL: SCHEMA.TABLE, DATABASE.SCHEMA.TABLE); put a part with dots in \
                    back-ticks, e.g. `${topic}`";

fn table_id(text: &str) -> Option<TableId> {
    let mut parts = split(text)?;
    if parts.iter().any(String::is_empty) {
        return None;
    }
    let name = parts.pop()?;
    let database = parts.pop();
    let catalog = parts.pop();
    parts.is_empty().then_some(TableId { catalog, database, name })
}

/// Splits at dots outside back-ticks and double quotes; a doubled quote stands for itself.
fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![];
    let mut part = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => {
                if chars.next_if_eq(&open).is_some() {
                    part.push(open);
                } else {
                    quote = None;
                }
            }
            (c, Some(_)) => part.push(c),
            ('`' | '"', None) if part.is_empty() => quote = Some(c),
            ('.', None) => parts.push(std::mem::take(&mut part)),
            (c, None) => part.push(c),
        }
    }
    parts.push(part);
    quote.is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(format: &str, normalize: bool, listed: &[(&str, &str)]) -> Result<TableNames, String> {
        let listed: Vec<_> =
            listed.iter().map(|(topic, table)| (topic.to_string(), table.to_string())).collect();
        TableNames::new(format, normalize, &listed)
    }

    #[test]
    fn formats() {
        for (format, topic, expected) in [
            ("${topic}", "orders", Ok("orders")),
            ("kafka_${topic}", "orders", Ok("kafka_orders")),
            ("shop.${topic}", "orders", Ok("shop.orders")),
            ("${topic}", "shop.orders", Ok("shop.orders")),
            ("${topic}", "a.b.c", Ok("a.b.c")),
            ("`${topic}`", "a.b.c", Ok("a.b.c")),
            ("fixed", "orders", Ok("fixed")),
            ("${topic}", "a.b.c.d", Err("names no table")),
            ("${topic}", "a..c", Err("names no table")),
        ] {
            let table = names(format, false, &[]).unwrap().table(topic).map(|table| table.to_string());
            match expected {
                Ok(text) => assert_eq!(table.as_deref(), Ok(text), "{format}"),
                Err(text) => assert!(table.clone().unwrap_err().contains(text), "{format}: {table:?}"),
            }
        }
        for (format, what) in [
            ("${topic}.", "names no table"),
            ("`${topic}", "names no table"),
            ("a.b.c.${topic}", "names no table"),
            ("", "Destination table name for topic 'topic' is empty using the format string ''"),
        ] {
            let error = names(format, false, &[]).unwrap_err();
            assert!(error.contains(what), "{format}: {error}");
        }
    }

    #[test]
    fn parts() {
        for (format, catalog, database, name) in [
            ("`a.b`.c", None, Some("a.b"), "c"),
            ("\"a\"\"b\".`c`", None, Some("a\"b"), "c"),
            ("db.s.t", Some("db"), Some("s"), "t"),
        ] {
            let table = names(format, false, &[]).unwrap().table("t").unwrap();
            let expected = TableId {
                catalog: catalog.map(Into::into),
                database: database.map(Into::into),
                name: name.into(),
            };
            assert_eq!(table, expected, "{format}");
        }
    }

    #[test]
    fn normalized_and_listed() {
        let names = names("db.${topic}", true, &[("a.b", "shop.orders"), ("c", "c")]).unwrap();
        for (topic, table) in [("a.b", "shop.orders"), ("c", "c"), ("x-y.zä_1", "db_x_y_z__1")] {
            assert_eq!(names.table(topic).unwrap().to_string(), table);
        }
    }
}
