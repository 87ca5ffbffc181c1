//! `response.http.headers.config`: headers that every answer of the REST API carries (KIP-577).

/// `[action] [header]:[value]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeader {
    /// `add`, `addDate`: beside what is there already; else in its place.
    pub keep_others: bool,
    pub name: String,
    pub value: HeaderValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    Text(String),
    /// `setDate`, `addDate`: the moment this many milliseconds after the answer, as an HTTP date.
    DateIn(i64),
}

/// Reads the rules; the error says what is wrong with the first that is wrong.
pub(super) fn parse(text: &str) -> Result<Vec<ResponseHeader>, String> {
    split(text)?.iter().filter(|rule| !rule.trim().is_empty()).map(|rule| rule_of(rule.trim())).collect()
}

/// Splits at commas outside of double quotes; the quotes go.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut rules = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => rules.push(String::new()),
            _ => rules.last_mut().expect("never empty").push(c),
        }
    }
    if quoted { Err("a double quote is not closed".into()) } else { Ok(rules) }
}

fn rule_of(rule: &str) -> Result<ResponseHeader, String> {
    let wrong = |what: &str| Err(format!("'{rule}': {what}"));
    let Some((action, header)) = rule.split_once(char::is_whitespace) else {
        return wrong("a rule is '[action] [header name]:[header value]'");
    };
    // Java splits at every colon and refuses a second one, so that no URL can be a value; ours takes it.
    let Some((name, value)) = header.split_once(':') else {
        return wrong("a rule is '[action] [header name]:[header value]'");
    };
    let (name, value) = (name.trim(), value.trim());
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(legal) {
        return wrong("a header's name is letters, digits and '-', without blanks");
    }
    if value.chars().any(|c| c.is_control()) {
        return wrong("a header's value has no control characters");
    }
    let date = || value.parse().map(HeaderValue::DateIn);
    let (keep_others, value) = match action.to_ascii_lowercase().as_str() {
        "set" => (false, HeaderValue::Text(value.into())),
        "add" => (true, HeaderValue::Text(value.into())),
        action @ ("setdate" | "adddate") => match date() {
            Ok(date) => (action == "adddate", date),
            Err(_) => return wrong("a date is a number of milliseconds from now"),
        },
        _ => return wrong("the action is one of set, add, setDate, addDate"),
    };
    Ok(ResponseHeader { keep_others, name: name.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(keep_others: bool, name: &str, value: &str) -> ResponseHeader {
        ResponseHeader { keep_others, name: name.into(), value: HeaderValue::Text(value.into()) }
    }

    #[test]
    fn rules() {
        let rules = r#"add X-XSS-Protection: 1; mode=block, "add Cache-Control: no-cache, no-store", SET X-Frame-Options:DENY"#;
        assert_eq!(
            parse(rules).unwrap(),
            [
                text(true, "X-XSS-Protection", "1; mode=block"),
                text(true, "Cache-Control", "no-cache, no-store"),
                text(false, "X-Frame-Options", "DENY"),
            ]
        );
        assert_eq!(parse("setDate Expires:0").unwrap()[0].value, HeaderValue::DateIn(0));
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_with_a_rule() {
        for (rule, what) in [
            ("set", "a rule is"),
            ("set X", "a rule is"),
            ("put X:1", "the action is one of"),
            ("set X Y:1", "without blanks"),
            ("setDate Expires:tomorrow", "milliseconds"),
            ("\"set X:1", "double quote"),
            ("set X:a\r\nY:b", "control characters"),
        ] {
            let error = parse(rule).unwrap_err();
            assert!(error.contains(what), "{rule}: {error}");
        }
    }
}
