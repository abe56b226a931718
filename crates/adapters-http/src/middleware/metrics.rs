use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Histogram, Unit};
use std::cell::RefCell;
use std::time::Duration;

/// The counter of requests, labelled `method`, `route` (the pattern, or `unmatched`) and `status`.
pub const REQUESTS_TOTAL: &str = "tertulia_http_requests_total";

/// The histogram of the time to the head of an answer, in seconds, with the labels of [`REQUESTS_TOTAL`].
pub const REQUEST_SECONDS: &str = "tertulia_http_request_seconds";

/// Upper bounds of [`REQUEST_SECONDS`]' buckets, in seconds: fine where a database call is, coarse where password
/// hashing is.
pub const REQUEST_SECONDS_BUCKETS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Tells the exporter what the metrics mean.
pub(crate) fn describe() {
    metrics::describe_counter!(REQUESTS_TOTAL, "HTTP requests answered");
    metrics::describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "Time from an HTTP request's head to its answer's head"
    );
}

/// What a request's path matched, with the instruments that measure there.
///
/// One of it lives in every worker for every route, so the instruments are looked up by name once and not for every
/// request.
pub(crate) struct Matched {
    route: String,
    instruments: RefCell<Vec<Instruments>>,
}

struct Instruments {
    method: &'static str,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl Matched {
    /// The route with that pattern.
    pub(crate) fn new(route: impl Into<String>) -> Self {
        Self {
            route: route.into(),
            instruments: RefCell::default(),
        }
    }

    /// Of a path that is none.
    pub(crate) fn nothing() -> Self {
        Self::new("unmatched")
    }

    pub(crate) fn route(&self) -> &str {
        &self.route
    }

    /// Counts a request.
    pub(crate) fn record(&self, method: &Method, status: StatusCode, took: Duration) {
        let method = label(method);
        let mut all = self.instruments.borrow_mut();
        let known = all.iter().position(|one| one.method == method && one.status == status);
        let index = known.unwrap_or_else(|| {
            all.push(Instruments::new(method, &self.route, status));
            all.len() - 1
        });
        all[index].requests.increment(1);
        all[index].seconds.record(took);
    }
}

impl Instruments {
    fn new(method: &'static str, route: &str, status: StatusCode) -> Self {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        Self {
            method,
            status,
            requests: metrics::counter!(REQUESTS_TOTAL, &labels),
            seconds: metrics::histogram!(REQUEST_SECONDS, &labels),
        }
    }
}

/// The method; one word for all that nobody has heard of, since a client could invent any number.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}
