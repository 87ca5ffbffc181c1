use super::*;
use std::sync::Arc;

/// Printed by Java 17.
#[test]
fn doubles() {
    for (value, expected) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (100.0, "100.0"),
        (0.1, "0.1"),
        (0.001, "0.001"),
        (0.00123, "0.00123"),
        (0.0009, "9.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12345678.5, "1.23456785E7"),
        (1234567.125, "1234567.125"),
        (-1.5e300, "-1.5E300"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::from_bits(1), "4.9E-324"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(double(value), expected);
    }
    for (value, expected) in
        [(1.5_f32, "1.5"), (3.4028235e38, "3.4028235E38"), (f32::from_bits(1), "1.4E-45"), (0.3, "0.3")]
    {
        assert_eq!(float(value), expected);
    }
}

#[test]
fn decimals() {
    for (unscaled, scale, expected) in [
        (12345, 2, "123.45"),
        (0, 2, "0.00"),
        (1, 6, "0.000001"),
        (1, 7, "1E-7"),
        (-123, 10, "-1.23E-8"),
        (123, -3, "1.23E+5"),
        (1, -3, "1E+3"),
        (0, -3, "0E+3"),
        (0, 8, "0E-8"),
    ] {
        assert_eq!(decimal(&Decimal::new(unscaled, scale)), expected, "{unscaled} scale {scale}");
    }
}

#[test]
fn structs_maps_and_lists() {
    let schema = Schema::structure([
        ("a", Schema::new(Type::Int32)),
        ("gone", Schema::new(Type::String).optional()),
        ("b", Schema::new(Type::String)),
        ("inner", Schema::structure([("x", Schema::new(Type::Array(Arc::new(Schema::new(Type::Int8)))))])),
    ]);
    let value = Value::Struct(vec![
        Value::Int32(1),
        Value::Null,
        "x".into(),
        Value::Struct(vec![Value::Array(vec![Value::Int8(1), Value::Int8(2)])]),
    ]);
    assert_eq!(text(Some(&schema), &value), "Struct{a=1,b=x,inner=Struct{x=[1, 2]}}");
    let map =
        Value::Map(vec![("b".into(), "x".into()), ("a".into(), Value::Int64(1)), ("n".into(), Value::Null)]);
    assert_eq!(text(None, &map), "{a=1, b=x, n=null}");
    assert_eq!(text(None, &Value::Map(Vec::new())), "{}");
    assert_eq!(text(None, &Value::Null), "null");
}

/// The order in which Java 17 printed a HashMap filled with these keys.
#[test]
fn maps_are_in_the_order_of_javas_hash_map() {
    let order = |keys: &[&str]| {
        let entries: Vec<_> = keys.iter().map(|key| (Value::from(*key), Value::Null)).collect();
        let sorted = in_hash_order(&entries);
        sorted.iter().map(|(key, _)| text(None, key)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order(&["order_id", "user_id", "qty", "price", "Aa", "BB", "é"]), JAVA_ORDER_OF_SEVEN);
    let many: Vec<String> = (0..20).map(|n| format!("key{n}")).collect();
    assert_eq!(order(&many.iter().map(String::as_str).collect::<Vec<_>>()), JAVA_ORDER_OF_TWENTY);
}

const JAVA_ORDER_OF_SEVEN: &str = "Aa BB user_id price qty é order_id";
const JAVA_ORDER_OF_TWENTY: &str = "key1 key2 key0 key5 key6 key3 key4 key9 key7 key8 key11 key10 key15 key14 key13 key12 key19 key18 key17 key16";

#[test]
fn dates_and_bytes() {
    assert_eq!(text(None, &Value::Date(0)), "Thu Jan 01 00:00:00 UTC 1970");
    assert_eq!(text(None, &Value::Date(-1)), "Wed Dec 31 00:00:00 UTC 1969");
    assert_eq!(text(None, &Value::Timestamp(1_714_810_000_123)), "Sat May 04 08:06:40 UTC 2024");
    assert_eq!(text(None, &Value::Time(3_723_000)), "Thu Jan 01 01:02:03 UTC 1970");
    for (bytes, expected) in
        [(&b""[..], ""), (b"a", "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj"), (b"\xff\xfe", "//4=")]
    {
        assert_eq!(text(None, &Value::Bytes(bytes::Bytes::from_static(bytes))), expected);
    }
}
