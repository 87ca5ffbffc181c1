//! Settings of the Kafka clients that users put into a worker's file without a prefix: for the worker's own clients. The
//! defaults are Java's; what is not set is left to the client.

use super::checks::plaintext;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator};

pub(super) const CLIENTS: [ConfigKey; 16] = [
    ConfigKey::new("security.protocol", Ty::String, "Only PLAINTEXT yet.")
        .default("PLAINTEXT")
        .valid(Validator::Check(plaintext))
        .importance(Importance::Medium),
    ConfigKey::new("client.dns.lookup", Ty::String, "Whether all addresses of a broker's name are tried.")
        .default("use_all_dns_ips")
        .valid(Validator::OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    ConfigKey::new("request.timeout.ms", Ty::Int, "How long a request to a broker may take.")
        .default("40000")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new("connections.max.idle.ms", Ty::Long, "After this, a connection nobody uses is closed.")
        .default("540000"),
    ConfigKey::new("send.buffer.bytes", Ty::Int, "The socket's send buffer; -1 leaves it to the system.")
        .default("131072")
        .valid(Validator::AtLeast(-1)),
    ConfigKey::new(
        "receive.buffer.bytes",
        Ty::Int,
        "The socket's receive buffer; -1 leaves it to the system.",
    )
    .default("32768")
    .valid(Validator::AtLeast(-1)),
    ConfigKey::new("reconnect.backoff.ms", Ty::Long, "The first wait before a connection is tried again ...")
        .default("50")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new("reconnect.backoff.max.ms", Ty::Long, "... and the longest.")
        .default("1000")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new("retry.backoff.ms", Ty::Long, "The first wait before a request is tried again ...")
        .default("100")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new("retry.backoff.max.ms", Ty::Long, "... and the longest.")
        .default("1000")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new(
        "socket.connection.setup.timeout.ms",
        Ty::Long,
        "How long a connection may take to be made.",
    )
    .default("10000")
    .valid(Validator::AtLeast(0)),
    ConfigKey::new(
        "socket.connection.setup.timeout.max.ms",
        Ty::Long,
        "Accepted; there is no growing time limit here.",
    )
    .default("30000")
    .valid(Validator::AtLeast(0)),
    ConfigKey::new("metadata.max.age.ms", Ty::Long, "How often the brokers are asked what has changed.")
        .default("300000")
        .valid(Validator::AtLeast(0)),
    ConfigKey::new(
        "metadata.recovery.strategy",
        Ty::String,
        "Whether to begin at bootstrap.servers again when no broker is left.",
    )
    .default("rebootstrap")
    .valid(Validator::OneOfIgnoreCase(&["none", "rebootstrap"])),
    ConfigKey::new(
        "metadata.recovery.rebootstrap.trigger.ms",
        Ty::Long,
        "After how long without a broker that happens.",
    )
    .default("300000")
    .valid(Validator::AtLeast(0)),
    ConfigKey::new(
        "default.api.timeout.ms",
        Ty::Int,
        "Accepted; each kind of request has its own limit here.",
    )
    .default("60000")
    .valid(Validator::AtLeast(0)),
];

/// Whether the key is for the worker's own clients.
pub(in crate::worker_config) fn is_client_key(key: &str) -> bool {
    key == "client.id"
        || CLIENTS.iter().any(|known| known.name == key)
        || key.starts_with("ssl.")
        || key.starts_with("sasl.")
}
