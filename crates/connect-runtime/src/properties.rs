//! Reading Java's `.properties` files, by the rules of `java.util.Properties.load`.
//!
//! Java reads these files as ISO-8859-1; people write them as UTF-8. Both are accepted: a file that is valid UTF-8 is read
//! as such (plain ASCII is the same in both), anything else byte by byte as ISO-8859-1.

use connect_api::ConfigMap;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum PropertiesError {
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}: {fault}", path.display())]
    Syntax { path: PathBuf, fault: PropertiesFault },
}

/// What is wrong with a text, and where. Never quotes a value: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct PropertiesFault {
    pub line: usize,
    pub what: String,
}

/// A file's keys in the order of the file; of a key given twice the last value counts, as in Java.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    pub values: ConfigMap,
    /// Keys given more than once, which is rarely meant.
    pub repeated: Vec<String>,
}

pub fn read(path: &Path) -> Result<Properties, PropertiesError> {
    let bytes = std::fs::read(path).map_err(|source| PropertiesError::Read { path: path.into(), source })?;
    parse(&bytes).map_err(|fault| PropertiesError::Syntax { path: path.into(), fault })
}

pub fn parse(bytes: &[u8]) -> Result<Properties, PropertiesFault> {
    let text = decode(bytes)?;
    let mut properties = Properties::default();
    for (line, content) in logical_lines(&text) {
        let (key, value) = split(&content);
        let key =
            unescape(key).map_err(|what| PropertiesFault { line, what: format!("in the key, {what}") })?;
        // Windows paths with single backslashes are common here, and nothing ever looks at the value.
        let value = if key == "plugin.path" {
            value.to_owned()
        } else {
            unescape(value)
                .map_err(|what| PropertiesFault { line, what: format!("in the value of {key}, {what}") })?
        };
        if properties.values.insert(key.clone(), value).is_some() {
            properties.repeated.push(key);
        }
    }
    Ok(properties)
}

fn decode(bytes: &[u8]) -> Result<String, PropertiesFault> {
    if bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]) {
        return Err(PropertiesFault { line: 1, what: "the file is UTF-16: save it as UTF-8".into() });
    }
    match std::str::from_utf8(bytes) {
        // Some editors put a byte order mark in front; Java would take it for a part of the first key.
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        Err(_) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

/// Lines with continuations joined, without comments and blank lines, each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, natural) in unix.split('\n').enumerate() {
        let content = natural.trim_start_matches(is_blank);
        // A comment mark counts at the start of a logical line only: `a\` followed by `#b` is `a#b`.
        let starts = open.as_ref().is_none_or(|(_, so_far)| so_far.is_empty());
        if starts && (content.is_empty() || content.starts_with(['#', '!'])) {
            open = None;
            continue;
        }
        let continued = content.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let content = if continued { &content[..content.len() - 1] } else { content };
        let (first, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        joined.push_str(content);
        if continued {
            open = Some((first, joined));
        } else {
            lines.push((first, joined));
        }
    }
    lines.extend(open.filter(|(_, joined)| !joined.is_empty()));
    lines
}

/// The key ends at the first `=`, `:` or blank that is not escaped; blanks around the separator belong to neither side.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && (is_blank(*c) || matches!(c, '=' | ':'));
        escaped = *c == '\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], value.trim_start_matches(is_blank))
}

fn unescape(text: &str) -> Result<String, String> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    // UTF-16 units, because a character beyond the basic plane is written as two escapes.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut buffer = [0; 2];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut buffer));
            continue;
        }
        match chars.next() {
            None => {}
            Some('t') => units.push(u16::from(b'\t')),
            Some('n') => units.push(u16::from(b'\n')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('f') => units.push(0xC),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let is_hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                units.push(unit.ok_or(
                    "\\u is not followed by four hexadecimal digits (write a backslash that means itself as \\\\)",
                )?);
            }
            Some(other) => units.extend_from_slice(other.encode_utf16(&mut buffer)),
        }
    }
    String::from_utf16(&units).map_err(|_| "\\u escapes name half a character (a lone surrogate)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let parsed = parse(text.as_bytes()).unwrap();
        let pairs: Vec<_> = parsed.values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, expected, "{text:?}");
    }

    /// Each expectation was printed by `java.util.Properties` of JDK 17 (its keys sorted into the order of the text).
    #[test]
    fn separators_blanks_and_comments() {
        check(
            "a=1\nb:2\nc 3\nd = 4\ne  :  5\nf\t=\t6\n",
            &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5"), ("f", "6")],
        );
        check("  # note\n! note\n\n \t\n  a = b # not a comment  \n", &[("a", "b # not a comment  ")]);
        check("a==b\nc=:d\ne:=f", &[("a", "=b"), ("c", ":d"), ("e", "=f")]);
        check("alone\nempty=\n=novalue", &[("alone", ""), ("empty", ""), ("", "novalue")]);
    }

    #[test]
    fn escapes() {
        check(r"a\=b=c\:d", &[("a=b", "c:d")]);
        check(r"a\ b=\ c", &[("a b", " c")]);
        check(r"tab=x\ty\nz\f\r", &[("tab", "x\ty\nz\u{c}\r")]);
        check(r"path=C:\temp\x\\y", &[("path", "C:\tempx\\y")]);
        check(r"name=\uC8FC\uBB38 \uD83D\uDE00", &[("name", "주문 😀")]);
        check(r"plugin.path=\D:\\Work\\kafka\users\lib", &[("plugin.path", r"\D:\\Work\\kafka\users\lib")]);
    }

    #[test]
    fn continuations() {
        check("a=1,\\\n   2,\\\r\n\t3\nb=4", &[("a", "1,2,3"), ("b", "4")]);
        check("a=x\\\\\nb=y", &[("a", "x\\"), ("b", "y")]);
        check("a=x\\\n#y", &[("a", "x#y")]);
        check("# a comment does not continue \\\nb=y", &[("b", "y")]);
        check("a=x\\", &[("a", "x")]);
        check("a=x\\\n\nb=y", &[("a", "x"), ("b", "y")]);
    }

    #[test]
    fn both_encodings_and_a_byte_order_mark() {
        check("\u{feff}name=주문\r\n", &[("name", "주문")]);
        assert_eq!(parse(b"name=caf\xE9").unwrap().values["name"], "café");
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let parsed = parse(b"a=1\nb=2\na=3").unwrap();
        assert_eq!((parsed.values["a"].as_str(), parsed.repeated.as_slice()), ("3", &["a".to_owned()][..]));
    }

    #[test]
    fn faults_name_line_and_key() {
        let fault = |text: &[u8]| parse(text).unwrap_err().to_string();
        assert_eq!(
            fault(b"a=1\n\nfile=C:\\users\n"),
            "line 3: in the value of file, \\u is not followed by four hexadecimal digits (write a backslash that means \
             itself as \\\\)"
        );
        assert_eq!(
            fault(b"a=\\uD83D"),
            "line 1: in the value of a, \\u escapes name half a character (a lone surrogate)"
        );
        assert_eq!(fault(b"\xFF\xFEa\0"), "line 1: the file is UTF-16: save it as UTF-8");
    }
}
