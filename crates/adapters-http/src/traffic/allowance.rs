use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// What may still be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Requests in a row at the most.
    pub(super) limit: u32,
    /// Requests that are left of them.
    pub(super) remaining: u32,
    /// Until all of them are there again.
    pub(super) reset: Duration,
    /// Until there is one again, when none is left.
    pub(super) retry_after: Duration,
}

impl Allowance {
    /// Shows it as `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds).
    pub(crate) fn show(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, HeaderValue::from(whole_seconds(self.reset)));
    }
}

/// To the whole second, rounded up.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
