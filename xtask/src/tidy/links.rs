//! Links between the documents of the repository. Nothing is fetched: links to the net are not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::{Finding, TextFile};

pub(super) fn check(files: &[TextFile], paths: &[PathBuf]) -> Vec<Finding> {
    let known = known(paths);
    let documents = || files.iter().filter(|file| file.path.ends_with(".md"));
    let anchors: BTreeMap<&str, BTreeSet<String>> =
        documents().map(|file| (file.path.as_str(), anchors(&file.text))).collect();
    let mut findings = Vec::new();
    for file in documents() {
        for (line, target) in links(&file.text) {
            if let Some(remedy) = fault(&file.path, &target, &known, &anchors) {
                findings.push(Finding::new(file.path.clone(), line, "dead-link", remedy));
            }
        }
    }
    findings
}

/// All files, and the folders they are in.
fn known(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    paths.iter().flat_map(|path| path.ancestors()).map(Path::to_owned).collect()
}

fn fault(
    from: &str,
    target: &str,
    known: &BTreeSet<PathBuf>,
    anchors: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<String> {
    // `scheme:`, or a rustdoc path such as `crate::config`
    if target.split(['/', '#']).next().is_some_and(|start| start.contains(':')) {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let full =
        if path.is_empty() { Some(PathBuf::from(from)) } else { resolve(from, &path.replace("%20", " ")) };
    let Some(full) = full.filter(|full| known.contains(full)) else {
        return Some(format!(
            "{target} is not in the repository; links are relative to the document's folder"
        ));
    };
    let anchor = anchor?;
    let Some(headings) = full.to_str().and_then(|full| anchors.get(full)) else {
        return Some(format!(
            "{target} points into a file that has no headings: name the item in words instead"
        ));
    };
    (!headings.contains(anchor)).then(|| format!("{} has no heading #{anchor}", full.display()))
}

/// A relative path from a document's folder; `None` when it leaves the repository or is absolute.
fn resolve(from: &str, path: &str) -> Option<PathBuf> {
    let mut full = Path::new(from).parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => full.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !full.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(full)
}

/// Line and target of every link and picture: `[text](target)`, `[name]: target`, `<img src="target">`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let mut add = |target: &str| {
            let target = target.trim().trim_start_matches('<').trim_end_matches('>');
            if !target.is_empty() {
                found.push((number, target.to_owned()));
            }
        };
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            add(inside_parentheses(rest).split_whitespace().next().unwrap_or_default());
        }
        let definition = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition {
            add(target.split_whitespace().next().unwrap_or_default());
        }
        for attribute in ["src=\"", "href=\""] {
            for (at, _) in line.match_indices(attribute) {
                add(line[at + attribute.len()..].split('"').next().unwrap_or_default());
            }
        }
    }
    found
}

/// Up to the parenthesis that closes the link; a target may hold pairs of its own.
fn inside_parentheses(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// Lines with their numbers, without code blocks and with inline code blanked.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                None
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                None
            }
            (Some(_), _) => None,
            (None, None) => Some((index + 1, without_code(line))),
        }
    })
}

/// `[`code`](target)` keeps its target; what stands between back ticks goes.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let odd_end = parts.len().is_multiple_of(2); // a tick that is never closed is only a tick
    let keep = |(index, part): (usize, &&str)| {
        if index % 2 == 0 || (odd_end && index + 1 == parts.len()) {
            (*part).to_owned()
        } else {
            String::new()
        }
    };
    parts.iter().enumerate().map(keep).collect()
}

/// Anchors of a document as GitHub makes them from headings, and explicit ones.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for attribute in ["id=\"", "name=\""] {
            for (at, _) in line.match_indices(attribute) {
                found.insert(line[at + attribute.len()..].split('"').next().unwrap_or_default().to_owned());
            }
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if !(1..=6).contains(&level) || !line[level..].starts_with(' ') {
            continue;
        }
        let slug = slug(line[level..].trim());
        let mut name = slug.clone();
        let mut n = 0;
        while !found.insert(name.clone()) {
            n += 1;
            name = format!("{slug}-{n}");
        }
    }
    found
}

fn slug(heading: &str) -> String {
    // a link in a heading counts with its text
    let mut text = String::new();
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = &after[inside_parentheses(after).len()..];
    }
    text.push_str(rest);
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String)> {
        let file = |path: &str, text: &str| TextFile { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file("docs/a.md", text),
            file("README.md", "# Two words\n\n## `code` & more, twice\n## Two words\n"),
        ];
        let paths = ["docs/a.md", "README.md", "docs/picture.png", "src/lib.rs"].map(PathBuf::from);
        check(&files, &paths).into_iter().map(|finding| (finding.line, finding.remedy)).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text = "# Here\n[a](../README.md) [b](../README.md#two-words-1) ![c](picture.png \"title\") [d](#here) [e](../src)\n\
                    [f](https://example.org/x#y) [g](mailto:a@b) [h](crate::config) [`i`](../src/lib.rs)\n\
                    [j](../README.md#code--more-twice)\n[k]: ../README.md\n<img src=\"picture.png\">\n";
        assert_eq!(faults(text), []);
    }

    #[test]
    fn links_in_code_are_not_links() {
        assert_eq!(faults("`[a](nowhere)`\n```md\n[b](nowhere)\n```\n"), []);
    }

    #[test]
    fn dead_links_are_found() {
        let found = faults(
            "[a](nowhere.md)\n\n[b](#nothing)\n[c](../README.md#three)\n[d](../../up.md)\n[e](/etc/passwd)\n[f]: gone.md\n",
        );
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 3, 4, 5, 6, 7], "{found:?}");
    }

    #[test]
    fn a_line_number_is_no_anchor() {
        assert!(faults("[a](../src/lib.rs#L10)\n")[0].1.contains("in words"));
    }
}
