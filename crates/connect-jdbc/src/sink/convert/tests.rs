use super::*;

fn times(zone: &str, proleptic: bool) -> Times {
    Times::new(zone, zone, proleptic, Precision::Micros).unwrap()
}

/// The moment as the clock shows it, in the form of java_clocks.txt.
fn shown(times: &Times, millis: i64) -> Option<String> {
    let value = Value::Timestamp(millis);
    let cell = times.cell(Conversion::Timestamp, &value).ok()?;
    let shown = match as_value(cell) {
        Some(Value::Timestamp(shown)) => shown,
        _ => millis,
    };
    let time = crate::dialect::datetime_from_millis(shown)?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string())
}

/// The numbers are Java's.
#[test]
fn clocks_show_what_javas_show() {
    let mut lines = 0;
    for line in include_str!("java_clocks.txt").lines().skip(1) {
        let [zone, millis, legacy, proleptic] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let millis = millis.parse().unwrap();
        assert_eq!(shown(&times(zone, false), millis).as_deref(), Some(legacy), "legacy: {line}");
        assert_eq!(shown(&times(zone, true), millis).as_deref(), Some(proleptic), "proleptic: {line}");
        lines += 1;
    }
    assert_eq!(lines, 216);
}

#[test]
fn dates_are_those_of_their_zone() {
    let day = |zone, proleptic, days: i32| {
        let value = Value::Date(days);
        match times(zone, proleptic).cell(Conversion::Date, &value) {
            Ok(Cell::Date(days)) => Ok(days),
            Ok(Cell::Value(Value::Date(days))) => Ok(i64::from(*days)),
            other => Err(format!("{other:?}")),
        }
    };
    for (zone, proleptic, days, expected) in [
        ("UTC", false, 0, 0),
        ("UTC", false, -141_427, -141_427),
        // 1582-10-14 of the Gregorian calendar is the 4th of the Julian one.
        ("UTC", false, -141_428, -141_438),
        ("UTC", true, -141_428, -141_428),
        ("Europe/Berlin", false, 19_000, 19_000),
        ("America/New_York", false, 19_000, 18_999),
        ("America/New_York", true, 19_000, 18_999),
        // 0001-01-01 was the 3rd of January.
        ("UTC", false, -719_162, -719_160),
    ] {
        assert_eq!(day(zone, proleptic, days), Ok(expected), "{zone} {proleptic} {days}");
    }
    // 1500-02-29 of the Julian calendar.
    assert!(
        day("UTC", false, -171_596).unwrap_err().contains("1500-02-29"),
        "{:?}",
        day("UTC", false, -171_596)
    );
    assert_eq!(day("UTC", true, -171_596), Ok(-171_596));
}

#[test]
fn times_of_day_are_laid_on_the_first_day_of_1970() {
    let time = |zone, millis: i32| {
        let value = Value::Time(millis);
        match times(zone, false).cell(Conversion::Time, &value).unwrap() {
            Cell::Time { nanos } => nanos / 1_000_000,
            Cell::Value(Value::Time(millis)) => u64::try_from(*millis).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(time("UTC", 1), 1);
    assert_eq!(time("Europe/Berlin", 82_800_000), 0);
    assert_eq!(time("America/New_York", 0), 19 * 3_600_000);
}

#[test]
fn fields_of_the_timestamp_list() {
    let cell = |precision, value: Value| {
        let times = Times::new("UTC", "UTC", false, precision).unwrap();
        times.cell(Conversion::Epoch, &value).map(|cell| match cell {
            Cell::DateTime { seconds, nanos } => (seconds, nanos),
            other => panic!("{other:?}"),
        })
    };
    use Precision::{Micros, Nanos};
    for (precision, value, expected) in [
        (Micros, Value::Int64(1_700_000_000_123_456), (1_700_000_000, 123_456_000)),
        (Micros, Value::Int64(-1), (-1, 999_999_000)),
        (Nanos, Value::Int64(1_700_000_000_123_456_789), (1_700_000_000, 123_456_789)),
        (Nanos, Value::Int64(-1), (-1, 999_999_999)),
        (Micros, "1700000000123456".into(), (1_700_000_000, 123_456_000)),
        (Nanos, "+1700000000123456789".into(), (1_700_000_000, 123_456_789)),
        (Nanos, "-1".into(), (-1, 999_999_999)),
        (Nanos, "99999999999999999999".into(), (99_999_999_999, 999_999_999)),
    ] {
        assert_eq!(cell(precision, value.clone()), Ok(expected), "{precision:?} {value:?}");
    }
    for text in ["", "1.5", "2024-01-01T00:00:00Z", " 1", "1e3"] {
        assert!(cell(Micros, text.into()).unwrap_err().contains("integer in digits"), "{text}");
    }
}

#[test]
fn columns_of_numbers_and_of_moments_know_no_zones() {
    let berlin = times("Europe/Berlin", false);
    let old = Value::Timestamp(-12_300_000_000_000);
    assert_eq!(shown(&berlin.for_numbers(), -12_300_000_000_000).as_deref(), Some("1580-03-24T21:20:00.000"));
    assert_eq!(berlin.for_numbers().cell(Conversion::Timestamp, &old), Ok(Cell::Value(&old)));
    assert_eq!(shown(&berlin.for_instants(), 0).as_deref(), Some("1970-01-01T00:00:00.000"));
    assert_eq!(
        shown(&berlin.for_instants(), -12_300_000_000_000).as_deref(),
        Some("1580-03-14T21:20:00.000")
    );
}
