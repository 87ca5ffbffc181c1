//! Traces of failed tasks may quote configuration. The status page is open to everybody, so it shows the first line
//! only, and nothing in it that looks like a secret.

const CHARS_MAX: usize = 300;

/// Words that announce a secret when `=` or `:` follows.
const SECRET_WORDS: &[&str] =
    &["password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api.key"];

/// The part of a trace that everybody may see, if there is any.
pub(super) fn for_everybody(trace: &str) -> Option<String> {
    let line = trace.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line = without_credentials(&without_assigned_secrets(line));
    Some(match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    })
}

/// `scheme://user:password@host` loses what stands before the `@`.
fn without_credentials(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\''));
        let authority = &after[..end.unwrap_or(after.len())];
        // A password may hold an @ itself.
        rest = match authority.rfind('@') {
            Some(at) => {
                out.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    out + rest
}

/// `password=x`, `"secret": "x"`, `token: x`: the value goes.
fn without_assigned_secrets(line: &str) -> String {
    // ASCII lower case keeps every index.
    let lower = line.to_ascii_lowercase();
    let mut out = String::with_capacity(line.len());
    let mut done = 0;
    while let Some((start, end)) = next_secret(line, &lower, done) {
        out.push_str(&line[done..start]);
        out.push_str("***");
        done = end;
    }
    out + &line[done..]
}

/// Where the next secret value begins and ends.
fn next_secret(line: &str, lower: &str, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let word_end = SECRET_WORDS
            .iter()
            .filter_map(|word| lower[from..].find(word).map(|at| from + at + word.len()))
            .min()?;
        let after = line[word_end..].trim_start_matches(['"', '\'', ' ']);
        if let Some(value) = after.strip_prefix(['=', ':']) {
            let spaces = value.trim_start();
            let quote = spaces.chars().next().filter(|c| matches!(c, '"' | '\''));
            let value = quote.map_or(spaces, |_| &spaces[1..]);
            let start = line.len() - value.len();
            let length = match quote {
                Some(quote) => value.find(quote),
                None => value.find(|c: char| c.is_whitespace() || matches!(c, '&' | ',' | ';' | ')' | '}')),
            };
            let end = start + length.unwrap_or(value.len());
            if end > start {
                return Some((start, end));
            }
        }
        from = word_end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_and_no_secrets() {
        for (trace, wanted) in [
            ("", None),
            (" \n\n", None),
            ("boom\n\tat a.b.C(D.java:1)", Some("boom")),
            (
                "\nConnection to jdbc:mysql://db:3306/x refused",
                Some("Connection to jdbc:mysql://db:3306/x refused"),
            ),
            ("mysql://root:test1357@db:3306/x failed", Some("mysql://***@db:3306/x failed")),
            ("a://u:p@ss@h/x and b://v:q@i", Some("a://***@h/x and b://***@i")),
            (
                "jdbc:mysql://h/db?user=a&password=p%40s&ssl=1",
                Some("jdbc:mysql://h/db?user=a&password=***&ssl=1"),
            ),
            ("connection.Password = x, next", Some("connection.Password = ***, next")),
            (
                r#"{"connection.password": "a \ b", "x": 1}"#,
                Some(r#"{"connection.password": "***", "x": 1}"#),
            ),
            (
                "Access denied for user 'root' (using password: YES)",
                Some("Access denied for user 'root' (using password: ***)"),
            ),
            ("the password is wrong", Some("the password is wrong")),
            ("token=a token=b", Some("token=*** token=***")),
            ("é password=é é", Some("é password=*** é")),
            ("password=", Some("password=")),
        ] {
            assert_eq!(for_everybody(trace).as_deref(), wanted, "{trace}");
        }
        assert_eq!(for_everybody(&"é".repeat(1000)).unwrap().chars().count(), CHARS_MAX + 3);
    }
}
