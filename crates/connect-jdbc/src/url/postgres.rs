//! `jdbc:postgresql:` URLs, with the parameters of PostgreSQL's own driver.

use super::server::Form;
use super::{Password, PostgresUrl, UrlError, no_tls};
use std::time::Duration;

pub(super) const FORM: Form =
    Form { text: "jdbc:postgresql://HOST:PORT/DATABASE?key=value", default_port: 5432 };

impl PostgresUrl {
    /// `rest` is what follows `jdbc:postgresql:`: `//HOST:PORT/DATABASE`, or `DATABASE` on this machine.
    pub(super) fn parse(rest: &str, properties: &[(&str, &str)]) -> Result<Self, UrlError> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (address, database) = match place.strip_prefix("//") {
            Some(place) => place.split_once('/').unwrap_or((place, "")),
            None => ("", place.strip_prefix('/').unwrap_or(place)),
        };
        if address.contains('@') {
            return Err(FORM.wrong(
                "there is an @ before the host: give user and password as connection.user and connection.password, or as \
                 the parameters user and password",
            ));
        }
        let (host, port) = FORM.host(address)?;
        let mut parsed = Self {
            host,
            port,
            database: FORM.database(database, "write them as %2F, %40, %3A")?,
            user: None,
            password: None,
            current_schema: None,
            application_name: None,
            connect_timeout: None,
            socket_timeout: None,
            prepare: true,
            ignored: Vec::new(),
        };
        if parsed.host.starts_with('/') {
            return Err(FORM.wrong("a Unix socket is not supported, name a host"));
        }
        for (key, value) in FORM.parameters(query, properties)? {
            parsed.apply(&key, value)?;
        }
        Ok(parsed)
    }

    fn apply(&mut self, key: &str, value: String) -> Result<(), UrlError> {
        let is = |words: &[&str]| words.contains(&value.to_ascii_lowercase().as_str());
        match key.to_ascii_lowercase().as_str() {
            "user" => self.user = Some(value),
            "password" => self.password = Some(Password(value)),
            "currentschema" => self.current_schema = Some(value).filter(|value| !value.is_empty()),
            "applicationname" => self.application_name = Some(value),
            "connecttimeout" | "logintimeout" => self.connect_timeout = seconds(key, &value)?,
            "sockettimeout" => self.socket_timeout = seconds(key, &value)?,
            // How a driver is told that there is a pooler which gives each transaction another session.
            "preparethreshold" => self.prepare = value != "0",
            // A user who asks for an encrypted connection must not silently get a plain one.
            "ssl" if !is(&["false"]) => return Err(no_tls(key)),
            "sslmode" if !is(&["", "disable", "allow", "prefer"]) => return Err(no_tls(key)),
            "sslnegotiation" if !is(&["postgres"]) => return Err(no_tls(key)),
            "gssencmode" | "channelbinding" if is(&["require"]) => return Err(no_tls(key)),
            "sslfactory" | "sslrootcert" | "sslcert" | "sslkey" => return Err(no_tls(key)),
            // Server settings may change what is written, so they are not passed over.
            "options" => {
                return Err(UrlError(
                    "the parameter options is not supported; set the search path by currentSchema, and other settings for \
                     the user in the database (ALTER ROLE ... SET ...)"
                        .into(),
                ));
            }
            _ => self.ignored.push(key.to_owned()),
        }
        Ok(())
    }
}

/// 0 means "no limit".
fn seconds(key: &str, value: &str) -> Result<Option<Duration>, UrlError> {
    let seconds: u32 =
        value.parse().map_err(|_| UrlError(format!("the parameter {key} is not a number of seconds")))?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds.into())))
}
