//! Hygiene of every text file.

use super::lexer::lex;
use super::{Finding, TextFile};

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    // Golden files hold what a program wrote, byte for byte; the lock file and licences are other people's.
    if file.path.split('/').any(|part| part == "golden")
        || file.path == "Cargo.lock"
        || file.path == "LICENSE"
    {
        return Vec::new();
    }
    // A text of several lines in Rust may need its spaces: what another program prints, compared to the letter.
    let literals = if file.path.ends_with(".rs") { lex(&file.text).strings } else { Vec::new() };
    let in_literal = |at: usize| {
        literals.iter().any(|literal| (literal.at + 1..=literal.at + literal.text.len()).contains(&at))
    };
    let mut findings = Vec::new();
    let mut end = 0;
    for (index, line) in file.text.split('\n').enumerate() {
        end += line.len() + 1;
        let mut found =
            |rule, remedy: &str| findings.push(Finding::new(file.path.clone(), index + 1, rule, remedy));
        if line.ends_with('\r') {
            found("line-ending", "end lines with LF, not CRLF");
        } else if line.ends_with([' ', '\t']) && !in_literal(end - 2) {
            found("trailing-whitespace", "remove the white space at the end of the line");
        }
        if ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)) {
            found("merge-conflict", "resolve the conflict");
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        findings.push(Finding::new(file.path.clone(), last, "final-newline", "end the file with a newline"));
    } else if file.text.ends_with("\n\n") {
        let last = file.text.lines().count();
        findings.push(Finding::new(
            file.path.clone(),
            last,
            "final-newline",
            "remove the empty lines at the end",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|finding| (finding.line, finding.rule)).collect()
    }

    #[test]
    fn clean_text_passes() {
        assert_eq!(rules("a.md", "one\n\ntwo\n"), []);
        assert_eq!(rules("a.md", ""), []);
    }

    #[test]
    fn dirt_is_found_where_it_is() {
        assert_eq!(
            rules("a.md", "one \ntwo\r\nthree\t\n"),
            [(1, "trailing-whitespace"), (2, "line-ending"), (3, "trailing-whitespace")]
        );
        assert_eq!(rules("a.md", "one\ntwo"), [(2, "final-newline")]);
        assert_eq!(rules("a.md", "one\n\n"), [(2, "final-newline")]);
        assert_eq!(rules("a.md", "<<<<<<< HEAD\n"), [(1, "merge-conflict")]);
    }

    #[test]
    fn a_text_inside_a_program_keeps_its_spaces() {
        assert_eq!(rules("a.rs", "let a = \"ALTER \nTABLE\"; \n"), [(2, "trailing-whitespace")]);
        assert_eq!(rules("a.rs", "let a = r#\"\nALTER \nTABLE\n\"#;\n"), []);
    }

    #[test]
    fn golden_files_are_as_they_were_written() {
        assert_eq!(rules("crates/contracts/golden/order.json", "{} "), []);
    }
}
