//! A document in two languages has the same code blocks in both: what is typed and what is answered has no language.

use super::{Finding, TextFile};

/// Folder by folder, or file by file: the English place and the Korean one.
const PAIRS: [(&str, &str); 2] = [("README.md", "README.ko.md"), ("docs/lessons/en/", "docs/lessons/ko/")];

const RULE: &str = "translation";

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let mut findings = Vec::new();
    for (here, there) in PAIRS.into_iter().chain(PAIRS.map(|(english, korean)| (korean, english))) {
        for file in files.iter().filter(|file| file.path.starts_with(here) && file.path.ends_with(".md")) {
            let path = file.path.replacen(here, there, 1);
            match find(&path) {
                None => {
                    let remedy = format!("write {path} as well: the same in the other language");
                    findings.push(Finding::new(file.path.clone(), 1, RULE, remedy));
                }
                // Each pair is compared once, and the translation is what is to be corrected.
                Some(english) if there == "README.md" || there == "docs/lessons/en/" => {
                    findings.extend(difference(english, file));
                }
                Some(_) => {}
            }
        }
    }
    findings
}

/// The first block in which the translation differs.
fn difference(english: &TextFile, translation: &TextFile) -> Option<Finding> {
    let (wanted, found) = (blocks(&english.text), blocks(&translation.text));
    let at = |line, remedy| Some(Finding::new(translation.path.clone(), line, RULE, remedy));
    for (block, (line, text)) in wanted.iter().zip(&found) {
        if block.1 != *text {
            let remedy = format!("make this code block the same as {}:{}", english.path, block.0);
            return at(*line, remedy);
        }
    }
    if wanted.len() == found.len() {
        return None;
    }
    let counts = format!("{} has {} code blocks, this file {}", english.path, wanted.len(), found.len());
    at(1, counts)
}

/// The line and the text of each code block, its fences included.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        if fence && !open {
            found.push((index + 1, String::new()));
        }
        if let Some((_, block)) = found.last_mut().filter(|_| fence || open) {
            block.push_str(line);
            block.push('\n');
        }
        open ^= fence;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(String, usize)> {
        let file = |(path, text): &(&str, &str)| TextFile { path: (*path).into(), text: (*text).into() };
        let files: Vec<TextFile> = files.iter().map(file).collect();
        check(&files).into_iter().map(|finding| (finding.file, finding.line)).collect()
    }

    #[test]
    fn the_same_blocks_between_other_words_pass() {
        let english = "# One\n\n```sh\nls\n```\nand\n```text\na\n\nb\n```\n";
        let korean = "# 하나\n```sh\nls\n```\n그리고\n\n```text\na\n\nb\n```\n끝\n";
        assert_eq!(found(&[("docs/lessons/en/01.md", english), ("docs/lessons/ko/01.md", korean)]), []);
    }

    #[test]
    fn another_block_is_found_at_its_line() {
        let english = "```sh\nls\n```\n```text\na\n```\n";
        for korean in ["\n```sh\nls\n```\n```text\nb\n```\n", "\n```sh\nls\n```\n```sh\na\n```\n"] {
            let files = [("README.md", english), ("README.ko.md", korean)];
            assert_eq!(found(&files), [("README.ko.md".to_owned(), 5)]);
        }
        let files = [("README.md", english), ("README.ko.md", "```sh\nls\n```\n")];
        assert_eq!(found(&files), [("README.ko.md".to_owned(), 1)]);
    }

    #[test]
    fn a_document_without_its_other_half_is_found() {
        assert_eq!(
            found(&[("docs/lessons/en/01.md", ""), ("docs/lessons/ko/02.md", "")]),
            [("docs/lessons/en/01.md".to_owned(), 1), ("docs/lessons/ko/02.md".to_owned(), 1)]
        );
    }
}
