//! A REST request and whether the answer is the expected one.

use std::time::Duration;

use serde_json::Value;

use crate::json_match::json_matches;
use crate::pattern::{lines_match, shown, text_matches};
use crate::scenario::{Body, Expected};
use crate::variables::Variables;

/// Longer than the 90 s after which a Java worker gives up.
const TIMEOUT: Duration = Duration::from_secs(100);

#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// Such an answer says: not now, try again. Clients of Java's worker do.
    pub(crate) fn is_rebalance(&self) -> bool {
        let says = |text: &str| self.body.contains(text);
        (self.status == 409 && (says("rebalance") || says("momentarily")))
            || (self.status == 500 && says("rebalance is expected"))
    }

    fn shown(&self) -> String {
        let kind = self.header("content-type").unwrap_or("no content type");
        match self.body.as_str() {
            "" => format!("{} with an empty body ({kind})", self.status),
            body => format!("{} {body}\n({kind})", self.status),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn check(&self, expected: &Expected, variables: &Variables) -> Result<(), String> {
        let Expected::Answer { status, headers, body } = expected else {
            return Err("the step expects no answer".to_owned());
        };
        let fault = self.fault(*status, headers, body, variables);
        fault.map_err(|fault| format!("{fault}; the answer was {}", self.shown()))
    }

    fn fault(
        &self,
        status: u16,
        headers: &[(String, String)],
        body: &Body,
        variables: &Variables,
    ) -> Result<(), String> {
        if self.status != status {
            return Err(format!("status {status} expected"));
        }
        for (name, pattern) in headers {
            let pattern = variables.fill(pattern)?;
            match self.header(name) {
                None if pattern == "<none>" => {}
                Some(value) if pattern != "<none>" && text_matches(&pattern, value)? => {}
                value => return Err(format!("header {name}: expected {pattern:?}, got {value:?}")),
            }
        }
        match body {
            Body::Any => Ok(()),
            Body::Empty if self.body.is_empty() => Ok(()),
            Body::Empty => Err("an empty body expected".to_owned()),
            Body::Json(pattern) => {
                let actual = self.json().ok_or("JSON expected")?;
                json_matches(&variables.fill_json(pattern)?, &actual)
            }
            Body::Lines(lines) => {
                let actual: Vec<String> = self.body.lines().map(str::to_owned).collect();
                lines_match(&variables.fill_all(lines)?, &actual)
                    .map_err(|fault| format!("{fault}\n{}", shown(&actual)))
            }
        }
    }
}

/// Sends a request as it is: nothing is followed, nothing is repeated.
pub(crate) async fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: String,
) -> Result<Answer, String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| error.to_string())?;
    let method = method.parse().map_err(|_| format!("{method} is no method"))?;
    let mut request = client.request(method, url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let named = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !body.is_empty() && !named("content-type") {
        request = request.header("Content-Type", "application/json");
    }
    let response = request.body(body).send().await.map_err(|error| format!("no answer: {error:?}"))?;
    let status = response.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let bytes = response.bytes().await.map_err(|error| format!("a broken answer: {error}"))?;
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&bytes).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, body: &str) -> Answer {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Answer { status, headers, body: body.to_owned() }
    }

    fn expected(status: u16, headers: &[(&str, &str)], body: Body) -> Expected {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Expected::Answer { status, headers, body }
    }

    #[test]
    fn status_headers_and_body_are_compared() {
        let variables = Variables::default();
        let check = |expected| answer(200, r#"{"a":1}"#).check(&expected, &variables);
        assert_eq!(
            check(expected(200, &[("Content-Type", "<any>json")], Body::Json(json!({"a": 1})))),
            Ok(())
        );
        assert_eq!(check(expected(200, &[("Allow", "<none>")], Body::Any)), Ok(()));
        assert_eq!(check(expected(200, &[], Body::Lines(vec![r#"{"a":<int>}"#.to_owned()]))), Ok(()));
        for (wrong, says) in [
            (expected(201, &[], Body::Any), "status 201 expected; the answer was 200 {\"a\":1}"),
            (expected(200, &[("Content-Type", "<none>")], Body::Any), "header Content-Type"),
            (expected(200, &[("Allow", "GET")], Body::Any), "header Allow"),
            (expected(200, &[], Body::Empty), "an empty body expected"),
            (expected(200, &[], Body::Json(json!({"a": 2}))), "at /a"),
        ] {
            let fault = check(wrong).unwrap_err();
            assert!(fault.contains(says), "{fault}");
        }
    }

    #[test]
    fn answers_during_a_rebalance_are_known() {
        assert!(answer(409, "... momentarily due to stale configuration").is_rebalance());
        assert!(answer(500, "Request cannot be completed because a rebalance is expected").is_rebalance());
        assert!(!answer(409, "Connector a already exists").is_rebalance());
        assert!(!answer(500, "NullPointerException").is_rebalance());
    }
}
