//! A line of input becomes a record, by the rules of Kafka's console producer. Pure.

use anyhow::{Context as _, bail};

/// What a line is made of: `[headers TAB] [key TAB] value`, with separators of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineFormat {
    parse_key: bool,
    key_separator: String,
    parse_headers: bool,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    null_marker: Option<String>,
    ignore_error: bool,
}

/// A record to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
}

const NAMES: &str = "parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, \
                     headers.key.separator, null.marker, ignore.error";

impl LineFormat {
    /// From `name=value` properties.
    pub(super) fn from_properties(properties: &[String]) -> anyhow::Result<Self> {
        let mut format = Self {
            parse_key: false,
            key_separator: "\t".into(),
            parse_headers: false,
            headers_delimiter: "\t".into(),
            headers_separator: ",".into(),
            headers_key_separator: ":".into(),
            null_marker: None,
            ignore_error: false,
        };
        for property in properties {
            let (name, value) = split_property(property)?;
            match name {
                "parse.key" => format.parse_key = is_true(property, value)?,
                "parse.headers" => format.parse_headers = is_true(property, value)?,
                "ignore.error" => format.ignore_error = is_true(property, value)?,
                "null.marker" => format.null_marker = Some(value.to_owned()),
                "key.separator" => format.key_separator = separator(name, value)?,
                "headers.delimiter" => format.headers_delimiter = separator(name, value)?,
                "headers.separator" => format.headers_separator = separator(name, value)?,
                "headers.key.separator" => format.headers_key_separator = separator(name, value)?,
                _ => bail!("--property {name} is not known here; known are: {NAMES}"),
            }
        }
        Ok(format)
    }

    /// `number` counts from 1, for the error.
    pub(super) fn parse(&self, line: &[u8], number: u64) -> anyhow::Result<Parsed> {
        let mut record = Parsed::default();
        let mut rest = line;
        if self.parse_headers {
            match self.cut(&mut rest, &self.headers_delimiter, "headers.delimiter", number)? {
                Some(headers) if !self.is_null(headers) => record.headers = self.headers(headers, number)?,
                _ => {}
            }
        }
        if self.parse_key {
            let key = self.cut(&mut rest, &self.key_separator, "key.separator", number)?;
            record.key = key.and_then(|key| self.unless_null(key));
        }
        record.value = self.unless_null(rest);
        Ok(record)
    }

    /// What is before the separator; the rest is left. `None` if there is no separator and that is to be ignored.
    fn cut<'a>(
        &self,
        rest: &mut &'a [u8],
        separator: &str,
        name: &str,
        number: u64,
    ) -> anyhow::Result<Option<&'a [u8]>> {
        let Some(at) = find(rest, separator.as_bytes()) else {
            if self.ignore_error {
                return Ok(None);
            }
            bail!(
                "line {number} has no {name} {separator:?}: {:?} (another separator: --property {name}=X)",
                String::from_utf8_lossy(rest)
            );
        };
        let (before, after) = rest.split_at(at);
        *rest = &after[separator.len()..];
        Ok(Some(before))
    }

    fn headers(&self, text: &[u8], number: u64) -> anyhow::Result<Vec<(String, Option<Vec<u8>>)>> {
        let text = std::str::from_utf8(text)
            .with_context(|| format!("the headers of line {number} are not UTF-8"))?;
        let mut headers = Vec::new();
        for header in text.split(self.headers_separator.as_str()) {
            match header.split_once(self.headers_key_separator.as_str()) {
                Some((name, value)) => headers.push((name.to_owned(), self.unless_null(value.as_bytes()))),
                None if self.ignore_error => headers.push((header.to_owned(), None)),
                None => bail!(
                    "line {number} has no headers.key.separator {:?} in its header {header:?}",
                    self.headers_key_separator
                ),
            }
        }
        Ok(headers)
    }

    fn is_null(&self, text: &[u8]) -> bool {
        self.null_marker.as_ref().is_some_and(|marker| marker.as_bytes() == text)
    }

    fn unless_null(&self, text: &[u8]) -> Option<Vec<u8>> {
        (!self.is_null(text)).then(|| text.to_vec())
    }
}

/// `name=value`.
pub(super) fn split_property(property: &str) -> anyhow::Result<(&str, &str)> {
    property.split_once('=').with_context(|| format!("--property {property} is not of the form NAME=VALUE"))
}

pub(super) fn is_true(property: &str, value: &str) -> anyhow::Result<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => bail!("--property {property}: the value must be true or false"),
    }
}

fn separator(name: &str, value: &str) -> anyhow::Result<String> {
    if value.is_empty() {
        bail!("--property {name}= is empty, and nothing can be cut at nothing");
    }
    Ok(unescape(value))
}

/// A tab is hard to type in a shell.
pub(super) fn unescape(value: &str) -> String {
    value.replace("\\t", "\t").replace("\\n", "\n")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(properties: &[&str], line: &str) -> anyhow::Result<Parsed> {
        let properties: Vec<String> = properties.iter().map(ToString::to_string).collect();
        LineFormat::from_properties(&properties)?.parse(line.as_bytes(), 7)
    }

    fn some(text: &str) -> Option<Vec<u8>> {
        Some(text.as_bytes().to_vec())
    }

    #[test]
    fn a_line_is_a_value_unless_told_otherwise() {
        assert_eq!(parse(&[], "a:b").unwrap(), Parsed { value: some("a:b"), ..Parsed::default() });
        assert_eq!(parse(&[], "").unwrap().value, some(""));
    }

    #[test]
    fn key_and_value_are_cut_at_the_first_separator() {
        let record = parse(&["parse.key=true", "key.separator=:"], "k:v:w").unwrap();
        assert_eq!((record.key, record.value), (some("k"), some("v:w")));
        let record = parse(&["parse.key=true"], "k\t").unwrap();
        assert_eq!((record.key, record.value), (some("k"), some("")));
    }

    #[test]
    fn headers_come_first_and_the_marker_is_null() {
        let properties = ["parse.key=true", "parse.headers=true", "null.marker=NULL"];
        let record = parse(&properties, "a:1,b:NULL\tNULL\tNULL").unwrap();
        assert_eq!(record.headers, [("a".to_owned(), some("1")), ("b".to_owned(), None)]);
        assert_eq!((record.key, record.value), (None, None));
        assert_eq!(parse(&properties, "NULL\tk\tv").unwrap().headers, []);
    }

    #[test]
    fn a_line_without_separator_is_named() {
        let error = parse(&["parse.key=true", "key.separator=:"], "no key").unwrap_err().to_string();
        assert!(error.contains("line 7 has no key.separator \":\": \"no key\""), "{error}");
        let ignoring = ["parse.key=true", "key.separator=:", "ignore.error=true"];
        assert_eq!(
            parse(&ignoring, "no key").unwrap(),
            Parsed { value: some("no key"), ..Parsed::default() }
        );
    }

    #[test]
    fn a_property_that_is_not_known_is_refused() {
        for (property, part) in [
            ("print.key=true", "known are: parse.key"),
            ("parse.key", "NAME=VALUE"),
            ("parse.key=yes", "true or false"),
            ("key.separator=", "empty"),
        ] {
            let error = parse(&[property], "x").unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
