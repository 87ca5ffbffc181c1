//! Rules for Rust source.

use super::lexer::{Lexed, lex};
use super::{Finding, TextFile};

/// Above this a file is listed.
pub(super) const LONG: usize = 400;
/// Above this it is a finding.
const TOO_LONG: usize = 700;

/// Code that is not finished or not run.
const FORBIDDEN: [(&str, &str, &str); 5] = [
    (
        "#[ignore",
        "ignored-test",
        "a test that is not run proves nothing: repair it, or delete it with its feature",
    ),
    ("todo!(", "unfinished", "write it, or refuse the case with an error that says so"),
    ("unimplemented!(", "unfinished", "write it, or refuse the case with an error that says so"),
    ("dbg!(", "debugging", "remove it, or log by tracing"),
    ("#[should_panic", "should-panic", "return the error and compare it"),
];

/// Names that keep their capital at the beginning of a log message.
const PROPER_NAMES: [&str; 8] =
    ["Apache", "Confluent", "Java", "Kafka", "MariaDB", "MySQL", "PostgreSQL", "SQLite"];

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    let lexed = lex(&file.text);
    let mut findings = Vec::new();
    for (line, code) in lexed.code.lines().enumerate() {
        for (pattern, rule, remedy) in FORBIDDEN {
            if contains_word(code, pattern) {
                findings.push(Finding::new(file.path.clone(), line + 1, rule, remedy));
            }
        }
    }
    findings.extend(log_messages(&lexed).filter_map(|(at, message)| {
        let remedy = log_fault(message)?;
        let line = lexed.code[..at].matches('\n').count() + 1;
        Some(Finding::new(file.path.clone(), line, "log-message", remedy))
    }));
    let lines = code_lines(&file.path, &lexed);
    if lines > TOO_LONG {
        let remedy = format!("{lines} lines: split the file by purpose (at most {TOO_LONG}, tests aside)");
        findings.push(Finding::new(file.path.clone(), 1, "file-length", remedy));
    }
    findings
}

/// Files that are long but not too long.
pub(super) fn long_files(files: &[TextFile]) -> Vec<(&str, usize)> {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    rust.map(|file| (file.path.as_str(), code_lines(&file.path, &lex(&file.text))))
        .filter(|(_, lines)| (LONG + 1..=TOO_LONG).contains(lines))
        .collect()
}

/// Lines that are not tests: up to the test module, which comes last.
fn code_lines(path: &str, lexed: &Lexed) -> usize {
    if path.split('/').any(|part| part == "tests" || part == "tests.rs") {
        return 0;
    }
    let lines: Vec<&str> = lexed.code.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests"));
    tests.unwrap_or(lines.len())
}

/// `pattern` not as the end of a longer name.
fn contains_word(code: &str, pattern: &str) -> bool {
    code.match_indices(pattern).any(|(at, _)| at == 0 || !is_name(code.as_bytes()[at - 1]))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Place and text of the message of each tracing macro: the literal among its direct arguments that is not a field's value.
fn log_messages(lexed: &Lexed) -> impl Iterator<Item = (usize, &str)> {
    let code = lexed.code.as_bytes();
    let calls = ["trace!(", "debug!(", "info!(", "warn!(", "error!("].into_iter().flat_map(move |call| {
        let found = lexed.code.match_indices(call).filter(|(at, _)| *at == 0 || !is_name(code[at - 1]));
        found.map(move |(at, _)| at + call.len())
    });
    calls.filter_map(move |start| {
        let mut depth = 1;
        let mut before = b'(';
        let mut at = start;
        while at < code.len() && depth > 0 {
            match code[at] {
                b'"' => {
                    let string = lexed.strings.iter().find(|string| string.at == at)?;
                    if depth == 1 && (before == b'(' || before == b',') {
                        return Some((at, string.text.as_str()));
                    }
                    at += string.text.len() + 1;
                    before = b'"';
                }
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
            if let Some(byte) = code.get(at).filter(|byte| !byte.is_ascii_whitespace()) {
                before = *byte;
            }
            at += 1;
        }
        None
    })
}

fn log_fault(message: &str) -> Option<String> {
    let word = message.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let mut letters = word.chars();
    let capital =
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_none_or(char::is_lowercase);
    if capital && !PROPER_NAMES.contains(&word) {
        return Some(format!("log messages begin in lower case: {message:?}"));
    }
    (message.ends_with('.') && !message.ends_with(".."))
        .then(|| format!("log messages end without a dot: {message:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|finding| (finding.line, finding.rule)).collect()
    }

    #[test]
    fn unfinished_code_is_found_and_words_about_it_are_not() {
        let text = "// todo!() later\nfn a() {\n    todo!()\n}\n#[ignore = \"slow\"]\nlet b = \"dbg!(x)\";\nmy_dbg!(x);\n";
        assert_eq!(rules("a.rs", text), [(3, "unfinished"), (5, "ignored-test")]);
    }

    #[test]
    fn log_messages_are_lower_case_without_a_dot() {
        let good = [
            "info!(%topic, \"topic created\");",
            "tracing::warn!(error = %e, field = \"Upper.\", \"cannot read {}\", name(\"Upper\"));",
            "info!(\"Kafka is there\");",
            "error!(\"SIGTERM received, {x}...\");",
            "debug!(target: \"Wire.\", \"sent\");",
            "fn error(text: &str) {}",
        ];
        for code in good {
            assert_eq!(rules("a.rs", code), [], "{code}");
        }
        assert_eq!(
            rules("a.rs", "fn a() {\n    info!(\n        id,\n        \"Topic created\"\n    );\n}"),
            [(4, "log-message")]
        );
        assert_eq!(rules("a.rs", "tracing::error!(\"it failed.\")"), [(1, "log-message")]);
        assert_eq!(rules("a.rs", "warn!(\"A topic is missing\")"), [(1, "log-message")]);
    }

    #[test]
    fn length_counts_code_and_not_tests() {
        let code = "fn a() {}\n".repeat(TOO_LONG);
        let with_tests = format!("{code}#[cfg(test)]\nmod tests {{\n{}}}\n", "// test\n".repeat(500));
        assert_eq!(rules("src/a.rs", &with_tests), []);
        assert_eq!(rules("src/a.rs", &format!("{code}fn b() {{}}\n")), [(1, "file-length")]);
        assert_eq!(rules("tests/e2e/a.rs", &format!("{code}fn b() {{}}\n")), []);
        let file = TextFile { path: "src/a.rs".to_owned(), text: code };
        assert_eq!(long_files(&[file]), [("src/a.rs", TOO_LONG)]);
    }
}
