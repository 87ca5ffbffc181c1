//! Compares an output with what a lesson promises, placeholders and all.

use anyhow::bail;

/// Fails with the first line that is not as promised.
pub(super) fn compare(expected: &str, actual: &str) -> anyhow::Result<()> {
    let (promised, printed) = (lines(expected), lines(actual));
    let mut furthest = 0;
    if rest_fits(&promised, &printed, 0, 0, &mut furthest) {
        return Ok(());
    }
    let line = |lines: &[String]| lines.get(furthest).cloned().unwrap_or_else(|| "(nothing)".to_owned());
    bail!(
        "the output is not as promised.\nfirst difference in promised line {}:\n  {}\n--- promised\n{}\n--- printed\n{}",
        furthest + 1,
        line(&promised),
        promised.join("\n"),
        printed.join("\n")
    )
}

/// Without blank lines at both ends, and with every run of blanks as one.
fn lines(text: &str) -> Vec<String> {
    text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn rest_fits(promised: &[String], printed: &[String], at: usize, from: usize, furthest: &mut usize) -> bool {
    *furthest = (*furthest).max(at);
    let Some(line) = promised.get(at) else { return from == printed.len() };
    if line == "..." {
        return (from..=printed.len()).any(|from| rest_fits(promised, printed, at + 1, from, furthest));
    }
    let fits = printed.get(from).is_some_and(|printed| line_fits(line, printed));
    fits && rest_fits(promised, printed, at + 1, from + 1, furthest)
}

fn line_fits(promised: &str, printed: &str) -> bool {
    type Length = fn(&str) -> Vec<usize>;
    const PLACEHOLDERS: [(&str, Length); 4] = [
        ("...", anything),
        ("<id>", |text| run(text, id)),
        ("<n>", |text| run(text, digit)),
        ("<time>", time),
    ];
    let first = PLACEHOLDERS
        .iter()
        .filter_map(|(name, lengths)| Some((promised.find(name)?, *name, lengths)))
        .min_by_key(|found| found.0);
    let Some((at, name, lengths)) = first else { return promised == printed };
    let Some(printed) = printed.strip_prefix(&promised[..at]) else { return false };
    let rest = &promised[at + name.len()..];
    lengths(printed).into_iter().any(|length| line_fits(rest, &printed[length..]))
}

/// How much of the text a placeholder may stand for.
fn anything(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

/// The whole run: an id does not end in its middle.
fn run(text: &str, belongs: fn(char) -> bool) -> Vec<usize> {
    let length = text.find(|c| !belongs(c)).unwrap_or(text.len());
    if length == 0 { Vec::new() } else { vec![length] }
}

fn id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn time(text: &str) -> Vec<usize> {
    const FORM: &str = "0000-00-00T00:00:00.000Z";
    let same = |(form, c): (char, char)| if form == '0' { c.is_ascii_digit() } else { c == form };
    let fits = text.chars().count() >= FORM.len() && FORM.chars().zip(text.chars()).all(same);
    if fits { vec![FORM.len()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_what_they_say() {
        for (promised, printed) in [
            ("{\"id\":\"<id>\"}", "{\"id\":\"a2cad3b8-50ea-5e71\"}"),
            ("at <time>, <n> times", "at 2026-01-31T12:00:00.123Z, 17 times"),
            ("a...c", "abbbc"),
            ("a...c", "ac"),
            ("...x...", "axb"),
            ("a   b", "a\tb"),
            ("first\n...\nlast", "first\nlast"),
            ("...\nlast\n...", "1\n2\nlast\n4\n"),
            ("\nx\n\n", "x"),
            ("", ""),
        ] {
            compare(promised, printed).unwrap();
        }
    }

    #[test]
    fn everything_else_is_a_difference() {
        for (promised, printed) in [
            ("<n>", "x"),
            ("<n>", ""),
            ("<id>x", "abc"),
            ("<time>", "2026-01-31 12:00"),
            ("a...c", "ab"),
            ("one", "one\ntwo"),
            ("one\ntwo", "one"),
            ("...\nlast", "last\nmore"),
            ("", "something"),
        ] {
            assert!(compare(promised, printed).is_err(), "{promised:?} and {printed:?}");
        }
        let error = compare("one\ntwo\nthree", "one\nTWO\nthree").unwrap_err().to_string();
        assert!(error.contains("promised line 2:\n  two\n"), "{error}");
    }
}
