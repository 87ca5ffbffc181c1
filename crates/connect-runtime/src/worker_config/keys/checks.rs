//! Rules for single values; each says what is wrong in a few words that stand behind "Invalid value .. for configuration ..:".

use crate::connector_config::topic_name;
use crate::signature::ALGORITHMS;
use crate::worker_config::listener::Listener;

pub(super) fn bootstrap_servers(text: &str) -> Result<(), String> {
    for server in text.split(',').map(str::trim) {
        let port = server.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            return Err(format!("'{server}' is not host:port"));
        }
    }
    Ok(())
}

pub(super) fn listener_list(text: &str) -> Result<(), String> {
    Listener::list(text).map(drop)
}

pub(super) fn optional_listener_list(text: &str) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { listener_list(text) }
}

pub(super) fn port(text: &str) -> Result<(), String> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(()),
        _ => Err("a port is a number from 1 to 65535".into()),
    }
}

pub(super) fn scheme(text: &str) -> Result<(), String> {
    match text.to_ascii_lowercase().as_str() {
        "http" => Ok(()),
        "https" => Err("https is not supported yet: use http and put a TLS proxy in front".into()),
        _ => Err("it must be http".into()),
    }
}

pub(super) fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("String must be non-empty".into()) } else { no_trailing_comment(text) }
}

/// Legal in Java; but whoever copies a line with its comment wants to be told.
pub(super) fn no_trailing_comment(text: &str) -> Result<(), String> {
    if text.contains(" #") { Err("it holds ' #'".into()) } else { Ok(()) }
}

pub(super) fn override_policy(text: &str) -> Result<(), String> {
    match text {
        "All" | "None" => Ok(()),
        "Principal" | "Allowlist" => Err("this policy is not supported yet: use All or None".into()),
        _ => Err("it must be All or None".into()),
    }
}

pub(super) fn exactly_once(text: &str) -> Result<(), String> {
    match text.to_ascii_lowercase().as_str() {
        "disabled" => Ok(()),
        "preparing" | "enabled" => Err(
            "exactly-once sources are not supported yet: remove the key or set it to disabled; sources deliver at least once"
                .into(),
        ),
        _ => Err("String must be one of (case insensitive): disabled, preparing, enabled".into()),
    }
}

pub(super) fn plaintext(text: &str) -> Result<(), String> {
    match text.to_ascii_uppercase().as_str() {
        "PLAINTEXT" => Ok(()),
        "SSL" | "SASL_PLAINTEXT" | "SASL_SSL" => Err(
            "this worker cannot do TLS or SASL towards Kafka yet: give it a PLAINTEXT listener of the brokers".into(),
        ),
        _ => Err("it must be PLAINTEXT".into()),
    }
}

pub(super) fn topic(text: &str) -> Result<(), String> {
    no_trailing_comment(text)?;
    topic_name(text)
}

pub(super) fn any_partitions(text: &str) -> Result<(), String> {
    positive_or_minus_one(text, "partitions")
}

pub(super) fn any_replication(text: &str) -> Result<(), String> {
    positive_or_minus_one(text, "copies")
}

fn positive_or_minus_one(text: &str, what: &str) -> Result<(), String> {
    match text.parse::<i64>() {
        Ok(-1 | 1..) => Ok(()),
        _ => Err(format!("the number of {what} is 1 or more, or -1 to leave it to the broker")),
    }
}

pub(super) fn mac_algorithm(text: &str) -> Result<(), String> {
    if ALGORITHMS.iter().any(|(known, _)| *known == text) {
        return Ok(());
    }
    let known: Vec<_> = ALGORITHMS.iter().map(|(name, _)| *name).collect();
    Err(format!("the algorithm {text} is not known to this worker: use one of {}", known.join(", ")))
}

pub(super) fn mac_algorithms(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("At least one signature verification algorithm must be provided".into());
    }
    text.split(',').map(str::trim).try_for_each(mac_algorithm)
}
