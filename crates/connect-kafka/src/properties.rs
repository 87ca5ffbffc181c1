//! What the client settings of Java mean to librdkafka. The one place that knows both spellings.

use connect_api::{ConfigMap, ConnectError};
use indexmap::IndexMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Consumer,
    Producer,
    Admin,
}

enum Meaning {
    /// Key and values are the same.
    Same,
    Renamed(&'static str),
    /// Another key, and values to be rewritten; the error says what is wrong with the value.
    Rewritten(&'static str, fn(&str) -> Result<String, String>),
    /// Has no counterpart and nothing depends on it.
    JavaOnly,
    /// The worker sets it and does not let go of it; the delivery contract rests on it.
    Kept,
    /// Has no counterpart; only this can be honoured, anything else is refused.
    Checked(fn(&str) -> Result<(), String>),
}

use Meaning::{Checked, JavaOnly, Kept, Renamed, Rewritten, Same};

const ALL: &[Role] = &[Role::Consumer, Role::Producer, Role::Admin];
const CONSUMER: &[Role] = &[Role::Consumer];
const PRODUCER: &[Role] = &[Role::Producer];

static TABLE: &[(&str, &[Role], Meaning)] = &[
    ("bootstrap.servers", ALL, Same),
    ("client.id", ALL, Same),
    ("client.dns.lookup", ALL, Same),
    ("client.rack", ALL, Same),
    ("connections.max.idle.ms", ALL, Same),
    ("metadata.max.age.ms", ALL, Renamed("topic.metadata.refresh.interval.ms")),
    ("metadata.recovery.strategy", ALL, Same),
    ("metadata.recovery.rebootstrap.trigger.ms", ALL, Same),
    ("reconnect.backoff.ms", ALL, Same),
    ("reconnect.backoff.max.ms", ALL, Same),
    ("request.timeout.ms", ALL, Rewritten("socket.timeout.ms", at_most_300_000)),
    ("retry.backoff.ms", ALL, Same),
    ("retry.backoff.max.ms", ALL, Same),
    ("send.buffer.bytes", ALL, Rewritten("socket.send.buffer.bytes", buffer_size)),
    ("receive.buffer.bytes", ALL, Rewritten("socket.receive.buffer.bytes", buffer_size)),
    ("socket.connection.setup.timeout.ms", ALL, Same),
    ("socket.connection.setup.timeout.max.ms", ALL, JavaOnly),
    ("security.protocol", ALL, Checked(plaintext)),
    ("security.providers", ALL, JavaOnly),
    ("default.api.timeout.ms", ALL, JavaOnly),
    ("enable.metrics.push", ALL, Same),
    ("interceptor.classes", ALL, Checked(no_classes)),
    ("metric.reporters", ALL, JavaOnly),
    ("metrics.num.samples", ALL, JavaOnly),
    ("metrics.recording.level", ALL, JavaOnly),
    ("metrics.sample.window.ms", ALL, JavaOnly),
    ("auto.include.jmx.reporter", ALL, JavaOnly),
    ("retries", &[Role::Admin], JavaOnly),
    ("bootstrap.controllers", &[Role::Admin], Checked(nothing)),
    ("allow.auto.create.topics", CONSUMER, Same),
    ("auto.commit.interval.ms", CONSUMER, JavaOnly),
    ("auto.offset.reset", CONSUMER, Rewritten("auto.offset.reset", offset_reset)),
    ("check.crcs", CONSUMER, Same),
    ("enable.auto.commit", CONSUMER, Kept),
    // librdkafka has no such key: the internal topics are put on its black list whenever a pattern is subscribed
    ("exclude.internal.topics", CONSUMER, Checked(only_true)),
    ("fetch.max.bytes", CONSUMER, Same),
    ("fetch.max.wait.ms", CONSUMER, Renamed("fetch.wait.max.ms")),
    ("fetch.min.bytes", CONSUMER, Same),
    ("group.id", CONSUMER, Same),
    ("group.instance.id", CONSUMER, Same),
    ("group.protocol", CONSUMER, Checked(classic)),
    ("group.remote.assignor", CONSUMER, JavaOnly),
    ("heartbeat.interval.ms", CONSUMER, Same),
    ("isolation.level", CONSUMER, Rewritten("isolation.level", lower_case)),
    ("key.deserializer", CONSUMER, Kept),
    ("value.deserializer", CONSUMER, Kept),
    ("max.partition.fetch.bytes", CONSUMER, Same),
    ("max.poll.interval.ms", CONSUMER, Same),
    // the task loop's own
    ("max.poll.records", CONSUMER, JavaOnly),
    ("partition.assignment.strategy", CONSUMER, Rewritten("partition.assignment.strategy", assignors)),
    ("session.timeout.ms", CONSUMER, Same),
    ("acks", PRODUCER, Kept),
    ("batch.size", PRODUCER, Rewritten("batch.size", at_least_1)),
    ("buffer.memory", PRODUCER, Rewritten("queue.buffering.max.kbytes", kilobytes)),
    ("compression.type", PRODUCER, Rewritten("compression.type", lower_case)),
    ("compression.gzip.level", PRODUCER, JavaOnly),
    ("compression.lz4.level", PRODUCER, JavaOnly),
    ("compression.zstd.level", PRODUCER, JavaOnly),
    ("delivery.timeout.ms", PRODUCER, Same),
    ("enable.idempotence", PRODUCER, Rewritten("enable.idempotence", lower_case)),
    ("key.serializer", PRODUCER, Kept),
    ("value.serializer", PRODUCER, Kept),
    ("linger.ms", PRODUCER, Same),
    ("max.block.ms", PRODUCER, JavaOnly),
    ("max.in.flight.requests.per.connection", PRODUCER, Same),
    ("max.request.size", PRODUCER, Renamed("message.max.bytes")),
    ("metadata.max.idle.ms", PRODUCER, JavaOnly),
    ("partitioner.adaptive.partitioning.enable", PRODUCER, JavaOnly),
    ("partitioner.availability.timeout.ms", PRODUCER, JavaOnly),
    ("partitioner.class", PRODUCER, Checked(no_classes)),
    ("partitioner.ignore.keys", PRODUCER, Checked(only_false)),
    ("retries", PRODUCER, Same),
    ("transaction.timeout.ms", PRODUCER, JavaOnly),
    ("transactional.id", PRODUCER, Checked(nothing)),
];

/// Settings in librdkafka's words.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Native {
    pub(crate) settings: IndexMap<&'static str, String>,
    /// Java keys that have no effect here, each with the reason.
    pub(crate) ignored: Vec<(String, &'static str)>,
}

/// Translates what the user set; `java` holds the effective settings of one client.
pub(crate) fn translate(role: Role, java: &ConfigMap) -> Result<Native, ConnectError> {
    let mut native = Native::default();
    for (key, value) in java {
        let value = value.trim();
        let wrong = |what: String| {
            ConnectError::config(format!(
                "Invalid value {value} for the Kafka client configuration {key}: {what}"
            ))
        };
        let row = TABLE.iter().find(|(name, roles, _)| name == key && roles.contains(&role));
        match row.map(|(name, _, meaning)| (*name, meaning)) {
            Some((name, Same)) => {
                native.settings.insert(name, value.to_owned());
            }
            Some((_, Renamed(name))) => {
                native.settings.insert(name, value.to_owned());
            }
            Some((_, Rewritten(name, rewrite))) => {
                native.settings.insert(name, rewrite(value).map_err(wrong)?);
            }
            Some((_, Checked(check))) => check(value).map_err(wrong)?,
            Some((_, JavaOnly)) => {}
            Some((_, Kept)) => native.ignored.push((key.clone(), "the worker sets it itself")),
            // Without TLS and SASL (anything else is refused above) nobody asks for these.
            None if key.starts_with("ssl.") || key.starts_with("sasl.") => {}
            None => native.ignored.push((key.clone(), "it is no known setting of this kind of client")),
        }
    }
    Ok(native)
}

/// Whether this is a setting of such a client at all.
pub(crate) fn knows(role: Role, key: &str) -> bool {
    TABLE.iter().any(|(name, roles, _)| *name == key && roles.contains(&role))
}

/// The Java key behind a key of librdkafka; for error texts.
pub(crate) fn java_name(native: &str) -> &str {
    let row = TABLE.iter().find(|(name, _, meaning)| match meaning {
        Same => *name == native,
        Renamed(to) | Rewritten(to, _) => *to == native,
        _ => false,
    });
    row.map_or(native, |(name, ..)| name)
}

fn number(value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| "it must be a whole number".to_owned())
}

fn at_most_300_000(value: &str) -> Result<String, String> {
    Ok(number(value)?.min(300_000).to_string())
}

fn at_least_1(value: &str) -> Result<String, String> {
    Ok(number(value)?.max(1).to_string())
}

/// Java: -1 leaves the size to the system; librdkafka: 0.
fn buffer_size(value: &str) -> Result<String, String> {
    Ok(number(value)?.max(0).to_string())
}

fn kilobytes(value: &str) -> Result<String, String> {
    Ok((number(value)? / 1024).max(1).to_string())
}

fn lower_case(value: &str) -> Result<String, String> {
    Ok(value.to_ascii_lowercase())
}

fn offset_reset(value: &str) -> Result<String, String> {
    match value.to_ascii_lowercase().as_str() {
        reset @ ("earliest" | "latest") => Ok(reset.to_owned()),
        "none" => Ok("error".to_owned()),
        _ => Err("it must be earliest, latest or none (by_duration is not supported yet)".to_owned()),
    }
}

/// librdkafka refuses to mix eager and cooperative strategies. Java's lists do when a group is to move from one to the
/// other; the eager ones are what the whole group has in common then.
fn assignors(value: &str) -> Result<String, String> {
    let mut names = Vec::new();
    for class in value.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        names.push(match class.rsplit('.').next().unwrap_or(class) {
            "RangeAssignor" | "range" => "range",
            "RoundRobinAssignor" | "roundrobin" => "roundrobin",
            "CooperativeStickyAssignor" | "cooperative-sticky" => "cooperative-sticky",
            _ => {
                return Err(format!(
                    "{class} is not known to this worker; it has RangeAssignor, RoundRobinAssignor and \
                     CooperativeStickyAssignor"
                ));
            }
        });
    }
    if names.iter().any(|name| *name != "cooperative-sticky") {
        names.retain(|name| *name != "cooperative-sticky");
    }
    if names.is_empty() { Err("it names no strategy".to_owned()) } else { Ok(names.join(",")) }
}

fn plaintext(value: &str) -> Result<(), String> {
    match value.to_ascii_uppercase().as_str() {
        "PLAINTEXT" => Ok(()),
        _ => {
            Err("this worker cannot do TLS or SASL towards Kafka yet; it needs a PLAINTEXT listener"
                .to_owned())
        }
    }
}

fn classic(value: &str) -> Result<(), String> {
    match value.to_ascii_lowercase().as_str() {
        "classic" => Ok(()),
        _ => Err("only the classic protocol is supported yet".to_owned()),
    }
}

fn no_classes(value: &str) -> Result<(), String> {
    if value.is_empty() {
        Ok(())
    } else {
        Err("this worker cannot load Java classes; remove the setting".to_owned())
    }
}

fn nothing(value: &str) -> Result<(), String> {
    if value.is_empty() { Ok(()) } else { Err("it is not supported yet; remove the setting".to_owned()) }
}

fn only_true(value: &str) -> Result<(), String> {
    if value.eq_ignore_ascii_case("true") { Ok(()) } else { Err("only true is supported".to_owned()) }
}

fn only_false(value: &str) -> Result<(), String> {
    if value.eq_ignore_ascii_case("false") { Ok(()) } else { Err("only false is supported".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(role: Role, pairs: &[(&str, &str)]) -> Result<Native, String> {
        let java = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        translate(role, &java).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_row() {
        for (role, key, value, expected) in [
            (Role::Consumer, "session.timeout.ms", " 6000 ", Some(("session.timeout.ms", "6000"))),
            (Role::Consumer, "fetch.max.wait.ms", "100", Some(("fetch.wait.max.ms", "100"))),
            (
                Role::Consumer,
                "metadata.max.age.ms",
                "1000",
                Some(("topic.metadata.refresh.interval.ms", "1000")),
            ),
            (
                Role::Consumer,
                "isolation.level",
                "READ_COMMITTED",
                Some(("isolation.level", "read_committed")),
            ),
            (Role::Consumer, "auto.offset.reset", "none", Some(("auto.offset.reset", "error"))),
            (Role::Consumer, "receive.buffer.bytes", "-1", Some(("socket.receive.buffer.bytes", "0"))),
            (Role::Consumer, "request.timeout.ms", "2147483647", Some(("socket.timeout.ms", "300000"))),
            (
                Role::Consumer,
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer.RangeAssignor,\
                 org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
                Some(("partition.assignment.strategy", "range")),
            ),
            (
                Role::Consumer,
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
                Some(("partition.assignment.strategy", "cooperative-sticky")),
            ),
            (Role::Consumer, "max.poll.records", "7", None),
            (Role::Consumer, "ssl.truststore.location", "/x", None),
            (Role::Consumer, "security.protocol", "plaintext", None),
            (Role::Producer, "buffer.memory", "33554432", Some(("queue.buffering.max.kbytes", "32768"))),
            (Role::Producer, "max.request.size", "5", Some(("message.max.bytes", "5"))),
            (Role::Producer, "batch.size", "0", Some(("batch.size", "1"))),
            (Role::Admin, "retries", "3", None),
        ] {
            let expected: IndexMap<_, _> = expected.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            let native = translated(role, &[(key, value)]).unwrap();
            assert_eq!((native.settings, native.ignored), (expected, vec![]), "{key}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        for (role, key, value) in [
            (Role::Consumer, "security.protocol", "SASL_SSL"),
            (Role::Consumer, "group.protocol", "consumer"),
            (Role::Consumer, "interceptor.classes", "org.example.I"),
            (
                Role::Consumer,
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer.StickyAssignor",
            ),
            (Role::Consumer, "auto.offset.reset", "by_duration:PT1H"),
            (Role::Consumer, "request.timeout.ms", "soon"),
            (Role::Producer, "transactional.id", "t"),
            (Role::Producer, "partitioner.class", "org.example.P"),
        ] {
            let error = translated(role, &[(key, value)]).unwrap_err();
            let start = format!("Invalid value {value} for the Kafka client configuration {key}: ");
            assert!(error.starts_with(&start), "{error}");
        }
    }

    #[test]
    fn unknown_and_kept_settings_are_named() {
        let native = translated(
            Role::Consumer,
            &[("enable.auto.commit", "true"), ("acks", "1"), ("fetch.min.bytes", "2")],
        );
        let native = native.unwrap();
        let ignored: Vec<_> = native.ignored.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(ignored, ["enable.auto.commit", "acks"]);
        assert_eq!(native.settings.len(), 1);
    }

    #[test]
    fn no_key_stands_twice_for_one_role() {
        for role in ALL {
            let mut seen = std::collections::HashSet::new();
            for (name, roles, _) in TABLE {
                assert!(!roles.contains(role) || seen.insert(name), "{name}");
            }
        }
    }

    #[test]
    fn faults_of_librdkafka_are_told_in_javas_words() {
        assert_eq!(java_name("fetch.wait.max.ms"), "fetch.max.wait.ms");
        assert_eq!(java_name("session.timeout.ms"), "session.timeout.ms");
        assert_eq!(java_name("queued.min.messages"), "queued.min.messages");
    }
}
