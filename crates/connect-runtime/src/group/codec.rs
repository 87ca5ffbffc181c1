//! Metadata and assignments as bytes: the structs of `ConnectProtocol` (version 0) and
//! `IncrementalCooperativeConnectProtocol` (versions 1 and 2, KIP-415 and KIP-507), byte for byte.
//!
//! Work is grouped by connector; task -1 stands for the connector itself. Java's order of connectors is that of its hash sets, so any
//! order is read; ours is by name.
//!
//! The reading is as lenient as Java's, so that a later version may append fields: what follows the known fields is passed over, and
//! what version 0 does not have may be absent in any version.

use super::wire::{MAX_TEXT, Reader, Writer};
use super::{Assignment, AssignmentError, MemberState, Protocol, Work};
use crate::herder::TaskId;
use crate::ports::OfferedProtocols;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Why bytes are no metadata, or no assignment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("it ends within {field}")]
    Short { field: &'static str },
    #[error("{field} is null")]
    Missing { field: &'static str },
    #[error("{field} is not UTF-8")]
    NotText { field: &'static str },
    #[error("{field} cannot be {value}")]
    Value { field: &'static str, value: i32 },
}

/// The task that stands for its connector.
const CONNECTOR: i32 = -1;

const NO_ERROR: i16 = 0;
const CONFIG_MISMATCH: i16 = 1;

/// What a worker offers to the coordinator: the configured protocol and, for members that are behind, each below it, with `state` as the
/// metadata of each.
pub fn offered(configured: Protocol, state: &MemberState) -> OfferedProtocols {
    let offered = Protocol::ALL.into_iter().rev().filter(|protocol| *protocol <= configured);
    offered.map(|protocol| (protocol.name().to_owned(), encode_metadata(state, protocol))).collect()
}

/// Texts are cut after 32767 bytes, and connectors with a longer name left out: the protocol cannot carry them. The eager protocol
/// has no room for what the member holds.
pub fn encode_metadata(state: &MemberState, protocol: Protocol) -> Bytes {
    let mut out = Writer::default();
    out.int16(protocol.version());
    out.string(&state.url);
    out.int64(state.config_offset);
    if protocol != Protocol::Eager {
        let held = state.assignment.as_ref().map(|held| encode_assignment(held, protocol));
        out.nullable_bytes(held.as_deref());
    }
    out.finish()
}

pub fn decode_metadata(bytes: &[u8]) -> Result<MemberState, CodecError> {
    let mut bytes = Reader::new(bytes);
    version(&mut bytes)?;
    let url = bytes.string("url")?.to_owned();
    let config_offset = bytes.int64("config-offset")?;
    let held = if bytes.is_at_end() { None } else { bytes.nullable_bytes("allocation")? };
    let assignment = held.map(decode_assignment).transpose()?;
    Ok(MemberState { url, config_offset, assignment })
}

/// As for [`encode_metadata`]; what is revoked and the delay are left out in the eager protocol.
pub fn encode_assignment(assignment: &Assignment, protocol: Protocol) -> Bytes {
    let mut out = Writer::default();
    out.int16(protocol.version());
    out.int16(match assignment.error {
        AssignmentError::None => NO_ERROR,
        AssignmentError::ConfigMismatch => CONFIG_MISMATCH,
    });
    out.string(&assignment.leader);
    out.string(&assignment.leader_url);
    out.int64(assignment.config_offset);
    write_work(&mut out, &assignment.assigned);
    if protocol != Protocol::Eager {
        write_work(&mut out, &assignment.revoked);
        out.int32(assignment.delay_ms);
    }
    out.finish()
}

pub fn decode_assignment(bytes: &[u8]) -> Result<Assignment, CodecError> {
    let mut bytes = Reader::new(bytes);
    version(&mut bytes)?;
    let error = match bytes.int16("error")? {
        NO_ERROR => AssignmentError::None,
        CONFIG_MISMATCH => AssignmentError::ConfigMismatch,
        other => return Err(CodecError::Value { field: "error", value: other.into() }),
    };
    Ok(Assignment {
        error,
        leader: bytes.string("leader")?.to_owned(),
        leader_url: bytes.string("leader-url")?.to_owned(),
        config_offset: bytes.int64("config-offset")?,
        assigned: read_work(&mut bytes, "assignment")?,
        revoked: read_work(&mut bytes, "revoked")?,
        delay_ms: if bytes.is_at_end() { 0 } else { bytes.int32("delay")? },
    })
}

/// Any from 0 on: a later one is taken to begin as the ones known.
fn version(bytes: &mut Reader<'_>) -> Result<(), CodecError> {
    match bytes.int16("version")? {
        0.. => Ok(()),
        negative => Err(CodecError::Value { field: "version", value: negative.into() }),
    }
}

fn write_work(out: &mut Writer, work: &Work) {
    let mut by_connector: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for connector in &work.connectors {
        by_connector.entry(connector).or_default().push(CONNECTOR);
    }
    for id in &work.tasks {
        if let Ok(task) = i32::try_from(id.task) {
            by_connector.entry(&id.connector).or_default().push(task);
        }
    }
    by_connector.retain(|connector, _| connector.len() <= MAX_TEXT);
    out.count(by_connector.len());
    for (connector, tasks) in by_connector {
        out.string(connector);
        out.count(tasks.len());
        for task in tasks {
            out.int32(task);
        }
    }
}

fn read_work(bytes: &mut Reader<'_>, field: &'static str) -> Result<Work, CodecError> {
    let mut work = Work::default();
    if bytes.is_at_end() {
        return Ok(work);
    }
    for _ in 0..bytes.nullable_count(field)?.unwrap_or(0) {
        let connector = bytes.string("connector")?;
        let tasks = bytes.nullable_count("tasks")?.ok_or(CodecError::Missing { field: "tasks" })?;
        for _ in 0..tasks {
            match bytes.int32("tasks")? {
                CONNECTOR => {
                    work.connectors.insert(connector.to_owned());
                }
                task => {
                    let task = usize::try_from(task)
                        .map_err(|_| CodecError::Value { field: "tasks", value: task })?;
                    work.tasks.insert(TaskId { connector: connector.to_owned(), task });
                }
            }
        }
    }
    Ok(work)
}
