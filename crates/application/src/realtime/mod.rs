//! What happens between requests: who is online, and what happens in chats, brought to those who listen.

mod hub;
mod listener;
mod live_event;
mod presence;
mod queue;
mod seat;
mod token;

#[cfg(test)]
mod fake_events;
#[cfg(test)]
mod hub_tests;
#[cfg(test)]
mod interleaving_tests;
#[cfg(test)]
mod listener_tests;

pub use hub::Hub;
pub use listener::{Backlog, Bookmark, ConnectError, Listener, MAX_CONNECTIONS, Resume, ResumeError};
pub use live_event::LiveEvent;
pub use presence::Presence;
pub use seat::{Closing, Delivery};
