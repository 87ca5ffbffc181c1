//! `jdbc:mysql:` and `jdbc:mariadb:` URLs, with the parameters of the drivers of both.

use super::server::Form;
use super::{MySqlUrl, Password, UrlError, no_tls};
use std::time::Duration;

pub(super) const FORM: Form =
    Form { text: "jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...)", default_port: 3306 };

impl MySqlUrl {
    /// `rest` is what follows `jdbc:mysql:`.
    pub(super) fn parse(rest: &str, properties: &[(&str, &str)]) -> Result<Self, UrlError> {
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(FORM.wrong(
                "there is no // after the scheme (fail-over and load-balancing modes are not supported)",
            ));
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let database = FORM.database(
            database,
            "write such characters of a password as %2F, %40, %3A, or use connection.password",
        )?;
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, authority),
        };
        let (host, port) = FORM.host(address)?;
        let mut parsed = Self {
            host,
            port,
            database,
            user: None,
            password: None,
            connect_timeout: None,
            socket_timeout: None,
            keep_alive: true,
            local_infile: true,
            session_variables: Vec::new(),
            ignored: Vec::new(),
        };
        if let Some(credentials) = credentials {
            let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
            parsed.user = Some(FORM.decode(user)?);
            parsed.password = Some(Password(FORM.decode(password)?));
        }
        for (key, value) in FORM.parameters(query, properties)? {
            parsed.apply(&key, value)?;
        }
        Ok(parsed)
    }

    fn apply(&mut self, key: &str, value: String) -> Result<(), UrlError> {
        match key.to_ascii_lowercase().as_str() {
            "user" | "username" => self.user = Some(value),
            "password" => self.password = Some(Password(value)),
            // 0 means "no limit" to the Java drivers; to connect, no task should wait for so long.
            "connecttimeout" => self.connect_timeout = millis("connectTimeout", &value)?,
            "sockettimeout" => self.socket_timeout = millis("socketTimeout", &value)?,
            "tcpkeepalive" => self.keep_alive = !value.eq_ignore_ascii_case("false"),
            "allowlocalinfile" => self.local_infile = !value.eq_ignore_ascii_case("false"),
            "sessionvariables" => {
                self.session_variables = session_variables(&value)?;
                // Points in time are sent and read in UTC.
                let all = self.session_variables.len();
                self.session_variables.retain(|(name, _)| !name.eq_ignore_ascii_case("time_zone"));
                if self.session_variables.len() < all {
                    self.ignored.push(format!("{key} time_zone"));
                }
            }
            // A user who asks for an encrypted connection must not silently get a plain one.
            "usessl" | "requiressl" if value.eq_ignore_ascii_case("true") => return Err(no_tls(key)),
            "sslmode"
                if !["", "disable", "disabled", "prefer", "preferred"]
                    .contains(&value.to_ascii_lowercase().as_str()) =>
            {
                return Err(no_tls(key));
            }
            _ => self.ignored.push(key.to_owned()),
        }
        Ok(())
    }
}

/// 0 means "no limit".
fn millis(key: &str, value: &str) -> Result<Option<Duration>, UrlError> {
    let ms: u64 = value
        .parse()
        .map_err(|_| FORM.wrong(&format!("the parameter {key} is not a number of milliseconds")))?;
    Ok((ms > 0).then(|| Duration::from_millis(ms)))
}

/// `a=1,b='x,y'`: names and literals only, since they go into SQL text.
fn session_variables(text: &str) -> Result<Vec<(String, String)>, UrlError> {
    let wrong = || {
        UrlError(
            "the parameter sessionVariables is not a list of NAME=VALUE with commas between them, each value a number, \
             a word, or a text in single quotes without quotes and backslashes in it"
                .into(),
        )
    };
    let mut variables = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(wrong)?;
        let after = after.trim_start();
        let end = match after.strip_prefix('\'') {
            Some(quoted) => quoted.find('\'').ok_or_else(wrong)? + 2,
            None => after.find([',', ';']).unwrap_or(after.len()),
        };
        let (value, more) = after.split_at(end);
        let (name, value) = (name.trim(), value.trim());
        let is_word = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+'))
        };
        let is_text = value.starts_with('\'') && !value.contains('\\');
        if !is_word(name) || !(is_word(value) || is_text) {
            return Err(wrong());
        }
        variables.push((name.to_owned(), value.to_owned()));
        let more = more.trim_start();
        rest = match more.strip_prefix([',', ';']) {
            Some(next) => next.trim_start(),
            None if more.is_empty() => "",
            None => return Err(wrong()),
        };
    }
    Ok(variables)
}
