//! What is printed.

use std::fmt::Write as _;
use std::time::Duration;

use crate::play::Outcome;
use crate::scenario::{Scenario, Side};

/// The outcomes of one scenario on one side, a step each.
pub(crate) struct Played {
    pub(crate) scenario: usize,
    pub(crate) side: Side,
    pub(crate) steps: Vec<(Outcome, Duration)>,
}

/// The table of both columns, the faults below each scenario, and whether all is as expected.
pub(crate) fn report(scenarios: &[Scenario], played: &[Played], sides: &[Side]) -> (String, bool) {
    let mut out = String::new();
    let mut totals = Totals::default();
    for (n, scenario) in scenarios.iter().enumerate() {
        let of = |side: Side| played.iter().find(|played| played.scenario == n && played.side == side);
        if sides.iter().all(|side| of(*side).is_none()) {
            continue;
        }
        let _ = writeln!(out, "\n{}: {}", scenario.name, scenario.title);
        for (at, step) in scenario.steps.iter().enumerate() {
            let differs = step.java != step.ours;
            let mut faults = Vec::new();
            for side in sides {
                let outcome = of(*side).and_then(|played| played.steps.get(at));
                let (word, time) = match outcome {
                    None => ("not run", Duration::ZERO),
                    Some((Outcome::Failed(_), time)) => ("FAILED", *time),
                    Some((Outcome::Skipped, time)) => ("-", *time),
                    Some((Outcome::Ok, time)) if differs => ("differs", *time),
                    Some((Outcome::Ok, time)) => ("ok", *time),
                };
                totals.count(*side, word);
                let _ = write!(out, "  {} {word:<7} {:>5.1}s", side.name(), time.as_secs_f64());
                if let Some((Outcome::Failed(fault), _)) = outcome {
                    faults.push((side, fault));
                }
            }
            let ids = if step.findings.is_empty() {
                String::new()
            } else {
                format!(" [{}]", step.findings.join(", "))
            };
            let _ = writeln!(out, "  {}{ids}", step.title);
            for (side, fault) in faults {
                let _ = writeln!(out, "    {}, {}.scenario:{}:", side.name(), scenario.name, step.line);
                for line in fault.lines() {
                    let _ = writeln!(out, "      {line}");
                }
            }
        }
    }
    let _ = writeln!(out);
    for side in sides {
        let _ = writeln!(out, "{}", totals.line(*side));
    }
    (out, totals.failed() == 0)
}

#[derive(Default)]
struct Totals(std::collections::BTreeMap<(Side, &'static str), usize>);

impl Totals {
    fn count(&mut self, side: Side, word: &'static str) {
        *self.0.entry((side, word)).or_default() += 1;
    }

    fn of(&self, side: Side, word: &'static str) -> usize {
        self.0.get(&(side, word)).copied().unwrap_or_default()
    }

    fn failed(&self) -> usize {
        Side::BOTH.iter().map(|side| self.of(*side, "FAILED") + self.of(*side, "not run")).sum()
    }

    fn line(&self, side: Side) -> String {
        let [ok, differs, skipped, failed, not_run] =
            ["ok", "differs", "-", "FAILED", "not run"].map(|word| self.of(side, word));
        format!(
            "{}: {} steps: {ok} ok, {differs} differ as declared, {skipped} not played by declaration, {failed} failed, \
             {not_run} not run",
            side.name(),
            ok + differs + skipped + failed + not_run
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    fn played(side: Side, outcomes: [Outcome; 2]) -> Played {
        let steps = outcomes.into_iter().map(|outcome| (outcome, Duration::from_secs(1))).collect();
        Played { scenario: 0, side, steps }
    }

    #[test]
    fn both_columns_and_the_total_are_told() {
        let text =
            "scenario Things\n== one\nGET /\n-> 200\n== two [F001]\nGET /x\njava -> 500\nours -> 400\n";
        let scenarios = [parse("things", text).unwrap()];
        let good =
            [played(Side::Java, [Outcome::Ok, Outcome::Ok]), played(Side::Ours, [Outcome::Ok, Outcome::Ok])];
        let (text, right) = report(&scenarios, &good, &Side::BOTH);
        assert!(right && text.contains("java ok        1.0s  ours ok        1.0s  one"), "{text}");
        assert!(text.contains("java differs   1.0s  ours differs   1.0s  two [F001]"), "{text}");
        assert!(text.contains("ours: 2 steps: 1 ok, 1 differ as declared"), "{text}");

        let bad = [
            played(Side::Java, [Outcome::Ok, Outcome::Skipped]),
            played(Side::Ours, [Outcome::Failed("it\nbroke".to_owned()), Outcome::Ok]),
        ];
        let (text, right) = report(&scenarios, &bad, &Side::BOTH);
        assert!(!right && text.contains("    ours, things.scenario:2:\n      it\n      broke\n"), "{text}");
        let (_, right) = report(&scenarios, &bad, &[Side::Java]);
        assert!(right, "only what was played counts");
        let (text, right) = report(&scenarios, &bad[..1], &Side::BOTH);
        assert!(!right && text.contains("ours: 2 steps: 0 ok, 0 differ as declared, 0 not played by declaration, 0 failed, 2 not run"), "{text}");
    }
}
