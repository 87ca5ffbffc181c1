//! What an error means to a member of a group (`AbstractCoordinator` in Java).

use crate::wire::{Code, WireError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same broker, later.
    Wait,
    /// Ask again who the coordinator is.
    Elsewhere,
    /// Join again, with the same member id.
    Rejoin,
    /// The coordinator does not know this member id: join as somebody new.
    NewMember,
    /// Nothing that passes by itself; what somebody has to do. Tried on all the same, slowly.
    Hopeless(&'static str),
}

pub(super) fn judge(error: &WireError) -> Verdict {
    match error {
        WireError::Unreachable { .. } | WireError::Broken { .. } | WireError::Silent { .. } => {
            Verdict::Elsewhere
        }
        WireError::Strange { .. } => Verdict::Hopeless(
            "bootstrap.servers, and what the brokers advertise, must be PLAINTEXT listeners of Kafka",
        ),
        WireError::Unsupported { .. } => {
            Verdict::Hopeless("the brokers are too old for this worker; Kafka 2.1 or later is needed")
        }
        WireError::Refused { code, .. } => judge_code(*code),
    }
}

fn judge_code(code: Code) -> Verdict {
    match code {
        Code::CoordinatorLoadInProgress => Verdict::Wait,
        Code::CoordinatorNotAvailable | Code::NotCoordinator => Verdict::Elsewhere,
        Code::RebalanceInProgress | Code::IllegalGeneration | Code::MemberIdRequired => Verdict::Rejoin,
        // fenced: only members with a group.instance.id can be; this one has none and comes back as another
        Code::UnknownMemberId | Code::FencedInstanceId => Verdict::NewMember,
        Code::InconsistentGroupProtocol => Verdict::Hopeless(
            "the group has members of another kind, or that share no connect.protocol with this worker: no consumer may use \
             the worker's group.id, and all workers need a protocol in common",
        ),
        Code::GroupMaxSizeReached => Verdict::Hopeless(
            "the group is full: raise group.max.size on the brokers, or run fewer workers with this group.id",
        ),
        Code::InvalidSessionTimeout => Verdict::Hopeless(
            "session.timeout.ms must lie between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms",
        ),
        Code::InvalidGroupId => Verdict::Hopeless("group.id is no legal name of a group"),
        Code::GroupAuthorizationFailed => {
            Verdict::Hopeless("the worker may not use this group.id: allow it on the brokers")
        }
        Code::UnsupportedVersion => {
            Verdict::Hopeless("the brokers are too old for this worker; Kafka 2.1 or later is needed")
        }
        code if code.is_retriable() => Verdict::Wait,
        _ => Verdict::Hopeless("the brokers' logs may say why"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn errors_are_taken_as_java_takes_them() {
        for (code, verdict) in [
            (Code::CoordinatorLoadInProgress, Verdict::Wait),
            (Code::CoordinatorNotAvailable, Verdict::Elsewhere),
            (Code::NotCoordinator, Verdict::Elsewhere),
            (Code::RebalanceInProgress, Verdict::Rejoin),
            (Code::IllegalGeneration, Verdict::Rejoin),
            (Code::UnknownMemberId, Verdict::NewMember),
            (Code::FencedInstanceId, Verdict::NewMember),
            (Code::RequestTimedOut, Verdict::Wait),
            (Code::NotEnoughReplicas, Verdict::Wait),
        ] {
            assert_eq!(judge(&WireError::Refused { call: "JoinGroup", code }), verdict, "{code:?}");
        }
    }

    #[test]
    fn what_does_not_pass_comes_with_a_remedy() {
        for (code, part) in [
            (Code::InconsistentGroupProtocol, "connect.protocol"),
            (Code::GroupMaxSizeReached, "group.max.size"),
            (Code::InvalidSessionTimeout, "session.timeout.ms"),
            (Code::InvalidGroupId, "group.id"),
            (Code::GroupAuthorizationFailed, "allow"),
            (Code::UnknownServerError, "logs"),
            (Code::Unknown(999), "logs"),
        ] {
            match judge(&WireError::Refused { call: "JoinGroup", code }) {
                Verdict::Hopeless(remedy) => assert!(remedy.contains(part), "{remedy}"),
                other => panic!("{code:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_broker_that_is_away_may_be_replaced() {
        let address = "b:1".to_owned();
        let silent = WireError::Silent {
            address: address.clone(),
            call: "Heartbeat",
            patience: Duration::from_secs(1),
        };
        assert_eq!(judge(&silent), Verdict::Elsewhere);
        let broken = WireError::Broken { address, source: std::io::ErrorKind::ConnectionReset.into() };
        assert_eq!(judge(&broken), Verdict::Elsewhere);
    }
}
