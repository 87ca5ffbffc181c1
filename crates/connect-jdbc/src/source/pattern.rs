//! Regular expressions over full table names. The reference reads them with RE2, whose language is that of the `regex` crate: no
//! look-around, no back-references, and time that grows with the text alone.

use regex::Regex;

/// Matches a whole name.
#[derive(Clone, Debug)]
pub(crate) struct TablePattern(Regex);

impl TablePattern {
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        // As it stands, or a `)` in it could close the group that holds it.
        let alone = Regex::new(pattern).map_err(|error| what_is_wrong(&error))?;
        let whole = Regex::new(&format!(r"\A(?:{})\z", alone.as_str()));
        whole.map(Self).map_err(|error| what_is_wrong(&error))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// The last line of the error; those before it draw the expression.
fn what_is_wrong(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
