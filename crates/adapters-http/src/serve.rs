//! Files to answers: what browsers may make of them, parts of them, and whether the client has them already.

use crate::dto::percent_encoded;
use crate::extract::Extract;
use crate::problem::{Kind, Problem};
use actix_web::body::{BoxBody, SizedStream};
use actix_web::dev::Payload;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, TryStreamExt, stream};
use std::ops::Range;
use tertulia_application::files::{FileService, OpenFile};
use tertulia_application::ports::{ByteStream, StoreError};

/// Nothing of a file ever changes, and who may read it today did read it; but a cache that others share must not keep it.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=86400");

/// Whatever a file is taken for, it runs nothing, loads nothing and has no origin.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// What a request wants of a file, besides the file.
pub(crate) struct Conditions(HttpRequest);

impl Extract for Conditions {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(Self(request.clone()))
    }
}

/// What a file is to a browser.
struct Face {
    etag: String,
    media_type: HeaderValue,
    disposition: String,
    size: u64,
}

/// A file, or as much of it as is wanted.
pub(crate) async fn file(
    files: &FileService,
    open: &OpenFile,
    conditions: &Conditions,
) -> Result<HttpResponse, Problem> {
    let media_type = &open.file.media_type;
    let face = Face {
        etag: format!("\"{}\"", open.etag),
        media_type: HeaderValue::from_str(media_type.as_str()).map_err(Problem::internal)?,
        disposition: disposition(media_type.is_raster_image(), open.file.name.as_str()),
        size: open.file.size,
    };
    answer(&face, conditions, async |range| Ok(files.read(open, range).await?)).await
}

/// The small picture of an image. It is small enough to be held.
pub(crate) async fn thumbnail(
    files: &FileService,
    open: &OpenFile,
    conditions: &Conditions,
) -> Result<HttpResponse, Problem> {
    let etag = format!("\"{}-thumbnail\"", open.etag);
    if open.has_thumbnail() && has(conditions.0.headers(), &etag) {
        return head(HttpResponse::new(StatusCode::NOT_MODIFIED), &etag);
    }
    let chunks: Vec<Bytes> = files
        .read_thumbnail(open)
        .await?
        .try_collect()
        .await
        .map_err(Problem::internal)?;
    let picture = Bytes::from(chunks.concat());
    let png = picture.starts_with(b"\x89PNG");
    let face = Face {
        etag,
        media_type: HeaderValue::from_static(if png { "image/png" } else { "image/jpeg" }),
        disposition: "inline".to_owned(),
        size: picture.len() as u64,
    };
    answer(&face, conditions, async |range: Range<u64>| {
        let [start, end] = [range.start, range.end].map(|place| usize::try_from(place).unwrap_or(usize::MAX));
        let bytes = picture.slice(start..end.min(picture.len()));
        Ok(Box::pin(stream::iter([Ok(bytes)])) as ByteStream)
    })
    .await
}

async fn answer(
    face: &Face,
    conditions: &Conditions,
    read: impl AsyncFnOnce(Range<u64>) -> Result<ByteStream, Problem>,
) -> Result<HttpResponse, Problem> {
    let request = conditions.0.headers();
    if has(request, &face.etag) {
        return head(HttpResponse::new(StatusCode::NOT_MODIFIED), &face.etag);
    }
    // A range is only defined for GET (RFC 9110, 14.2).
    let whole = conditions.0.method() != Method::GET || !is_same(request, &face.etag);
    let slice = if whole {
        Slice::Whole
    } else {
        wanted(request, face.size)
    };
    let (status, range) = match slice {
        Slice::Whole => (StatusCode::OK, 0..face.size),
        Slice::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Slice::Beyond => return Err(beyond(face.size)?),
    };
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, face.size);
    let body = if conditions.0.method() == Method::HEAD {
        BoxBody::new(SizedStream::new(length, stream::empty::<Result<Bytes, StoreError>>()))
    } else {
        BoxBody::new(SizedStream::new(length, logged(read(range).await?)))
    };
    let mut answer = head(HttpResponse::with_body(status, body), &face.etag)?;
    let headers = answer.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, face.media_type.clone());
    headers.insert(CONTENT_DISPOSITION, value(&face.disposition)?);
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(CONTENT_RANGE, value(&content_range)?);
    }
    Ok(answer)
}

/// What every answer about a file says.
fn head(mut answer: HttpResponse, etag: &str) -> Result<HttpResponse, Problem> {
    let headers = answer.headers_mut();
    headers.insert(ETAG, value(etag)?);
    headers.insert(CACHE_CONTROL, CACHE);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(answer)
}

/// A stream that breaks off closes the connection: only the log can say why.
fn logged(bytes: ByteStream) -> impl Stream<Item = Result<Bytes, StoreError>> {
    bytes.inspect_err(|error| tracing::error!(%error, "a file broke off while it was sent"))
}

/// Shown in place or to be saved, under a name of whatever characters (RFC 6266).
fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    format!("{kind}; filename*=UTF-8''{}", percent_encoded(name))
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(Problem::internal)
}

/// Whether the client has these very bytes already, by `If-None-Match`; compared weakly (RFC 9110, 13.1.2).
fn has(request: &HeaderMap, etag: &str) -> bool {
    let known = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    request
        .get_all(IF_NONE_MATCH)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|tag| known(tag.trim()))
}

/// Whether a range, if one is wanted, is wanted of these very bytes, by `If-Range`; compared strongly (RFC 9110, 13.1.5).
/// A date never is the right one: none is told.
fn is_same(request: &HeaderMap, etag: &str) -> bool {
    request
        .get(IF_RANGE)
        .is_none_or(|tag| tag.as_bytes() == etag.as_bytes())
}

/// How much of a file.
#[derive(Debug, PartialEq, Eq)]
enum Slice {
    Whole,
    Part(Range<u64>),
    /// Of what it does not have.
    Beyond,
}

/// What `Range` asks for (RFC 9110, 14.1.2). Everything that is not one range of bytes is ignored, as one may.
fn wanted(request: &HeaderMap, size: u64) -> Slice {
    let mut lines = request.get_all(RANGE);
    match (lines.next(), lines.next()) {
        (Some(line), None) => line
            .to_str()
            .ok()
            .and_then(|line| parse(line, size))
            .unwrap_or(Slice::Whole),
        _ => Slice::Whole,
    }
}

fn parse(line: &str, size: u64) -> Option<Slice> {
    let (unit, range) = line.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || range.contains(',') {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let range = match (first, last) {
        ("", length) => size.saturating_sub(number(length)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if range.is_empty() {
        Slice::Beyond
    } else {
        Slice::Part(range)
    })
}

/// A number; one that is too large is the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn beyond(size: u64) -> Result<Problem, Problem> {
    let problem = Problem::new(Kind::RangeNotSatisfiable, format!("The file has {size} bytes."));
    Ok(problem.with(CONTENT_RANGE, value(&format!("bytes */{size}"))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderName;

    #[test]
    fn ranges() {
        let part = |range| Some(Slice::Part(range));
        for (line, expected) in [
            ("bytes=0-0", part(0..1)),
            ("bytes=2-4", part(2..5)),
            ("bytes=2-", part(2..10)),
            ("bytes=-3", part(7..10)),
            ("bytes=-30", part(0..10)),
            ("bytes=0-99999999999999999999", part(0..10)),
            ("BYTES=9-9", part(9..10)),
            ("bytes=10-", Some(Slice::Beyond)),
            ("bytes=10-20", Some(Slice::Beyond)),
            ("bytes=99999999999999999999-", Some(Slice::Beyond)),
            ("bytes=-0", Some(Slice::Beyond)),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("lines=0-1", None),
            ("0-1", None),
            ("", None),
        ] {
            assert_eq!(parse(line, 10), expected, "{line}");
        }
    }

    #[test]
    fn validators() {
        let with = |name: HeaderName, text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(text).unwrap());
            headers
        };
        for (line, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
        ] {
            assert_eq!(has(&with(IF_NONE_MATCH, line), "\"a\""), known, "{line}");
        }
        assert!(is_same(&HeaderMap::new(), "\"a\""));
        for (line, same) in [
            ("\"a\"", true),
            ("W/\"a\"", false),
            ("Wed, 21 Oct 2015 07:28:00 GMT", false),
        ] {
            assert_eq!(is_same(&with(IF_RANGE, line), "\"a\""), same, "{line}");
        }
    }

    #[test]
    fn only_what_is_harmless_is_shown_in_place() {
        assert_eq!(disposition(true, "a b.png"), "inline; filename*=UTF-8''a%20b.png");
        assert_eq!(
            disposition(false, "\"€\".html"),
            "attachment; filename*=UTF-8''%22%E2%82%AC%22.html"
        );
    }
}
