use super::Extract;
use super::body::{Input, parse};
use super::payload::{JSON, read};
use crate::problem::{FieldCode, Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use sha2::{Digest, Sha256};
use tertulia_application::RequestKey;
use tertulia_domain::{Fingerprint, IdempotencyKey, IdempotencyKeyError};

/// The header that makes a retry of a creation harmless.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A JSON body that something is to be created from, perhaps by a retry.
pub(crate) struct KeyedBody<T: Input> {
    /// What was made of it.
    pub(crate) input: T::Output,
    /// What a retry is recognised by, if the client cares.
    pub(crate) key: Option<RequestKey>,
}

impl<T: Input> Extract for KeyedBody<T> {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let key = key(request)?;
        let body = read(request, payload, JSON).await?;
        let input = parse::<T>(&body)?;
        let key = key.map(|key| RequestKey {
            key,
            fingerprint: fingerprint(request, &body),
        });
        Ok(Self { input, key })
    }
}

/// What makes a retry of a creation from parts recognisable: the hash of everything that came, in its order.
pub(crate) struct Fingerprinting {
    key: IdempotencyKey,
    hash: Sha256,
}

impl Fingerprinting {
    /// Begins, if the client cares.
    pub(super) fn of(request: &HttpRequest) -> Result<Option<Self>, Problem> {
        let key = key(request)?;
        Ok(key.map(|key| Self {
            key,
            hash: target(request),
        }))
    }

    /// Adds a part. Nothing in one part can look like the beginning of another.
    pub(crate) fn add(&mut self, name: &str, filename: Option<&str>, content: [u8; 32]) {
        for text in [Some(name), filename] {
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            self.hash.update(length.to_be_bytes());
            self.hash.update(text.unwrap_or_default());
        }
        self.hash.update(content);
    }

    /// What the retry is recognised by.
    pub(crate) fn finish(self) -> RequestKey {
        RequestKey {
            key: self.key,
            fingerprint: Fingerprint(self.hash.finalize().into()),
        }
    }
}

fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut sent = request.headers().get_all(IDEMPOTENCY_KEY);
    let key = match (sent.next(), sent.next()) {
        (None, _) => return Ok(None),
        (Some(key), None) => key.to_str().ok().and_then(|key| IdempotencyKey::new(key).ok()),
        (Some(_), Some(_)) => None,
    };
    match key {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::new(Kind::Malformed, "The Idempotency-Key is malformed.").on(
            "Idempotency-Key",
            FieldCode::Invalid,
            IdempotencyKeyError.to_string(),
        )),
    }
}

/// A hash over what is asked for. Neither a method nor a path has a line break in it.
fn fingerprint(request: &HttpRequest, body: &[u8]) -> Fingerprint {
    Fingerprint(target(request).chain_update(body).finalize().into())
}

fn target(request: &HttpRequest) -> Sha256 {
    Sha256::new()
        .chain_update(request.method().as_str())
        .chain_update("\n")
        .chain_update(request.path())
        .chain_update("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_key_is_sane_or_refused() {
        let key = |values: &[&str]| {
            let request = values.iter().fold(TestRequest::post(), |request, value| {
                request.append_header((IDEMPOTENCY_KEY, *value))
            });
            key(&request.to_http_request()).map(|key| key.map(|key| key.as_str().to_owned()))
        };
        assert_eq!(key(&[]).unwrap(), None);
        assert_eq!(key(&["order 66"]).unwrap().as_deref(), Some("order 66"));
        for bad in [&[""][..], &["a", "a"], &["é"], &[&"k".repeat(129)]] {
            assert_eq!(key(bad).unwrap_err().kind(), Kind::Malformed, "{bad:?}");
        }
    }

    #[test]
    fn a_fingerprint_tells_requests_apart() {
        let of = |request: TestRequest, body: &str| fingerprint(&request.to_http_request(), body.as_bytes());
        let first = of(TestRequest::post().uri("/chats"), "{}");
        assert_eq!(first, of(TestRequest::post().uri("/chats"), "{}"));
        assert_ne!(first, of(TestRequest::post().uri("/chats"), "{ }"));
        assert_ne!(first, of(TestRequest::post().uri("/other"), "{}"));
        assert_ne!(first, of(TestRequest::put().uri("/chats"), "{}"));
    }
}
