//! Which topics a sink reads.

use crate::ports::Subscription;
use connect_api::ParsedConfig;
use connect_api::config::ConfigFault;
use regex::Regex;

/// Faults of `topics` and `topics.regex` together.
pub(crate) const NO_TOPICS: &str = "Must configure one of topics or topics.regex";
pub(crate) const TOPICS_TWICE: &str =
    "topics and topics.regex are mutually exclusive options, but both are set.";

/// The subscription that `topics` and `topics.regex` ask for.
pub(super) fn subscription(sink: &ParsedConfig) -> Result<Subscription, Vec<ConfigFault>> {
    let topics = sink.list("topics");
    let pattern = sink.text("topics.regex");
    let fault = |key: &str, message: String| ConfigFault { key: key.into(), message };
    match (topics.is_empty(), pattern.is_empty()) {
        (true, true) => Err(vec![fault("topics", NO_TOPICS.into())]),
        (false, false) => Err(vec![fault("topics", TOPICS_TWICE.into())]),
        (true, false) => Ok(Subscription::Pattern(pattern.to_owned())),
        (false, true) => {
            let mut names: Vec<String> = Vec::with_capacity(topics.len());
            let mut faults = Vec::new();
            for topic in topics {
                match topic_name(topic) {
                    Err(what) => faults.push(fault(
                        "topics",
                        format!("Invalid value {topic} for configuration topics: {what}"),
                    )),
                    Ok(()) if names.contains(topic) => {}
                    Ok(()) => names.push(topic.clone()),
                }
            }
            if faults.is_empty() { Ok(Subscription::Topics(names)) } else { Err(faults) }
        }
    }
}

/// Records that fail would come back to the sink that failed them.
pub(super) fn dead_letter_fault(subscription: &Subscription, dead_letter: &str) -> Option<ConfigFault> {
    const KEY: &str = "errors.deadletterqueue.topic.name";
    let (key, message) = match subscription {
        _ if topic_name(dead_letter).is_err() => {
            let what = topic_name(dead_letter).err().unwrap_or_default();
            (KEY, format!("Invalid value {dead_letter} for configuration {KEY}: {what}"))
        }
        Subscription::Topics(topics) if topics.iter().any(|topic| topic == dead_letter) => (
            "topics",
            format!(
                "The DLQ topic '{dead_letter}' may not be included in the list of topics ('topics=[{}]') consumed by the \
                 connector",
                topics.join(", ")
            ),
        ),
        Subscription::Pattern(pattern)
            if whole_name(pattern).is_ok_and(|regex| regex.is_match(dead_letter)) =>
        {
            (
                "topics.regex",
                format!(
                    "The DLQ topic '{dead_letter}' may not be matched by the regex for the topics \
                     ('topics.regex={pattern}') consumed by the connector"
                ),
            )
        }
        _ => return None,
    };
    Some(ConfigFault { key: key.into(), message })
}

/// Kafka's own rule for topic names.
pub(crate) fn topic_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name {
        "" => Err("a topic name is empty: remove the extra comma".into()),
        "." | ".." => Err("a topic may not be called '.' or '..'".into()),
        _ if name.contains('#') => {
            Err("'#' is not legal in a topic name (a comment needs a line of its own: remove the text from '#' on)".into())
        }
        _ if name.len() > 249 => Err("a topic name has at most 249 characters".into()),
        _ if !name.chars().all(legal) => {
            Err("a topic name consists of letters, digits, '.', '_' and '-'".into())
        }
        _ => Ok(()),
    }
}

/// A pattern that must match the whole name, as Java's `matches` does.
pub(crate) fn whole_name(pattern: &str) -> Result<Regex, String> {
    // Size-limited: the pattern comes from a request.
    regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build().map_err(|_| {
        "it is no regular expression this worker understands (look-around and back references are not supported)".into()
    })
}
