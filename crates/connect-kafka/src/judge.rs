//! What would become of a client setting, without making a client.

use crate::properties::{Role, translate};
use connect_api::ConfigMap;

/// For which kind of client a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    Consumer,
    Producer,
    Admin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientVerdict {
    Used,
    /// Accepted, and changes nothing; the reason.
    Ignored(String),
    /// No client could be made with it; the reason.
    Refused(String),
}

/// Judges one setting of a Java client.
pub fn judge_client_setting(kind: ClientKind, key: &str, value: &str) -> ClientVerdict {
    let role = match kind {
        ClientKind::Consumer => Role::Consumer,
        ClientKind::Producer => Role::Producer,
        ClientKind::Admin => Role::Admin,
    };
    if key.starts_with("ssl.") || key.starts_with("sasl.") {
        return ClientVerdict::Ignored(
            "has no effect without TLS or SASL, which this worker cannot do yet".into(),
        );
    }
    match translate(role, &ConfigMap::from_iter([(key.to_owned(), value.to_owned())])) {
        Err(error) => ClientVerdict::Refused(error.chain()),
        Ok(native) => match native.ignored.into_iter().next() {
            Some((_, why)) => ClientVerdict::Ignored(format!("has no effect: {why}")),
            None => ClientVerdict::Used,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        use ClientVerdict::*;
        for (kind, key, value, expected) in [
            (ClientKind::Consumer, "max.poll.records", "7", Used),
            (ClientKind::Producer, "acks", "1", Ignored("has no effect: the worker sets it itself".into())),
            (
                ClientKind::Admin,
                "ssl.truststore.location",
                "/x",
                Ignored("has no effect without TLS or SASL, which this worker cannot do yet".into()),
            ),
        ] {
            assert_eq!(judge_client_setting(kind, key, value), expected, "{key}");
        }
        let refused = judge_client_setting(ClientKind::Consumer, "security.protocol", "SASL_SSL");
        assert!(matches!(&refused, Refused(why) if why.contains("TLS or SASL")), "{refused:?}");
    }
}
