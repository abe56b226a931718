//! What formats are told, and which thumbnails are made.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixtures;
mod hostile;
mod inspect;
mod thumbnails;
