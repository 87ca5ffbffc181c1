//! What reads bytes that somebody else wrote, for the targets in `fuzz/`: takes anything, and panics only where what was read is not
//! what it was after writing it again. Each says whether the bytes were good.

use crate::group::{Protocol, decode_assignment, decode_metadata, encode_assignment, encode_metadata};

/// A member's metadata in the group protocol.
pub fn group_metadata(bytes: &[u8]) -> bool {
    let Ok(state) = decode_metadata(bytes) else { return false };
    assert_eq!(decode_metadata(&encode_metadata(&state, Protocol::Sessioned)), Ok(state));
    true
}

/// An assignment in the group protocol.
pub fn group_assignment(bytes: &[u8]) -> bool {
    let Ok(assignment) = decode_assignment(bytes) else { return false };
    assert_eq!(decode_assignment(&encode_assignment(&assignment, Protocol::Sessioned)), Ok(assignment));
    true
}

/// A `.properties` file.
pub fn properties(bytes: &[u8]) -> bool {
    crate::properties::parse(bytes).is_ok()
}

/// The offset file of a standalone worker.
pub fn offset_file(bytes: &[u8]) -> bool {
    crate::offsets::is_offset_file(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{Assignment, AssignmentError, MemberState, Work};
    use crate::herder::TaskId;
    use proptest::prelude::*;
    use proptest::sample::Index;

    const OFFSETS: &[u8] = include_bytes!("offsets/testdata/connect-standalone-4.3.0.offsets");
    const PROPERTIES: &[u8] =
        b"# a worker\nbootstrap.servers=a:9092,\\\n   b:9092\nname = caf\\u00e9 \\\xc3\xa9\n";

    fn assignment() -> Assignment {
        let work = |connector: &str| Work {
            connectors: [connector.to_owned()].into(),
            tasks: (0..3).map(|task| TaskId { connector: connector.to_owned(), task }).collect(),
        };
        Assignment {
            error: AssignmentError::None,
            leader: "leader".into(),
            leader_url: "http://a/".into(),
            config_offset: 7,
            assigned: work("orders"),
            revoked: work("files"),
            delay_ms: 100,
        }
    }

    fn metadata() -> Vec<u8> {
        let state = MemberState { url: "http://b/".into(), config_offset: 7, assignment: Some(assignment()) };
        encode_metadata(&state, Protocol::Sessioned).to_vec()
    }

    #[test]
    fn what_is_good_is_called_so() {
        assert!(group_metadata(&metadata()));
        assert!(group_assignment(&encode_assignment(&assignment(), Protocol::Compatible)));
        assert!(properties(PROPERTIES));
        assert!(offset_file(OFFSETS));
    }

    proptest! {
        #[test]
        fn anything_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            group_metadata(&bytes);
            group_assignment(&bytes);
            properties(&bytes);
            offset_file(&bytes);
        }

        /// Reaches further than noise.
        #[test]
        fn damage_is_taken(changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8), end in any::<Index>()) {
            let assignment = encode_assignment(&assignment(), Protocol::Sessioned);
            type Target<'a> = (fn(&[u8]) -> bool, &'a [u8]);
            let targets: [Target<'_>; 4] = [
                (group_metadata, &metadata()),
                (group_assignment, &assignment),
                (properties, PROPERTIES),
                (offset_file, OFFSETS),
            ];
            for (target, good) in targets {
                let mut bytes = good.to_vec();
                for (at, byte) in &changes {
                    *at.get_mut(&mut bytes) = *byte;
                }
                target(&bytes);
                target(&bytes[..end.index(bytes.len())]);
            }
        }
    }
}
