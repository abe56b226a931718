//! The bytes of a request's body.

use crate::problem::{Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use std::borrow::Cow;
use std::time::Duration;

/// Bytes of a body at the most.
const LIMIT: usize = 256 * 1024;

/// How long a client may take to send a body, so that nobody keeps a connection busy by sending one drop by drop.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A media type that a body can have.
pub(super) const JSON: &str = "application/json";

/// The bytes of a body that claims to be of that media type.
pub(super) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    media_type: &'static str,
) -> Result<Bytes, Problem> {
    check_media_type(request, media_type)?;
    if announced(request).is_some_and(|length| length > LIMIT as u64) {
        return Err(too_large());
    }
    collect_within(PATIENCE, payload).await
}

/// How many bytes the body has, if that is said beforehand.
pub(super) fn announced(request: &HttpRequest) -> Option<u64> {
    header(request, &CONTENT_LENGTH)?.parse().ok()
}

async fn collect_within(patience: Duration, payload: &mut Payload) -> Result<Bytes, Problem> {
    let late = |_| Err(malformed("The body did not arrive in time."));
    timeout(patience, collect(payload)).await.unwrap_or_else(late)
}

async fn collect(payload: &mut Payload) -> Result<Bytes, Problem> {
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(broken_off)?;
    let Some(mut next) = payload.next().await else {
        // The common case, without copying: the body came in one piece.
        return if first.len() > LIMIT {
            Err(too_large())
        } else {
            Ok(first)
        };
    };
    let mut body = BytesMut::from(first);
    loop {
        body.extend_from_slice(&next.map_err(broken_off)?);
        if body.len() > LIMIT {
            return Err(too_large());
        }
        match payload.next().await {
            Some(chunk) => next = chunk,
            None => return Ok(body.freeze()),
        }
    }
}

/// Whether the request has a body.
pub(crate) fn has_body(request: &HttpRequest) -> bool {
    let length = header(request, &CONTENT_LENGTH);
    length.is_some_and(|length| length != "0") || request.headers().contains_key(TRANSFER_ENCODING)
}

/// Whether the body claims to be of that media type.
pub(super) fn claims(request: &HttpRequest, wanted: &str) -> bool {
    let media_type = request.headers().get(CONTENT_TYPE);
    media_type.is_some_and(|given| given.to_str().is_ok_and(|given| is_plain(given, wanted)))
}

/// Refuses a body that is declared as anything else. One that is missing lacks more than its media type.
fn check_media_type(request: &HttpRequest, wanted: &'static str) -> Result<(), Problem> {
    let encoding = header(request, &CONTENT_ENCODING);
    if !has_body(request) && !request.headers().contains_key(CONTENT_TYPE) {
        return Err(malformed(match wanted {
            JSON => "A JSON body is needed.",
            _ => "A form is needed as the body.",
        }));
    }
    if claims(request, wanted) && encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity")) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::UnsupportedMediaType,
        format!("Send the body as Content-Type: {wanted}, without Content-Encoding."),
    ))
}

/// That media type, with no other character encoding than UTF-8.
fn is_plain(media_type: &str, wanted: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let other_charset = parts.filter_map(|part| part.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("charset") && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    essence.eq_ignore_ascii_case(wanted) && !other_charset
}

fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

pub(super) fn malformed(detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(Kind::Malformed, detail)
}

fn too_large() -> Problem {
    Problem::new(
        Kind::PayloadTooLarge,
        format!("The body must have at most {LIMIT} bytes."),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn broken_off(error: PayloadError) -> Problem {
    malformed(format!("The body broke off: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{Stream, stream};
    use std::pin::Pin;

    type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

    fn sent(chunks: Vec<Result<&'static [u8], PayloadError>>) -> Payload {
        let chunks = chunks.into_iter().map(|chunk| chunk.map(Bytes::from_static));
        Payload::from(Box::pin(stream::iter(chunks)) as Chunks)
    }

    async fn collected(mut payload: Payload) -> Result<Vec<u8>, Kind> {
        let body = collect_within(PATIENCE, &mut payload).await;
        body.map(|body| body.to_vec()).map_err(|problem| problem.kind())
    }

    #[actix_web::test]
    async fn a_body_comes_in_any_number_of_pieces() {
        const HALF: &[u8] = &[b' '; LIMIT / 2];
        assert_eq!(collected(sent(vec![])).await, Ok(vec![]));
        assert_eq!(collected(sent(vec![Ok(b"a")])).await, Ok(b"a".to_vec()));
        assert_eq!(
            collected(sent(vec![Ok(b"a"), Ok(b""), Ok(b"bc")])).await,
            Ok(b"abc".to_vec())
        );
        let full = collected(sent(vec![Ok(HALF), Ok(HALF)])).await;
        assert_eq!(full.map(|body| body.len()), Ok(LIMIT));
        let over = collected(sent(vec![Ok(HALF), Ok(HALF), Ok(b" ")])).await;
        assert_eq!(over, Err(Kind::PayloadTooLarge));
        let broken = collected(sent(vec![Ok(b"{"), Err(PayloadError::Incomplete(None))])).await;
        assert_eq!(broken, Err(Kind::Malformed));
    }

    #[actix_web::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let mut payload = Payload::from(Box::pin(stream::pending()) as Chunks);
        let problem = collect_within(Duration::from_millis(1), &mut payload)
            .await
            .unwrap_err();
        assert_eq!(problem.kind(), Kind::Malformed);
    }

    #[test]
    fn media_types() {
        for json in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; v=1",
        ] {
            assert!(is_plain(json, JSON), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "application/jsonp",
            "application/json; charset=latin1",
        ] {
            assert!(!is_plain(other, JSON), "{other}");
        }
    }
}
