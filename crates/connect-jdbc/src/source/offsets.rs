//! Source partitions and offsets, byte for byte as the Java connector stores them, so that either can go on from the
//! other's.

use super::tables::SourceTable;
use connect_api::{ConnectError, OffsetMap, SourceOffset};
use serde_json::Value as Json;

const TABLE: &str = "table";
const PROTOCOL: &str = "protocol";
const QUERY: &str = "query";
const INCREMENTING: &str = "incrementing";
const TIMESTAMP: &str = "timestamp";
const NANOS: &str = "timestamp_nanos";

const NANOS_PER_MILLI: u32 = 1_000_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A moment, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stamp {
    /// Since the epoch.
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

impl Stamp {
    pub(super) const EPOCH: Self = Self { seconds: 0, nanos: 0 };

    pub(super) fn from_millis(millis: i64) -> Self {
        Self { seconds: millis.div_euclid(1000), nanos: millis.rem_euclid(1000) as u32 * NANOS_PER_MILLI }
    }

    /// Whole milliseconds, the rest cut off towards the past.
    pub(super) fn millis(self) -> i64 {
        self.seconds.saturating_mul(1000).saturating_add(i64::from(self.nanos / NANOS_PER_MILLI))
    }

    pub(super) fn minus_millis(self, millis: i64) -> Self {
        let past = Self::from_millis(millis);
        let nanos = i64::from(self.nanos) - i64::from(past.nanos);
        Self {
            seconds: self
                .seconds
                .saturating_sub(past.seconds)
                .saturating_add(nanos.div_euclid(NANOS_PER_SECOND)),
            nanos: nanos.rem_euclid(NANOS_PER_SECOND) as u32,
        }
    }
}

/// Where to go on in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offset {
    pub(super) id: Option<i64>,
    pub(super) stamp: Option<Stamp>,
}

impl Offset {
    pub(super) fn read(map: &OffsetMap) -> Result<Self, ConnectError> {
        let stamp = match (number(map, TIMESTAMP)?, number(map, NANOS)?) {
            (None, _) => None,
            (Some(millis), None) => Some(Stamp::from_millis(millis)),
            (Some(millis), Some(nanos)) => match u32::try_from(nanos) {
                Ok(nanos) if i64::from(nanos) < NANOS_PER_SECOND => {
                    Some(Stamp { seconds: millis.div_euclid(1000), nanos })
                }
                _ => return Err(unreadable(map, &format!("{NANOS} is not within a second"))),
            },
        };
        Ok(Self { id: number(map, INCREMENTING)?, stamp })
    }

    /// In the order of a Java HashMap of three.
    pub(super) fn carried(self) -> SourceOffset {
        match (self.stamp, self.id) {
            (Some(stamp), Some(id)) => SourceOffset::numbers(
                &[NANOS, INCREMENTING, TIMESTAMP],
                [stamp.nanos.into(), id, stamp.millis()],
            ),
            (Some(stamp), None) => {
                SourceOffset::numbers(&[NANOS, TIMESTAMP], [stamp.nanos.into(), stamp.millis()])
            }
            (None, Some(id)) => SourceOffset::numbers(&[INCREMENTING], [id]),
            (None, None) => SourceOffset::numbers(&[], []),
        }
    }
}

fn number(map: &OffsetMap, key: &str) -> Result<Option<i64>, ConnectError> {
    match map.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(unreadable(map, &format!("{key} is not a whole number"))),
        },
    }
}

fn unreadable(map: &OffsetMap, why: &str) -> ConnectError {
    let mut text = Vec::new();
    connect_api::json::push_object(&mut text, map);
    ConnectError::config(format!(
        "the stored offset {} cannot be gone on from: {why}; set it with PATCH /connectors/NAME/offsets while the connector \
         is stopped",
        String::from_utf8_lossy(&text)
    ))
}

fn text_map<const N: usize>(pairs: [(&str, &str); N]) -> OffsetMap {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Json::from(value))).collect()
}

/// What the offsets of a table are stored under.
pub(super) fn table_partition(table: &SourceTable) -> OffsetMap {
    text_map([(PROTOCOL, "1"), (TABLE, &table.full_name())])
}

/// What old versions stored them under, and what rows read in bulk mode come from.
pub(super) fn old_table_partition(table: &SourceTable) -> OffsetMap {
    text_map([(TABLE, &table.name)])
}

pub(super) fn query_partition() -> OffsetMap {
    text_map([(QUERY, QUERY)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(map: &OffsetMap) -> String {
        let mut text = Vec::new();
        connect_api::json::push_object(&mut text, map);
        String::from_utf8(text).unwrap()
    }

    fn read(text: &str) -> Result<Offset, String> {
        Offset::read(&serde_json::from_str(text).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn partitions_have_the_bytes_of_the_java_connector() {
        let users =
            SourceTable { catalog: Some("mydb".into()), schema: Some("public".into()), name: "users".into() };
        assert_eq!(text(&table_partition(&users)), r#"{"protocol":"1","table":"mydb.public.users"}"#);
        assert_eq!(text(&old_table_partition(&users)), r#"{"table":"users"}"#);
        let users = SourceTable { catalog: None, schema: None, name: "users".into() };
        assert_eq!(text(&table_partition(&users)), r#"{"protocol":"1","table":"users"}"#);
        assert_eq!(text(&query_partition()), r#"{"query":"query"}"#);
    }

    #[test]
    fn offsets_have_the_bytes_of_the_java_connector() {
        let stamp = Stamp { seconds: 1_700_000_000, nanos: 123_456_789 };
        for (offset, expected) in [
            (Offset { id: Some(7), stamp: None }, r#"{"incrementing":7}"#),
            (
                Offset { id: None, stamp: Some(stamp) },
                r#"{"timestamp_nanos":123456789,"timestamp":1700000000123}"#,
            ),
            (
                Offset { id: Some(7), stamp: Some(stamp) },
                r#"{"timestamp_nanos":123456789,"incrementing":7,"timestamp":1700000000123}"#,
            ),
            (Offset::default(), "{}"),
        ] {
            assert_eq!(text(&offset.carried().map()), expected);
            assert_eq!(read(expected), Ok(offset));
        }
    }

    #[test]
    fn offsets_of_old_versions_are_read() {
        let stamp = Stamp { seconds: -2, nanos: 999_000_000 };
        assert_eq!(read(r#"{"timestamp":-1001}"#), Ok(Offset { id: None, stamp: Some(stamp) }));
        assert_eq!(
            read(r#"{"incrementing":null,"timestamp_nanos":5}"#),
            Ok(Offset { id: None, stamp: None })
        );
    }

    #[test]
    fn what_is_no_offset_is_refused() {
        for (text, why) in [
            (r#"{"incrementing":"7"}"#, "incrementing is not a whole number"),
            (r#"{"incrementing":7.5}"#, "incrementing is not a whole number"),
            (r#"{"timestamp":1,"timestamp_nanos":1000000000}"#, "timestamp_nanos is not within a second"),
            (r#"{"timestamp":1,"timestamp_nanos":-1}"#, "timestamp_nanos is not within a second"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(why) && message.contains(text), "{message}");
        }
    }

    proptest! {
        #[test]
        fn offsets_read_back(id in any::<Option<i64>>(), stamp in any::<Option<(i32, u32)>>()) {
            let stamp = stamp.map(|(seconds, nanos)| Stamp { seconds: seconds.into(), nanos: nanos % 1_000_000_000 });
            let offset = Offset { id, stamp };
            prop_assert_eq!(Offset::read(&offset.carried().map()).unwrap(), offset);
        }

        #[test]
        fn going_back_in_time(millis in -4_000_000_000_000_i64..4_000_000_000_000, back in 0_i64..100_000_000) {
            let stamp = Stamp::from_millis(millis);
            prop_assert_eq!(stamp.millis(), millis);
            prop_assert_eq!(stamp.minus_millis(back), Stamp::from_millis(millis - back));
        }
    }
}
