//! What happens around every handler.

mod count;
mod cross_origin;
mod headers;
mod metrics;
mod observe;
mod panics;
mod request_id;
mod slashes;
mod unread;

pub(crate) use count::count;
pub(crate) use cross_origin::CrossOrigin;
pub(crate) use metrics::{Matched, describe};
pub use metrics::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS, REQUESTS_TOTAL};
pub(crate) use observe::Observer;
pub(crate) use panics::catch_panics;
pub(crate) use request_id::RequestId;
pub(crate) use slashes::trim_slashes;
