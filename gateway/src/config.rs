//! What the gateway is told at its start: flags or environment for names and addresses, environment only for secrets,
//! since a command line can be read by every user of the machine.

use crate::upstream::{BadBaseUrl, BaseUrl};
use clap::Parser;
use contracts::TopicSpec;
use service_kit::operator::OperatorToken;
use service_kit::secret::Secret;
use std::net::SocketAddr;

/// The single entrance to the order/catalog platform.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The address to listen on.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", default_value = "127.0.0.1:9092")]
    pub kafka: String,
    /// The topic in which services announce themselves.
    #[arg(long, env = "REGISTRY_TOPIC", default_value = TopicSpec::REGISTRY)]
    pub registry_topic: String,
    /// The workers behind /connect/, with commas between them.
    #[arg(long, env = "CONNECT_URLS", value_delimiter = ',', default_value = "http://127.0.0.1:8083")]
    pub connect_urls: Vec<String>,
    /// Shown on the status page.
    #[arg(long, env = "ORDERS_TOPIC", default_value = TopicSpec::ORDERS)]
    pub orders_topic: String,
    /// Shown on the status page.
    #[arg(long, env = "DECISIONS_TOPIC", default_value = TopicSpec::DECISIONS)]
    pub decisions_topic: String,
    /// More topics to show on the status page, with commas between them: the dead letters of a sink, for example.
    #[arg(long, env = "EXTRA_TOPICS", value_delimiter = ',')]
    pub extra_topics: Vec<String>,
}

#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub kafka: String,
    pub registry_topic: String,
    pub registry_secret: Secret,
    pub connect_urls: Vec<BaseUrl>,
    pub operator_token: OperatorToken,
    pub orders_topic: String,
    pub decisions_topic: String,
    pub extra_topics: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    #[error("CONNECT_URLS holds {value:?}, which cannot be used")]
    ConnectUrl {
        value: String,
        #[source]
        source: BadBaseUrl,
    },
    #[error(
        "EXTRA_TOPICS holds {0:?}, which is no name of a topic: 1 to 249 letters, digits, dots, underscores and hyphens"
    )]
    ExtraTopic(String),
}

impl Config {
    pub fn new(args: Args, registry_secret: Secret, operator_token: Secret) -> Result<Self, BadConfig> {
        let connect_urls = args
            .connect_urls
            .into_iter()
            .map(|url| url.trim().to_owned())
            .filter(|url| !url.is_empty())
            .map(|url| BaseUrl::parse(&url).map_err(|source| BadConfig::ConnectUrl { value: url, source }))
            .collect::<Result<_, _>>()?;
        let extra_topics = args
            .extra_topics
            .into_iter()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .map(|name| if is_topic_name(&name) { Ok(name) } else { Err(BadConfig::ExtraTopic(name)) })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            listen: args.listen,
            kafka: args.kafka,
            registry_topic: args.registry_topic,
            registry_secret,
            connect_urls,
            operator_token: operator_token.into(),
            orders_topic: args.orders_topic,
            decisions_topic: args.decisions_topic,
            extra_topics,
        })
    }

    /// The topics of the status page; the facts come first.
    pub fn shown_topics(&self) -> Vec<String> {
        let dead_letters = TopicSpec::dead_letters(&self.orders_topic).name;
        let own = [&self.orders_topic, &self.decisions_topic, &self.registry_topic, &dead_letters];
        let mut shown: Vec<String> = Vec::new();
        for name in own.into_iter().chain(&self.extra_topics) {
            if !shown.contains(name) {
                shown.push(name.clone());
            }
        }
        shown
    }
}

/// Kafka's own rule.
fn is_topic_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= 249 && name != "." && name != ".." && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, BadConfig> {
        let args = Args::try_parse_from([&["gateway"], arguments].concat()).unwrap();
        Config::new(args, "0123456789abcdef".to_owned().into(), "open sesame".to_owned().into())
    }

    #[test]
    fn several_workers_are_separated_by_commas_and_secrets_stay_hidden() {
        let config = config(&["--connect-urls", "http://a:1, http://b:2/,"]).unwrap();
        let urls: Vec<String> = config.connect_urls.iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["http://a:1", "http://b:2"]);
        let shown = format!("{config:?}");
        assert!(!shown.contains("0123456789abcdef") && !shown.contains("sesame"), "{shown}");
    }

    #[test]
    fn an_unusable_worker_url_is_named() {
        let error = config(&["--connect-urls", "ftp://x"]).unwrap_err();
        assert!(error.to_string().contains("\"ftp://x\""), "{error}");
    }

    #[test]
    fn extra_topics_are_shown_once_and_behind_the_platforms_own() {
        let config = config(&["--extra-topics", "connect-orders-sink.dlq, orders.dlq,"]).unwrap();
        assert_eq!(
            config.shown_topics(),
            ["orders", "order_decisions", "service-registry", "orders.dlq", "connect-orders-sink.dlq"]
        );
        let error = super::tests::config(&["--extra-topics", "a,b c"]).unwrap_err().to_string();
        assert!(error.contains("\"b c\"") && error.contains("EXTRA_TOPICS"), "{error}");
    }
}
