//! Expected text with placeholders.

use regex::Regex;

/// What a placeholder stands for, as a regular expression.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("<any>", r"(?s:.*)"),
    ("<text>", r"(?s:.*)"),
    ("<int>", r"-?\d+"),
    ("<word>", r"[^\s,;:\x22{}]+"),
    ("<worker>", r"127\.0\.0\.1:\d+"),
    ("<base64>", r"[A-Za-z0-9+/]+=*"),
];

/// Whether the whole of `actual` is what `pattern` describes: characters stand for themselves, `<any>`, `<int>`, `<word>`,
/// `<worker>`, `<base64>` for what they say, `<re:...>` for a regular expression (without `>`).
pub(crate) fn text_matches(pattern: &str, actual: &str) -> Result<bool, String> {
    if !pattern.contains('<') {
        return Ok(pattern == actual);
    }
    let regex = Regex::new(&format!("^{}$", expression(pattern)?)).map_err(|error| error.to_string())?;
    Ok(regex.is_match(actual))
}

fn expression(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('<') {
        out.push_str(&regex::escape(&rest[..at]));
        rest = &rest[at..];
        if let Some((name, expression)) = PLACEHOLDERS.iter().find(|(name, _)| rest.starts_with(name)) {
            out.push_str(expression);
            rest = &rest[name.len()..];
        } else if let Some(inner) = rest.strip_prefix("<re:") {
            let (inner, after) = inner.split_once('>').ok_or_else(|| format!("no > after {rest}"))?;
            out.push_str(&format!("(?:{inner})"));
            rest = after;
        } else {
            out.push('<');
            rest = &rest[1..];
        }
    }
    out.push_str(&regex::escape(rest));
    Ok(out)
}

/// Compares lines one by one; the error says which line is wrong, and shows all that is there.
pub(crate) fn lines_match(patterns: &[String], actual: &[String]) -> Result<(), String> {
    for (n, pattern) in patterns.iter().enumerate() {
        let Some(line) = actual.get(n) else {
            return Err(format!(
                "line {} is missing: expected {pattern:?}, there is\n{}",
                n + 1,
                shown(actual)
            ));
        };
        if !text_matches(pattern, line)? {
            return Err(format!(
                "line {}: expected {pattern:?}, got {line:?}, all of it\n{}",
                n + 1,
                shown(actual)
            ));
        }
    }
    if actual.len() > patterns.len() {
        return Err(format!(
            "{} lines expected, {} are there\n{}",
            patterns.len(),
            actual.len(),
            shown(actual)
        ));
    }
    Ok(())
}

/// Lines as a scenario would have them, to be copied into one.
pub(crate) fn shown(lines: &[String]) -> String {
    lines.iter().map(|line| format!("| {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, actual: &str) -> bool {
        text_matches(pattern, actual).unwrap()
    }

    #[test]
    fn characters_stand_for_themselves() {
        assert!(matches("a.b", "a.b"));
        assert!(!matches("a.b", "axb"));
        assert!(matches("1 < 2 <b>", "1 < 2 <b>"), "what is no placeholder is text");
        assert!(!matches("<int>.", "5x"));
    }

    #[test]
    fn placeholders_stand_for_their_kind() {
        assert!(matches("task <int> on <worker>", "task 0 on 127.0.0.1:8083"));
        assert!(!matches("task <int>", "task x"));
        assert!(matches("<any>\nend", "a\nb\nend"));
        assert!(matches("x<any>", "x"));
        assert!(matches(r#"{"key":"<base64>"}"#, r#"{"key":"aGk="}"#));
        assert!(matches("<re:a|b>c", "bc"));
        assert!(!matches("<re:a|b>c", "b"));
    }

    #[test]
    fn a_broken_expression_is_an_error() {
        assert!(text_matches("<re:(>", "x").is_err());
        assert!(text_matches("<re:x", "x").is_err());
    }

    #[test]
    fn lines_are_compared_in_order_and_in_number() {
        let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines_match(&lines("a\n<int>"), &lines("a\n5")), Ok(()));
        assert!(lines_match(&lines("a\nb"), &lines("b\na")).unwrap_err().starts_with("line 1"));
        assert!(lines_match(&lines("a\nb"), &lines("a")).unwrap_err().contains("line 2 is missing"));
        assert!(lines_match(&lines("a"), &lines("a\nb")).unwrap_err().contains("1 lines expected, 2"));
    }
}
