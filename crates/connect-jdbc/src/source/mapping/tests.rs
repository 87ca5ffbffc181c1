use super::*;
use crate::driver::ColumnKind as Kind;
use crate::driver::SqlValue as Sql;
use connect_api::Decimal;

fn options() -> MappingOptions {
    MappingOptions {
        numeric: NumericMapping::None,
        numeric_decimals: false,
        granularity: Granularity::ConnectLogical,
        time_zone: TimeZone::UTC,
        calendar: Calendar::Legacy,
    }
}

fn column(name: &str, kind: Kind) -> ResultColumn {
    ResultColumn { name: name.into(), table: None, kind, nullable: true, auto_increment: false }
}

/// The schema of a lone column and its value; the schema as `type name parameters`.
fn mapped(options: &MappingOptions, kind: Kind, value: Sql) -> (String, Result<Value, String>) {
    let mut mapper = RowMapper::new(options, Some("t"), &[column("c", kind)]);
    let value = mapper.map(&mut [value]).map(|row| match row {
        Value::Struct(mut values) => values.remove(0),
        other => other,
    });
    let field = &mapper.schema().fields()[0].schema;
    let mut shown = field.ty.name().to_owned();
    if let Some(name) = field.name.as_deref().and_then(|name| name.rsplit('.').next()) {
        shown = format!("{shown} {name}");
    }
    for (key, value) in &field.parameters {
        shown = format!("{shown} {key}={value}");
    }
    (shown, value)
}

fn check(options: &MappingOptions, cases: impl IntoIterator<Item = (Kind, Sql, &'static str, Value)>) {
    for (kind, value, schema, expected) in cases {
        let name = format!("{kind:?} {value:?}");
        assert_eq!(mapped(options, kind, value), (schema.to_owned(), Ok(expected)), "{name}");
    }
}

fn decimal(unscaled: i64, scale: i32) -> Value {
    Value::Decimal(Decimal::new(unscaled, scale))
}

#[test]
fn whole_numbers_take_the_types_of_the_java_drivers() {
    let signed = |value| Sql::Int(value);
    check(
        &options(),
        [
            (Kind::Boolean, Sql::Bool(true), "BOOLEAN", Value::Boolean(true)),
            (Kind::Boolean, signed(2), "BOOLEAN", Value::Boolean(true)),
            (Kind::Boolean, signed(0), "BOOLEAN", Value::Boolean(false)),
            (Kind::Bit { length: 8 }, signed(0b1000_0001), "INT8", Value::Int8(-127)),
            (
                Kind::Bit { length: 9 },
                Sql::Bytes(vec![1, 0].into()),
                "BYTES",
                Value::Bytes(vec![1, 0].into()),
            ),
            (Kind::TinyInt { unsigned: false }, signed(-128), "INT8", Value::Int8(-128)),
            (Kind::TinyInt { unsigned: true }, signed(255), "INT16", Value::Int16(255)),
            (Kind::SmallInt { unsigned: false }, signed(-1), "INT16", Value::Int16(-1)),
            (Kind::SmallInt { unsigned: true }, signed(65_535), "INT32", Value::Int32(65_535)),
            (Kind::Integer { unsigned: false }, signed(7), "INT32", Value::Int32(7)),
            (Kind::Integer { unsigned: true }, signed(4_294_967_295), "INT64", Value::Int64(4_294_967_295)),
            (Kind::BigInt { unsigned: false }, signed(i64::MIN), "INT64", Value::Int64(i64::MIN)),
            (Kind::BigInt { unsigned: true }, signed(i64::MAX), "INT64", Value::Int64(i64::MAX)),
            (Kind::Real, Sql::Float(1.1), "FLOAT32", Value::Float32(1.1)),
            (Kind::Double, Sql::Double(0.1), "FLOAT64", Value::Float64(0.1)),
            (Kind::Text, Sql::Text("ä".into()), "STRING", "ä".into()),
            (Kind::Text, Sql::Int(5), "STRING", "5".into()),
            (Kind::Integer { unsigned: false }, Sql::Null, "INT32", Value::Null),
        ],
    );
}

#[test]
fn what_a_type_cannot_hold_is_refused_with_column_value_and_remedy() {
    let refused = |kind, value| mapped(&options(), kind, value).1.expect_err("a value");
    assert_eq!(
        refused(Kind::BigInt { unsigned: true }, Sql::UInt(u64::MAX)),
        "column c has the value 18446744073709551615, which the type INT64 cannot hold: set numeric.mapping.decimals=true, or cast it \
         to DECIMAL(20,0) in a query"
    );
    assert_eq!(
        refused(Kind::Time, Sql::Time { micros: 90_000_000_000 }),
        "column c has the value 25:00:00, which a Connect Time cannot hold: cast it in a query, to text for example, or leave \
         such rows out there"
    );
    assert_eq!(
        refused(Kind::Numeric { precision: 10, scale: 2 }, Sql::Double(f64::NAN)),
        "column c has the value NaN, which a Decimal with 2 digits after the point cannot hold: leave such rows out in a query, or cast \
         the column to a floating-point type there"
    );
    // A text may be private.
    let text = refused(Kind::BigInt { unsigned: false }, Sql::Text("secret".into()));
    assert!(text.contains("(a text of 6 bytes)") && !text.contains("secret"), "{text}");

    let mut not_null = column("c", Kind::Date);
    not_null.nullable = false;
    let mut mapper = RowMapper::new(&options(), None, &[not_null]);
    let error = mapper.map(&mut [Sql::Null]).expect_err("a value");
    assert!(error.starts_with("column c is NOT NULL, but its value is none (a zero date)"), "{error}");
}

#[test]
fn numeric_mapping_speaks_of_numeric_and_only_by_request_of_decimal() {
    use NumericMapping::*;
    let numeric = |precision, scale| Kind::Numeric { precision, scale };
    for (mapping, kind, schema) in [
        (None, numeric(2, 0), "BYTES Decimal scale=0 connect.decimal.precision=2"),
        (PrecisionOnly, numeric(2, 0), "INT8"),
        (PrecisionOnly, numeric(4, 0), "INT16"),
        (PrecisionOnly, numeric(9, 0), "INT32"),
        (PrecisionOnly, numeric(18, 0), "INT64"),
        (PrecisionOnly, numeric(19, 0), "BYTES Decimal scale=0 connect.decimal.precision=19"),
        (PrecisionOnly, numeric(9, 2), "BYTES Decimal scale=2 connect.decimal.precision=9"),
        (PrecisionOnly, numeric(9, -1), "BYTES Decimal scale=-1 connect.decimal.precision=9"),
        (BestFit, numeric(9, 2), "FLOAT64"),
        (BestFit, numeric(18, 2), "FLOAT64"),
        (BestFit, numeric(19, 2), "BYTES Decimal scale=2 connect.decimal.precision=19"),
        (BestFitEagerDouble, numeric(30, 2), "FLOAT64"),
        (BestFitEagerDouble, numeric(30, 0), "BYTES Decimal scale=0 connect.decimal.precision=30"),
        (None, numeric(0, 127), "BYTES Decimal scale=127 connect.decimal.precision=0"),
        (BestFit, numeric(0, 127), "BYTES Decimal scale=127 connect.decimal.precision=0"),
        (BestFitEagerDouble, numeric(0, 127), "FLOAT64"),
        (
            BestFit,
            Kind::Decimal { precision: 9, scale: 0 },
            "BYTES Decimal scale=0 connect.decimal.precision=9",
        ),
    ] {
        let with = MappingOptions { numeric: mapping, ..options() };
        let name = format!("{mapping:?} {kind:?}");
        let (shown, value) = mapped(&with, kind, Sql::Text("70".into()));
        assert_eq!(shown, schema, "{name}");
        assert!(value.is_ok(), "{name}: {value:?}");
    }
    let decimals = MappingOptions { numeric: BestFit, numeric_decimals: true, ..options() };
    check(
        &decimals,
        [
            (Kind::Decimal { precision: 9, scale: 0 }, Sql::Text("7".into()), "INT32", Value::Int32(7)),
            (
                Kind::Decimal { precision: 9, scale: 2 },
                Sql::Text("0.07".into()),
                "FLOAT64",
                Value::Float64(0.07),
            ),
            (
                Kind::BigInt { unsigned: true },
                Sql::UInt(u64::MAX),
                "BYTES Decimal scale=0 connect.decimal.precision=20",
                Value::Decimal(Decimal::new(u64::MAX, 0)),
            ),
        ],
    );
}

#[test]
fn decimals_are_exact_whatever_they_come_as() {
    let kind = || Kind::Decimal { precision: 30, scale: 2 };
    let schema = "BYTES Decimal scale=2 connect.decimal.precision=30";
    check(
        &options(),
        [
            (kind(), Sql::Text("-0.01".into()), schema, decimal(-1, 2)),
            (kind(), Sql::Text("12.5".into()), schema, decimal(1250, 2)),
            (kind(), Sql::Text("1e2".into()), schema, decimal(10_000, 2)),
            (kind(), Sql::Decimal(Decimal::new(15, 1)), schema, decimal(150, 2)),
            (kind(), Sql::Decimal(Decimal::new(1500, 3)), schema, decimal(150, 2)),
            (kind(), Sql::Int(-3), schema, decimal(-300, 2)),
            (kind(), Sql::Double(0.1), schema, decimal(10, 2)),
        ],
    );
    // Never rounded, and not read where there is no number.
    for value in [
        Sql::Text("0.001".into()),
        Sql::Text("".into()),
        Sql::Text("1.2.3".into()),
        Sql::Text("1e999999999".into()),
        Sql::Text("-".into()),
    ] {
        assert!(mapped(&options(), kind(), value.clone()).1.is_err(), "{value:?}");
    }
    let long = "1234567890123456789012345678.99";
    let (_, value) = mapped(&options(), kind(), Sql::Text(long.into()));
    let Ok(Value::Decimal(value)) = value else { panic!("{value:?}") };
    assert_eq!(value.to_string(), long);
}

#[test]
fn a_scale_that_is_not_declared_grows() {
    let mut mapper =
        RowMapper::new(&options(), Some("t"), &[column("n", Kind::Numeric { precision: 0, scale: 0 })]);
    let mut scales = Vec::new();
    for value in [Sql::Int(1), Sql::Double(1.5), Sql::Null, Sql::Int(2), Sql::Double(0.25)] {
        let row = mapper.map(&mut [value]).expect("a row");
        let scale = mapper.schema().fields()[0].schema.parameters["scale"].clone();
        scales.push((scale, row));
    }
    let row = |value| Value::Struct(vec![value]);
    let expected = [
        ("0", decimal(1, 0)),
        ("1", decimal(15, 1)),
        ("1", Value::Null),
        ("1", decimal(20, 1)),
        ("2", decimal(25, 2)),
    ];
    assert_eq!(scales, expected.map(|(scale, value)| (scale.to_owned(), row(value))));
}

#[test]
fn dates_before_the_reform_are_julian_unless_told_otherwise() {
    let day = Sql::Date;
    let schema = "INT32 Date";
    check(
        &options(),
        [
            (Kind::Date, day(-171_664), schema, Value::Date(-171_655)), // 1500-01-01
            (Kind::Date, day(-141_427), schema, Value::Date(-141_427)), // 1582-10-15
            (Kind::Date, day(-141_428), schema, Value::Date(-141_418)), // 1582-10-14, which was not
            (Kind::Date, Sql::DateTime { seconds: -86_400, nanos: 0 }, schema, Value::Date(-1)),
            (Kind::Year, Sql::Int(2024), schema, Value::Date(19_723)),
            (Kind::Date, Sql::Text("2024-02-29".into()), schema, Value::Date(19_782)),
            (Kind::DateOrTimestamp, Sql::Int(1_709_164_800_000), schema, Value::Date(19_782)),
        ],
    );
    let proleptic = MappingOptions { calendar: Calendar::ProlepticGregorian, ..options() };
    check(&proleptic, [(Kind::Date, day(-171_664), schema, Value::Date(-171_664))]);
}

#[test]
fn clocks_are_read_in_the_zone() {
    let berlin = |calendar| MappingOptions {
        time_zone: crate::zone::zone("Europe/Berlin").expect("a zone"),
        calendar,
        ..options()
    };
    let at = |seconds| Sql::DateTime { seconds, nanos: 0 };
    let ms = |seconds: i64| Value::Timestamp(seconds * 1000);
    let schema = "INT64 Timestamp";
    check(
        &berlin(Calendar::Legacy),
        [
            (Kind::Timestamp, at(1_719_835_200), schema, ms(1_719_828_000)),
            // Skipped by the clock: an hour later. Shown twice: the second time.
            (Kind::Timestamp, at(1_711_852_200), schema, ms(1_711_848_600)),
            (Kind::Timestamp, at(1_729_996_200), schema, ms(1_729_992_600)),
            // 1850, before zones: as Java has it.
            (Kind::Timestamp, at(-3_786_825_600), schema, ms(-3_786_829_200)),
            (Kind::Timestamp, Sql::Instant { seconds: 5, nanos: 0 }, schema, ms(5)),
            (Kind::Time, Sql::Time { micros: 43_200_000_000 }, "INT32 Time", Value::Time(39_600_000)),
            // Across midnight it goes round.
            (Kind::Time, Sql::Time { micros: 1_800_000_000 }, "INT32 Time", Value::Time(84_600_000)),
        ],
    );
    check(
        &berlin(Calendar::ProlepticGregorian),
        [(Kind::Timestamp, at(1_729_996_200), schema, ms(1_729_989_000))],
    );
    check(
        &options(),
        [
            (Kind::Time, Sql::Time { micros: 86_400_000_000 }, "INT32 Time", Value::Time(86_400_000)),
            (Kind::Time, Sql::TimeTz { micros: -3_600_000_000 }, "INT32 Time", Value::Time(82_800_000)),
        ],
    );
}

#[test]
fn granularities_are_right_before_1970_too() {
    use Granularity::*;
    let text = |text: &str| Value::from(text);
    for (granularity, before, after) in [
        (ConnectLogical, Value::Timestamp(-1), Value::Timestamp(1_123)),
        (MicrosLong, Value::Int64(-1), Value::Int64(1_123_456)),
        (MicrosString, text("-1"), text("1123456")),
        (MicrosIsoDatetimeString, text("1969-12-31T23:59:59.999999"), text("1970-01-01T00:00:01.123456")),
        (NanosLong, Value::Int64(-1000), Value::Int64(1_123_456_789)),
        (NanosString, text("-1000"), text("1123456789")),
        (
            NanosIsoDatetimeString,
            text("1969-12-31T23:59:59.999999000"),
            text("1970-01-01T00:00:01.123456789"),
        ),
    ] {
        let with = MappingOptions { granularity, ..options() };
        let value = |seconds, nanos| mapped(&with, Kind::Timestamp, Sql::DateTime { seconds, nanos }).1;
        assert_eq!(value(-1, 999_999_000), Ok(before), "{granularity:?}");
        assert_eq!(value(1, 123_456_789), Ok(after), "{granularity:?}");
    }
    let nanos = MappingOptions { granularity: NanosLong, ..options() };
    assert!(mapped(&nanos, Kind::Timestamp, Sql::DateTime { seconds: 253_402_300_799, nanos: 0 }).1.is_err());
}

#[test]
fn columns_without_a_schema_are_left_out() {
    let columns = [
        column("a", Kind::Text),
        column("b", Kind::Unsupported { type_name: "inet".into() }),
        column("c", Kind::Boolean),
    ];
    let mut mapper = RowMapper::new(&options(), Some("t"), &columns);
    let names: Vec<&str> = mapper.schema().fields().iter().map(|field| &*field.name).collect();
    assert_eq!((mapper.schema().name.as_deref(), names), (Some("t"), vec!["a", "c"]));
    let row = mapper.map(&mut [Sql::Text("x".into()), Sql::Null, Sql::Bool(false)]);
    assert_eq!(row, Ok(Value::Struct(vec!["x".into(), Value::Boolean(false)])));
}

#[test]
fn texts_of_sqlite_are_dates_and_times_in_many_forms() {
    for (text, expected) in [
        ("2024-02-29", Some((1_709_164_800, 0, false))),
        ("2024-02-29 12:34", Some((1_709_210_040, 0, false))),
        ("2024-02-29 12:34:56", Some((1_709_210_096, 0, false))),
        ("2024-02-29T12:34:56.7", Some((1_709_210_096, 700_000_000, false))),
        ("2024-02-29 12:34:56.123456789123", Some((1_709_210_096, 123_456_789, false))),
        ("2024-02-29T12:34:56Z", Some((1_709_210_096, 0, true))),
        ("2024-02-29 12:34:56+02:00", Some((1_709_202_896, 0, true))),
        ("1969-12-31 23:59:59.999", Some((-1, 999_000_000, false))),
        ("2023-02-29", None),
        ("2024-02-29 25:00:00", None),
        ("2024-02-29 12", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(temporal::parse(text), expected, "{text}");
    }
}

proptest::proptest! {
    /// The calendars agree from the reform on, and a Julian date is never a day that the Gregorian has given out already.
    #[test]
    fn legacy_days_keep_their_order(days in -800_000_i64..800_000) {
        let legacy = |days| temporal::day_in(Calendar::Legacy, days);
        proptest::prop_assert!(days < -141_427 || legacy(days) == days);
        if days != -141_428 {
            proptest::prop_assert!(legacy(days) < legacy(days + 1) || days + 1 == -141_427);
        }
    }

    #[test]
    fn a_decimal_survives_its_text(unscaled: i128, scale in 0..40_i32) {
        let decimal = Decimal::new(unscaled, scale);
        proptest::prop_assert_eq!(decimal::parse(&decimal.to_string()), Some(decimal));
    }

    #[test]
    fn no_text_is_too_strange(text in ".{0,40}") {
        let _no_panic = (temporal::parse(&text), decimal::parse(&text));
    }
}
