//! Asking a running cluster for its connectors, by the REST API that Java's workers and ours have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_api::ConfigMap;
use serde_json::Value;
use std::time::Duration;

/// A cluster in the middle of a rebalance takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Cluster {
    /// Without user and password.
    pub(super) url: String,
    pub(super) version: String,
    /// By name.
    pub(super) connectors: Vec<(String, ConfigMap)>,
}

/// The error is a sentence that names the URL, without its password.
pub(super) async fn read(url: &str) -> Result<Cluster, String> {
    let (url, authorization) = split_credentials(url)?;
    let server = get(&url, "/", authorization.as_deref()).await?;
    let version = server["version"]
        .as_str()
        .ok_or_else(|| format!("{url} is not a Kafka Connect worker: GET / answers without a version"))?;
    let answer = get(&url, "/connectors?expand=info", authorization.as_deref()).await?;
    let connectors = answer.as_object().ok_or_else(|| {
        format!("{url} does not know GET /connectors?expand=info, which Kafka Connect has since 2.3")
    })?;
    let mut connectors: Vec<_> = connectors
        .iter()
        .map(|(name, connector)| {
            let config = connector["info"]["config"].as_object().into_iter().flatten();
            let config = config.map(|(key, value)| {
                (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            });
            (name.clone(), config.collect())
        })
        .collect();
    connectors.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Cluster { version: version.to_owned(), connectors, url })
}

async fn get(url: &str, path: &str, authorization: Option<&str>) -> Result<Value, String> {
    let (status, body) =
        connect_rest::fetch(url, path, authorization, PATIENCE).await.map_err(|error| error.to_string())?;
    let parsed = serde_json::from_slice::<Value>(&body);
    match (status, parsed) {
        (200, Ok(value)) => Ok(value),
        (200, Err(error)) => Err(format!("{url} answers GET {path} with something that is no JSON: {error}")),
        (401 | 403, _) => Err(format!(
            "{url} answers {status} to GET {path}: put user and password into the URL, as in http://user:password@host:8083"
        )),
        (status, parsed) => {
            let message = parsed.ok().and_then(|value| value["message"].as_str().map(str::to_owned));
            let message = message.map(|message| format!(": {message}")).unwrap_or_default();
            Err(format!("{url} answers {status} to GET {path}{message}"))
        }
    }
}

/// `http://user:password@host` as `http://host` and the header that says the rest.
fn split_credentials(url: &str) -> Result<(String, Option<String>), String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("--connect: write it as http://host:port, such as http://127.0.0.1:8083".into());
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A password may hold an '@', a host may not.
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let port = if host.contains(':') { "" } else { ":8083" };
    let url = format!("{scheme}://{host}{port}{}", path.trim_end_matches('/'));
    Ok((url, credentials.map(|credentials| format!("Basic {}", STANDARD.encode(credentials)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_url() {
        let basic = |text: &str| Some(format!("Basic {}", STANDARD.encode(text)));
        for (given, url, authorization) in [
            ("http://h:1", "http://h:1", None),
            ("http://h", "http://h:8083", None),
            ("http://u:p@h:1/connect/", "http://h:1/connect", basic("u:p")),
            ("http://u:p@ss@h:1", "http://h:1", basic("u:p@ss")),
        ] {
            assert_eq!(split_credentials(given), Ok((url.to_owned(), authorization)), "{given}");
        }
        assert!(split_credentials("localhost:8083").is_err());
    }
}
