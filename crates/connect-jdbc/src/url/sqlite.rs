//! `jdbc:sqlite:PATH`, with the pragmas that sqlite-jdbc takes as parameters.

use super::{SqliteUrl, UrlError};
use std::time::Duration;

pub(super) const FORM: &str = "jdbc:sqlite:/path/to/file.db";

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The pragmas that a URL may set and their values; the words go into SQL text, so they come from here only.
const PRAGMAS: &[(&str, &[&str])] = &[
    ("foreign_keys", &["true", "false", "on", "off", "1", "0"]),
    ("journal_mode", &["delete", "truncate", "persist", "memory", "wal", "off"]),
    ("synchronous", &["off", "normal", "full", "extra", "0", "1", "2", "3"]),
];

impl SqliteUrl {
    /// `rest` is what follows `jdbc:sqlite:`.
    pub(super) fn parse(rest: &str, properties: &[(&str, &str)]) -> Result<Self, UrlError> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let wrong = |what: &str| Err(UrlError(format!("{what}; the expected form is {FORM}")));
        if path.is_empty() || path.contains(":memory:") {
            return wrong("an in-memory database would be lost with its connection");
        }
        if path.starts_with("file:") || path.starts_with(":resource:") {
            return wrong("file: and :resource: addresses are not supported");
        }
        if path.ends_with('/') || path.contains('\0') {
            return wrong("the path names no file");
        }
        let mut parsed =
            Self { path: path.into(), busy_timeout: BUSY_TIMEOUT, pragmas: Vec::new(), ignored: Vec::new() };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        for (key, value) in
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).chain(properties.iter().copied())
        {
            parsed.apply(key, value)?;
        }
        Ok(parsed)
    }

    fn apply(&mut self, key: &str, value: &str) -> Result<(), UrlError> {
        let key = key.to_ascii_lowercase();
        if key == "busy_timeout" {
            let ms = value
                .parse()
                .map_err(|_| UrlError("the parameter busy_timeout is not a number of milliseconds".into()))?;
            self.busy_timeout = Duration::from_millis(ms);
            return Ok(());
        }
        let Some((pragma, values)) = PRAGMAS.iter().find(|(pragma, _)| *pragma == key) else {
            self.ignored.push(key);
            return Ok(());
        };
        let Some(value) = values.iter().find(|known| known.eq_ignore_ascii_case(value)) else {
            return Err(UrlError(format!("the parameter {pragma} is none of {}", values.join(", "))));
        };
        self.pragmas.push((pragma, value));
        Ok(())
    }
}
