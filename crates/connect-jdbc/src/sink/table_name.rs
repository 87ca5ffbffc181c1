//! `table.name.format`: from a topic to a table.

use crate::dialect::TableId;

const TOPIC: &str = "${topic}";

/// Known to give a table for some topic; a topic with dots may still name too many parts.
#[derive(Clone, Debug)]
pub(super) struct TableNameFormat(String);

impl TableNameFormat {
    pub(super) fn new(format: &str) -> Result<Self, String> {
        let format = Self(format.to_owned());
        format.table("topic").map(|_| format)
    }

    pub(super) fn table(&self, topic: &str) -> Result<TableId, String> {
        let mut parts = split(&self.0.replace(TOPIC, topic))?;
        let name = parts.pop().unwrap_or_default();
        let database = parts.pop();
        if !parts.is_empty() {
            return Err(format!(
                "it names a table in more than two parts for topic '{topic}', but the databases have DATABASE.TABLE \
                 (PostgreSQL: SCHEMA.TABLE) only; put the part with dots in back-ticks, e.g. `{TOPIC}`"
            ));
        }
        if name.is_empty() || database.as_ref().is_some_and(String::is_empty) {
            return Err(format!(
                "Destination table name for topic '{topic}' is empty using the format string '{}'",
                self.0
            ));
        }
        Ok(TableId { catalog: None, database, name })
    }
}

/// Splits at dots outside back-ticks and double quotes; a doubled quote stands for itself.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("starts with one part and only grows");
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
            ('.', None) => parts.push(String::new()),
            (c, None) => part.push(c),
        }
    }
    if quote.is_some() {
        return Err("a quoted part is not closed".into());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (format, topic, expected) in [
            ("${topic}", "orders", Ok("orders")),
            ("kafka_${topic}", "orders", Ok("kafka_orders")),
            ("shop.${topic}", "orders", Ok("shop.orders")),
            ("${topic}", "shop.orders", Ok("shop.orders")),
            ("`${topic}`", "a.b.c", Ok("a.b.c")),
            ("fixed", "orders", Ok("fixed")),
            ("${topic}", "a.b.c", Err("more than two parts")),
            ("${topic}.", "t", Err("is empty")),
            ("`${topic}", "t", Err("not closed")),
        ] {
            let table = TableNameFormat(format.into()).table(topic).map(|table| table.to_string());
            match expected {
                Ok(text) => assert_eq!(table.as_deref(), Ok(text), "{format}"),
                Err(text) => assert!(table.clone().unwrap_err().contains(text), "{format}: {table:?}"),
            }
        }
        let quoted = TableNameFormat("`a.b`.c".into()).table("t").unwrap();
        assert_eq!((quoted.database.as_deref(), quoted.name.as_str()), (Some("a.b"), "c"));
    }
}
