//! The operator token: who may change the catalog and the connectors.

use crate::problem::{Problem, ProblemResult};
use crate::secret::Secret;
use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

/// What an operator's `Authorization: Bearer ...` has to carry. Its `Debug` hides it.
#[derive(Clone, Debug)]
pub struct OperatorToken(Secret);

impl From<String> for OperatorToken {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl From<Secret> for OperatorToken {
    fn from(token: Secret) -> Self {
        Self(token)
    }
}

impl OperatorToken {
    /// Passes the operator, answers 401 to anybody else.
    pub fn check(&self, req: &HttpRequest) -> ProblemResult<()> {
        let presented = match req.headers().get(AUTHORIZATION) {
            None => {
                return Err(Problem::unauthorized(
                    "this call needs the operator token: send 'Authorization: Bearer TOKEN'",
                ));
            }
            Some(value) => bearer(value.as_bytes()).ok_or_else(|| {
                Problem::unauthorized(
                    "the Authorization header must read 'Bearer TOKEN' with the operator token",
                )
            })?,
        };
        let wanted = self.0.expose().as_bytes();
        // An empty configured token must not mean "everybody".
        if wanted.is_empty() || !same(presented, wanted) {
            return Err(Problem::unauthorized("the operator token in the Authorization header is wrong"));
        }
        Ok(())
    }
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
}

/// Compares in a time that does not tell how many bytes were right (the length may be known).
fn same(a: &[u8], b: &[u8]) -> bool {
    let difference =
        a.iter().zip(b).fold(0u8, |difference, (a, b)| std::hint::black_box(difference | (a ^ b)));
    a.len() == b.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::ResponseError;
    use actix_web::test::TestRequest;

    #[test]
    fn only_the_exact_token_passes() {
        let token = OperatorToken::from("right-token".to_owned());
        let check = |header: Option<&str>| {
            let req = TestRequest::default();
            let req = header.into_iter().fold(req, |req, header| req.insert_header((AUTHORIZATION, header)));
            token.check(&req.to_http_request())
        };
        assert!(check(Some("Bearer right-token")).is_ok());
        assert!(check(Some("bearer right-token")).is_ok());
        for wrong in [
            None,
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer right-toke"),
            Some("Bearer right-token2"),
            Some("Basic right-token"),
            Some("right-token"),
        ] {
            let response = check(wrong).unwrap_err().error_response();
            assert_eq!(response.status(), 401, "{wrong:?}");
            assert!(response.headers().contains_key("www-authenticate"), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "OperatorToken(Secret(hidden))");
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        let req = TestRequest::default().insert_header((AUTHORIZATION, "Bearer ")).to_http_request();
        assert!(OperatorToken::from(String::new()).check(&req).is_err());
    }
}
