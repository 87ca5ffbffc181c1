//! Values that are no facts: each is refused with a text that names what is wrong.

use crate::{decision, order};
use contracts::{ContractError, Decision, Fact, Order, Outcome, decode, encode};
use serde_json::{Value, json};
use std::error::Error;

/// The error and its sources in one line, as the services print it.
fn chain(error: &ContractError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[track_caller]
fn refused<F: Fact + std::fmt::Debug>(value: &[u8], says: &str) {
    let error = decode::<F>(Some(value)).expect_err(&String::from_utf8_lossy(value));
    let text = chain(&error);
    assert!(text.contains(says), "{text:?} does not say {says:?}, for {}", String::from_utf8_lossy(value));
}

fn with<F: Fact>(fact: F, field: &str, value: Option<Value>) -> Vec<u8> {
    let mut envelope: Value = serde_json::from_slice(&encode(&fact)).unwrap();
    let payload = envelope["payload"].as_object_mut().unwrap();
    match value {
        Some(value) => payload.insert(field.into(), value),
        None => payload.remove(field),
    };
    envelope.to_string().into_bytes()
}

#[test]
fn a_tombstone_is_no_fact() {
    assert!(matches!(decode::<Order>(None), Err(ContractError::Tombstone)));
}

#[test]
fn values_that_are_no_envelope() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "EOF"),
        (b"hello", "expected value"),
        (b"\xff\xfe{}", "expected value"),
        (b"null", "invalid type: null"),
        (b"[]", "invalid length 0"),
        (br#"[{},{}]"#, "not both JSON objects"),
        (br#"{"schema":[],"payload":{}}"#, "not both JSON objects"),
        (b"{}", "missing field `schema`"),
        (br#"{"schema":{}}"#, "missing field `payload`"),
        (br#"{"payload":{}}"#, "missing field `schema`"),
        (br#"{"schema":null,"payload":{}}"#, "not both JSON objects"),
        (br#"{"schema":{},"payload":{}} x"#, "trailing characters"),
        (br#"{"schema":{},"schema":{},"payload":{}}"#, "duplicate field `schema`"),
        (br#"{"schema":{},"payload":{"#, "EOF"),
        // the bare payload, as a converter without schemas would write it
        (br#"{"order_id":"01961f3c-8a80-7cc3-98c4-dc0c0c07398f","qty":2}"#, "missing field `schema`"),
    ];
    for (value, says) in cases {
        refused::<Order>(value, "not schema-and-payload JSON");
        refused::<Order>(value, says);
    }
}

#[test]
fn a_deeply_nested_value_does_not_exhaust_the_stack() {
    let deep = format!(r#"{{"schema":{{}},"payload":{}"#, "[".repeat(200_000));
    refused::<Order>(deep.as_bytes(), "not schema-and-payload JSON");
}

#[test]
fn payloads_that_are_no_order() {
    let overflow = i64::MAX / 2;
    let cases: &[(&str, Option<Value>, &str)] = &[
        ("order_id", None, "missing field `order_id`"),
        ("order_id", Some(json!("17")), "order_id is not a UUID"),
        ("order_id", Some(json!(17)), "payload is not a valid order"),
        (
            "order_id",
            Some(json!("01961F3C-8A80-7CC3-98C4-DC0C0C07398F")),
            "order_id is not a UUID in lower case",
        ),
        ("order_id", Some(json!("01961f3c8a807cc398c4dc0c0c07398f")), "order_id is not a UUID in lower case"),
        ("order_id", Some(json!("{01961f3c-8a80-7cc3-98c4-dc0c0c07398f}")), "order_id is not a UUID"),
        ("user_id", None, "missing field `user_id`"),
        ("user_id", Some(json!(null)), "expected a string"),
        ("user_id", Some(json!("")), "user_id has 0 characters"),
        ("user_id", Some(json!("u".repeat(65))), "user_id has 65 characters"),
        ("product_id", Some(json!("1")), "expected i64"),
        ("product_id", Some(json!(1.5)), "expected i64"),
        ("product_id", Some(json!(9_223_372_036_854_775_808_u64)), "expected i64"),
        ("qty", Some(json!(0)), "qty is 0"),
        ("qty", Some(json!(-1)), "qty is -1"),
        ("qty", Some(json!(10_001)), "qty is 10001"),
        ("qty", Some(json!(3_000_000_000_u32)), "expected i32"),
        ("unit_price", Some(json!(-1)), "unit_price is -1"),
        ("unit_price", Some(json!(overflow + 1)), "total_price is 3000"),
        ("total_price", Some(json!(2999)), "total_price is 2999"),
        ("total_price", None, "missing field `total_price`"),
        ("created_at", Some(json!("2026-01-31")), "expected i64"),
        ("idempotency_key", Some(json!(5)), "expected a string"),
    ];
    for (field, value, says) in cases {
        refused::<Order>(&with(order(), field, value.clone()), says);
    }
}

#[test]
fn payloads_that_are_no_decision() {
    let cases: &[(Decision, &str, Option<Value>, &str)] = &[
        (decision(Outcome::Confirmed, None), "order_id", Some(json!("x")), "not a valid order_decision"),
        (decision(Outcome::Confirmed, None), "outcome", Some(json!("MAYBE")), "unknown variant `MAYBE`"),
        (decision(Outcome::Confirmed, None), "outcome", Some(json!("confirmed")), "unknown variant"),
        (decision(Outcome::Confirmed, None), "outcome", None, "missing field `outcome`"),
        (
            decision(Outcome::Confirmed, None),
            "reason",
            Some(json!("WHY")),
            "reason is set on a confirmed order",
        ),
        (decision(Outcome::Rejected, Some("X")), "reason", None, "reason is missing on a rejected order"),
        (decision(Outcome::Rejected, Some("X")), "decided_at", Some(json!(null)), "expected i64"),
    ];
    for (decision, field, value, says) in cases {
        refused::<Decision>(&with(decision.clone(), field, value.clone()), says);
    }
    let array = br#"{"schema":{},"payload":["01961f3c-8a80-7cc3-98c4-dc0c0c07398f","CONFIRMED",null,1]}"#;
    refused::<Decision>(array, "the payload is not a JSON object");
    refused::<Decision>(&encode(&order()), "not a valid order_decision");
}
