//! `java.util.HashMap<byte[], byte[]>` in Java's serialisation: the one type the offset file of a standalone worker holds.
//!
//! The stream names each class once and refers back to it by a handle; handles count up from 0x7E0000 over class descriptions
//! and objects alike. Only what this one type may contain is understood; anything else is an error with its position.

use indexmap::IndexMap;

pub(super) type Entries = IndexMap<Vec<u8>, Option<Vec<u8>>>;

const MAGIC: &[u8] = &[0xac, 0xed, 0x00, 0x05];
const OBJECT: u8 = 0x73;
const CLASS: u8 = 0x72;
const ARRAY: u8 = 0x75;
const REFERENCE: u8 = 0x71;
const NULL: u8 = 0x70;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;

/// The first handle; the map's class has it, the map itself the next, the class `[B` the third.
const HANDLES: u32 = 0x7e_0000;
const ARRAY_CLASS: u32 = HANDLES + 2;

/// The description of `java.util.HashMap`: name, serialVersionUID, that it writes itself, and its two fields.
const MAP_CLASS: &[u8] = b"\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F\x00\x0aloadFactorI\x00\x09threshold\x78\x70";
/// The description of `byte[]`.
const BYTES_CLASS: &[u8] = b"\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00\x78\x70";

/// Back references make a map larger than its file. Java shares an array only where the same object was put twice, so a file that
/// grows by more than this is none of its making, and would fill the memory.
const GROWTH: usize = 16;
const ROOM: usize = 1024 * 1024;

/// 0.75, Java's default.
const LOAD_FACTOR: [u8; 4] = [0x3f, 0x40, 0x00, 0x00];

pub(super) fn write(entries: &Entries) -> Vec<u8> {
    let mut buckets = 16_u32;
    while entries.len() as u64 > u64::from(buckets) * 3 / 4 {
        buckets *= 2;
    }
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[OBJECT, CLASS]);
    out.extend_from_slice(MAP_CLASS);
    out.extend_from_slice(&LOAD_FACTOR);
    // A map that never held anything has no table yet.
    let threshold = if entries.is_empty() { 0 } else { buckets / 4 * 3 };
    out.extend_from_slice(&threshold.to_be_bytes());
    out.extend_from_slice(&[BLOCK, 8]);
    out.extend_from_slice(&buckets.to_be_bytes());
    out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    let mut first = true;
    for (key, value) in entries {
        for bytes in [Some(key), value.as_ref()] {
            let Some(bytes) = bytes else {
                out.push(NULL);
                continue;
            };
            out.push(ARRAY);
            if std::mem::take(&mut first) {
                out.push(CLASS);
                out.extend_from_slice(BYTES_CLASS);
            } else {
                out.push(REFERENCE);
                out.extend_from_slice(&ARRAY_CLASS.to_be_bytes());
            }
            out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
    out.push(END);
    out
}

/// The error says what is wrong, and where.
pub(super) fn read(bytes: &[u8]) -> Result<Entries, String> {
    let room = bytes.len().saturating_mul(GROWTH) + ROOM;
    let mut reader = Reader { bytes, at: 0, arrays: Vec::new(), class_seen: false, room };
    reader.expect(MAGIC, "the beginning of a Java object stream")?;
    reader.expect(&[OBJECT, CLASS], "an object")?;
    reader.expect(MAP_CLASS, "the class java.util.HashMap")?;
    reader.take(8, "load factor and threshold")?;
    reader.expect(&[BLOCK, 8], "the size of the map")?;
    reader.take(4, "the size of the map")?;
    let size = reader.number("the size of the map")?;
    let mut entries = Entries::new();
    for _ in 0..size {
        let at = reader.at;
        let key = reader.array()?;
        let value = reader.array()?;
        // Java's worker allows a null key in the map and never writes one.
        let key = key.ok_or_else(|| format!("a key that is null at byte {at}"))?;
        entries.insert(key, value);
    }
    reader.expect(&[END], "the end of the map")?;
    if reader.at != bytes.len() {
        return Err(format!("{} bytes after the end of the map", bytes.len() - reader.at));
    }
    Ok(entries)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The arrays so far, which later ones may refer to.
    arrays: Vec<&'a [u8]>,
    class_seen: bool,
    /// How many bytes back references may still add.
    room: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], String> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let taken =
            taken.ok_or_else(|| format!("it ends at byte {} where {what} should be", self.bytes.len()))?;
        self.at += count;
        Ok(taken)
    }

    fn expect(&mut self, expected: &[u8], what: &str) -> Result<(), String> {
        let at = self.at;
        if self.take(expected.len(), what)? == expected {
            Ok(())
        } else {
            Err(format!("at byte {at} should be {what}"))
        }
    }

    fn number(&mut self, what: &str) -> Result<u32, String> {
        let bytes = self.take(4, what)?;
        bytes.try_into().map(u32::from_be_bytes).map_err(|_| what.to_owned())
    }

    fn array(&mut self) -> Result<Option<Vec<u8>>, String> {
        const WHAT: &str = "a key or value of bytes";
        let at = self.at;
        match self.take(1, WHAT)? {
            [NULL] => return Ok(None),
            [REFERENCE] => {
                let handle = self.number(WHAT)?;
                let index = handle.checked_sub(ARRAY_CLASS + 1);
                let array = index.and_then(|index| self.arrays.get(index as usize));
                let array = array.ok_or_else(|| format!("at byte {at} should be {WHAT}"))?;
                self.room = self
                    .room
                    .checked_sub(array.len())
                    .ok_or_else(|| format!("at byte {at} it repeats itself beyond measure"))?;
                return Ok(Some(array.to_vec()));
            }
            [ARRAY] => {}
            _ => return Err(format!("at byte {at} should be {WHAT}")),
        }
        if std::mem::replace(&mut self.class_seen, true) {
            self.expect(&[REFERENCE], "the class of an array")?;
            self.expect(&ARRAY_CLASS.to_be_bytes(), "the class byte[]")?;
        } else {
            self.expect(&[CLASS], "the class of an array")?;
            self.expect(BYTES_CLASS, "the class byte[]")?;
        }
        let length = self.number("the length of an array")?;
        let array = self.take(length as usize, "the bytes of an array")?;
        self.arrays.push(array);
        Ok(Some(array.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(pairs: &[(&str, Option<&str>)]) -> Entries {
        pairs
            .iter()
            .map(|(key, value)| (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec())))
            .collect()
    }

    /// Written by `org.apache.kafka.connect.cli.ConnectStandalone` 4.3.0.
    const BY_JAVA: &[u8] = include_bytes!("testdata/connect-standalone-4.3.0.offsets");

    #[test]
    fn a_file_of_java_is_read_and_written_alike() {
        let read = read(BY_JAVA).unwrap();
        assert_eq!(
            read,
            entries(&[(
                r#"["local-file-source",{"filename":"/tmp/fs/test.txt"}]"#,
                Some(r#"{"position":16}"#)
            )])
        );
        assert_eq!(write(&read), BY_JAVA);
    }

    #[test]
    fn back_references_and_nulls_are_understood() {
        let mut bytes = write(&entries(&[("a", Some("x")), ("b", None)]));
        assert_eq!(super::read(&bytes).unwrap(), entries(&[("a", Some("x")), ("b", None)]));
        // the last value: the same array as the first one
        bytes.truncate(bytes.len() - 2);
        bytes.extend_from_slice(&[REFERENCE, 0x00, 0x7e, 0x00, 0x04, END]);
        assert_eq!(super::read(&bytes).unwrap(), entries(&[("a", Some("x")), ("b", Some("x"))]));
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for (bytes, expected) in [
            (&b"hello"[..], "at byte 0 should be the beginning of a Java object stream"),
            (&BY_JAVA[..BY_JAVA.len() - 1], "where the end of the map should be"),
            (&BY_JAVA[..60], "where "),
            (b"\xac\xed\x00\x05sr\x00\x13java.util.ArrayList", "the class java.util.HashMap"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(read(&[BY_JAVA, b"x"].concat()).unwrap_err().contains("1 bytes after the end"));
    }

    /// A few bytes per entry, each of which refers to the same large value.
    #[test]
    fn what_blows_itself_up_is_refused() {
        let large = vec![b'x'; 1 << 20];
        let mut bytes = write(&Entries::from([(b"k".to_vec(), Some(large))]));
        bytes.pop();
        let size_at = 4 + 2 + MAP_CLASS.len() + 8 + 2 + 4;
        bytes[size_at..size_at + 4].copy_from_slice(&1_000_000_u32.to_be_bytes());
        for n in 0..100_000_u32 {
            bytes.extend_from_slice(&[ARRAY, REFERENCE, 0x00, 0x7e, 0x00, 0x02, 0, 0, 0, 4]);
            bytes.extend_from_slice(&n.to_be_bytes());
            bytes.extend_from_slice(&[REFERENCE, 0x00, 0x7e, 0x00, 0x04]);
        }
        assert!(read(&bytes).unwrap_err().contains("repeats itself beyond measure"));
    }

    /// What a map holds may not be much more than what the file holds, whatever the file says of itself.
    fn check_bounded(bytes: &[u8]) {
        if let Ok(entries) = read(bytes) {
            let held: usize =
                entries.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
            assert!(held <= bytes.len() * (GROWTH + 1) + ROOM);
        }
    }

    /// The building blocks of a stream, in any order: gets deeper than bytes by chance.
    fn blocks() -> impl Strategy<Value = Vec<u8>> {
        let array = |bytes: Vec<u8>| {
            [&[ARRAY, REFERENCE, 0x00, 0x7e, 0x00, 0x02][..], &(bytes.len() as u32).to_be_bytes(), &bytes]
                .concat()
        };
        let block = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20).prop_map(array),
            (0_u32..8).prop_map(|n| [&[REFERENCE][..], &(HANDLES + n).to_be_bytes()].concat()),
            Just([&[ARRAY, CLASS][..], BYTES_CLASS, &[0, 0, 0, 1, b'x']].concat()),
            Just([ARRAY, REFERENCE, 0x00, 0x7e, 0x00, 0x02, 0xff, 0xff, 0xff, 0xff].to_vec()),
            Just(vec![NULL]),
            Just(vec![END]),
            prop::collection::vec(any::<u8>(), 0..6),
        ];
        (any::<u32>(), 0_u32..6, prop::collection::vec(block, 0..12)).prop_map(|(buckets, size, blocks)| {
            let head = [MAGIC, &[OBJECT, CLASS], MAP_CLASS, &LOAD_FACTOR, &[0; 4], &[BLOCK, 8]].concat();
            [head, buckets.to_be_bytes().to_vec(), size.to_be_bytes().to_vec(), blocks.concat()].concat()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in prop::collection::vec((any::<Vec<u8>>(), any::<Option<Vec<u8>>>()), 0..40)) {
            let entries: Entries = pairs.into_iter().collect();
            prop_assert_eq!(read(&write(&entries)).unwrap(), entries);
        }

        #[test]
        fn a_damaged_file_makes_nothing_panic(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = BY_JAVA.to_vec();
            for (at, with) in damage {
                let index = at.index(bytes.len());
                bytes[index] = with;
            }
            check_bounded(&bytes);
            bytes.truncate(cut.index(bytes.len()) + 1);
            check_bounded(&bytes);
        }

        #[test]
        fn any_bytes_make_nothing_panic(bytes in any::<Vec<u8>>()) {
            check_bounded(&bytes);
            check_bounded(&[MAGIC, &bytes].concat());
        }

        #[test]
        fn any_stream_of_known_parts_makes_nothing_panic(bytes in blocks()) {
            check_bounded(&bytes);
        }
    }
}
