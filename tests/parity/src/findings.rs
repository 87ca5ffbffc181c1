//! docs/compat/FINDINGS.md: the differences between the workers that are meant.

use std::collections::BTreeSet;

use crate::scenario::Scenario;

/// The ids of the rows that the suite plays: `| F001 | ...`.
pub(crate) fn ids(text: &str) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let Some(id) = line.strip_prefix('|').and_then(|row| row.split('|').next()) else { continue };
        let id = id.trim();
        let digits = id.strip_prefix('F').unwrap_or_default();
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if !found.insert(id.to_owned()) {
            return Err(format!("{id} is there twice"));
        }
    }
    if found.is_empty() {
        return Err("no finding found: rows begin with `| F001 |`".to_owned());
    }
    Ok(found)
}

/// What does not fit together between the findings and the scenarios.
pub(crate) fn faults(ids: &BTreeSet<String>, scenarios: &[Scenario]) -> Vec<String> {
    let mut unused = ids.clone();
    let mut faults = Vec::new();
    for scenario in scenarios {
        for step in &scenario.steps {
            for id in &step.findings {
                unused.remove(id);
                if !ids.contains(id) {
                    faults.push(format!("{}:{}: {id} is not in FINDINGS.md", scenario.name, step.line));
                }
            }
        }
    }
    faults.extend(unused.iter().map(|id| format!("FINDINGS.md: {id} is used by no step")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    #[test]
    fn rows_with_an_id_are_findings() {
        let text = "# T\n| id | what |\n|---|---|\n| F001 | a |\n| F012 | b |\n| Fxyz | c |\n";
        assert_eq!(ids(text).unwrap(), ["F001", "F012"].map(str::to_owned).into());
        assert_eq!(ids("| F001 | a |\n| F001 | b |").unwrap_err(), "F001 is there twice");
        assert!(ids("nothing").is_err());
    }

    #[test]
    fn unknown_and_unused_ids_are_faults() {
        let text = "scenario s\n== a [F001, F009]\nGET /\njava -> 500\nours -> 400\n";
        let scenarios = [parse("s", text).unwrap()];
        let ids = ids("| F001 | a |\n| F002 | b |").unwrap();
        assert_eq!(
            faults(&ids, &scenarios),
            ["s:2: F009 is not in FINDINGS.md", "FINDINGS.md: F002 is used by no step"]
        );
    }
}
