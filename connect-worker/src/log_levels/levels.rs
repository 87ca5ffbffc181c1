//! The levels of all loggers, as a plain value.
//!
//! There are two families of names: Java's, which tools and people know, and ours, which decide what is written. Setting a logger of
//! one family sets its counterparts in the other, so that both give the same answer.

use super::names::{JAVA, is_java, is_target, is_within};
use connect_runtime::herder::LoggerLevel;
use connect_runtime::ports::LEVELS;
use std::collections::{BTreeMap, BTreeSet};
use tracing_subscriber::filter::{LevelFilter, Targets};

pub(super) const ROOT: &str = "root";

#[derive(Clone, Debug, PartialEq)]
struct Own {
    level: &'static str,
    last_modified: Option<i64>,
}

pub(super) struct Levels {
    root: Own,
    /// Loggers with a level of their own.
    own: BTreeMap<String, Own>,
}

impl Levels {
    /// The levels that a filter such as `info,actix_server=warn` describes.
    pub(super) fn new(filter: &Targets) -> Self {
        let own = |level| Own { level: name_of(level), last_modified: None };
        let root = filter.default_level().unwrap_or(LevelFilter::OFF);
        Self {
            root: own(root),
            own: filter.iter().map(|(target, level)| (target.to_owned(), own(level))).collect(),
        }
    }

    /// What is to be written.
    pub(super) fn filter(&self) -> Targets {
        let targets = self.own.iter().filter(|(name, _)| !is_java(name));
        Targets::new()
            .with_targets(targets.map(|(name, own)| (name.clone(), filter_of(own.level))))
            .with_default(filter_of(self.root.level))
    }

    pub(super) fn all(&self) -> Vec<LoggerLevel> {
        let root = (ROOT.to_owned(), self.root.clone());
        let mut all: Vec<_> = self.own.clone().into_iter().chain([root]).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.into_iter().map(|(name, own)| answer(name, &own)).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<LoggerLevel> {
        if name.eq_ignore_ascii_case(ROOT) {
            return Some(answer(ROOT.into(), &self.root));
        }
        if let Some(own) = self.own.get(name) {
            return Some(answer(name.into(), own));
        }
        let inherited = Own { level: self.effective(name), last_modified: None };
        self.exists(name).then(|| answer(name.into(), &inherited))
    }

    /// `level` is one of `LEVELS`; `now` in milliseconds since the epoch.
    pub(super) fn set(&mut self, name: &str, level: &str, now: i64) -> Vec<String> {
        let Some(level) = LEVELS.into_iter().find(|known| *known == level) else { return Vec::new() };
        if name.eq_ignore_ascii_case(ROOT) {
            return self.set_root(level, now);
        }
        if !self.exists(name) {
            return Vec::new();
        }
        let (same_family, others) = self.concerned(name);
        // All of them are looked at before the first is changed: what inherits is to be found different, too.
        let (changed, with_them) = (self.different(same_family, level), self.different(others, level));
        for name in changed.iter().chain(&with_them) {
            self.own.insert(name.clone(), Own { level, last_modified: Some(now) });
        }
        changed
    }

    fn set_root(&mut self, level: &'static str, now: i64) -> Vec<String> {
        let mut changed = self.different(self.own.keys().cloned().collect(), level);
        for name in &changed {
            self.own.insert(name.clone(), Own { level, last_modified: Some(now) });
        }
        if self.root.level != level {
            self.root = Own { level, last_modified: Some(now) };
            changed.push(ROOT.into());
            changed.sort();
        }
        changed
    }

    /// The loggers that a change of `name` concerns: those of its own family, itself and all below it, and their counterparts.
    fn concerned(&self, name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let below = |parent: &str| -> BTreeSet<String> {
            let own = self.own.keys().filter(|known| is_within(known, parent)).cloned();
            own.chain([parent.to_owned()]).collect()
        };
        let mut same = below(name);
        if is_java(name) {
            let entries = JAVA.iter().filter(|(java, _)| is_within(java, name));
            same.extend(entries.clone().map(|(java, _)| (*java).to_owned()));
            let targets = entries.flat_map(|(_, targets)| targets.iter().flat_map(|target| below(target)));
            (same, targets.collect())
        } else {
            let covered = |targets: &[&str]| targets.iter().all(|target| is_within(target, name));
            let java =
                JAVA.iter().filter(|(_, targets)| covered(targets)).map(|(java, _)| (*java).to_owned());
            (same, java.collect())
        }
    }

    fn different(&self, names: BTreeSet<String>, level: &str) -> Vec<String> {
        names.into_iter().filter(|name| self.effective(name) != level).collect()
    }

    /// The level of a logger: its own, that of its nearest parent, or the root's.
    fn effective(&self, name: &str) -> &'static str {
        let parents = self.own.iter().filter(|(parent, _)| is_within(name, parent));
        parents.max_by_key(|(parent, _)| parent.len()).map_or(self.root.level, |(_, own)| own.level)
    }

    fn exists(&self, name: &str) -> bool {
        is_java(name) || is_target(name) || self.own.contains_key(name)
    }
}

fn answer(name: String, own: &Own) -> LoggerLevel {
    LoggerLevel { name, level: own.level.into(), last_modified: own.last_modified }
}

fn name_of(level: LevelFilter) -> &'static str {
    match level.into_level() {
        None => "OFF",
        Some(tracing::Level::ERROR) => "ERROR",
        Some(tracing::Level::WARN) => "WARN",
        Some(tracing::Level::INFO) => "INFO",
        Some(tracing::Level::DEBUG) => "DEBUG",
        Some(tracing::Level::TRACE) => "TRACE",
    }
}

fn filter_of(level: &str) -> LevelFilter {
    match level {
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        "TRACE" => LevelFilter::TRACE,
        // FATAL, too: nothing here is worse than an error.
        _ => LevelFilter::OFF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn levels(filter: &str) -> Levels {
        Levels::new(&filter.parse().unwrap())
    }

    /// Sets levels one after the other, then shows the answers, all levels and the filter.
    #[track_caller]
    fn check(settings: &[(&str, &str)], expected: Expect) {
        let mut levels = levels("info,actix_server=warn");
        let mut shown = String::new();
        for (now, (name, level)) in settings.iter().enumerate() {
            let changed = levels.set(name, level, now as i64).join(", ");
            shown.push_str(&format!("PUT {name} {level}: [{changed}]\n"));
        }
        for LoggerLevel { name, level, last_modified } in levels.all() {
            shown.push_str(&format!("{name} {level} {last_modified:?}\n"));
        }
        shown.push_str(&levels.filter().to_string());
        expected.assert_eq(&shown);
    }

    #[test]
    fn at_the_start_there_is_what_the_filter_says() {
        check(
            &[],
            expect![[r#"
            actix_server WARN None
            root INFO None
            actix_server=warn,info"#]],
        );
    }

    #[test]
    fn a_java_logger_sets_the_modules_behind_it() {
        check(
            &[("org.apache.kafka.connect.runtime.distributed", "DEBUG")],
            expect![[r#"
            PUT org.apache.kafka.connect.runtime.distributed DEBUG: [org.apache.kafka.connect.runtime.distributed, org.apache.kafka.connect.runtime.distributed.WorkerGroupMember]
            actix_server WARN None
            connect_kafka::group DEBUG Some(0)
            connect_runtime::distributed DEBUG Some(0)
            connect_runtime::group DEBUG Some(0)
            org.apache.kafka.connect.runtime.distributed DEBUG Some(0)
            org.apache.kafka.connect.runtime.distributed.WorkerGroupMember DEBUG Some(0)
            root INFO None
            connect_runtime::distributed=debug,connect_runtime::group=debug,connect_kafka::group=debug,actix_server=warn,info"#]],
        );
    }

    #[test]
    fn children_follow_their_parent_in_both_families() {
        check(
            &[
                ("connect_runtime::distributed", "TRACE"),
                ("org.apache.kafka.connect.runtime", "DEBUG"),
                ("org.apache.kafka.connect.runtime", "DEBUG"),
            ],
            expect![[r#"
                PUT connect_runtime::distributed TRACE: [connect_runtime::distributed]
                PUT org.apache.kafka.connect.runtime DEBUG: [org.apache.kafka.connect.runtime, org.apache.kafka.connect.runtime.Worker, org.apache.kafka.connect.runtime.WorkerSinkTask, org.apache.kafka.connect.runtime.WorkerSourceTask, org.apache.kafka.connect.runtime.distributed, org.apache.kafka.connect.runtime.distributed.WorkerGroupMember, org.apache.kafka.connect.runtime.errors, org.apache.kafka.connect.runtime.rest, org.apache.kafka.connect.runtime.standalone]
                PUT org.apache.kafka.connect.runtime DEBUG: []
                actix_server WARN None
                connect_kafka::group DEBUG Some(1)
                connect_rest DEBUG Some(1)
                connect_runtime DEBUG Some(1)
                connect_runtime::dead_letter DEBUG Some(1)
                connect_runtime::distributed DEBUG Some(1)
                connect_runtime::errors DEBUG Some(1)
                connect_runtime::group DEBUG Some(1)
                connect_runtime::sink_task DEBUG Some(1)
                connect_runtime::source_task DEBUG Some(1)
                connect_runtime::worker DEBUG Some(1)
                connect_worker::standalone DEBUG Some(1)
                org.apache.kafka.connect.runtime DEBUG Some(1)
                org.apache.kafka.connect.runtime.Worker DEBUG Some(1)
                org.apache.kafka.connect.runtime.WorkerSinkTask DEBUG Some(1)
                org.apache.kafka.connect.runtime.WorkerSourceTask DEBUG Some(1)
                org.apache.kafka.connect.runtime.distributed DEBUG Some(1)
                org.apache.kafka.connect.runtime.distributed.WorkerGroupMember DEBUG Some(1)
                org.apache.kafka.connect.runtime.errors DEBUG Some(1)
                org.apache.kafka.connect.runtime.rest DEBUG Some(1)
                org.apache.kafka.connect.runtime.standalone DEBUG Some(1)
                root INFO None
                connect_runtime::source_task=debug,connect_runtime::distributed=debug,connect_runtime::dead_letter=debug,connect_worker::standalone=debug,connect_runtime::sink_task=debug,connect_runtime::worker=debug,connect_runtime::errors=debug,connect_runtime::group=debug,connect_kafka::group=debug,connect_runtime=debug,connect_rest=debug,actix_server=warn,info"#]],
        );
    }

    #[test]
    fn one_of_our_modules_sets_the_java_loggers_it_is_all_of() {
        check(
            &[("connect_jdbc", "DEBUG")],
            expect![[r#"
            PUT connect_jdbc DEBUG: [connect_jdbc]
            actix_server WARN None
            connect_jdbc DEBUG Some(0)
            io.aiven.connect.jdbc DEBUG Some(0)
            io.aiven.connect.jdbc.sink DEBUG Some(0)
            io.aiven.connect.jdbc.source DEBUG Some(0)
            io.confluent.connect.jdbc DEBUG Some(0)
            io.confluent.connect.jdbc.sink DEBUG Some(0)
            io.confluent.connect.jdbc.source DEBUG Some(0)
            root INFO None
            connect_jdbc=debug,actix_server=warn,info"#]],
        );
    }

    #[test]
    fn the_root_is_followed_by_all() {
        check(
            &[("connect_jdbc::sink", "DEBUG"), ("ROOT", "ERROR")],
            expect![[r#"
            PUT connect_jdbc::sink DEBUG: [connect_jdbc::sink]
            PUT ROOT ERROR: [actix_server, connect_jdbc::sink, io.aiven.connect.jdbc.sink, io.confluent.connect.jdbc.sink, root]
            actix_server ERROR Some(1)
            connect_jdbc::sink ERROR Some(1)
            io.aiven.connect.jdbc.sink ERROR Some(1)
            io.confluent.connect.jdbc.sink ERROR Some(1)
            root ERROR Some(1)
            connect_jdbc::sink=error,actix_server=error,error"#]],
        );
    }

    #[test]
    fn unknown_loggers_change_nothing() {
        check(
            &[("org.example", "DEBUG"), ("org.apache.kafkaX", "OFF"), ("connect_runtimeX", "OFF")],
            expect![[r#"
            PUT org.example DEBUG: []
            PUT org.apache.kafkaX OFF: []
            PUT connect_runtimeX OFF: []
            actix_server WARN None
            root INFO None
            actix_server=warn,info"#]],
        );
    }

    #[test]
    fn a_logger_without_a_level_of_its_own_has_that_of_its_parent() {
        let mut levels = levels("info");
        levels.set("org.apache.kafka.connect", "DEBUG", 5);
        levels.set("org.apache.kafka.connect.runtime", "FATAL", 6);
        for (name, level, last_modified) in [
            ("root", "INFO", None),
            ("org.apache", "INFO", None),
            ("org.apache.kafka.connect", "DEBUG", Some(5)),
            ("org.apache.kafka.connect.json", "DEBUG", Some(5)),
            ("connect_converters::json::write", "DEBUG", None),
            ("org.apache.kafka.connect.runtime.distributed", "FATAL", Some(6)),
            ("connect_runtime::group::codec", "FATAL", None),
            ("connect_rest", "FATAL", Some(6)),
        ] {
            let expected = LoggerLevel { name: name.into(), level: level.into(), last_modified };
            assert_eq!(levels.get(name), Some(expected), "{name}");
        }
        assert_eq!(levels.get("org.example"), None);
    }

    #[test]
    fn every_java_logger_leads_to_a_target() {
        for (java, targets) in JAVA {
            assert!(!targets.is_empty() && targets.iter().all(|target| is_target(target)), "{java}");
        }
        assert!(JAVA.is_sorted());
    }
}
