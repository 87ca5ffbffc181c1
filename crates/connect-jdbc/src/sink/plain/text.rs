//! Plain values as JSON text.

use connect_api::Value;
use connect_api::json::{push_float, push_string};

/// The JSON text of a value, objects in their order.
pub(super) fn json(value: &Value) -> String {
    let mut out = Vec::new();
    push(&mut out, value);
    String::from_utf8_lossy(&out).into_owned()
}

/// What a column of texts is to hold: a text as it is, all else as JSON.
pub(super) fn of(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => json(other),
    }
}

fn push(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Boolean(value) => out.extend(value.to_string().bytes()),
        Value::Int8(number) => out.extend(number.to_string().bytes()),
        Value::Int16(number) => out.extend(number.to_string().bytes()),
        Value::Int32(number) | Value::Date(number) | Value::Time(number) => {
            out.extend(number.to_string().bytes());
        }
        Value::Int64(number) | Value::Timestamp(number) => out.extend(number.to_string().bytes()),
        Value::Float32(number) => push_float(out, &connect_api::data::java::float(*number)),
        Value::Float64(number) => push_float(out, &connect_api::data::java::double(*number)),
        Value::Decimal(decimal) => out.extend(decimal.to_string().bytes()),
        Value::String(text) => push_string(out, text),
        Value::Bytes(bytes) => {
            push_string(out, &bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        Value::Array(values) | Value::Struct(values) => {
            push_list(out, b'[', values.iter(), b']', push);
        }
        Value::Map(entries) => push_list(out, b'{', entries.iter(), b'}', |out, (name, value)| {
            push_string(out, &of(name));
            out.push(b':');
            push(out, value);
        }),
    }
}

fn push_list<T>(
    out: &mut Vec<u8>,
    open: u8,
    items: impl Iterator<Item = T>,
    close: u8,
    mut push: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        out.extend((index > 0).then_some(b','));
        push(out, item);
    }
    out.push(close);
}
