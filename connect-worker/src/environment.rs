//! `CONNECT_*` environment variables, as the container images of Kafka Connect read them: `CONNECT_BOOTSTRAP_SERVERS` is
//! `bootstrap.servers`. One underscore stands for a dot, two for an underscore, three for a hyphen.

use connect_api::ConfigMap;
use std::ffi::OsString;

const PREFIX: &str = "CONNECT_";

/// What the images' scripts use themselves; nothing of it is a key of the worker.
const OF_THE_IMAGES: [&str; 5] = ["CUB_", "LOG4J_", "TOOLS_LOG4J_", "KAFKA_", "JMX_"];

/// Our own gateway's.
const OF_OTHERS: [&str; 1] = ["CONNECT_URLS"];

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Environment {
    /// Keys of the worker.
    pub(crate) values: ConfigMap,
    /// The variables they come from.
    pub(crate) names: Vec<String>,
    /// (logger, level), root first.
    pub(crate) loggers: Vec<(String, String)>,
    /// About variables that mean nothing here; never a value.
    pub(crate) notes: Vec<String>,
}

impl Environment {
    /// Reads the variables; the error names one that is not text.
    pub(crate) fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, String> {
        let mut found = Vec::new();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            if name.starts_with(PREFIX) && !OF_OTHERS.contains(&name.as_str()) {
                let value =
                    value.into_string().map_err(|_| format!("the variable {name} is not UTF-8 text"))?;
                found.push((name, value));
            }
        }
        // The system gives them in any order; errors and logs should not change with it.
        found.sort();
        let mut environment = Self::default();
        for (name, value) in found {
            environment.take(name, value);
        }
        environment.open_the_rest_port();
        Ok(environment)
    }

    fn take(&mut self, name: String, value: String) {
        match &name[PREFIX.len()..] {
            "" => {}
            "LOG4J_ROOT_LOGLEVEL" => self.loggers.insert(0, ("root".into(), value.trim().into())),
            "LOG4J_LOGGERS" => self.loggers.extend(loggers(&value)),
            rest if OF_THE_IMAGES.iter().any(|prefix| rest.starts_with(prefix)) => {
                self.notes.push(format!("{name} has no effect in this worker"));
            }
            rest => {
                self.values.insert(key(rest), value);
                self.names.push(name);
            }
        }
    }

    /// In a container the port that the image is given is meant to be reached from outside; Kafka itself has dropped these keys.
    fn open_the_rest_port(&mut self) {
        if self.values.contains_key("listeners") {
            return;
        }
        if let Some(port) = self.values.shift_remove("rest.port") {
            let host = self.values.shift_remove("rest.host.name").unwrap_or_else(|| "0.0.0.0".into());
            self.values.insert("listeners".into(), format!("http://{}:{}", host.trim(), port.trim()));
            self.notes.push("CONNECT_REST_PORT is taken as listeners".into());
        }
    }
}

/// `a=INFO,b=DEBUG`
fn loggers(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split(',').filter_map(|one| {
        let (name, level) = one.split_once('=')?;
        Some((name.trim().to_owned(), level.trim().to_owned()))
    })
}

fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let (length, replacement) = match c {
            '_' if rest.starts_with("___") => (3, '-'),
            '_' if rest.starts_with("__") => (2, '_'),
            '_' => (1, '.'),
            _ => (c.len_utf8(), c.to_ascii_lowercase()),
        };
        key.push(replacement);
        rest = &rest[length..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Environment {
        Environment::read(variables.iter().map(|(name, value)| (name.into(), value.into()))).unwrap()
    }

    #[test]
    fn names_become_keys() {
        for (name, expected) in [
            ("BOOTSTRAP_SERVERS", "bootstrap.servers"),
            ("KEY_CONVERTER_SCHEMAS_ENABLE", "key.converter.schemas.enable"),
            ("CONFIG_PROVIDERS_MY__FILE_CLASS", "config.providers.my_file.class"),
            ("CONSUMER_X___Y", "consumer.x-y"),
            ("A____B", "a-.b"),
            ("A_____B", "a-_b"),
        ] {
            assert_eq!(key(name), expected);
        }
    }

    #[test]
    fn the_images_variables() {
        let environment = read(&[
            ("PATH", "/bin"),
            ("CONNECT_GROUP_ID", "g"),
            ("CONNECT_BOOTSTRAP_SERVERS", "kafka:9092"),
            ("CONNECT_LOG4J_LOGGERS", "org.apache.kafka=DEBUG, org.reflections=ERROR,nonsense"),
            ("CONNECT_LOG4J_ROOT_LOGLEVEL", "WARN"),
            ("CONNECT_CUB_KAFKA_TIMEOUT", "300"),
            ("CONNECT_REST_PORT", "8083"),
            ("CONNECT_REST_ADVERTISED_HOST_NAME", "connect"),
            ("CONNECT_URLS", "http://a:1"),
        ]);
        let values: Vec<_> = environment.values.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            values,
            [
                "bootstrap.servers=kafka:9092",
                "group.id=g",
                "rest.advertised.host.name=connect",
                "listeners=http://0.0.0.0:8083"
            ]
        );
        assert_eq!(
            environment.names,
            [
                "CONNECT_BOOTSTRAP_SERVERS",
                "CONNECT_GROUP_ID",
                "CONNECT_REST_ADVERTISED_HOST_NAME",
                "CONNECT_REST_PORT"
            ]
        );
        let loggers: Vec<_> = environment.loggers.iter().map(|(l, v)| format!("{l}={v}")).collect();
        assert_eq!(loggers, ["root=WARN", "org.apache.kafka=DEBUG", "org.reflections=ERROR"]);
        assert_eq!(
            environment.notes,
            [
                "CONNECT_CUB_KAFKA_TIMEOUT has no effect in this worker",
                "CONNECT_REST_PORT is taken as listeners"
            ]
        );
    }

    #[test]
    fn listeners_win_over_the_rest_port() {
        let environment = read(&[("CONNECT_LISTENERS", "http://:1"), ("CONNECT_REST_PORT", "2")]);
        assert_eq!(environment.values["listeners"], "http://:1");
        assert_eq!(environment.values["rest.port"], "2");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_text_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let error =
            Environment::read([("CONNECT_GROUP_ID".into(), OsString::from_vec(vec![0xff]))]).unwrap_err();
        assert_eq!(error, "the variable CONNECT_GROUP_ID is not UTF-8 text");
    }
}
