//! Keeping secrets out of everything that is shown: REST answers, error texts, traces.
//!
//! A shown secret is `[hidden]`. A configuration that comes back with `[hidden]` in it means the stored value, so that
//! "read, change one key, write" works for people and tools.

use connect_api::ConfigMap;
use connect_api::config::{ConfigDef, ConfigValueType, HIDDEN};
use std::sync::Arc;

/// Knows which keys of a connector are secrets: those its tables call PASSWORD and, among the keys no table knows, those
/// whose name says so.
#[derive(Clone, Default)]
pub struct Masker {
    tables: Vec<&'static ConfigDef>,
}

/// How the names of secret keys end in the configurations of real connectors and clients.
const SECRET_ENDINGS: [&str; 17] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api.key",
    "api_key",
    "secret.key",
    "secret_key",
    "access.key",
    "private.key",
    "keystore.key",
    "credentials",
    "jaas.config",
    "user.info",
];

/// The shortest secret that is searched for in free text; a shorter one would tear words apart and is no secret.
const SHORTEST_SEARCHED: usize = 4;

impl Masker {
    pub fn new(tables: impl IntoIterator<Item = &'static ConfigDef>) -> Self {
        Self { tables: tables.into_iter().collect() }
    }

    pub fn is_secret(&self, key: &str) -> bool {
        match self.tables.iter().find_map(|table| table.key(key)) {
            Some(known) => known.ty == ConfigValueType::Password,
            None => {
                let key = key.to_ascii_lowercase();
                SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
            }
        }
    }

    /// The configuration as it may be shown.
    pub fn mask(&self, config: &ConfigMap) -> ConfigMap {
        config.iter().map(|(key, value)| (key.clone(), self.mask_value(key, value))).collect()
    }

    pub(crate) fn mask_value(&self, key: &str, value: &str) -> String {
        if !self.is_secret(key) {
            scrub_urls(value)
        } else if is_placeholder(value) {
            value.to_owned()
        } else {
            HIDDEN.into()
        }
    }

    /// Puts stored secrets back where `config` carries their mask; `(key, message)` for each mask nothing stands behind.
    pub fn unmask(
        &self,
        config: &ConfigMap,
        stored: Option<&ConfigMap>,
    ) -> Result<ConfigMap, Vec<(String, String)>> {
        let mut faults = Vec::new();
        let mut plain = ConfigMap::with_capacity(config.len());
        for (key, value) in config {
            let mut value = value.clone();
            if value.contains(HIDDEN) {
                let behind = stored.and_then(|stored| stored.get(key));
                match behind.filter(|behind| self.mask_value(key, behind) == value) {
                    Some(behind) => value = behind.clone(),
                    None => faults.push((key.clone(), no_secret_behind(key, behind.is_some()))),
                }
            }
            plain.insert(key.clone(), value);
        }
        if faults.is_empty() { Ok(plain) } else { Err(faults) }
    }

    /// Removes the secrets of `config` from a text about it, and passwords from any URL in it.
    pub fn scrub(&self, text: &str, config: &ConfigMap) -> String {
        self.scrub_with(text, config, &[])
    }

    pub(crate) fn scrub_with(&self, text: &str, config: &ConfigMap, more: &[String]) -> String {
        let by_key = config.iter().filter(|(key, _)| self.is_secret(key)).map(|(_, value)| value);
        let mut secrets: Vec<&str> =
            by_key.chain(more).map(String::as_str).filter(|value| value.len() >= SHORTEST_SEARCHED).collect();
        // The longest first, so that a secret that contains another one is removed as a whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let text = secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN));
        scrub_urls(&text)
    }
}

/// Removes one connector's secrets from texts about it. Cheap to clone. The default knows none, and removes only passwords
/// from URLs.
#[derive(Clone, Default)]
pub struct Secrets {
    inner: Arc<Known>,
}

#[derive(Default)]
struct Known {
    masker: Masker,
    config: ConfigMap,
    more: Vec<String>,
}

impl Secrets {
    /// The secrets among the values of `config`, and `more`: those that came from config providers, whatever their keys.
    pub fn new(masker: Masker, config: ConfigMap, more: Vec<String>) -> Self {
        Self { inner: Arc::new(Known { masker, config, more }) }
    }

    /// These, and those among the values of `config`, and `more`.
    pub(crate) fn and(&self, config: &ConfigMap, more: Vec<String>) -> Self {
        let Known { masker, config: known, more: known_more } = &*self.inner;
        let by_key = config.iter().filter(|(key, _)| masker.is_secret(key)).map(|(_, value)| value.clone());
        let more = known_more.iter().cloned().chain(by_key).chain(more).collect();
        Self::new(masker.clone(), known.clone(), more)
    }

    pub fn scrub(&self, text: &str) -> String {
        let Known { masker, config, more } = &*self.inner;
        masker.scrub_with(text, config, more)
    }
}

/// `${alias:key}` and nothing else: it says where a secret is, and is none itself. People need to see it.
fn is_placeholder(value: &str) -> bool {
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| inner.contains(':') && !inner.contains(['{', '}']))
}

fn no_secret_behind(key: &str, stored: bool) -> String {
    if stored {
        format!(
            "Invalid value for configuration {key}: {HIDDEN} stands for the secret part of the stored value, and the rest \
             has been changed: write the secret itself"
        )
    } else {
        format!(
            "Invalid value {HIDDEN} for configuration {key}: {HIDDEN} stands for a stored value and none is stored for \
             this key: write the value itself"
        )
    }
}

/// Hides passwords inside URLs: `scheme://user:password@host` and `password=...` parameters. Text without a URL stays.
pub fn scrub_urls(text: &str) -> String {
    if !text.contains("://") && !text.contains("jdbc:") {
        return text.to_owned();
    }
    scrub_parameters(&scrub_user_info(text))
}

fn scrub_user_info(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        // The authority ends at the first of these; a password may hold an '@', so its last one counts.
        let end =
            tail.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rfind('@').and_then(|at| Some((authority[..at].find(':')?, at))) {
            Some((colon, at)) => {
                shown.push_str(&authority[..=colon]);
                shown.push_str(HIDDEN);
                shown.push_str(&authority[at..]);
            }
            None => shown.push_str(authority),
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn scrub_parameters(text: &str) -> String {
    let is_separator = |c: char| matches!(c, '?' | '&' | ';' | ',' | '(') || c.is_whitespace();
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let name_start = rest[..at].rfind(is_separator).map_or(0, |index| index + 1);
        let name = rest[name_start..at].to_ascii_lowercase();
        shown.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        if SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let end =
                rest.find(|c: char| matches!(c, '&' | ';' | ')') || c.is_whitespace()).unwrap_or(rest.len());
            if end > 0 {
                shown.push_str(HIDDEN);
            }
            rest = &rest[end..];
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_api::ConfigKey;
    use connect_api::config::ConfigValueType as Ty;

    static DEF: ConfigDef = ConfigDef::new(&[
        ConfigKey::new("connection.password", Ty::Password, ""),
        ConfigKey::new("continuation.token", Ty::String, ""),
    ]);

    fn masker() -> Masker {
        Masker::new([&DEF])
    }

    fn config(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn secrets_by_table_and_by_name() {
        for (key, secret) in [
            ("connection.password", true),
            ("connection.user", false),
            ("continuation.token", false),
            ("other.token", true),
            ("consumer.override.sasl.jaas.config", true),
            ("consumer.override.ssl.keystore.key", true),
            ("value.converter.basic.auth.user.info", true),
            ("aws.secret.access.key", true),
            ("DB_PASSWORD", true),
            ("pk.fields", false),
            ("key.converter", false),
        ] {
            assert_eq!(masker().is_secret(key), secret, "{key}");
        }
    }

    #[test]
    fn urls_lose_their_passwords() {
        for (text, shown) in [
            ("jdbc:mysql://h:1/db?user=u&password=p&x=1", "jdbc:mysql://h:1/db?user=u&password=[hidden]&x=1"),
            ("jdbc:sqlserver://h;user=u;password=p;a=b", "jdbc:sqlserver://h;user=u;password=[hidden];a=b"),
            ("mysql://root:te:st@1@h/db", "mysql://root:[hidden]@h/db"),
            (
                "cannot reach a://u:p@h/x and b://u:q@h2",
                "cannot reach a://u:[hidden]@h/x and b://u:[hidden]@h2",
            ),
            ("jdbc:mysql://h/db?password=", "jdbc:mysql://h/db?password="),
            ("jdbc:mysql://h/db?trustStorePassword=x", "jdbc:mysql://h/db?trustStorePassword=[hidden]"),
            ("http://h:80/a@b", "http://h:80/a@b"),
            ("jdbc:sqlite:/tmp/x.db", "jdbc:sqlite:/tmp/x.db"),
            ("a password=in prose without a link", "a password=in prose without a link"),
        ] {
            assert_eq!(scrub_urls(text), shown);
        }
    }

    #[test]
    fn what_was_shown_can_be_sent_back() {
        let stored = config(&[
            ("connection.password", "geheim"),
            ("connection.url", "jdbc:mysql://h/db?password=p"),
            ("topics", "a"),
        ]);
        let shown = masker().mask(&stored);
        assert_eq!(shown["connection.password"], HIDDEN);
        assert_eq!(masker().unmask(&shown, Some(&stored)).unwrap(), stored);
    }

    #[test]
    fn a_mask_without_a_secret_behind_it_is_refused() {
        let stored = config(&[("connection.url", "jdbc:mysql://h/db?password=p")]);
        let sent = config(&[
            ("connection.password", HIDDEN),
            ("connection.url", "jdbc:mysql://elsewhere/db?password=[hidden]"),
            ("topics", "a"),
        ]);
        let faults = masker().unmask(&sent, Some(&stored)).unwrap_err();
        let keys: Vec<_> = faults.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["connection.password", "connection.url"]);
        assert!(masker().unmask(&sent, None).is_err());
    }

    #[test]
    fn texts_lose_the_secrets_of_their_connector() {
        let config = config(&[("connection.password", "test1357"), ("x.secret", "abc")]);
        assert_eq!(
            masker().scrub("denied (test1357) at mysql://u:test1357@h, abc", &config),
            "denied ([hidden]) at mysql://u:[hidden]@h, abc"
        );
    }

    #[test]
    fn a_placeholder_says_where_a_secret_is_and_is_none() {
        for (value, shown) in [
            ("${file:/run/secrets/db.properties:password}", "${file:/run/secrets/db.properties:password}"),
            ("${env:DB_PASSWORD}", "${env:DB_PASSWORD}"),
            ("x${env:DB_PASSWORD}", HIDDEN),
            ("${nothing}", HIDDEN),
            ("${a:{b}}", HIDDEN),
            ("${", HIDDEN),
        ] {
            assert_eq!(masker().mask_value("connection.password", value), shown);
        }
    }
}
