//! "Did you mean": the known name that a wrong one is most likely a slip of.

/// The candidate within a third of the name's length of edits, if there is one; the simple name after the last dot may
/// match instead, because packages are what people get wrong.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let simple = |class: &str| class.rsplit('.').next().unwrap_or(class).to_lowercase();
    let wanted = name.to_lowercase();
    // The bound keeps a hostile name of a megabyte from costing more than a glance.
    if wanted.len() > 300 {
        return None;
    }
    candidates
        .iter()
        .map(|candidate| {
            let whole = distance(&wanted, &candidate.to_lowercase());
            let last = distance(&simple(&wanted), &simple(candidate));
            let close =
                whole * 3 <= wanted.chars().count().max(3) || last * 4 <= simple(&wanted).chars().count();
            (close, whole, *candidate)
        })
        .filter(|(close, ..)| *close)
        .min_by_key(|(_, whole, _)| *whole)
        .map(|(.., candidate)| candidate)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = if x == *y { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("json", "json", 0)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["insert.mode", "pk.mode", "table.name.format"];
        assert_eq!(nearest("insert.mod", &known), Some("insert.mode"));
        assert_eq!(nearest("tabel.name.fromat", &known), Some("table.name.format"));
        assert_eq!(nearest("flush.size", &known), None);
        assert_eq!(
            nearest("org.foo.JsonConverter", &["a.b.c.d.JsonConverter"]),
            Some("a.b.c.d.JsonConverter")
        );
    }
}
