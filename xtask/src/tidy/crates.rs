//! Every crate explains itself and follows the workspace.

use cargo_metadata::{Metadata, Package};

use super::{Finding, TextFile};

pub(super) fn check(metadata: &Metadata, files: &[TextFile]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let one = |package: &Package| {
        let manifest =
            package.manifest_path.strip_prefix(&metadata.workspace_root).unwrap_or(&package.manifest_path);
        let folder = manifest.parent().map(ToString::to_string).unwrap_or_default();
        let library = package.targets.iter().any(|target| target.is_lib() || target.is_proc_macro());
        let root = if library { "src/lib.rs" } else { "src/main.rs" };
        [
            readme(
                package.name.as_str(),
                &format!("{folder}/README.md"),
                find(&format!("{folder}/README.md")),
            ),
            rustdoc(&format!("{folder}/{root}"), find(&format!("{folder}/{root}"))),
            lints(manifest.as_str(), find(manifest.as_str())),
            fences(&format!("{folder}/README.md"), find(&format!("{folder}/README.md"))),
        ]
    };
    metadata.workspace_packages().into_iter().flat_map(one).flatten().collect()
}

fn readme(name: &str, path: &str, text: Option<&str>) -> Option<Finding> {
    let Some(text) = text else {
        let remedy = "every crate has a README: its purpose, what it does not do, the map of its modules";
        return Some(Finding::new(path, 1, "crate-readme", remedy));
    };
    if text.lines().next() != Some(&format!("# {name}")) {
        return Some(Finding::new(path, 1, "crate-readme", format!("the first line is `# {name}`")));
    }
    if text.lines().skip(1).all(|line| line.trim().is_empty()) {
        let remedy = "say what the crate is for, what it does not do, and where to begin reading";
        return Some(Finding::new(path, 1, "crate-readme", remedy));
    }
    None
}

fn rustdoc(path: &str, text: Option<&str>) -> Option<Finding> {
    const INCLUDE: &str = "#![doc = include_str!(\"../README.md\")]";
    let included = text.is_some_and(|text| text.lines().any(|line| line.trim() == INCLUDE));
    (!included)
        .then(|| Finding::new(path, 1, "readme-is-rustdoc", format!("begin the file with `{INCLUDE}`")))
}

/// rustdoc takes a block without a language for Rust, compiles it as a test and fails.
fn fences(path: &str, text: Option<&str>) -> Option<Finding> {
    let marks = text?.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("```"));
    let mut opening = marks.step_by(2);
    let (line, _) = opening.find(|(_, line)| line.trim() == "```")?;
    Some(Finding::new(
        path,
        line + 1,
        "code-block-language",
        "name the language after ```: text, sh, rust, json",
    ))
}

fn lints(path: &str, text: Option<&str>) -> Option<Finding> {
    let mut lines =
        text.unwrap_or_default().lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    let inherited = lines.any(|line| line == "workspace = true");
    (!inherited)
        .then(|| Finding::new(path, 1, "workspace-lints", "add `[lints]` and below it `workspace = true`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_has_its_crates_name_and_a_text() {
        let check = |text| readme("a", "a/README.md", text).map(|finding| finding.remedy);
        assert_eq!(check(Some("# a\n\nDoes things.\n")), None);
        assert!(check(None).unwrap().contains("every crate"));
        assert!(check(Some("# b\n\nDoes things.\n")).unwrap().contains("`# a`"));
        assert!(check(Some("# a\n\n")).unwrap().contains("what the crate is for"));
    }

    #[test]
    fn the_readme_is_the_rustdoc() {
        let check = |text| rustdoc("a/src/lib.rs", text).is_none();
        assert!(check(Some("#![doc = include_str!(\"../README.md\")]\nmod b;\n")));
        assert!(!check(Some("//! #![doc = include_str!(\"../README.md\")]\nmod b;\n")));
        assert!(!check(None));
    }

    #[test]
    fn code_blocks_name_their_language() {
        let line = |text| fences("a/README.md", Some(text)).map(|finding| finding.line);
        assert_eq!(line("# a\n```sh\nls\n```\n```text\n```\n"), None);
        assert_eq!(line("# a\n```sh\nls\n```\n\n```\ncargo demo\n```\n"), Some(6));
    }

    #[test]
    fn lints_are_the_workspaces() {
        assert!(lints("a/Cargo.toml", Some("[package]\n\n[lints]\nworkspace = true\n")).is_none());
        assert!(lints("a/Cargo.toml", Some("[package]\nworkspace = true\n")).is_some());
    }
}
