use actix_cors::Cors;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN};
use actix_web::middleware::Condition;

/// What scripts of other origins may read besides the body.
const EXPOSED: [&str; 12] = [
    "Allow",
    "Authorization",
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-Id",
];

/// For how many seconds a browser need not ask again.
const MAX_AGE: usize = 3_600;

/// The origins whose web pages may use the service, besides its own.
pub(crate) struct CrossOrigin(Vec<HeaderValue>);

impl CrossOrigin {
    /// Those that are such, like `https://chat.example.org`.
    pub(crate) fn new(origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        Self(origins.collect())
    }

    /// Answers pre-flights, and tells browsers who may read an answer.
    pub(crate) fn middleware(&self) -> Condition<Cors> {
        let origins = self.0.iter().filter_map(|origin| origin.to_str().ok());
        let cors = origins.fold(Cors::default(), Cors::allowed_origin);
        let cors = cors
            .allow_any_method()
            .allow_any_header()
            .supports_credentials()
            .expose_headers(EXPOSED)
            .max_age(MAX_AGE);
        Condition::new(!self.0.is_empty(), cors)
    }

    /// Makes a pre-flight from any other origin a request like all others, which gets the answer that its path gives. The
    /// middleware would refuse it in a shape of its own.
    pub(crate) fn ignore_strangers(&self, request: &mut ServiceRequest) {
        let known = |origin: &HeaderValue| self.0.contains(origin);
        if request.method() == Method::OPTIONS && !request.headers().get(ORIGIN).is_some_and(known) {
            request.headers_mut().remove(ACCESS_CONTROL_REQUEST_METHOD);
        }
    }
}
