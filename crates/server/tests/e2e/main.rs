//! The whole server, from the outside: over HTTP, on both databases, and where it matters as processes of their own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what was not expected ends the test"
)]

mod support;

mod accounts;
mod admin;
mod authorization;
mod chats;
mod configuration;
mod conversation;
mod durability;
mod idempotency;
mod limits;
mod members;
mod operation;
mod outage;
mod pages;
mod problems;
mod processes;
mod sessions;
mod starting;
mod stopping;
