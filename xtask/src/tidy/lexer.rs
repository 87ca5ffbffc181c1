//! Just enough of Rust's grammar to tell code from comments and texts.

/// The source with comments and the insides of literals blanked out, so that positions and lines stay; and the literals.
pub(super) struct Lexed {
    pub(super) code: String,
    pub(super) strings: Vec<StringLiteral>,
}

pub(super) struct StringLiteral {
    /// Where the opening quote is, in bytes of `code`.
    pub(super) at: usize,
    pub(super) text: String,
}

pub(super) fn lex(source: &str) -> Lexed {
    let bytes = source.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            let end = find(bytes, at, b"\n");
            blank(&mut code, at, end);
            end
        } else if rest.starts_with(b"/*") {
            let end = block_comment_end(bytes, at);
            blank(&mut code, at, end);
            end
        } else if let Some((open, hashes)) = raw_string(bytes, at) {
            let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let end = find(bytes, open + 1, &close);
            push(&mut strings, &mut code, source, open, end);
            (end + close.len()).min(bytes.len())
        } else if bytes[at] == b'"' {
            let end = string_end(bytes, at + 1, b'"');
            push(&mut strings, &mut code, source, at, end);
            (end + 1).min(bytes.len())
        } else if bytes[at] == b'\'' && is_char(bytes, at) {
            let end = string_end(bytes, at + 1, b'\'');
            blank(&mut code, at + 1, end);
            (end + 1).min(bytes.len())
        } else {
            at + 1
        };
        at = end;
    }
    Lexed { code: String::from_utf8_lossy(&code).into_owned(), strings }
}

fn push(strings: &mut Vec<StringLiteral>, code: &mut [u8], source: &str, open: usize, end: usize) {
    let text = source.get(open + 1..end).unwrap_or_default().to_owned();
    strings.push(StringLiteral { at: open, text });
    blank(code, open + 1, end);
}

fn blank(code: &mut [u8], from: usize, to: usize) {
    for byte in &mut code[from..to] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    let found = bytes.get(from..).and_then(|rest| rest.windows(what.len()).position(|window| window == what));
    found.map_or(bytes.len(), |position| from + position)
}

fn block_comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// Where the quote of `r"`, `br#"` and the like is, and how many `#` there are.
fn raw_string(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None; // the end of a longer name
    }
    let prefix =
        [b"br".as_slice(), b"cr", b"r"].into_iter().find(|prefix| bytes[at..].starts_with(prefix))?;
    let hashes = bytes[at + prefix.len()..].iter().take_while(|byte| **byte == b'#').count();
    let quote = at + prefix.len() + hashes;
    (bytes.get(quote) == Some(&b'"')).then_some((quote, hashes))
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn is_char(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at + 1) {
        Some(b'\\') => true,
        Some(first) => {
            let length = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            bytes.get(at + 1 + length) == Some(&b'\'')
        }
        None => false,
    }
}

fn string_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::lex;

    #[test]
    fn comments_and_texts_are_blanked_and_texts_are_kept_aside() {
        let source = "a(\"x // y\"); // \"no\"\n/* /* b */ c */ d(r#\"q\"q\"#, '\"', 'l', \"ü\\\"\") fn e<'t>(f: &'t str)";
        let lexed = lex(source);
        assert_eq!(lexed.code.len(), source.len());
        let texts: Vec<_> = lexed.strings.iter().map(|string| string.text.as_str()).collect();
        assert_eq!(texts, ["x // y", "q\"q", "ü\\\""]);
        for gone in ["//", "no", " b ", "x"] {
            assert!(!lexed.code.contains(gone), "{gone}: {}", lexed.code);
        }
        for kept in ["a(\"", " d(r#\"", "fn e<'t>(f: &'t str)"] {
            assert!(lexed.code.contains(kept), "{kept}: {}", lexed.code);
        }
        assert_eq!(lexed.code.lines().count(), 2);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_file() {
        for source in ["\"abc", "r#\"abc\"", "/* abc", "'\\", "\"abc\\", "// abc"] {
            assert_eq!(lex(source).code.len(), source.len(), "{source}");
        }
    }
}
