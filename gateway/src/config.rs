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
}

#[derive(Debug, thiserror::Error)]
#[error("CONNECT_URLS holds {value:?}, which cannot be used")]
pub struct BadConnectUrl {
    value: String,
    #[source]
    source: BadBaseUrl,
}

impl Config {
    pub fn new(args: Args, registry_secret: Secret, operator_token: Secret) -> Result<Self, BadConnectUrl> {
        let connect_urls = args
            .connect_urls
            .into_iter()
            .map(|url| url.trim().to_owned())
            .filter(|url| !url.is_empty())
            .map(|url| BaseUrl::parse(&url).map_err(|source| BadConnectUrl { value: url, source }))
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, BadConnectUrl> {
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
}
