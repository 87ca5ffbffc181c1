//! `$name` in scenario files.

use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Debug, Default)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Replaces each `$name`; `$$` is a dollar sign, and so is one before anything but a letter.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(escaped) = after.strip_prefix('$') {
                out.push('$');
                rest = escaped;
                continue;
            }
            let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let known = || self.0.keys().cloned().collect::<Vec<_>>().join(", ");
                let value = self.0.get(name);
                out.push_str(
                    value.ok_or_else(|| format!("unknown variable ${name}; known are {}", known()))?,
                );
            } else {
                out.push('$');
                out.push_str(name);
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    pub(crate) fn fill_all(&self, lines: &[String]) -> Result<Vec<String>, String> {
        lines.iter().map(|line| self.fill(line)).collect()
    }

    /// In keys and in texts of a JSON value.
    pub(crate) fn fill_json(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => Value::String(self.fill(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill_json(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| Ok((self.fill(key)?, self.fill_json(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_filled_in_everywhere() {
        let mut variables = Variables::default();
        variables.set("c", "name-1");
        variables.set("w1", "127.0.0.1:1");
        assert_eq!(variables.fill("/x/$c-2 at $w1.").unwrap(), "/x/name-1-2 at 127.0.0.1:1.");
        assert_eq!(variables.fill("$$c ${a} 5$ $1").unwrap(), "$c ${a} 5$ $1");
        assert!(variables.fill("$cc").unwrap_err().contains("unknown variable $cc; known are c, w1"));
        assert_eq!(
            variables.fill_json(&json!({"$c": ["a$c", 1]})).unwrap(),
            json!({"name-1": ["aname-1", 1]})
        );
    }
}
