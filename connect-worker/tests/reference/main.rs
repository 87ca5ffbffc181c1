//! docs/reference is written from the tables that the program works by. `UPDATE_EXPECT=1 cargo test -p connect-worker --test reference`
//! writes it anew.

mod connectors;
mod table;
mod worker;

use expect_test::expect_file;

#[test]
fn rest() {
    expect_file!["../../../docs/reference/rest.md"].assert_eq(&connect_rest::reference_markdown());
}

#[test]
fn worker_config() {
    expect_file!["../../../docs/reference/worker-config.md"].assert_eq(&worker::markdown());
}

#[test]
fn connector_config() {
    expect_file!["../../../docs/reference/connector-config.md"].assert_eq(&connectors::markdown());
}

#[test]
fn every_key_says_what_it_is_for() {
    let worker = worker::tables().into_iter().map(|(title, def)| (title.to_owned(), def));
    for (of, def) in worker.chain(connectors::tables()) {
        for key in def.keys {
            assert!(!key.doc.trim().is_empty(), "{} of {of} has no documentation", key.name);
        }
    }
}
