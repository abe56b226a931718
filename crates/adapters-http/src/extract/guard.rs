use super::{Extract, state};
use crate::problem::{Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use tertulia_domain::{Caller, ClaimedSession};

/// Somebody whose access token is good and whose session lives.
pub(crate) struct Authenticated(pub(crate) Caller);

/// Somebody whose access token is good; whether the session lives is for the use case to see.
pub(crate) struct Claimed(pub(crate) ClaimedSession);

impl Extract for Authenticated {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let accounts = &state(request)?.services.accounts;
        Ok(Self(accounts.authenticate(bearer_token(request)?).await?))
    }
}

impl Extract for Claimed {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let accounts = &state(request)?.services.accounts;
        Ok(Self(accounts.claim(bearer_token(request)?).await?))
    }
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750); the scheme is case-insensitive (RFC 9110).
fn bearer_token(request: &HttpRequest) -> Result<&str, Problem> {
    let header = request.headers().get(AUTHORIZATION);
    header
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_matches(' '))
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Problem::new(Kind::Unauthenticated, "Send an access token as Authorization: Bearer."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn token(header: &str) -> Option<String> {
        let request = TestRequest::default().insert_header((AUTHORIZATION, header));
        bearer_token(&request.to_http_request()).ok().map(str::to_owned)
    }

    #[test]
    fn reads_the_token() {
        for header in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(token(header).as_deref(), Some("abc"), "{header}");
        }
        for header in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(token(header), None, "{header}");
        }
    }
}
