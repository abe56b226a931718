//! The use cases of a chat service.
//!
//! One file a use case: its command, its errors, its logic. They reach the outside through the repositories of the
//! domain and through the [`ports`] here; they know neither a database nor HTTP.

pub mod account;
pub mod chats;
mod client_network;
mod failure;
pub mod files;
pub mod mail;
pub mod messaging;
pub mod moderation;
#[cfg(test)]
mod permission_tests;
pub mod ports;
pub mod realtime;
mod request_key;
mod services;
#[cfg(test)]
mod telling_tests;
#[cfg(test)]
mod testing;

pub use client_network::client_network;
pub use failure::{BoxError, Failure};
pub use request_key::{Keyed, RequestKey};
pub use services::{Policy, Ports, Repositories, Services};
