//! JSON text as Java's Jackson writes it, byte for byte: no blanks, control characters as `\u001B` in capitals, characters beyond
//! the basic plane as two escapes, doubles in Java's notation. Offset keys are compared as bytes, and topics are read by
//! people who diff them.

use crate::data::java;
use serde_json::Value;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // Most texts have nothing to escape, and bytes are looked through sooner than characters; 0xF0 begins those beyond U+FFFF.
    let Some(first) = text.bytes().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\' | 0xf0..)) else {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    };
    let (before, text) = text.split_at(first);
    out.extend_from_slice(before.as_bytes());
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let short = match c {
            '"' => b'"',
            '\\' => b'\\',
            '\u{8}' => b'b',
            '\t' => b't',
            '\n' => b'n',
            '\u{c}' => b'f',
            '\r' => b'r',
            '\0'..='\u{1f}' | '\u{10000}'.. => 0,
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        plain = at + c.len_utf8();
        if short != 0 {
            out.extend_from_slice(&[b'\\', short]);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let digit = |shift: u16| HEX[usize::from(*unit >> shift & 0xf)];
                out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

/// Appends a whole number; a good deal sooner than through `fmt`.
pub fn push_integer(out: &mut Vec<u8>, number: i64) {
    /// Of the longest, with its sign.
    const LENGTH: usize = 20;
    let mut text = [b'0'; LENGTH];
    let (mut at, mut rest) = (LENGTH, number.unsigned_abs());
    loop {
        at -= 1;
        text[at] += (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        text[at] = b'-';
    }
    out.extend_from_slice(&text[at..]);
}

/// Appends a float or double already in Java's notation; what is no number is a string, as with Jackson.
pub fn push_float(out: &mut Vec<u8>, text: &str) {
    let quoted = matches!(text, "NaN" | "Infinity" | "-Infinity");
    out.extend(quoted.then_some(b'"'));
    out.extend_from_slice(text.as_bytes());
    out.extend(quoted.then_some(b'"'));
}

/// Appends a JSON value, keys in their order.
pub fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(double) => push_float(out, &java::double(double)),
            None => out.extend_from_slice(number.to_string().as_bytes()),
        },
        Value::String(text) => push_string(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend((index > 0).then_some(b','));
                push_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(fields) => push_object(out, fields),
    }
}

/// Appends a JSON object, keys in their order.
pub fn push_object(out: &mut Vec<u8>, fields: &serde_json::Map<String, Value>) {
    out.push(b'{');
    for (index, (key, value)) in fields.iter().enumerate() {
        out.extend((index > 0).then_some(b','));
        push_string(out, key);
        out.push(b':');
        push_value(out, value);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn jacksons_spelling() {
        let value = json!({"b": ["é\u{1b}\n\"\\/\u{7f}", null, true, -5, 1e10, 0.5], "a": "😀"});
        let mut out = Vec::new();
        push_value(&mut out, &value);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"b\":[\"é\\u001B\\n\\\"\\\\/\u{7f}\",null,true,-5,1.0E10,0.5],\"a\":\"\\uD83D\\uDE00\"}"
        );
    }

    #[test]
    fn the_longest_integers() {
        for number in [i64::MIN, i64::MAX, 0] {
            let mut out = Vec::new();
            push_integer(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }

    proptest! {
        #[test]
        fn every_integer_is_what_rust_prints(number in any::<i64>(), shift in 0_u32..64) {
            let number = number >> shift;
            let mut out = Vec::new();
            push_integer(&mut out, number);
            prop_assert_eq!(out, number.to_string().into_bytes());
        }

        #[test]
        fn every_string_reads_back(text in any::<String>()) {
            let mut out = Vec::new();
            push_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
