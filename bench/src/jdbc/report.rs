//! Samples of `bench jdbc`, and the table made of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Case, Engine, What, Who};
use crate::report::median;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Of a latency: the median.
    pub(crate) seconds: f64,
    pub(crate) cpu: Option<f64>,
    /// MiB
    pub(crate) peak: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
}

#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<(Case, Who), Vec<Sample>>);

/// CPU-seconds per so many records are promised.
const PER: f64 = 300_000.0;
const MOST_CPU: f64 = 1.2;
const MOST_MIB: f64 = 60.0;

impl Samples {
    pub(crate) fn push(&mut self, case: Case, who: Who, sample: Sample) {
        self.0.entry((case, who)).or_default().push(sample);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, case: Case, who: Who, value: impl Fn(&Sample) -> Option<f64>) -> Vec<f64> {
        self.0.get(&(case, who)).into_iter().flatten().filter_map(value).collect()
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<Case> = self.0.keys().map(|(case, _)| *case).collect();
        cases.dedup();
        cases
    }

    /// The table in Markdown: for each case its times, and what our worker used.
    pub(crate) fn table(&self) -> String {
        let mut text =
            "| figure | the database itself | Java worker | connect-worker | ours/database | target | |\n\
                        |---|---|---|---|---|---|---|\n"
                .to_owned();
        let mut line = |cells: [String; 7]| text.push_str(&format!("| {} |\n", cells.join(" | ")));
        for case in self.cases() {
            let seconds = |who| self.of(case, who, |sample| Some(sample.seconds));
            let name = name(case);
            if case.what == What::Latency {
                for (part, limit, value) in [
                    ("p50", Some(0.0015), (|sample| Some(sample.seconds)) as fn(&Sample) -> Option<f64>),
                    ("p95", None, |sample| sample.p95),
                    ("p99", Some(0.005), |sample| sample.p99),
                ] {
                    let [own, java, ours] =
                        [Who::Own, Who::Java, Who::Ours].map(|who| self.of(case, who, value));
                    let target = limit.map_or(String::new(), |limit| format!("< {}", time(limit)));
                    let met = limit.and_then(|limit| Some(median(&ours)? < limit));
                    line([
                        format!("{name}, {part}"),
                        spread(&own, time),
                        spread(&java, time),
                        spread(&ours, time),
                        ratio(&own, &ours),
                        target,
                        verdict(limit, met),
                    ]);
                }
                continue;
            }
            let (own, java, ours) = (seconds(Who::Own), seconds(Who::Java), seconds(Who::Ours));
            let limit = limit(case);
            let target = limit.map_or(String::new(), |limit| format!("<= {limit}"));
            let met = times(&own, &ours).zip(limit).map(|(times, limit)| times <= limit);
            line([
                name,
                spread(&own, time),
                spread(&java, time),
                spread(&ours, time),
                ratio(&own, &ours),
                target,
                verdict(limit, met),
            ]);
            let per = |sample: &Sample| Some(sample.cpu? / case.records as f64 * PER);
            let (java, ours) = (self.of(case, Who::Java, per), self.of(case, Who::Ours, per));
            let promised = matches!(case.what, What::Insert | What::Upsert | What::Tasks);
            let met = |ours: &[f64], most: f64| median(ours).filter(|_| promised).map(|ours| ours <= most);
            let target = |most: String| if promised { format!("<= {most}") } else { String::new() };
            let none = String::new;
            if !java.is_empty() || !ours.is_empty() {
                let limit = promised.then_some(MOST_CPU);
                line([
                    "... CPU of the worker per 300,000 records".into(),
                    none(),
                    spread(&java, time),
                    spread(&ours, time),
                    none(),
                    target(time(MOST_CPU)),
                    verdict(limit, met(&ours, MOST_CPU)),
                ]);
                let (java, ours) = (
                    self.of(case, Who::Java, |sample| sample.peak),
                    self.of(case, Who::Ours, |sample| sample.peak),
                );
                line([
                    "... peak RSS of the worker".into(),
                    none(),
                    spread(&java, mib),
                    spread(&ours, mib),
                    none(),
                    target(mib(MOST_MIB)),
                    verdict(limit, met(&ours, MOST_MIB)),
                ]);
            }
        }
        text
    }

    /// Everything that was measured, for other programs.
    pub(crate) fn json(&self, machine: &str, profile: &str) -> Value {
        let figures: Vec<Value> = self
            .0
            .iter()
            .map(|((case, who), samples)| {
                let samples: Vec<Value> = samples
                    .iter()
                    .map(|sample| {
                        json!({"seconds": sample.seconds, "cpu_seconds": sample.cpu, "peak_mib": sample.peak, "p95_seconds": sample.p95,
                               "p99_seconds": sample.p99})
                    })
                    .collect();
                json!({"what": format!("{:?}", case.what), "database": case.engine.to_string(), "records": case.records, "who": who.to_string(),
                       "samples": samples})
            })
            .collect();
        json!({"machine": machine, "profile": profile, "figures": figures})
    }
}

fn times(own: &[f64], ours: &[f64]) -> Option<f64> {
    Some(median(ours)? / median(own)?)
}

fn ratio(own: &[f64], ours: &[f64]) -> String {
    times(own, ours).map_or(String::new(), |times| format!("{times:.2}"))
}

/// What the project promises of our time beside the database's own.
fn limit(case: Case) -> Option<f64> {
    match (case.what, case.engine) {
        (What::Insert, Engine::Mariadb) => Some(1.5),
        (What::Upsert, _) => Some(1.6),
        (What::Source, _) => Some(2.0),
        // COPY into a table without a key is no upsert, of which alone PostgreSQL's promise speaks.
        (What::Insert, Engine::Postgres) | (What::Tasks | What::Latency, _) => None,
    }
}

fn name(case: Case) -> String {
    let Case { what, engine, records } = case;
    let records = match records {
        records if records % 1_000_000 == 0 => format!("{} million", records / 1_000_000),
        records => format!("{records}"),
    };
    match (what, engine) {
        (What::Insert, Engine::Mariadb) => format!("{engine}, insert, {records} records; LOAD DATA"),
        (What::Insert, Engine::Postgres) => format!("{engine}, insert, {records} records; COPY"),
        (What::Upsert, Engine::Mariadb) => {
            format!("{engine}, upsert, {records} records; LOAD DATA .. REPLACE")
        }
        (What::Upsert, Engine::Postgres) => format!("{engine}, upsert, {records} records; COPY + upsert"),
        (What::Tasks, _) => format!("{engine}, upsert by four tasks, {records} records; by four clients"),
        (What::Source, _) => format!("{engine}, source incrementing, {records} rows; plain client"),
        (What::Latency, _) => format!("{engine}, produce to visible row; plain client"),
    }
}

fn verdict(promised: Option<f64>, met: Option<bool>) -> String {
    match (promised, met) {
        (None, _) => "",
        (Some(_), Some(true)) => "meets",
        (Some(_), Some(false)) => "DOES NOT MEET",
        (Some(_), None) => "not measured",
    }
    .to_owned()
}

fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.1 => format!("{:.2} ms", seconds * 1000.0),
        seconds if seconds < 10.0 => format!("{seconds:.2} s"),
        seconds => format!("{seconds:.1} s"),
    }
}

fn mib(mib: f64) -> String {
    format!("{mib:.0} MiB")
}

/// Median, least and most.
fn spread(samples: &[f64], shown: fn(f64) -> String) -> String {
    let Some(median) = median(samples) else { return "-".to_owned() };
    if samples.len() == 1 {
        return shown(median);
    }
    let least = samples.iter().copied().fold(f64::MAX, f64::min);
    let most = samples.iter().copied().fold(f64::MIN, f64::max);
    format!("{} ({} to {})", shown(median), shown(least), shown(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: Case = Case { what: What::Insert, engine: Engine::Mariadb, records: 300_000 };

    #[test]
    fn a_case_has_its_ratio_and_what_the_worker_used() {
        let mut samples = Samples::default();
        samples.push(CASE, Who::Own, Sample { seconds: 0.8, ..Sample::default() });
        for seconds in [1.0, 1.4] {
            let sample = Sample { seconds, cpu: Some(1.3), peak: Some(50.0), ..Sample::default() };
            samples.push(CASE, Who::Ours, sample);
        }
        let table = samples.table();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        let expected = [
            "| MariaDB, insert, 300000 records; LOAD DATA | 0.80 s | - | 1.20 s (1.00 s to 1.40 s) | 1.50 | <= 1.5 | meets |",
            "| ... CPU of the worker per 300,000 records |  | - | 1.30 s (1.30 s to 1.30 s) |  | <= 1.20 s | DOES NOT MEET |",
            "| ... peak RSS of the worker |  | - | 50 MiB (50 MiB to 50 MiB) |  | <= 60 MiB | meets |",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_latency_has_three_lines() {
        let mut samples = Samples::default();
        let case = Case { what: What::Latency, ..CASE };
        let sample = Sample { seconds: 0.001, p95: Some(0.002), p99: Some(0.006), ..Sample::default() };
        samples.push(case, Who::Ours, sample);
        let table = samples.table();
        assert_eq!(table.lines().count(), 5);
        assert!(
            table.contains("p50 | - | - | 1.00 ms |  | < 1.50 ms | meets |")
                && table.ends_with("DOES NOT MEET |\n"),
            "{table}"
        );
    }
}
