//! Bytes to answers.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    json_bytes(status, to_json(value))
}

/// An answer with a body that is JSON already.
pub(crate) fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    bytes(status, HeaderValue::from_static("application/json"), body)
}

/// An answer with a body of that media type.
pub(crate) fn bytes(status: StatusCode, media_type: HeaderValue, body: impl Into<Bytes>) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, BoxBody::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// An answer without a body.
pub(crate) fn no_content() -> HttpResponse {
    HttpResponse::new(StatusCode::NO_CONTENT)
}

/// The JSON of a value with string keys and no serialiser that fails: all of ours are such.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|error| unreachable!("a plain value has a JSON form: {error}"))
}
