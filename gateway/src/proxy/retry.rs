//! When a request may be sent to another instance. A request that may have been carried out is repeated only if doing
//! it twice is the same as doing it once.

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;

/// More instances than this are not tried for one request.
pub const ATTEMPTS_MAX: usize = 3;

/// What became of an attempt that gave no answer worth passing on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No byte of the request was sent.
    NotSent,
    /// The connection broke after that: nobody knows whether the request was carried out.
    Broken,
    /// The instance answered 503 Service Unavailable.
    Unavailable,
}

/// What the request is like and what was tried so far.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// See [`is_repeatable`].
    pub repeatable: bool,
    /// The body can be sent once more: it was kept, or nothing of it was taken yet.
    pub body_at_hand: bool,
    /// How many attempts there were, the failed one included.
    pub attempts: usize,
    /// How many of them were answered 503, this one included.
    pub unavailable: usize,
}

/// Whether doing this request twice is the same as doing it once: by its method (RFC 9110, 9.2.2), or because the
/// client gave it a key by which the service knows it again.
pub fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    let idempotent =
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE].contains(method);
    idempotent || headers.get("idempotency-key").is_some_and(|key| !key.as_bytes().trim_ascii().is_empty())
}

pub fn try_another(failure: Failure, situation: Situation) -> bool {
    let Situation { repeatable, body_at_hand, attempts, unavailable } = situation;
    if attempts >= ATTEMPTS_MAX || !body_at_hand {
        return false;
    }
    match failure {
        Failure::NotSent => true,
        Failure::Broken => repeatable,
        Failure::Unavailable => repeatable && unavailable == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn by_method_or_by_key() {
        let with_key = |key: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static("idempotency-key"), HeaderValue::from_static(key));
            headers
        };
        for (method, key, wanted) in [
            (Method::GET, None, true),
            (Method::HEAD, None, true),
            (Method::OPTIONS, None, true),
            (Method::PUT, None, true),
            (Method::DELETE, None, true),
            (Method::POST, None, false),
            (Method::PATCH, None, false),
            (Method::POST, Some("k"), true),
            (Method::PATCH, Some("k"), true),
            (Method::POST, Some(" "), false),
        ] {
            let headers = key.map_or_else(HeaderMap::new, with_key);
            assert_eq!(is_repeatable(&method, &headers), wanted, "{method} {key:?}");
        }
    }

    #[test]
    fn the_whole_table() {
        use Failure::{Broken, NotSent, Unavailable};
        for (failure, repeatable, body_at_hand, attempts, unavailable, wanted) in [
            (NotSent, false, true, 1, 0, true),
            (NotSent, true, true, 2, 0, true),
            (NotSent, true, true, 3, 0, false),
            (NotSent, true, false, 1, 0, false),
            (Broken, false, true, 1, 0, false),
            (Broken, true, true, 1, 0, true),
            (Broken, true, false, 1, 0, false),
            (Broken, true, true, 3, 0, false),
            (Unavailable, false, true, 1, 1, false),
            (Unavailable, true, true, 1, 1, true),
            (Unavailable, true, true, 2, 1, true),
            (Unavailable, true, true, 2, 2, false),
            (Unavailable, true, false, 1, 1, false),
        ] {
            let situation = Situation { repeatable, body_at_hand, attempts, unavailable };
            assert_eq!(try_another(failure, situation), wanted, "{failure:?} {situation:?}");
        }
    }
}
