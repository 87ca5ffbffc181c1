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

/// Lines with continuations joined, without comments and blank lines, each with the number of its first line. Goes from
/// character to character like Java's reader, whose corners (a file that ends in a backslash, a comment behind a lone one)
/// follow from that.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let (mut line, mut first) = (String::new(), 1);
    let mut number = 1;
    // At the start of a natural line, where blanks do not count.
    let mut at_start = true;
    // The line has ended in a backslash and goes on in this one.
    let mut continues = false;
    // An odd number of backslashes is in front.
    let mut escaped = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_end = matches!(c, '\n' | '\r');
        let is_last = chars.peek().is_none();
        if c == '\r' && chars.peek() == Some(&'\n') {
            chars.next();
        }
        let here = number;
        number += usize::from(is_end);
        if at_start {
            if is_blank(c) || is_end && !continues {
                continue;
            }
            (at_start, continues) = (false, false);
        }
        if line.is_empty() {
            first = here;
            if matches!(c, '#' | '!') {
                while chars.next_if(|c| !matches!(c, '\n' | '\r')).is_some() {}
                at_start = true;
                continue;
            }
        }
        if !is_end {
            line.push(c);
            escaped = c == '\\' && !escaped;
        } else if line.is_empty() {
            at_start = true;
        } else if escaped && !is_last {
            line.pop();
            (at_start, continues, escaped) = (true, true, false);
        } else {
            if escaped {
                line.pop();
            }
            lines.push((first, std::mem::take(&mut line)));
            (at_start, escaped) = (true, false);
        }
    }
    if !line.is_empty() {
        if escaped {
            line.pop();
        }
        lines.push((first, line));
    }
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

    /// 600 generated texts and what `java.util.Properties` made of them: tests/golden/PropertiesOracle.java.
    #[test]
    fn generated_texts_are_read_as_java_reads_them() {
        use base64::Engine as _;
        let decoded = |field: &str| match field {
            "-" => Vec::new(),
            _ => base64::engine::general_purpose::STANDARD.decode(field).unwrap(),
        };
        let utf8 = |field: &str| String::from_utf8(decoded(field)).unwrap();
        let (mut equal, mut refused, mut ours) = (0, 0, 0);
        for line in include_str!("../tests/golden/properties.tsv").lines() {
            let mut fields = line.split('\t');
            let text = decoded(fields.next().unwrap());
            let rest: Vec<&str> = fields.collect();
            let shown = text.escape_ascii().to_string();
            match parse(&text) {
                Ok(_) if !text.is_ascii() && std::str::from_utf8(&text).is_ok() => ours += 1,
                Err(fault) if rest == ["!"] => {
                    assert!(fault.what.contains("four hexadecimal digits"), "{shown}: {fault}");
                    refused += 1;
                }
                Err(fault) => {
                    assert!(fault.what.contains("lone surrogate"), "{shown}: {fault}");
                    ours += 1;
                }
                Ok(parsed) => {
                    let mut expected: Vec<_> =
                        rest.chunks(2).map(|pair| (utf8(pair[0]), utf8(pair[1]))).collect();
                    let mut pairs: Vec<_> = parsed.values.into_iter().collect();
                    expected.sort();
                    pairs.sort();
                    assert_eq!(pairs, expected, "{shown}");
                    equal += 1;
                }
            }
        }
        assert_eq!((equal + refused + ours, ours < 10), (600, true), "{equal} {refused} {ours}");
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

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        /// A configuration that is written out with its separators and backslashes escaped comes back as it was.
        #[test]
        fn what_is_escaped_comes_back(pairs in proptest::collection::hash_map("\\PC{0,8}", "\\PC{0,8}", 0..5)) {
            let escaped = |text: &str| {
                text.chars().flat_map(|c| if c.is_ascii_alphanumeric() { vec![c] } else { vec!['\\', c] }).collect::<String>()
            };
            let text: String = pairs.iter().map(|(key, value)| format!("{}={}\n", escaped(key), escaped(value))).collect();
            let read: std::collections::HashMap<_, _> = parse(text.as_bytes()).unwrap().values.into_iter().collect();
            proptest::prop_assert_eq!(read, pairs);
        }
    }
}
