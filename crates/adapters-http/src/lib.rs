//! The HTTP driving adapter: it parses requests into commands, calls the use cases and renders what they give.
//!
//! [`HttpServers`] is the whole of its surface. Inside, an API (the native one, in `api`, or a contract of another service,
//! in `compat`) is a list of endpoints: from it come the routes, the `Allow` headers, the labels of the metrics, and the test that compares the OpenAPI document
//! with what is served. Its handlers take what `extract` makes of a request, answer with the types in `dto`, and fail
//! with a `problem`, whose table says what each error of a use case is to a client. A handler that acts for somebody takes
//! a guard typed by what it does: from that come the scopes that an API key needs, what the request counts as, and what
//! the document says of both. Files go through both ways as they come, never held: `extract::Parts` and `serve`.

mod api;
mod compat;
mod creation;
mod cursor;
mod docs;
mod dto;
mod endpoint;
mod extract;
mod live;
mod middleware;
mod operation;
mod problem;
mod respond;
mod serve;
mod server;
mod state;
mod traffic;
mod uploads;

pub use compat::contract_names;
pub use middleware::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS, REQUESTS_TOTAL};
pub use server::{HttpOptions, HttpServers};
pub use state::HttpState;
pub use traffic::{Rate, RateLimits};
