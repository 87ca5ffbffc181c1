//! Records as lines.

use testkit::kafka_client::{Message, Record};

use crate::pattern::{lines_match, shown};

const NULL: &str = "(null)";
const ARROW: &str = " => ";

fn text(bytes: Option<&Vec<u8>>) -> String {
    bytes.map_or_else(|| NULL.to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// `key => value`, or only the value where there is no key; headers as lines `^ name: value`.
pub(crate) fn lines_of(message: &Message, headers: bool) -> Vec<String> {
    let value = text(message.value.as_ref());
    let mut lines = vec![match &message.key {
        None => value,
        key => format!("{}{ARROW}{value}", text(key.as_ref())),
    }];
    if headers {
        // A stack trace is a header, too.
        let one_line = |value: String| value.lines().next().unwrap_or_default().to_owned();
        let header = |(name, value): &(String, Option<Vec<u8>>)| {
            format!("^ {name}: {}", one_line(text(value.as_ref())))
        };
        lines.extend(message.headers.iter().map(header));
    }
    lines
}

pub(crate) fn record_of(line: &str) -> Record {
    let bytes = |text: &str| (text != NULL).then(|| text.as_bytes().to_vec());
    match line.split_once(ARROW) {
        Some((key, value)) => Record { key: bytes(key), value: bytes(value), ..Record::default() },
        None => Record { value: bytes(line), ..Record::default() },
    }
}

/// Records about one connector. Statuses of different keys are written by different threads, so only the order of each key's is
/// compared.
pub(crate) fn stored_match(patterns: &[String], actual: &[String], by_key: bool) -> Result<(), String> {
    if !by_key {
        return lines_match(patterns, actual);
    }
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort_by_key(|line| line.split(ARROW).next().unwrap_or_default().to_owned());
        lines
    };
    lines_match(&sorted(patterns), &sorted(actual))
        .map_err(|fault| format!("{fault}\nas written:\n{}", shown(actual)))
}

/// How many tombstones are written for one deletion has no meaning.
pub(crate) fn without_repeated_tombstones(lines: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines {
        let key = line.split(ARROW).next().unwrap_or_default();
        let last = kept.iter().rev().find(|kept| kept.split(ARROW).next() == Some(key));
        if !line.ends_with(&format!("{ARROW}{NULL}")) || last != Some(&line) {
            kept.push(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(key: Option<&str>, value: Option<&str>) -> Message {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Message {
            partition: 0,
            offset: 0,
            key: key.map(bytes),
            value: value.map(bytes),
            headers: vec![("h".to_owned(), Some(bytes("1\n2")))],
            timestamp: None,
        }
    }

    #[test]
    fn a_record_is_a_line_and_back() {
        assert_eq!(lines_of(&message(Some("k"), None), false), ["k => (null)"]);
        assert_eq!(lines_of(&message(None, Some("v")), true), ["v", "^ h: 1"]);
        let record = record_of("k => a => b");
        assert_eq!((record.key, record.value), (Some(b"k".to_vec()), Some(b"a => b".to_vec())));
        assert_eq!(record_of("(null)").value, None);
    }

    #[test]
    fn order_between_keys_does_not_matter_where_it_is_said() {
        let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
        let (one, other) = (lines("b => 1\na => 1\na => 2"), lines("a => 1\nb => 1\na => 2"));
        assert!(stored_match(&one, &other, true).is_ok());
        assert!(stored_match(&one, &other, false).is_err());
        assert!(stored_match(&one, &lines("a => 2\nb => 1\na => 1"), true).is_err());
    }

    #[test]
    fn a_repeated_tombstone_counts_once() {
        let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
        let news = lines("a => (null)\nb => 1\na => (null)\na => 1\na => (null)\nb => 1");
        assert_eq!(
            without_repeated_tombstones(news),
            lines("a => (null)\nb => 1\na => 1\na => (null)\nb => 1")
        );
    }
}
