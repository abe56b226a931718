//! What happens between requests: for now, who is online.

mod presence;

pub use presence::Presence;
