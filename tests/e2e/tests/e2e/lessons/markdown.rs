//! The commands of a lesson, out of its markdown.

use anyhow::bail;

/// How a command is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Started, and left running.
    Background,
    /// Run once.
    Once,
    /// Run again and again until its output is the expected one.
    Eventually,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where its fence stands in the file.
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) script: String,
    pub(super) expected: Option<String>,
}

/// The shell blocks, each with the `text` block that stands directly after it.
pub(super) fn blocks(markdown: &str) -> anyhow::Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    // whether the last block may still get its expected output: only blank lines since
    let mut open = false;
    let mut lines = markdown.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            open &= line.trim().is_empty();
            continue;
        };
        let mut text = String::new();
        loop {
            match lines.next() {
                Some((_, "```")) => break,
                Some((_, line)) => {
                    text.push_str(line);
                    text.push('\n');
                }
                None => bail!("the block of line {} has no end", index + 1),
            }
        }
        let kind = match info {
            "sh background" => Kind::Background,
            "sh" => Kind::Once,
            "sh eventually" => Kind::Eventually,
            "text" if open => {
                open = false;
                if let Some(block) = blocks.last_mut() {
                    block.expected = Some(text);
                }
                continue;
            }
            _ if info.starts_with("sh ") || info == "bash" || info == "shell" => {
                bail!("line {}: a block {info:?} would not be run; see docs/lessons/README.md", index + 1)
            }
            _ => {
                open = false;
                continue;
            }
        };
        blocks.push(Block { line: index + 1, kind, script: text, expected: None });
        open = true;
    }
    if let Some(block) =
        blocks.iter().find(|block| block.kind == Kind::Eventually && block.expected.is_none())
    {
        bail!("line {}: nothing is expected of what is to come eventually", block.line);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_with_the_output_after_them() {
        let text = "# T\n\n```sh background\na\n```\n\n```text\nup\n```\n\n```text\nnot mine\n```\n\n```sh\nb\n```\nwords\n\
                    ```text\nnot mine either\n```\n```sql\nc\n```\n```sh eventually\nd\n```\n```text\nout\n```\n";
        let found = blocks(text).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|block| (block.line, block.kind, block.script.as_str(), block.expected.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (3, Kind::Background, "a\n", Some("up\n")),
                (15, Kind::Once, "b\n", None),
                (25, Kind::Eventually, "d\n", Some("out\n")),
            ]
        );
    }

    #[test]
    fn what_would_not_be_run_is_refused() {
        for text in
            ["```sh backgroud\na\n```\n", "```bash\na\n```\n", "```sh\na\n", "```sh eventually\na\n```\n"]
        {
            assert!(blocks(text).is_err(), "{text}");
        }
    }
}
