//! JoinGroup, SyncGroup, Heartbeat, LeaveGroup.

use super::connection::Connection;
use super::error::{Code, WireError, check};
use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::StrBytes;
use std::time::Duration;

/// What workers of Kafka Connect call their protocol; consumers have `consumer`.
const PROTOCOL_TYPE: StrBytes = StrBytes::from_static_str("connect");

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group_id(group: &str) -> GroupId {
    GroupId(text(group))
}

pub(crate) struct JoinCall<'a> {
    pub(crate) group: &'a str,
    /// Empty the first time.
    pub(crate) member_id: &'a str,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    /// The preferred one first.
    pub(crate) protocols: &'a [(String, Bytes)],
    /// For the broker's log.
    pub(crate) reason: &'a str,
}

pub(crate) enum JoinAnswer {
    Joined(Joined),
    /// To be sent again with this member id (KIP-394).
    MemberId(String),
}

pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member_id: String,
    /// (member id, metadata); the leader gets them.
    pub(crate) members: Vec<(String, Bytes)>,
}

/// A member's place in a generation of its group.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) group: String,
    pub(crate) member_id: String,
    pub(crate) generation: i32,
    pub(crate) protocol: String,
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// The broker answers when all members have joined, so after up to the rebalance timeout.
pub(crate) async fn join(
    via: &mut Connection,
    call: JoinCall<'_>,
    patience: Duration,
) -> Result<JoinAnswer, WireError> {
    let version = via.version::<JoinGroupRequest>()?;
    let protocol = |(name, metadata): &(String, Bytes)| {
        JoinGroupRequestProtocol::default().with_name(text(name)).with_metadata(metadata.clone())
    };
    let request = JoinGroupRequest::default()
        .with_group_id(group_id(call.group))
        .with_session_timeout_ms(millis(call.session_timeout))
        .with_rebalance_timeout_ms(millis(call.rebalance_timeout))
        .with_member_id(text(call.member_id))
        .with_protocol_type(PROTOCOL_TYPE)
        .with_protocols(call.protocols.iter().map(protocol).collect())
        .with_reason((version >= 8).then(|| text(call.reason)));
    let answer = via.call(&request, version, patience).await?;
    if Code::try_from_code(answer.error_code) == Some(Code::MemberIdRequired) {
        return Ok(JoinAnswer::MemberId(answer.member_id.to_string()));
    }
    check("JoinGroup", answer.error_code)?;
    same_type("JoinGroup", answer.protocol_type.as_ref())?;
    Ok(JoinAnswer::Joined(Joined {
        generation: answer.generation_id,
        protocol: answer.protocol_name.map(|name| name.to_string()).unwrap_or_default(),
        leader: answer.leader.to_string(),
        member_id: answer.member_id.to_string(),
        members: answer
            .members
            .into_iter()
            .map(|member| (member.member_id.to_string(), member.metadata))
            .collect(),
    }))
}

/// The broker answers when the leader has sent its assignments.
pub(crate) async fn sync(
    via: &mut Connection,
    seat: &Seat,
    assignments: Vec<(String, Bytes)>,
    patience: Duration,
) -> Result<Bytes, WireError> {
    let version = via.version::<SyncGroupRequest>()?;
    let assignment = |(member_id, assignment): (String, Bytes)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(StrBytes::from_string(member_id))
            .with_assignment(assignment)
    };
    let mut request = SyncGroupRequest::default()
        .with_group_id(group_id(&seat.group))
        .with_generation_id(seat.generation)
        .with_member_id(text(&seat.member_id))
        .with_assignments(assignments.into_iter().map(assignment).collect());
    if version >= 5 {
        request =
            request.with_protocol_type(Some(PROTOCOL_TYPE)).with_protocol_name(Some(text(&seat.protocol)));
    }
    let answer = via.call(&request, version, patience).await?;
    check("SyncGroup", answer.error_code)?;
    same_type("SyncGroup", answer.protocol_type.as_ref())?;
    if answer.protocol_name.is_some_and(|name| *name != *seat.protocol) {
        return Err(WireError::Refused { call: "SyncGroup", code: Code::InconsistentGroupProtocol });
    }
    Ok(answer.assignment)
}

pub(crate) async fn heartbeat(
    via: &mut Connection,
    seat: &Seat,
    patience: Duration,
) -> Result<(), WireError> {
    let version = via.version::<HeartbeatRequest>()?;
    let request = HeartbeatRequest::default()
        .with_group_id(group_id(&seat.group))
        .with_generation_id(seat.generation)
        .with_member_id(text(&seat.member_id));
    let answer = via.call(&request, version, patience).await?;
    check("Heartbeat", answer.error_code)
}

pub(crate) async fn leave(
    via: &mut Connection,
    group: &str,
    member_id: &str,
    patience: Duration,
) -> Result<(), WireError> {
    let version = via.version::<LeaveGroupRequest>()?;
    let request = LeaveGroupRequest::default().with_group_id(group_id(group));
    let request = match version {
        ..=2 => request.with_member_id(text(member_id)),
        _ => {
            let reason = (version >= 5).then(|| StrBytes::from_static_str("the worker is stopping"));
            request.with_members(vec![
                MemberIdentity::default().with_member_id(text(member_id)).with_reason(reason),
            ])
        }
    };
    let answer = via.call(&request, version, patience).await?;
    check("LeaveGroup", answer.error_code)?;
    answer.members.iter().try_for_each(|member| check("LeaveGroup", member.error_code))
}

/// Absent where the version does not tell.
fn same_type(call: &'static str, protocol_type: Option<&StrBytes>) -> Result<(), WireError> {
    match protocol_type {
        Some(other) if *other != PROTOCOL_TYPE => {
            Err(WireError::Refused { call, code: Code::InconsistentGroupProtocol })
        }
        _ => Ok(()),
    }
}
