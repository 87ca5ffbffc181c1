//! Version ranges as Maven writes them, `[1.0,2.0)`: what `connector.plugin.version` and its siblings ask for (KIP-891).

use std::cmp::Ordering;

/// One or more intervals; a version must be in one of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VersionRange {
    intervals: Vec<Interval>,
}

#[derive(Clone, Debug, PartialEq)]
struct Interval {
    low: Option<Bound>,
    high: Option<Bound>,
}

#[derive(Clone, Debug, PartialEq)]
struct Bound {
    version: String,
    inclusive: bool,
}

impl VersionRange {
    /// `None` where any version will do: nothing given, or `latest`. A version without brackets means that one alone, as in
    /// Java's worker.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text == "latest" {
            return Ok(None);
        }
        let wrong = || format!("{text} is no version range: write one as 4.3.0, [4.0,5.0) or [4.0,)");
        if text.is_empty() || text.len() > 200 {
            return Err(wrong());
        }
        if !text.contains(['[', ']', '(', ')', ',']) {
            let bound = Bound { version: text.to_owned(), inclusive: true };
            return Ok(Some(Self {
                intervals: vec![Interval { low: Some(bound.clone()), high: Some(bound) }],
            }));
        }
        let mut intervals = Vec::new();
        let mut rest = text;
        loop {
            let end = rest.find([']', ')']).ok_or_else(wrong)?;
            let (interval, after) = rest.split_at(end + 1);
            intervals.push(Interval::parse(interval).ok_or_else(wrong)?);
            if after.is_empty() {
                return Ok(Some(Self { intervals }));
            }
            rest = after.strip_prefix(',').ok_or_else(wrong)?.trim_start();
        }
    }

    pub(crate) fn contains(&self, version: &str) -> bool {
        self.intervals.iter().any(|interval| interval.contains(version))
    }
}

impl std::fmt::Display for VersionRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Interval { low, high }) in self.intervals.iter().enumerate() {
            let bracket = |bound: &Option<Bound>, open, closed| match bound {
                Some(Bound { inclusive: true, .. }) => closed,
                _ => open,
            };
            let version =
                |bound: &Option<Bound>| bound.as_ref().map(|b| b.version.clone()).unwrap_or_default();
            write!(
                f,
                "{}{}{},{}{}",
                if index > 0 { "," } else { "" },
                bracket(low, '(', '['),
                version(low),
                version(high),
                bracket(high, ')', ']')
            )?;
        }
        Ok(())
    }
}

impl Interval {
    fn parse(text: &str) -> Option<Self> {
        let (open, close) = (text.chars().next()?, text.chars().last()?);
        let inner = text.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
        let bound = |version: &str, inclusive| {
            let version = version.trim();
            (!version.is_empty()).then(|| Bound { version: version.to_owned(), inclusive })
        };
        let is_plain = |text: &str| !text.contains(['[', ']', '(', ')', ',']);
        match inner.split_once(',') {
            Some((low, high)) if is_plain(low) && is_plain(high) => {
                let (low, high) = (bound(low, open == '['), bound(high, close == ']'));
                let in_order = match (&low, &high) {
                    (Some(low), Some(high)) => compare(&low.version, &high.version) != Ordering::Greater,
                    _ => true,
                };
                in_order.then_some(Self { low, high })
            }
            // `[1.0]`; a single version is never open.
            None if is_plain(inner) && open == '[' && close == ']' => {
                let only = bound(inner, true)?;
                Some(Self { low: Some(only.clone()), high: Some(only) })
            }
            _ => None,
        }
    }

    fn contains(&self, version: &str) -> bool {
        let within = |bound: &Option<Bound>, outside: Ordering| match bound {
            None => true,
            Some(Bound { version: bound, inclusive }) => match compare(version, bound) {
                Ordering::Equal => *inclusive,
                ordering => ordering != outside,
            },
        };
        within(&self.low, Ordering::Less) && within(&self.high, Ordering::Greater)
    }
}

#[derive(PartialEq)]
enum Part {
    Number(u64),
    Word(String),
}

/// Maven's order of versions, without its rarest corners: numbers count as numbers, `1.0` is `1.0.0`, and `1.0-rc1` comes before it.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for index in 0..a.len().max(b.len()) {
        let ordering = rank(a.get(index)).cmp(&rank(b.get(index)));
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for piece in version.to_ascii_lowercase().split(['.', '-', '_', '+']) {
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let is_digit = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            parts.push(match part.parse() {
                Ok(number) if is_digit => Part::Number(number),
                _ => Part::Word(part.to_owned()),
            });
            rest = after;
        }
    }
    parts
}

/// What is not there counts as a zero, between the words for what comes before a release and the words for what comes after.
fn rank(part: Option<&Part>) -> (u8, u64, &str) {
    match part {
        None => (10, 0, ""),
        Some(Part::Number(number)) => (10 + u8::from(*number > 0), *number, ""),
        Some(Part::Word(word)) => match word.as_str() {
            "alpha" | "a" => (1, 0, ""),
            "beta" | "b" => (2, 0, ""),
            "milestone" | "m" => (3, 0, ""),
            "rc" | "cr" => (4, 0, ""),
            "snapshot" => (5, 0, ""),
            "final" | "ga" | "release" => (10, 0, ""),
            other => (9, 0, other),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_ranges() {
        for (range, shown, inside, outside) in [
            ("4.3.0", "[4.3.0,4.3.0]", &["4.3.0", "4.3"][..], &["4.3.1", "4.2"][..]),
            ("[9.9]", "[9.9,9.9]", &["9.9.0"], &["9.8"]),
            ("[4.0,5)", "[4.0,5)", &["4.0", "4.3.0", "4.10"], &["5", "3.9.9", "5.0.0", "4.0-rc1"]),
            ("(4.0,]", "(4.0,)", &["4.0.1", "99"], &["4.0", "4"]),
            ("(,1.0],[1.2,)", "(,1.0],[1.2,)", &["0.1", "1.0", "1.2", "1.10"], &["1.1"]),
            (" x ", "[x,x]", &["x"], &["4.3.0"]),
        ] {
            let parsed = VersionRange::parse(range).unwrap().unwrap();
            assert_eq!(parsed.to_string(), shown);
            for version in inside {
                assert!(parsed.contains(version), "{range} {version}");
            }
            for version in outside {
                assert!(!parsed.contains(version), "{range} {version}");
            }
        }
        assert_eq!(VersionRange::parse("latest"), Ok(None));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "[",
            "[1",
            "1]",
            "(1)",
            "[2,1]",
            "[1,2,3]",
            "[1,2]x",
            "[1,2],",
            "[[1,2]]",
            ",",
            &"9".repeat(300),
        ] {
            let error = VersionRange::parse(text).unwrap_err();
            assert!(error.contains("is no version range"), "{text}: {error}");
        }
    }
}
