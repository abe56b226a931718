//! What happens around every handler.

mod count;
mod headers;
mod metrics;
mod observe;
mod panics;
mod request_id;
mod unread;

pub(crate) use count::count;
pub(crate) use metrics::{Matched, describe};
pub use metrics::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS, REQUESTS_TOTAL};
pub(crate) use observe::Observer;
pub(crate) use panics::catch_panics;
pub(crate) use request_id::RequestId;
