//! Who may depend on whom: the table of shared/design.md, "What may depend on what", in code.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};

use super::Finding;

/// Every crate of the workspace, and which others of the workspace its code may use. Tests (`[dev-dependencies]`) are free.
const OURS: &[(&str, &[&str])] = &[
    // the worker, from the inside out
    ("connect-api", &[]),
    ("connect-converters", &["connect-api"]),
    ("connect-transforms", &["connect-api"]),
    ("connect-jdbc", &["connect-api"]),
    ("connect-file", &["connect-api"]),
    ("connect-runtime", &["connect-api"]),
    ("connect-kafka", &["connect-api", "connect-runtime"]),
    ("connect-rest", &["connect-api", "connect-runtime"]),
    (
        "connect-worker",
        &[
            "connect-api",
            "connect-converters",
            "connect-transforms",
            "connect-jdbc",
            "connect-file",
            "connect-runtime",
            "connect-kafka",
            "connect-rest",
        ],
    ),
    // the platform
    ("contracts", &[]),
    ("service-kit", &["contracts"]),
    ("order-service", &["contracts", "service-kit"]),
    ("catalog-service", &["contracts", "service-kit"]),
    ("gateway", &["contracts", "service-kit"]),
    // around them
    ("demo", &["contracts"]),
    ("testkit", &[]),
    ("bench", &["testkit"]),
    ("e2e", &["testkit", "contracts", "connect-api", "connect-jdbc", "order-service", "catalog-service"]),
    ("parity", &["testkit"]),
    ("xtask", &[]),
];

/// Crates from outside that must not be reached, not even through others. `x*` stands for every name that begins so.
const NEVER: &[(&[&str], &[&str], &str)] = &[
    (
        &["connect-api", "connect-converters", "connect-transforms"],
        &["tokio", "rdkafka", "kafka-protocol", "actix-*", "sqlx*", "mysql_async", "sea-orm*", "reqwest"],
        "plain functions over values do no I/O",
    ),
    (&["contracts"], &["tokio", "rdkafka", "actix-*", "sqlx*", "sea-orm*", "reqwest"], "contracts are data"),
    (
        &["connect-jdbc", "connect-file"],
        &["rdkafka", "kafka-protocol", "actix-*", "reqwest"],
        "a connector knows its own system and connect-api; the runtime talks to Kafka",
    ),
    (
        &["connect-runtime"],
        &["rdkafka", "kafka-protocol", "actix-*", "sqlx*", "mysql_async", "sea-orm*", "reqwest"],
        "Kafka, the clock and the REST peer are ports (traits) of the runtime",
    ),
    (
        &["connect-rest"],
        &["rdkafka", "kafka-protocol", "sqlx*", "mysql_async"],
        "the REST API sees the Herder trait alone",
    ),
    (
        &["connect-kafka"],
        &["actix-*", "sqlx*", "mysql_async", "sea-orm*"],
        "it is the runtime's ports on Kafka, nothing else",
    ),
    (&["gateway"], &["sqlx*", "sea-orm*", "mysql_async"], "the gateway has no data of its own"),
    (&["xtask"], &["tokio", "rdkafka*", "sqlx*"], "xtask must compile in seconds"),
];

/// The broker's crates. They belong into the workspace of demo/broker alone: with sqlx's SQLite they do not fit into one
/// program, and built together with our crates they switch on features there.
const TANSU: &str = "tansu-*";

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let graph = Graph::of(metadata);
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let manifest = manifest_path(metadata, package);
        let Some((_, allowed)) = OURS.iter().find(|(crate_name, _)| *crate_name == name) else {
            let remedy = format!("add {name} to OURS in xtask/src/tidy/dependencies.rs with what it may use");
            findings.push(Finding::new(manifest, 1, "dependency-rules", remedy));
            continue;
        };
        for other in graph.direct(&package.id).filter(|other| graph.ours.contains(other)) {
            let other = graph.name(other);
            if !allowed.contains(&other) {
                let may = if allowed.is_empty() { "no crate of ours".to_owned() } else { allowed.join(", ") };
                let remedy = format!("{name} may use {may}, not {other}");
                findings.push(Finding::new(manifest.clone(), 1, "dependency-rules", remedy));
            }
        }
        let reached = graph.reached(&package.id);
        for (_, never, why) in NEVER.iter().filter(|(who, ..)| who.contains(&name)) {
            for pattern in *never {
                if let Some(path) = graph.path_to(&reached, pattern) {
                    let remedy = format!("{name} reaches {pattern} ({path}): {why}");
                    findings.push(Finding::new(manifest.clone(), 1, "dependency-rules", remedy));
                }
            }
        }
        if let Some(path) = graph.path_to(&reached, TANSU) {
            let remedy = format!("only demo/broker links the embedded broker's crates ({path})");
            findings.push(Finding::new(manifest, 1, "dependency-rules", remedy));
        }
    }
    findings
}

fn manifest_path(metadata: &Metadata, package: &Package) -> String {
    let relative = package.manifest_path.strip_prefix(&metadata.workspace_root);
    relative.unwrap_or(&package.manifest_path).to_string()
}

/// Normal and build dependencies as cargo resolved them.
struct Graph<'a> {
    names: BTreeMap<&'a PackageId, &'a str>,
    edges: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
    ours: BTreeSet<&'a PackageId>,
}

impl<'a> Graph<'a> {
    fn of(metadata: &'a Metadata) -> Self {
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let edges = nodes.map(|node| {
            let kept = node.deps.iter().filter(|dependency| {
                let kinds = &dependency.dep_kinds;
                kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            });
            (&node.id, kept.map(|dependency| &dependency.pkg).collect())
        });
        Graph {
            names: metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect(),
            edges: edges.collect(),
            ours: metadata.workspace_members.iter().collect(),
        }
    }

    fn name(&self, id: &PackageId) -> &'a str {
        self.names.get(id).copied().unwrap_or("?")
    }

    fn direct(&self, id: &PackageId) -> impl Iterator<Item = &'a PackageId> + '_ {
        self.edges.get(id).into_iter().flatten().copied()
    }

    /// Everything reachable, each with the package through which it was found first (so by a shortest path).
    fn reached(&self, from: &'a PackageId) -> BTreeMap<&'a PackageId, &'a PackageId> {
        let mut found_by = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(id) = queue.pop_front() {
            for next in self.direct(id) {
                if next != from && !found_by.contains_key(next) {
                    found_by.insert(next, id);
                    queue.push_back(next);
                }
            }
        }
        found_by
    }

    /// `a -> b -> tokio` for the nearest package that matches.
    fn path_to(&self, reached: &BTreeMap<&'a PackageId, &'a PackageId>, pattern: &str) -> Option<String> {
        let paths = reached.keys().filter(|id| matches(pattern, self.name(id))).map(|id| {
            let mut path = vec![self.name(id)];
            let mut at = *id;
            while let Some(parent) = reached.get(at) {
                path.push(self.name(parent));
                at = parent;
            }
            path
        });
        let mut path = paths.min_by_key(Vec::len)?;
        path.reverse();
        Some(path.join(" -> "))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of four crates; `edges` as (from, to, kind).
    fn metadata(edges: &[(&str, &str, Option<&str>)]) -> Metadata {
        let ours = ["connect-api", "connect-runtime", "connect-kafka", "stranger"];
        let names: Vec<&str> =
            ours.into_iter().chain(["tokio", "rdkafka", "futures", "tansu-sans-io"]).collect();
        let packages: Vec<_> = names
            .iter()
            .map(|name| {
                serde_json::json!({"name": name, "version": "0.1.0", "id": name, "dependencies": [], "targets": [], "features": {},
                    "manifest_path": format!("/w/{name}/Cargo.toml"), "source": null, "license": null, "license_file": null,
                    "description": null, "metadata": null, "publish": null, "authors": [], "categories": [], "keywords": [],
                    "readme": null, "repository": null, "homepage": null, "documentation": null, "edition": "2024",
                    "links": null, "default_run": null, "rust_version": null})
            })
            .collect();
        let nodes: Vec<_> = names
            .iter()
            .map(|name| {
                let mine = edges.iter().filter(|(from, ..)| from == name);
                let deps: Vec<_> = mine
                    .map(|(_, to, kind)| {
                        serde_json::json!({"name": to, "pkg": to, "dep_kinds": [{"kind": kind, "target": null}]})
                    })
                    .collect();
                serde_json::json!({"id": name, "dependencies": [], "deps": deps, "features": []})
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "packages": packages, "workspace_members": ours, "workspace_default_members": ours, "version": 1,
            "resolve": {"nodes": nodes, "root": null}, "workspace_root": "/w", "target_directory": "/w/target",
            "metadata": null
        }))
        .unwrap()
    }

    fn remedies(edges: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let findings = check(&metadata(edges));
        let mine = findings.into_iter().filter(|finding| !finding.remedy.contains("add stranger"));
        mine.map(|finding| finding.remedy).collect()
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let edges = [
            ("connect-runtime", "connect-api", None),
            ("connect-runtime", "tokio", None),
            ("connect-kafka", "connect-runtime", None),
            ("connect-kafka", "rdkafka", None),
            ("connect-api", "tokio", Some("dev")),
        ];
        assert_eq!(remedies(&edges), Vec::<String>::new());
    }

    #[test]
    fn a_crate_of_ours_that_is_not_allowed_is_found() {
        assert_eq!(
            remedies(&[("connect-api", "connect-runtime", None)]),
            ["connect-api may use no crate of ours, not connect-runtime"]
        );
    }

    #[test]
    fn a_crate_from_outside_is_found_with_the_way_to_it() {
        let found = remedies(&[("connect-runtime", "futures", None), ("futures", "rdkafka", Some("build"))]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("connect-runtime -> futures -> rdkafka"), "{found:?}");
    }

    #[test]
    fn the_embedded_brokers_crates_are_for_it_alone() {
        let found = remedies(&[("connect-kafka", "tansu-sans-io", None)]);
        assert!(found.iter().any(|remedy| remedy.contains("only demo/broker")), "{found:?}");
    }

    #[test]
    fn a_crate_without_a_rule_is_found() {
        let findings = check(&metadata(&[]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].file, "stranger/Cargo.toml");
    }
}
