//! Failures, and how the native API shows them: `application/problem+json` (RFC 9457).

mod kind;
mod table;

pub(crate) use kind::Kind;

use crate::middleware::RequestId;
use crate::respond;
use crate::traffic::whole_seconds;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::time::Duration;
use tertulia_application::BoxError;
use utoipa::ToSchema;

/// The media type of every failure.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A request that failed: the kind of failure and what can be said about this one.
///
/// The middleware renders it, since that knows the request's id.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    wording: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<BoxError>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field of the body, the query parameter or the header.
    #[schema(value_type = String, examples("username"))]
    pub(crate) field: Cow<'static, str>,
    pub(crate) code: FieldCode,
    /// What is wrong, for people.
    #[schema(value_type = String, examples("must have 3 to 32 characters"))]
    pub(crate) message: Cow<'static, str>,
}

/// What is wrong with a field, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldCode {
    /// It is missing or null.
    Required,
    /// It has another JSON type than it should have.
    WrongType,
    /// Its value is refused.
    Invalid,
    /// Somebody else has it.
    Taken,
    /// It refers to something that does not exist.
    NotFound,
    /// It can't be reached at the moment.
    Unavailable,
}

/// A failure (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Names the kind of failure; stable.
    #[schema(examples("urn:tertulia:problem:not_found"))]
    r#type: String,
    /// The kind of failure, for people.
    title: &'a str,
    /// The status of the answer.
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, for people.
    detail: &'a str,
    /// The kind of failure, for programs; stable.
    #[schema(examples("not_found"))]
    code: &'a str,
    /// The `X-Request-Id` of the answer.
    request_id: &'a str,
    /// Each field that is wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
}

impl Problem {
    /// A failure of that kind.
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            wording: None,
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Well-formed, but some fields are refused.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(Kind::Invalid, "Some fields are invalid; see errors.")
        }
    }

    /// A failure of which the client learns nothing more.
    pub(crate) fn internal(cause: impl Into<BoxError>) -> Self {
        Self::new(Kind::Internal, "Something went wrong on our side.").because(cause.into())
    }

    /// Names one more field as being at fault.
    pub(crate) fn on(
        mut self,
        field: impl Into<Cow<'static, str>>,
        code: FieldCode,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.errors.push(FieldError::new(field, code, message));
        self
    }

    /// Says it in a contract's own words.
    pub(crate) fn worded(self, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            wording: Some(text.into()),
            ..self
        }
    }

    /// Too much was asked for; after that time it may be asked again.
    pub(crate) fn rate_limited(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let seconds = whole_seconds(retry_after).max(1);
        Self::new(Kind::RateLimited, detail).with(RETRY_AFTER, seconds.into())
    }

    /// Says which methods there are.
    pub(crate) fn allowing(self, allow: HeaderValue) -> Self {
        self.with(ALLOW, allow)
    }

    /// Says one more thing in the head of the answer.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Keeps what caused it, for the log.
    pub(crate) fn because(self, cause: BoxError) -> Self {
        Self {
            cause: Some(cause),
            ..self
        }
    }

    /// Writes down what the client is not told.
    pub(crate) fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(
                code = self.kind.face().code,
                cause = chain(cause.as_ref()),
                "request failed"
            );
        }
    }

    /// The answer of the native API.
    pub(crate) fn render(&self, request_id: &RequestId) -> HttpResponse {
        let face = self.kind.face();
        let body = ProblemBody {
            r#type: format!("urn:tertulia:problem:{}", face.code),
            title: face.title,
            status: face.status.as_u16(),
            detail: &self.detail,
            code: face.code,
            request_id: request_id.as_str(),
            errors: &self.errors,
        };
        let media_type = HeaderValue::from_static(MEDIA_TYPE);
        self.with_headers(respond::bytes(face.status, media_type, respond::to_json(&body)))
    }

    /// The answer of an API that has another shape for failures.
    pub(crate) fn render_as(&self, shape: fn(&Self) -> (StatusCode, Vec<u8>)) -> HttpResponse {
        let (status, body) = shape(self);
        self.with_headers(respond::json_bytes(status, body))
    }

    /// What the head of the answer says, whatever its body is.
    fn with_headers(&self, mut response: HttpResponse) -> HttpResponse {
        let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        if unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.kind.face().retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        response
    }

    /// What kind of failure it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened, in English.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// What a contract's own words for it are, if it has some for this one.
    pub(crate) fn wording(&self) -> Option<&str> {
        self.wording.as_deref()
    }

    /// The fields at fault.
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

impl FieldError {
    pub(crate) fn new(
        field: impl Into<Cow<'static, str>>,
        code: FieldCode,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.face().code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.face().status
    }

    /// Only the status: the middleware puts [`Problem::render`] in its place.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// An error and its causes, outermost first.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a string can't fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tertulia_application::Failure;
    use tertulia_domain::repository::RepositoryError;

    #[test]
    fn the_log_gets_the_whole_chain_of_causes() {
        let failure = Failure::from(RepositoryError::Other("the disk is full".into()));
        assert_eq!(
            chain(&failure),
            "internal error: the database refused: the disk is full"
        );
    }
}
