//! `topics.regex`: librdkafka subscribes to POSIX extended expressions, users write java.util.regex.

use connect_api::ConnectError;

/// The expression that matches a whole topic name exactly when Java's `pattern` does. What POSIX cannot express is
/// refused: a subscription that reads other topics than the Java worker's would be worse.
pub(crate) fn subscription(pattern: &str) -> Result<String, ConnectError> {
    match rewrite(pattern) {
        Ok(inner) => Ok(format!("^({inner})$")),
        Err(what) => Err(ConnectError::config(format!(
            "Invalid value {pattern} for configuration topics.regex: {what}; this worker knows characters, ., [..], (..), |, \
             *, +, ?, {{n,m}}, \\d, \\w, \\s and escaped punctuation"
        ))),
    }
}

fn rewrite(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut depth = 0_usize;
    // Whether a quantifier may follow, and whether one was just read.
    let (mut atom, mut quantified) = (false, false);
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push_str(&escape(chars.next(), false)?);
                (atom, quantified) = (true, false);
            }
            '[' => {
                out.push_str(&class(&mut chars)?);
                (atom, quantified) = (true, false);
            }
            '(' => {
                if chars.next_if_eq(&'?').is_some() && chars.next() != Some(':') {
                    return Err("(?..) groups other than (?:..) are not supported".into());
                }
                depth += 1;
                out.push('(');
                (atom, quantified) = (false, false);
            }
            ')' if depth == 0 => return Err("a ) has no (".into()),
            ')' => {
                depth -= 1;
                out.push(')');
                (atom, quantified) = (true, false);
            }
            '*' | '+' | '?' | '{' if quantified => {
                return Err("lazy and possessive quantifiers are not supported".into());
            }
            '*' | '+' | '?' | '{' if !atom => return Err(format!("there is nothing to repeat before {c}")),
            '{' => {
                let body: String =
                    std::iter::from_fn(|| chars.next_if(|c| c.is_ascii_digit() || *c == ',')).collect();
                if chars.next() != Some('}') || !body.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err("a { needs the form {n}, {n,} or {n,m}".into());
                }
                out.push_str(&format!("{{{body}}}"));
                quantified = true;
            }
            '*' | '+' | '?' => {
                out.push(c);
                quantified = true;
            }
            // The whole name has to match anyway.
            '^' if out.is_empty() => {}
            '$' if chars.peek().is_none() => {}
            '^' | '$' => return Err(format!("{c} inside of the expression is not supported")),
            '|' => {
                out.push('|');
                (atom, quantified) = (false, false);
            }
            '.' => {
                out.push('.');
                (atom, quantified) = (true, false);
            }
            ']' | '}' => {
                out.push_str(&format!("\\{c}"));
                (atom, quantified) = (true, false);
            }
            c => {
                out.push(c);
                (atom, quantified) = (true, false);
            }
        }
    }
    if depth > 0 { Err("a ( has no )".into()) } else { Ok(out) }
}

/// What follows a backslash.
fn escape(c: Option<char>, in_class: bool) -> Result<String, String> {
    let members = match c {
        Some('d') => "0-9",
        Some('w') => "A-Za-z0-9_",
        Some('s') => " \t",
        Some(c @ ('-' | '_' | ' ')) => return Ok(c.to_string()),
        Some(c) if c.is_ascii_punctuation() && !in_class => return Ok(format!("\\{c}")),
        Some(c @ '.') => return Ok(c.to_string()),
        Some(c) => return Err(format!("\\{c} is not supported here")),
        None => return Err("a \\ stands at the end".into()),
    };
    Ok(if in_class { members.to_owned() } else { format!("[{members}]") })
}

/// A bracket expression, the `[` already read. Inside of it POSIX knows no escapes.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut out = String::from("[");
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut dash_last = false;
    let start = out.len();
    loop {
        match chars.next() {
            None => return Err("a [ has no ]".into()),
            Some(']') if out.len() == start && !dash_last => return Err("a [] is empty".into()),
            Some(']') => break,
            Some('[') => return Err("a [ inside of [..] is not supported".into()),
            Some('&') if chars.peek() == Some(&'&') => {
                return Err("&& inside of [..] is not supported".into());
            }
            // An escaped dash is a member, which POSIX takes only at the end.
            Some('\\') if chars.next_if_eq(&'-').is_some() => dash_last = true,
            Some('\\') => out.push_str(&escape(chars.next(), true)?),
            Some(c) => out.push(c),
        }
    }
    if dash_last {
        out.push('-');
    }
    out.push(']');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_understand() {
        for (java, posix) in [
            ("orders.*", "^(orders.*)$"),
            ("^orders$", "^(orders)$"),
            ("a|b", "^(a|b)$"),
            (r"shop\.(?:orders|items)-\d{2,3}", r"^(shop\.(orders|items)-[0-9]{2,3})$"),
            (r"[\w\-.]+", "^([A-Za-z0-9_.-]+)$"),
            ("[^_].*", "^([^_].*)$"),
        ] {
            assert_eq!(subscription(java).unwrap(), posix, "{java}");
        }
    }

    #[test]
    fn what_posix_cannot_say_is_refused() {
        for java in [
            "(?!x).*", "(?i)a", "a*?", "a++", r"\p{L}", r"\Qa\E", r"a\b", "[a&&b]", "[[a]b]", "(a", "a)",
            "[a", "[]", "*a", "a{x}", "a^b", "a\\",
        ] {
            let error = subscription(java).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("Invalid value {java} for configuration topics.regex: ")),
                "{error}"
            );
        }
    }
}
