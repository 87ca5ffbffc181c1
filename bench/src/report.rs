//! Samples, and the table made of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::figures::{Figure, Meaning, TABLE, Target, Unit};
use crate::worker::Side;

#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<(Figure, Side), Vec<f64>>);

impl Samples {
    pub(crate) fn push(&mut self, figure: Figure, side: Side, value: f64) {
        self.0.entry((figure, side)).or_default().push(value);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, figure: Figure, side: Side) -> &[f64] {
        self.0.get(&(figure, side)).map_or(&[], Vec::as_slice)
    }

    /// The table in Markdown, rows without samples left out.
    pub(crate) fn table(&self) -> String {
        let mut text =
            "| figure | Java worker | connect-worker | ours/Java | target | |\n|---|---|---|---|---|---|\n"
                .to_owned();
        for row in TABLE {
            let (java, ours) = (self.of(row.figure, Side::Java), self.of(row.figure, Side::Ours));
            if java.is_empty() && ours.is_empty() {
                continue;
            }
            let ratio = ratio(java, ours).map_or_else(String::new, |ratio| format!("{ratio:.3}"));
            let (target, verdict) = (target(row), verdict(row, java, ours));
            let cells =
                [row.text.to_owned(), spread(java, row.unit), spread(ours, row.unit), ratio, target, verdict];
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }

    /// Everything that was measured, for other programs.
    pub(crate) fn json(&self) -> Value {
        let rows = TABLE.iter().filter_map(|row| {
            let (java, ours) = (self.of(row.figure, Side::Java), self.of(row.figure, Side::Ours));
            let unit = match row.unit {
                Unit::Seconds => "s",
                Unit::MiB => "MiB",
                Unit::Count => "",
            };
            let measured = !java.is_empty() || !ours.is_empty();
            measured.then(|| {
                json!({"id": row.id, "figure": row.text, "unit": unit, "java": java, "ours": ours, "ratio_of_medians": ratio(java, ours),
                       "target": target(row), "meets": meets(row, java, ours)})
            })
        });
        rows.collect()
    }
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        even if even % 2 == 0 => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

fn ratio(java: &[f64], ours: &[f64]) -> Option<f64> {
    let (java, ours) = (median(java)?, median(ours)?);
    (java > 0.0).then(|| ours / java)
}

/// `None`: nothing is promised, or it was not measured.
fn meets(row: &Meaning, java: &[f64], ours: &[f64]) -> Option<bool> {
    match row.target? {
        Target::Below(limit) => Some(median(ours)? < limit),
        Target::PartOfJava(part) => Some(ratio(java, ours)? < part),
        Target::Zero => (!ours.is_empty()).then(|| ours.iter().all(|value| *value == 0.0)),
    }
}

fn verdict(row: &Meaning, java: &[f64], ours: &[f64]) -> String {
    match (row.target, meets(row, java, ours)) {
        (None, _) => String::new(),
        (Some(_), Some(true)) => "meets".to_owned(),
        (Some(_), Some(false)) => "DOES NOT MEET".to_owned(),
        (Some(_), None) => "not measured".to_owned(),
    }
}

fn target(row: &Meaning) -> String {
    match row.target {
        None => String::new(),
        Some(Target::Below(limit)) => format!("< {}", shown(limit, row.unit)),
        Some(Target::PartOfJava(part)) => format!("< {part} of Java's"),
        Some(Target::Zero) => "none".to_owned(),
    }
}

/// Median, least and most.
fn spread(samples: &[f64], unit: Unit) -> String {
    let Some(median) = median(samples) else { return "-".to_owned() };
    let (least, most) = samples
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(*value), most.max(*value)));
    if samples.len() == 1 || least == most {
        return shown(median, unit);
    }
    let bare = |value: f64| shown(value, unit).split(' ').next().unwrap_or_default().to_owned();
    let same_unit = shown(least, unit).rsplit(' ').next() == shown(most, unit).rsplit(' ').next();
    let least = if same_unit { bare(least) } else { shown(least, unit) };
    format!("{} ({least} to {})", shown(median, unit), shown(most, unit))
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds if value < 1.0 => format!("{:.0} ms", value * 1000.0),
        Unit::Seconds if value < 10.0 => format!("{value:.2} s"),
        Unit::Seconds => format!("{value:.1} s"),
        Unit::MiB => format!("{value:.1} MiB"),
        Unit::Count => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(figure: Figure, java: &[f64], ours: &[f64]) -> Samples {
        let mut samples = Samples::default();
        for (side, values) in [(Side::Java, java), (Side::Ours, ours)] {
            values.iter().for_each(|value| samples.push(figure, side, *value));
        }
        samples
    }

    fn row(samples: &Samples) -> String {
        samples.table().lines().nth(2).unwrap_or_default().to_owned()
    }

    #[test]
    fn a_row_has_medians_spreads_the_ratio_and_a_verdict() {
        let text = row(&samples(Figure::Ready, &[12.0, 10.0, 20.0], &[0.12, 0.1]));
        let expected = "| exec to REST: GET /connectors is 200 | 12.0 s (10.0 to 20.0 s) | 110 ms (100 to 120 ms) | 0.009 | < 300 ms | meets |";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_part_of_javas_needs_java() {
        assert!(row(&samples(Figure::CreatePeak, &[1000.0], &[101.0])).ends_with("| DOES NOT MEET |"));
        assert!(row(&samples(Figure::CreatePeak, &[1000.0], &[99.0])).ends_with("| meets |"));
        assert!(row(&samples(Figure::CreatePeak, &[], &[99.0])).ends_with("| not measured |"));
    }

    #[test]
    fn one_lost_line_in_one_run_is_too_many() {
        assert!(row(&samples(Figure::LinesLost, &[0.0], &[0.0, 1.0, 0.0])).ends_with("| DOES NOT MEET |"));
    }

    #[test]
    fn what_was_not_measured_is_not_shown() {
        assert_eq!(Samples::default().table().lines().count(), 2);
        assert!(Samples::default().is_empty());
    }

    #[test]
    fn json_has_every_sample() {
        let json = samples(Figure::IdleRss, &[400.0], &[20.0, 21.0]).json();
        assert_eq!(json[0]["id"], "idle.rss");
        assert_eq!(json[0]["ours"], json!([20.0, 21.0]));
        assert_eq!(json[0]["meets"], true);
    }
}
