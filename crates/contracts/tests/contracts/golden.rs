//! The wire form, byte for byte, and readers of another age than the writer.

use crate::{decision, order};
use contracts::{Decision, Fact, Order, Outcome, decode, encode};
use expect_test::{ExpectFile, expect_file};
use std::fmt::Debug;

#[track_caller]
fn check<F: Fact + PartialEq + Debug>(fact: F, golden: ExpectFile) {
    let bytes = encode(&fact);
    golden.assert_eq(std::str::from_utf8(&bytes).unwrap());
    assert_eq!(decode::<F>(Some(&bytes)).unwrap(), fact);
}

#[test]
fn orders() {
    check(order(), expect_file!["../../golden/order.json"]);
    check(Order { idempotency_key: None, ..order() }, expect_file!["../../golden/order_without_key.json"]);
}

#[test]
fn decisions() {
    check(decision(Outcome::Confirmed, None), expect_file!["../../golden/decision_confirmed.json"]);
    check(
        decision(Outcome::Rejected, Some(Decision::INSUFFICIENT_STOCK)),
        expect_file!["../../golden/decision_rejected.json"],
    );
}

/// A writer of tomorrow has more fields: today's reader passes over them.
#[test]
fn an_old_reader_ignores_fields_of_a_newer_writer() {
    let newer = include_bytes!("../../golden/newer_order.json");
    assert_eq!(decode::<Order>(Some(newer)).unwrap(), order());
    let newer = include_bytes!("../../golden/newer_decision.json");
    assert_eq!(decode::<Decision>(Some(newer)).unwrap(), decision(Outcome::Confirmed, None));
}

/// A writer of yesterday had fewer optional fields: they read as null.
#[test]
fn a_new_reader_reads_a_missing_optional_field_as_null() {
    let older = include_bytes!("../../golden/older_order.json");
    assert_eq!(decode::<Order>(Some(older)).unwrap(), Order { idempotency_key: None, ..order() });
    let older = include_bytes!("../../golden/older_decision.json");
    assert_eq!(decode::<Decision>(Some(older)).unwrap(), decision(Outcome::Confirmed, None));
}

/// The schema table is written by hand beside the struct: they must name the same fields in the same order.
#[test]
fn schema_and_payload_name_the_same_fields() {
    fn fields<F: Fact>(fact: F) {
        let value: serde_json::Value = serde_json::from_slice(&encode(&fact)).unwrap();
        let payload: Vec<&str> = value["payload"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(payload, F::FIELDS.iter().map(|field| field.name).collect::<Vec<_>>());
        for field in F::FIELDS {
            let given = &value["payload"][field.name];
            assert!(field.optional || !given.is_null(), "{} is null but not optional", field.name);
        }
    }
    fields(Order { idempotency_key: None, ..order() });
    fields(decision(Outcome::Confirmed, None));
}
