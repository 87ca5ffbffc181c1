//! Expected JSON with placeholders.

use serde_json::Value;

use crate::pattern::text_matches;

/// In an object: further keys may be there.
const MORE: &str = "<more>";
/// As the first element of an array: the others come in any order.
const UNORDERED: &str = "<unordered>";

/// Whether `actual` is what `pattern` describes. The error names the place as a JSON pointer.
pub(crate) fn json_matches(pattern: &Value, actual: &Value) -> Result<(), String> {
    compare(pattern, actual, "")
}

fn compare(pattern: &Value, actual: &Value, at: &str) -> Result<(), String> {
    let differs = || Err(format!("at {}: expected {pattern}, got {actual}", place(at)));
    match (pattern, actual) {
        (Value::String(text), _) => match text.as_str() {
            "<any>" => Ok(()),
            "<int>" if actual.is_i64() || actual.is_u64() => Ok(()),
            "<int>" => differs(),
            _ => match actual.as_str() {
                Some(actual) if text_matches(text, actual)? => Ok(()),
                _ => differs(),
            },
        },
        (Value::Object(pattern), Value::Object(actual)) => {
            for (key, pattern) in pattern.iter().filter(|(key, _)| *key != MORE) {
                let Some(actual) = actual.get(key) else {
                    return Err(format!("at {}: no key {key:?}", place(at)));
                };
                compare(pattern, actual, &format!("{at}/{key}"))?;
            }
            let more = actual.iter().find(|(key, _)| !pattern.contains_key(*key));
            match more {
                Some((key, value)) if !pattern.contains_key(MORE) => {
                    Err(format!("at {}: unexpected key {key:?}: {value}", place(at)))
                }
                _ => Ok(()),
            }
        }
        (Value::Array(patterns), Value::Array(actual)) => array(patterns, actual, at),
        _ if pattern == actual => Ok(()),
        _ => differs(),
    }
}

fn array(patterns: &[Value], actual: &[Value], at: &str) -> Result<(), String> {
    let more = patterns.iter().any(|pattern| pattern == MORE);
    let unordered = patterns.first().is_some_and(|first| first == UNORDERED) || more;
    let wanted: Vec<&Value> =
        patterns.iter().filter(|pattern| *pattern != MORE && *pattern != UNORDERED).collect();
    if !more && wanted.len() != actual.len() {
        return Err(format!("at {}: {} elements expected, got {}", place(at), wanted.len(), actual.len()));
    }
    if !unordered {
        let mut pairs = wanted.iter().zip(actual).enumerate();
        return pairs.try_for_each(|(n, (pattern, actual))| compare(pattern, actual, &format!("{at}/{n}")));
    }
    let mut left: Vec<&Value> = actual.iter().collect();
    for pattern in wanted {
        let found = left.iter().position(|actual| compare(pattern, actual, at).is_ok());
        let found = found.ok_or_else(|| format!("at {}: no element like {pattern}", place(at)))?;
        left.remove(found);
    }
    Ok(())
}

fn place(at: &str) -> &str {
    if at.is_empty() { "the top" } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ok(pattern: Value, actual: Value) -> bool {
        json_matches(&pattern, &actual).is_ok()
    }

    #[test]
    fn objects_have_exactly_the_expected_keys_in_any_order() {
        assert!(ok(json!({"a": 1, "b": "x"}), json!({"b": "x", "a": 1})));
        assert_eq!(
            json_matches(&json!({"a": {"b": 1}}), &json!({"a": {}})),
            Err("at /a: no key \"b\"".to_owned())
        );
        assert_eq!(
            json_matches(&json!({"a": 1}), &json!({"a": 1, "c": 2})),
            Err("at the top: unexpected key \"c\": 2".to_owned())
        );
        assert!(ok(json!({"a": 1, "<more>": true}), json!({"a": 1, "c": 2})));
    }

    #[test]
    fn placeholders_match_values_of_their_kind() {
        assert!(ok(json!("<any>"), json!({"x": 1})));
        assert!(ok(json!("<int>"), json!(5)));
        assert!(!ok(json!("<int>"), json!("5")));
        assert!(!ok(json!("<int>"), json!(5.5)));
        assert!(ok(json!("at <int>"), json!("at 5")));
        assert!(ok(json!("<text>"), json!("")));
        assert!(!ok(json!("<text>"), json!(null)));
        assert!(!ok(json!("5"), json!(5)));
    }

    #[test]
    fn arrays_are_ordered_unless_said_otherwise() {
        assert!(ok(json!([1, 2]), json!([1, 2])));
        assert!(!ok(json!([1, 2]), json!([2, 1])));
        assert!(!ok(json!([1]), json!([1, 2])));
        assert!(ok(json!(["<unordered>", 1, 2]), json!([2, 1])));
        assert!(!ok(json!(["<unordered>", 1, 1]), json!([1, 2])));
        assert!(!ok(json!(["<unordered>", 1]), json!([1, 2])));
        assert!(ok(json!([2, "<more>"]), json!([1, 2])));
        assert!(!ok(json!([3, "<more>"]), json!([1, 2])));
    }
}
