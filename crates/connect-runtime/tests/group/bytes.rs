//! Metadata and assignments, byte for byte as the Java worker writes them.

use crate::text::{from_hex, task, to_hex};
use connect_runtime::group::{
    Assignment, AssignmentError, CodecError, MemberState, Protocol, Work, decode_assignment, decode_metadata,
    encode_assignment, encode_metadata, offered,
};
use connect_runtime::herder::TaskId;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// See `../oracle/GroupBytes.java`.
const RECORDED: &str = include_str!("../golden/group-bytes-4.3.0.txt");

fn recorded() -> BTreeMap<&'static str, &'static str> {
    RECORDED.lines().map(|line| line.split_once(' ').unwrap()).collect()
}

fn work(connectors: &[&str], tasks: &[(&str, usize)]) -> Work {
    Work {
        connectors: connectors.iter().map(|name| (*name).to_owned()).collect(),
        tasks: tasks.iter().map(|(name, number)| task(name, *number)).collect(),
    }
}

fn nothing() -> Assignment {
    Assignment {
        error: AssignmentError::None,
        leader: "connect-127.0.0.1:8083-4f0e".into(),
        leader_url: "http://127.0.0.1:8083/".into(),
        config_offset: 0,
        assigned: Work::default(),
        revoked: Work::default(),
        delay_ms: 0,
    }
}

fn full() -> Assignment {
    Assignment {
        config_offset: 1_234_567_890_123,
        assigned: work(&["주문"], &[("주문", 0), ("주문", 11), ("휴", 3)]),
        revoked: work(&["old"], &[("old", 0)]),
        delay_ms: 9_500,
        ..nothing()
    }
}

fn mismatch() -> Assignment {
    Assignment { error: AssignmentError::ConfigMismatch, config_offset: 77, ..nothing() }
}

fn unordered() -> Assignment {
    Assignment {
        config_offset: 5,
        assigned: work(&["zeta", "b", "alpha"], &[("only-tasks", 1), ("zeta", 2), ("alpha", 0), ("zeta", 0)]),
        revoked: work(&[], &[("zeta", 9), ("alpha", 4)]),
        ..nothing()
    }
}

fn member(assignment: Option<Assignment>) -> MemberState {
    MemberState { url: "http://10.0.0.7:8084/".into(), config_offset: 42, assignment }
}

/// What is left of an assignment in version 0.
fn as_eager(assignment: Assignment) -> Assignment {
    Assignment { revoked: Work::default(), delay_ms: 0, ..assignment }
}

#[test]
fn javas_bytes_are_read_and_written() {
    let recorded = recorded();
    let mut seen = 0;
    let mut metadata = |name: String, protocol, state: MemberState| {
        let hex = recorded[name.as_str()];
        assert_eq!(decode_metadata(&from_hex(hex)).as_ref(), Ok(&state), "{name}");
        assert_eq!(to_hex(&encode_metadata(&state, protocol)), hex, "{name}");
        seen += 1;
    };
    metadata("metadata-0".into(), Protocol::Eager, member(None));
    let unread = MemberState { config_offset: -1, ..member(None) };
    metadata("metadata-0-nothing-read".into(), Protocol::Eager, unread);
    for protocol in [Protocol::Compatible, Protocol::Sessioned] {
        let version = protocol.version();
        metadata(format!("metadata-{version}"), protocol, member(None));
        metadata(format!("metadata-{version}-empty"), protocol, member(None));
        metadata(format!("metadata-{version}-nothing"), protocol, member(Some(nothing())));
        metadata(format!("metadata-{version}-full"), protocol, member(Some(full())));
    }
    for protocol in Protocol::ALL {
        for (name, assignment) in [("full", full()), ("nothing", nothing()), ("mismatch", mismatch())] {
            let name = format!("assignment-{}-{name}", protocol.version());
            let hex = recorded[name.as_str()];
            let expected =
                if protocol == Protocol::Eager { as_eager(assignment.clone()) } else { assignment.clone() };
            assert_eq!(decode_assignment(&from_hex(hex)), Ok(expected), "{name}");
            assert_eq!(to_hex(&encode_assignment(&assignment, protocol)), hex, "{name}");
            seen += 1;
        }
        // Java's order of connectors is no order; ours has the same length.
        let name = format!("assignment-{}-unordered", protocol.version());
        let hex = recorded[name.as_str()];
        let expected = if protocol == Protocol::Eager { as_eager(unordered()) } else { unordered() };
        assert_eq!(decode_assignment(&from_hex(hex)), Ok(expected), "{name}");
        assert_eq!(encode_assignment(&unordered(), protocol).len(), hex.len() / 2, "{name}");
        seen += 1;
    }
    let nulls = Assignment { config_offset: 3, ..nothing() };
    assert_eq!(decode_assignment(&from_hex(recorded["assignment-1-nulls"])), Ok(nulls));
    assert_eq!(seen + 1, recorded.len(), "every recorded case is compared");
}

#[test]
fn a_worker_offers_its_protocol_and_all_below() {
    let state = member(Some(full()));
    let names =
        |protocol| -> Vec<String> { offered(protocol, &state).into_iter().map(|(name, _)| name).collect() };
    assert_eq!(names(Protocol::Sessioned), ["sessioned", "compatible", "default"]);
    assert_eq!(names(Protocol::Compatible), ["compatible", "default"]);
    assert_eq!(names(Protocol::Eager), ["default"]);
    for (name, metadata) in offered(Protocol::Sessioned, &state) {
        let protocol = Protocol::from_name(&name).unwrap();
        assert_eq!(metadata[..2], protocol.version().to_be_bytes());
        assert_eq!(metadata, encode_metadata(&state, protocol));
    }
    assert_eq!(Protocol::from_name("eager"), None, "connect.protocol's word for it is not JoinGroup's");
}

#[test]
fn what_a_later_version_may_add_is_passed_over() {
    let mut bytes = encode_metadata(&member(Some(full())), Protocol::Sessioned).to_vec();
    bytes[..2].copy_from_slice(&7_i16.to_be_bytes());
    bytes.extend_from_slice(b"and more");
    assert_eq!(decode_metadata(&bytes), Ok(member(Some(full()))));
}

#[test]
fn what_is_wrong_is_named() {
    let whole = encode_assignment(&full(), Protocol::Sessioned);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = whole.to_vec();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        decode_assignment(&changed).unwrap_err().to_string()
    };
    assert_eq!(with(0, &(-1_i16).to_be_bytes()), "version cannot be -1");
    assert_eq!(with(2, &9_i16.to_be_bytes()), "error cannot be 9");
    assert_eq!(with(4, &(-1_i16).to_be_bytes()), "leader is null");
    assert_eq!(with(4, &i16::MAX.to_be_bytes()), "it ends within leader");
    assert_eq!(with(6, b"\xff"), "leader is not UTF-8");
    // header and error, leader, URL, offset; then the number of connectors, and the first one's name
    let assignment = 4 + 2 + 27 + 2 + 22 + 8;
    assert_eq!(with(assignment, &i32::MAX.to_be_bytes()), "it ends within assignment");
    let tasks = assignment + 4 + 2 + 6;
    assert_eq!(with(tasks, &(-1_i32).to_be_bytes()), "tasks is null");
    assert_eq!(with(tasks + 4, &(-2_i32).to_be_bytes()), "tasks cannot be -2");
    for end in 0..whole.len() {
        match decode_assignment(&whole[..end]) {
            Err(CodecError::Short { .. }) => {}
            // whole fields may be absent at the end
            Ok(short) => assert!(short.delay_ms == 0 && short.assigned.len() <= full().assigned.len()),
            Err(other) => panic!("{other} after {end} bytes"),
        }
    }
}

#[test]
fn what_the_protocol_cannot_carry_is_left_out() {
    let long = "x".repeat(40_000);
    let mut assignment = full();
    assignment.assigned.connectors.insert(long.clone());
    assignment.assigned.tasks.insert(TaskId { connector: long.clone(), task: 0 });
    let read = decode_assignment(&encode_assignment(&assignment, Protocol::Sessioned));
    assert_eq!(read, Ok(full()));
    let state = MemberState { url: long, ..member(None) };
    let read = decode_metadata(&encode_metadata(&state, Protocol::Eager)).unwrap();
    assert_eq!(read.url, "x".repeat(32_767));
}

fn any_work() -> impl Strategy<Value = Work> {
    let connectors = prop::collection::btree_set(".{0,12}", 0..6);
    let tasks = prop::collection::btree_set((".{0,12}", 0..i32::MAX as usize), 0..12);
    (connectors, tasks).prop_map(|(connectors, tasks)| Work {
        connectors,
        tasks: tasks.into_iter().map(|(connector, task)| TaskId { connector, task }).collect(),
    })
}

prop_compose! {
    fn any_assignment()(
        failed in any::<bool>(),
        leader in ".{0,40}",
        leader_url in ".{0,40}",
        config_offset in any::<i64>(),
        assigned in any_work(),
        revoked in any_work(),
        delay_ms in any::<i32>(),
    ) -> Assignment {
        let error = if failed { AssignmentError::ConfigMismatch } else { AssignmentError::None };
        Assignment { error, leader, leader_url, config_offset, assigned, revoked, delay_ms }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        url in ".{0,40}",
        config_offset in any::<i64>(),
        assignment in prop::option::of(any_assignment()),
    ) {
        let state = MemberState { url, config_offset, assignment };
        for protocol in [Protocol::Compatible, Protocol::Sessioned] {
            prop_assert_eq!(decode_metadata(&encode_metadata(&state, protocol)), Ok(state.clone()));
        }
        let eager = MemberState { assignment: None, ..state.clone() };
        prop_assert_eq!(decode_metadata(&encode_metadata(&state, Protocol::Eager)), Ok(eager));
        if let Some(assignment) = state.assignment {
            let read = decode_assignment(&encode_assignment(&assignment, Protocol::Eager));
            prop_assert_eq!(read, Ok(as_eager(assignment)));
        }
    }
}
