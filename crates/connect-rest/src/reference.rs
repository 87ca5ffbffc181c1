//! The reference of the API, written from the table of its routes.

use crate::routes::{Audience, COMMON_STATUSES, Route, routes};
use std::fmt::Write;

const INTRODUCTION: &str = "\
# REST API

Generated from the table in `crates/connect-rest/src/routes`; do not edit.

JSON in and out. Errors are `{\"error_code\", \"message\"}`, `error_code` being the status. A slash at the end of a path is as
good as none; names in paths are percent-encoded (`/` as `%2F`), and `+` is a plus sign. `GET` routes answer `HEAD`, and every
path `OPTIONS`. \"Since\" is the version of Apache Kafka that brought the route.

A worker that is not the right one for a request (the leader, or the one that runs the task) sends it on with `forward=true`;
if that one is not right either, it sends it on with `forward=false`; then the answer is 409.
";

/// Markdown.
pub fn reference_markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\nAny request may be answered:\n\n| Status | When |\n|---|---|\n");
    for (status, meaning) in COMMON_STATUSES {
        line(&mut text, format_args!("| {status} | {} |", cell(meaning)));
    }
    for (audience, title) in [
        (Audience::Users, "## For users"),
        (
            Audience::Admin,
            "## For administrators\n\nOn `admin.listeners` where that is set, else on `listeners`.",
        ),
        (
            Audience::Internal,
            "## Between workers\n\nSigned with a key from the config topic: `X-Connect-Authorization` (base64) and \
             `X-Connect-Request-Signature-Algorithm`.",
        ),
    ] {
        line(&mut text, format_args!("\n{title}"));
        for route in routes().filter(|route| route.audience == audience) {
            describe(&mut text, route);
        }
    }
    text
}

fn describe(text: &mut String, route: &Route) {
    line(text, format_args!("\n### {} {}\n\n{}\n", route.method, route.path, route.summary));
    line(text, format_args!("| | |\n|---|---|\n| Since | {} |", cell(route.since)));
    for parameter in route.parameters {
        line(text, format_args!("| `?{}=` | {} |", parameter.name, cell(parameter.meaning)));
    }
    if !route.body.is_empty() {
        line(text, format_args!("| Body | {} |", cell(route.body)));
    }
    for (status, meaning) in route.statuses {
        line(text, format_args!("| {status} | {} |", cell(meaning)));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_there_once() {
        let text = reference_markdown();
        for route in routes() {
            let heading = format!("### {} {}\n", route.method, route.path);
            assert_eq!(text.matches(&heading).count(), 1, "{heading}");
        }
        assert_eq!(text.matches("\n### ").count(), routes().count());
    }
}
