//! What is said of records that cannot be written.

use super::row;
use crate::dialect::TableId;
use crate::driver::DbError;
use connect_api::{ConnectError, Rejected, SinkRecord};

/// Beside Connect's own headers of a dead letter: the database's word, where it has one.
const SQL_STATE: &str = "__connect.errors.sqlstate";
const SQL_MESSAGE: &str = "__connect.errors.sqlmessage";

/// A record that alone is at fault.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) index: usize,
    pub(super) error: ConnectError,
    headers: Vec<(String, String)>,
}

impl Fault {
    /// Found before the database was asked.
    pub(super) fn of_plan(index: usize, error: ConnectError) -> Self {
        Self { index, error, headers: Vec::new() }
    }

    /// The table is not what the record needs, which is said without the record.
    pub(super) fn of_table(index: usize, record: &SinkRecord, table: &TableId, why: ConnectError) -> Self {
        let message = format!("the record at {} cannot be written to table {table}", row::place(record));
        Self { index, error: ConnectError::caused(message, why), headers: Vec::new() }
    }

    /// The database has refused the record when it came alone.
    pub(super) fn of_row(index: usize, record: &SinkRecord, table: &TableId, error: DbError) -> Self {
        let column = error.column.as_ref().map(|column| format!(", column '{column}'")).unwrap_or_default();
        let mut headers = Vec::new();
        if let Some(state) = &error.sql_state {
            headers.push((SQL_STATE.to_owned(), state.to_string()));
        }
        headers.push((SQL_MESSAGE.to_owned(), error.message.to_string()));
        let message =
            format!("the record at {} cannot be written to table {table}{column}", row::place(record));
        Self { index, error: ConnectError::caused(message, error), headers }
    }

    pub(super) fn rejected(self) -> Rejected {
        Rejected { index: self.index, error: self.error, headers: self.headers }
    }
}

/// `orders-0 offsets 5 to 9, orders-1 offset 3`
pub(super) fn offsets<'a>(records: impl IntoIterator<Item = &'a SinkRecord>) -> String {
    let mut ranges: Vec<(&SinkRecord, i64, i64)> = Vec::new();
    for record in records {
        let range = ranges
            .iter_mut()
            .find(|(first, ..)| first.partition == record.partition && first.topic == record.topic);
        match range {
            Some((_, from, to)) => (*from, *to) = ((*from).min(record.offset), (*to).max(record.offset)),
            None => ranges.push((record, record.offset, record.offset)),
        }
    }
    let texts: Vec<String> = ranges
        .iter()
        .map(|(record, from, to)| match from == to {
            true => format!("{}-{} offset {from}", record.topic, record.partition),
            false => format!("{}-{} offsets {from} to {to}", record.topic, record.partition),
        })
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::ErrorKind;
    use crate::sink::fixtures::{item, item_schema, record};

    #[test]
    fn offsets_of_a_statement() {
        let schema = item_schema();
        let record = |topic, offset| record(topic, offset, &schema, item(1, "a"));
        let records = [record("a", 5), record("b", 3), record("a", 7)];
        assert_eq!(offsets(&records), "a-0 offsets 5 to 7, b-0 offset 3");
    }

    #[test]
    fn the_databases_word_stands_in_the_text_and_in_headers() {
        let record = record("t", 7, &item_schema(), item(1, "a"));
        let table = TableId { catalog: None, database: None, name: "t".into() };
        let error = DbError {
            kind: ErrorKind::BadRow,
            sql_state: Some("22001".into()),
            code: Some("1406".into()),
            message: "Data too long".into(),
            column: Some("name".into()),
        };
        let rejected = Fault::of_row(3, &record, &table, error).rejected();
        assert_eq!(
            rejected.error.chain(),
            "the record at (topic='t',partition=0,offset=7,timestamp=1000) cannot be written to table t, column 'name': \
             SQLSTATE 22001, error 1406: Data too long"
        );
        let headers: Vec<(&str, &str)> =
            rejected.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [(SQL_STATE, "22001"), (SQL_MESSAGE, "Data too long")]);
    }
}
