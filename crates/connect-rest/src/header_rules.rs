//! `response.http.headers.config`: headers that every answer gets (KIP-577).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, HttpDate};
use connect_api::config::ConfigFault;
use std::time::{Duration, SystemTime};

pub(crate) const KEY: &str = "response.http.headers.config";

/// Rules such as `add Cache-Control: no-cache, setDate Expires: 0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderRules(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// In the place of a header of the same name, not beside it.
    replaces: bool,
    name: HeaderName,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(HeaderValue),
    /// Milliseconds from now on; negative for the past.
    Date(i64),
}

impl HeaderRules {
    /// Reads rules of the form `[set|add|setDate|addDate] [name]:[value]` with commas between them; a rule that holds a
    /// comma stands in double quotes. The value of the date actions is a number of milliseconds from now on.
    pub fn parse(text: &str) -> Result<Self, ConfigFault> {
        let rule = |text: &str| {
            Rule::parse(text).map_err(|why| ConfigFault {
                key: KEY.into(),
                message: format!(
                    "Invalid value for configuration {KEY}: the rule \"{text}\" {why}; a rule is \
                     [set|add|setDate|addDate] [name]:[value]"
                ),
            })
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(split(text).iter().map(|text| rule(text)).collect::<Result<_, _>>()?))
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap, now: SystemTime) {
        for rule in &self.0 {
            let value = match &rule.value {
                Value::Text(value) => value.clone(),
                Value::Date(millis) => date(now, *millis),
            };
            if rule.replaces {
                headers.insert(rule.name.clone(), value);
            } else {
                headers.append(rule.name.clone(), value);
            }
        }
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        let (action, header) = text.split_once(char::is_whitespace).ok_or("has no header")?;
        let (replaces, is_date) = match action.to_ascii_lowercase().as_str() {
            "set" => (true, false),
            "add" => (false, false),
            "setdate" => (true, true),
            "adddate" => (false, true),
            _ => return Err(format!("has the unknown action {action}")),
        };
        let (name, value) = header.split_once(':').ok_or("has no colon behind the header's name")?;
        let (name, value) = (name.trim(), value.trim());
        let value = if is_date {
            let millis = value.parse().map_err(|_| "needs a number of milliseconds as its value")?;
            Value::Date(millis)
        } else {
            let value = HeaderValue::from_str(value).map_err(|_| "has a value that no header can have")?;
            Value::Text(value)
        };
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("has the name \"{name}\", which no header can have"))?;
        Ok(Self { replaces, name, value })
    }
}

/// Splits at commas outside double quotes, and removes the quotes.
fn split(text: &str) -> Vec<String> {
    let mut rules = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => rules.push(String::new()),
            _ => rules.last_mut().expect("begins with one").push(c),
        }
    }
    rules.iter().map(|rule| rule.trim().to_owned()).collect()
}

fn date(now: SystemTime, millis: i64) -> HeaderValue {
    // What the format can say, which panics beyond.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let distance = Duration::from_millis(millis.unsigned_abs());
    let moved = if millis < 0 { now.saturating_sub(distance) } else { now.saturating_add(distance) };
    let text = HttpDate::from(SystemTime::UNIX_EPOCH + moved.min(LAST)).to_string();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rules: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("x-a"), HeaderValue::from_static("old"));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
        HeaderRules::parse(rules).unwrap().apply(&mut headers, now);
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn rules_set_and_add() {
        assert_eq!(applied(" "), ["x-a: old"]);
        assert_eq!(applied("set X-A: new, ADD X-B:1"), ["x-a: new", "x-b: 1"]);
        assert_eq!(
            applied(r#"add X-A: new, "add Cache-Control: no-cache, no-store""#),
            ["cache-control: no-cache, no-store", "x-a: new", "x-a: old"]
        );
        assert_eq!(
            applied("setDate Expires: 1000, addDate x-a: -1000"),
            ["expires: Thu, 01 Jan 1970 00:01:01 GMT", "x-a: Thu, 01 Jan 1970 00:00:59 GMT", "x-a: old"]
        );
    }

    #[test]
    fn dates_end_where_the_format_does() {
        let far = format!("setDate a: {}, setDate b: {}", i64::MIN, i64::MAX);
        assert_eq!(
            applied(&far),
            ["a: Thu, 01 Jan 1970 00:00:00 GMT", "b: Fri, 31 Dec 9999 23:59:59 GMT", "x-a: old"]
        );
    }

    #[test]
    fn faults_name_the_rule() {
        for (rules, why) in [
            ("set", "has no header"),
            ("replace X: 1", "has the unknown action replace"),
            ("add X-A: 1, set X", "has no colon behind the header's name"),
            ("set X Y: 1", "has the name \"X Y\", which no header can have"),
            ("setDate Expires: soon", "needs a number of milliseconds as its value"),
            ("set X: 1,", "has no header"),
        ] {
            let fault = HeaderRules::parse(rules).unwrap_err();
            assert!(fault.message.contains(why), "{rules}: {}", fault.message);
            assert_eq!(fault.key, KEY);
        }
    }
}
