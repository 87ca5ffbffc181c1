//! `Location` as the client has to see it: services know nothing of the prefix under which the gateway shows them.

use hyper::http::uri::Authority;

/// Rewrites a `Location` or `Content-Location` of an answer. Paths, and addresses of `ours` (the instances of the
/// service), come under `prefix`; what leads elsewhere, or is relative to the request's own path, stays as it is.
pub(super) fn rewrite(location: &str, prefix: &str, ours: impl Fn(&Authority) -> bool) -> Option<String> {
    if let Some(rest) = location.strip_prefix("//") {
        return under(rest, prefix, &ours);
    }
    if location.starts_with('/') {
        return Some(format!("{prefix}{location}"));
    }
    let scheme_end = location.find("://")?;
    let http = ["http", "https"].iter().any(|scheme| location[..scheme_end].eq_ignore_ascii_case(scheme));
    http.then(|| under(&location[scheme_end + 3..], prefix, &ours))?
}

/// `rest` is AUTHORITY, then path, query and fragment.
fn under(rest: &str, prefix: &str, ours: &impl Fn(&Authority) -> bool) -> Option<String> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority: Authority = authority.parse().ok()?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    ours(&authority).then(|| format!("{prefix}{slash}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leads_into_the_service_is_rewritten() {
        let ours = |authority: &Authority| authority.as_str() == "127.0.0.1:4001";
        for (location, wanted) in [
            ("/orders/1", Some("/order-service/orders/1")),
            ("/", Some("/order-service/")),
            ("/a%2Fb//c?x=1+2&y=%26#z", Some("/order-service/a%2Fb//c?x=1+2&y=%26#z")),
            ("http://127.0.0.1:4001/orders/1", Some("/order-service/orders/1")),
            ("HTTP://127.0.0.1:4001/orders/1", Some("/order-service/orders/1")),
            ("http://127.0.0.1:4001", Some("/order-service/")),
            ("http://127.0.0.1:4001?a=b", Some("/order-service/?a=b")),
            ("//127.0.0.1:4001/x", Some("/order-service/x")),
            ("http://127.0.0.1:4002/orders/1", None),
            ("https://example.org/", None),
            ("//example.org/x", None),
            ("orders/1", None),
            ("../orders/1", None),
            ("?page=2", None),
            ("", None),
            ("mailto:a@b", None),
            ("ftp://127.0.0.1:4001/", None),
            ("http://", None),
            ("relative?next=http://127.0.0.1:4001/", None),
        ] {
            assert_eq!(rewrite(location, "/order-service", ours).as_deref(), wanted, "{location}");
        }
    }
}
