//! `access.control.allow.origin` and `access.control.allow.methods`: what pages of other origins may do in a browser.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use connect_api::config::ConfigFault;
use regex::{Regex, RegexBuilder};

const ORIGIN_KEY: &str = "access.control.allow.origin";
const METHODS_KEY: &str = "access.control.allow.methods";

/// Which pages may call, and how. Without it a browser lets no page of another origin see an answer.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Vec<Origin>,
    methods: HeaderValue,
}

#[derive(Clone, Debug)]
enum Origin {
    Any,
    Exactly(String),
    Matching(Regex),
}

impl Cors {
    /// Reads the two keys' values. `origins`: `*`, or a list of origins such as `https://ui.example:3000`; one that holds
    /// any of `*+?(){}|^$\` is a regular expression for the whole origin. `methods`: a list, empty for GET, POST and HEAD.
    /// `None` when no origin is allowed.
    pub fn parse(origins: &str, methods: &str) -> Result<Option<Self>, ConfigFault> {
        let list = |text: &str| -> Vec<String> {
            text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
        };
        let origins =
            list(origins).into_iter().map(Origin::parse).collect::<Result<Vec<_>, ConfigFault>>()?;
        if origins.is_empty() {
            return Ok(None);
        }
        let methods = list(methods);
        for method in &methods {
            let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
            if !known.contains(&method.as_str()) {
                return Err(ConfigFault {
                    key: METHODS_KEY.into(),
                    message: format!(
                        "Invalid value {method} for configuration {METHODS_KEY}: the methods are {}",
                        known.join(", ")
                    ),
                });
            }
        }
        let methods = if methods.is_empty() { "GET,POST,HEAD".to_owned() } else { methods.join(",") };
        let methods = HeaderValue::from_str(&methods).unwrap_or(HeaderValue::from_static("GET,POST,HEAD"));
        Ok(Some(Self { origins, methods }))
    }

    /// The headers for the answer to a request with these headers.
    pub(crate) fn apply(&self, method: &Method, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(header::ORIGIN) else { return };
        if !origin.to_str().is_ok_and(|origin| self.allows(origin)) {
            return;
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let is_preflight =
            *method == Method::OPTIONS && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if is_preflight {
            answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
            answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("60"));
        }
    }

    fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| match allowed {
            Origin::Any => true,
            Origin::Exactly(text) => text.eq_ignore_ascii_case(origin),
            Origin::Matching(pattern) => pattern.is_match(origin),
        })
    }
}

impl Origin {
    fn parse(text: String) -> Result<Self, ConfigFault> {
        if text == "*" {
            return Ok(Self::Any);
        }
        // The reference takes every entry for a pattern, so that the dots of a plain name match any character.
        if !text.contains(['*', '+', '?', '(', ')', '{', '}', '|', '^', '$', '\\']) {
            return Ok(Self::Exactly(text));
        }
        let pattern = RegexBuilder::new(&format!("^(?:{text})$")).case_insensitive(true).build();
        pattern.map(Self::Matching).map_err(|error| ConfigFault {
            key: ORIGIN_KEY.into(),
            message: format!("Invalid value {text} for configuration {ORIGIN_KEY}: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &str, origin: &str) -> bool {
        Cors::parse(origins, "").unwrap().is_some_and(|cors| cors.allows(origin))
    }

    #[test]
    fn origins_are_names_patterns_or_all() {
        for (origins, origin, expected) in [
            ("", "http://ui.example", false),
            ("*", "http://ui.example", true),
            ("http://ui.example", "http://ui.example", true),
            ("http://ui.example", "HTTP://UI.example", true),
            ("http://ui.example", "http://uixexample", false),
            ("http://ui.example", "http://ui.example:3000", false),
            ("http://a, http://ui.example", "http://ui.example", true),
            (r"https://[a-z]+\.corp\.example", "https://ui.corp.example", true),
            (r"https://[a-z]+\.corp\.example", "https://ui.corp.example.evil.example", false),
            (r"https://[a-z]+\.corp\.example", "http://evil/https://ui.corp.example", false),
        ] {
            assert_eq!(allowed(origins, origin), expected, "{origins} {origin}");
        }
    }

    #[test]
    fn faults_name_the_key() {
        let fault = Cors::parse("http://(", "").unwrap_err();
        assert_eq!(fault.key, ORIGIN_KEY);
        let fault = Cors::parse("*", "GET,DESTROY").unwrap_err();
        assert_eq!(
            fault.message,
            "Invalid value DESTROY for configuration access.control.allow.methods: the methods are GET, POST, PUT, PATCH, \
             DELETE, HEAD, OPTIONS"
        );
    }
}
