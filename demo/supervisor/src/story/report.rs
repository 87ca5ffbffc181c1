//! The table that a check ends with. Pure.

use super::verify::{Check, Comparison};
use std::fmt::Write as _;

/// Differences shown per line; the rest is counted.
const EXAMPLES: usize = 5;

pub(crate) fn table(comparison: &Comparison) -> String {
    let width = |of: fn(&Check) -> &str, least: usize| {
        comparison.checks.iter().map(|check| of(check).chars().count()).max().unwrap_or_default().max(least)
    };
    let what = width(|check| &check.what, 4);
    let expected = width(|check| &check.expected, 8);
    let found = width(|check| &check.found, 5);

    let mut text = format!("{:<what$}  {:>expected$}  {:>found$}  ok\n", "what", "expected", "found");
    text.push_str(&"-".repeat(what + expected + found + 10));
    text.push('\n');
    for check in &comparison.checks {
        let ok = if check.ok() { "yes" } else { "NO" };
        let _ = writeln!(
            text,
            "{:<what$}  {:>expected$}  {:>found$}  {ok}",
            check.what, check.expected, check.found
        );
        for difference in check.differences.iter().take(EXAMPLES) {
            let _ = writeln!(text, "    {difference}");
        }
        if check.differences.len() > EXAMPLES {
            let _ = writeln!(text, "    and {} more", check.differences.len() - EXAMPLES);
        }
    }
    text.push('\n');
    text.push_str(&last_line(comparison));
    text
}

/// The sentence that sums it up.
pub(crate) fn last_line(comparison: &Comparison) -> String {
    let stock = if comparison.stock_exact { "stock exact" } else { "stock WRONG" };
    let mut line = format!("{} lost, {} doubled, {stock}", comparison.lost, comparison.doubled);
    let failed = comparison.checks.iter().filter(|check| !check.ok()).count();
    if failed > 0 {
        let _ = write!(line, "; {failed} of {} comparisons did not hold", comparison.checks.len());
    }
    line
}
