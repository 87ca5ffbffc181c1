//! The rules between the source's keys, in the reference's order and words: what breaks one is not told of the next.

use super::config::{Flavor, query};
use super::keys::*;
use super::keys_aiven::QUALIFY;
use super::mode::Mode;
use crate::config::Faults;
use connect_api::ParsedConfig;

pub(super) fn check(flavor: Flavor, parsed: &ParsedConfig) -> Faults {
    let Some(mode) = Mode::read(parsed.text(MODE)) else {
        return one(
            MODE,
            "Query mode must be specified: set mode to bulk, incrementing, timestamp or timestamp+incrementing",
        );
    };
    let rules: [fn(Flavor, Mode, &ParsedConfig) -> Faults; 7] = [
        lists_are_exclusive,
        old_and_new_keys,
        queries,
        column_of_a_query,
        exclude_needs_include,
        columns_of_the_mode,
        our_own_keys,
    ];
    rules.iter().map(|rule| rule(flavor, mode, parsed)).find(|faults| !faults.is_empty()).unwrap_or_default()
}

fn one(key: &str, message: impl Into<String>) -> Faults {
    vec![(key.into(), message.into())]
}

/// The message for each of the keys.
fn each<'a>(keys: impl IntoIterator<Item = &'a str>, message: &str) -> Faults {
    keys.into_iter().map(|key| (key.to_owned(), message.to_owned())).collect()
}

fn given(flavor: Flavor, parsed: &ParsedConfig, key: &str) -> bool {
    let newer = [INCLUDE_LIST, EXCLUDE_LIST, TIMESTAMP_MAPPING, INCREMENTING_MAPPING];
    match key {
        INCREMENTING_COLUMN => !parsed.text(key).is_empty(),
        TIMESTAMP_COLUMN => parsed.list(key).first().is_some_and(|name| !name.is_empty()),
        _ if flavor == Flavor::Aiven && newer.contains(&key) => false,
        _ => !parsed.list(key).is_empty(),
    }
}

const FILTERS: [&str; 4] = [WHITELIST, BLACKLIST, INCLUDE_LIST, EXCLUDE_LIST];
const OLDER: [&str; 4] = [WHITELIST, BLACKLIST, TIMESTAMP_COLUMN, INCREMENTING_COLUMN];
const NEWER: [&str; 4] = [INCLUDE_LIST, EXCLUDE_LIST, TIMESTAMP_MAPPING, INCREMENTING_MAPPING];

fn lists_are_exclusive(flavor: Flavor, _: Mode, parsed: &ParsedConfig) -> Faults {
    let both = [WHITELIST, BLACKLIST];
    if both.iter().all(|key| given(flavor, parsed, key)) {
        return each(both, "table.whitelist and table.blacklist are exclusive. Remove one of them.");
    }
    Faults::new()
}

fn old_and_new_keys(flavor: Flavor, _: Mode, parsed: &ParsedConfig) -> Faults {
    if flavor == Flavor::Aiven || query(flavor, parsed).is_some() {
        return Faults::new();
    }
    let given = |key: &&str| given(flavor, parsed, key);
    match (OLDER.iter().any(given), NEWER.iter().any(given)) {
        (true, true) => each(
            OLDER.into_iter().chain(NEWER).filter(given),
            "Cannot mix legacy and new configuration approaches. Legacy configurations (table.whitelist, table.blacklist, \
             timestamp.column.name, incrementing.column.name) cannot be used together with new configurations \
             (table.include.list, table.exclude.list, timestamp.columns.mapping, incrementing.column.mapping). Please choose \
             one approach: either use all legacy configurations or all new configurations.",
        ),
        (false, false) => each(
            FILTERS,
            "At least one table filtering configuration is required. Provide one of: table.whitelist, table.blacklist, \
             table.include.list, or table.exclude.list.",
        ),
        _ => Faults::new(),
    }
}

fn queries(flavor: Flavor, _: Mode, parsed: &ParsedConfig) -> Faults {
    let Some((text, masked)) = query(flavor, parsed) else { return Faults::new() };
    let key = if masked { QUERY_MASKED } else { QUERY };
    if masked && !parsed.text(QUERY).is_empty() {
        return each(
            [QUERY, QUERY_MASKED],
            "Both 'query' and 'query.masked' configs cannot be set at the same time. Please use only one of them.",
        );
    }
    let filters: Vec<&str> = FILTERS.into_iter().filter(|key| given(flavor, parsed, key)).collect();
    if !filters.is_empty() {
        return each(
            [key].into_iter().chain(filters),
            "Do not specify table filtering configs with 'query'. Remove table.whitelist / table.blacklist / \
             table.include.list / table.exclude.list when using query mode or 'query' when using table filtering mode.",
        );
    }
    let first: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if flavor == Flavor::Confluent && !first.eq_ignore_ascii_case("select") {
        return one(
            key,
            format!(
                "Only SELECT statements are supported for '{key}'. Please provide a statement that starts with SELECT."
            ),
        );
    }
    if parsed.text(TOPIC_PREFIX).is_empty() {
        return one(TOPIC_PREFIX, "with a query topic.prefix is the name of the topic, and may not be empty");
    }
    Faults::new()
}

fn column_of_a_query(flavor: Flavor, mode: Mode, parsed: &ParsedConfig) -> Faults {
    if query(flavor, parsed).is_none() {
        return Faults::new();
    }
    if mode.uses_incrementing() && !given(flavor, parsed, INCREMENTING_COLUMN) {
        return one(
            INCREMENTING_COLUMN,
            "'incrementing.column.name' must be provided when using mode 'incrementing' or 'timestamp+incrementing' with a \
             custom query. The incrementing column cannot be auto-discovered in query mode because there is no table to \
             inspect. Note that 'incrementing.column.mapping' is not applied in query mode (it maps columns by table-name \
             regex, and a custom query has no underlying table to match), so 'incrementing.column.name' must be set \
             explicitly.",
        );
    }
    let mappings = [TIMESTAMP_MAPPING, INCREMENTING_MAPPING];
    let mappings: Vec<_> = mappings.into_iter().filter(|key| given(flavor, parsed, key)).collect();
    each(
        mappings,
        "a query has no table whose name could match; use timestamp.column.name and incrementing.column.name",
    )
}

fn exclude_needs_include(flavor: Flavor, _: Mode, parsed: &ParsedConfig) -> Faults {
    if given(flavor, parsed, EXCLUDE_LIST) && !given(flavor, parsed, INCLUDE_LIST) {
        return one(
            EXCLUDE_LIST,
            "table.exclude.list cannot be used without table.include.list. Exclude list only applies to tables that match the \
             include list.",
        );
    }
    Faults::new()
}

fn columns_of_the_mode(flavor: Flavor, mode: Mode, parsed: &ParsedConfig) -> Faults {
    let newer = NEWER.iter().any(|key| given(flavor, parsed, key));
    if mode.uses_timestamp() {
        let key = if newer { TIMESTAMP_MAPPING } else { TIMESTAMP_COLUMN };
        if !given(flavor, parsed, key) {
            return one(
                MODE,
                format!(
                    "Timestamp column configuration must be provided when using mode 'timestamp' or \
                     'timestamp+incrementing'. Provide '{key}'."
                ),
            );
        }
    } else if given(flavor, parsed, TIMESTAMP_MAPPING) {
        return one(
            MODE,
            "Timestamp column configurations should not be provided if mode is not 'timestamp' or 'timestamp+incrementing'. \
             Remove 'timestamp.columns.mapping'.",
        );
    }
    if mode.uses_incrementing() && newer && !given(flavor, parsed, INCREMENTING_MAPPING) {
        return one(
            MODE,
            "Incrementing column configuration must be provided when using mode 'incrementing' or 'timestamp+incrementing'. \
             Provide 'incrementing.column.mapping'.",
        );
    }
    if !mode.uses_incrementing() && given(flavor, parsed, INCREMENTING_MAPPING) {
        return one(
            MODE,
            "Incrementing column configurations should not be provided if mode is not 'incrementing' or \
             'timestamp+incrementing'. Remove 'incrementing.column.mapping'.",
        );
    }
    if mode.uses_incrementing()
        && flavor == Flavor::Aiven
        && !parsed.boolean(QUALIFY)
        && !given(flavor, parsed, INCREMENTING_COLUMN)
    {
        return one(
            INCREMENTING_COLUMN,
            "When using unqualified table names and either incrementing or timestamp+incrementing mode, an incrementing column \
             name must be explicitly provided via the 'incrementing.column.name' property.",
        );
    }
    Faults::new()
}

/// Extensions that would do nothing are refused: somebody relies on them.
fn our_own_keys(flavor: Flavor, mode: Mode, parsed: &ParsedConfig) -> Faults {
    let mut faults = Faults::new();
    let mut refuse = |key: &str, wanted: bool, when: &str| {
        if wanted {
            faults.push((key.to_owned(), format!("{key} {when}; remove it")));
        }
    };
    let queried = query(flavor, parsed).is_some();
    let split = parsed.integer(SNAPSHOT_SPLITS) > 1;
    refuse(RECORD_KEY, queried && parsed.boolean(RECORD_KEY), "needs tables, a query has no primary key");
    refuse(SNAPSHOT_SPLITS, queried && split, "needs tables");
    refuse(SNAPSHOT_SPLITS, !queried && split && mode != Mode::Incrementing, "needs mode=incrementing");
    let rows = parsed.integer(LOOKBACK_ROWS) > 0;
    refuse(LOOKBACK_ROWS, rows && mode != Mode::Incrementing, "needs mode=incrementing");
    let millis = parsed.integer(LOOKBACK_MS) > 0;
    refuse(LOOKBACK_MS, millis && !mode.uses_timestamp(), "needs a mode with timestamps");
    faults
}

#[cfg(test)]
mod tests;
