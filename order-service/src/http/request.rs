//! Reading the parts of a request that are not its body.

use super::dto::ListQuery;
use crate::domain::{Cursor, IdempotencyKey, Invalid, UserId};
use actix_web::HttpRequest;
use service_kit::problem::{Problem, ProblemResult, shortened};
use uuid::Uuid;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

pub(super) fn broken_rule(error: Invalid) -> Problem {
    Problem::invalid_field(error.field, error.rule)
}

pub(super) fn user_id(req: &HttpRequest) -> ProblemResult<UserId> {
    let raw = segment(req, 2);
    let text = percent_decoded(raw)
        .ok_or_else(|| Problem::invalid_field("userId", "must be percent-encoded UTF-8"))?;
    UserId::parse(&text).map_err(broken_rule)
}

pub(super) fn order_id(req: &HttpRequest) -> ProblemResult<Uuid> {
    let text = segment(req, 2);
    // The parser also takes braces, URNs and the form without hyphens, which are not what this service hands out.
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36).ok_or_else(|| {
        let rule =
            format!("must be a UUID such as 01980000-0000-7000-8000-000000000000, not {}", shortened(text));
        Problem::invalid_field("orderId", rule)
    })
}

pub(super) fn idempotency_key(req: &HttpRequest) -> ProblemResult<Option<IdempotencyKey>> {
    let mut values = req.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid_field(IDEMPOTENCY_KEY, "must be sent once"));
    }
    IdempotencyKey::parse(value.as_bytes()).map(Some).map_err(broken_rule)
}

pub(super) fn limit(query: &ListQuery) -> ProblemResult<usize> {
    let Some(text) = &query.limit else { return Ok(DEFAULT_LIMIT) };
    text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
        Problem::invalid_field("limit", format!("must be 1 to {MAX_LIMIT}, not {}", shortened(text)))
    })
}

pub(super) fn cursor(query: &ListQuery) -> ProblemResult<Option<Cursor>> {
    query.cursor.as_deref().map(Cursor::decode).transpose().map_err(|_| {
        Problem::invalid_field(
            "cursor",
            "must be the nextCursor of an earlier answer; leave it out to begin anew",
        )
    })
}

/// A segment of the path as it was sent. The router's own view has decoded it already, and put replacement characters
/// where the bytes were no UTF-8.
fn segment(req: &HttpRequest, index: usize) -> &str {
    req.uri().path().split('/').nth(index).unwrap_or_default()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn percent_encoding_is_read_strictly() {
        assert_eq!(percent_decoded("a%20b%2Fc+%c3%A4").as_deref(), Some("a b/c+ä"));
        for bad in ["%", "%2", "%zz", "%+1", "%ff", "a%C3"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }
}
