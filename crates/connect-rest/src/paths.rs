//! Paths as they are on the wire: segments, percent-encoding, the patterns of routes.

/// The values of a pattern's `{...}` segments, decoded; nothing for another path. A value that is not UTF-8 is an error.
pub(crate) fn matches(
    pattern: &'static str,
    path: &str,
) -> Option<Result<Vec<(&'static str, String)>, BadEncoding>> {
    // With and without a slash at the end.
    let path = match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    };
    let mut values = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => values.push((name, segment)),
            None if wanted == segment => {}
            _ => return None,
        }
    }
    if segments.next().is_some() {
        return None;
    }
    let decoded = values.into_iter().map(|(name, value)| Ok((name, decode(value)?)));
    Some(decoded.collect())
}

/// A `%` escape that does not end up as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadEncoding;

/// Undoes percent-encoding once; `+` is a plus sign.
pub(crate) fn decode(segment: &str) -> Result<String, BadEncoding> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit().ok_or(BadEncoding)?, digit().ok_or(BadEncoding)?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| BadEncoding)?);
    }
    String::from_utf8(bytes).map_err(|_| BadEncoding)
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        let values = |pattern, path| {
            matches(pattern, path).map(|values| {
                values.unwrap().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
            })
        };
        assert_eq!(values("/", "/"), Some(vec![]));
        assert_eq!(values("/connectors", "/connectors/"), Some(vec![]));
        assert_eq!(values("/connectors", "/connectors//"), None);
        assert_eq!(values("/connectors", "//connectors"), None);
        assert_eq!(
            values("/c/{a}/t/{b}", "/c/x%2Fy/t/+%2B%252F"),
            Some(vec!["a=x/y".into(), "b=++%2F".into()])
        );
        assert_eq!(values("/c/{a}", "/c/"), None);
        assert_eq!(values("/c/{a}", "/c/a/b"), None);
        assert_eq!(values("/c/{a}", "/c/.."), Some(vec!["a=..".into()]));
        assert_eq!(matches("/c/{a}", "/c/%FF"), Some(Err(BadEncoding)));
        assert_eq!(matches("/c/{a}", "/c/%2"), Some(Err(BadEncoding)));
        assert_eq!(matches("/c/{a}", "/c/%zz"), Some(Err(BadEncoding)));
    }

    #[test]
    fn encoding_comes_back() {
        for name in ["a", "a/b c+%", "é😀", "..", "~-._"] {
            assert_eq!(decode(&encode(name)).as_deref(), Ok(name));
        }
        assert_eq!(encode("a/b+é"), "a%2Fb%2B%C3%A9");
    }
}
