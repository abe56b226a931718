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
mod bus;
mod chaos;
mod chats;
mod configuration;
mod contracts;
mod conversation;
mod durability;
mod files;
mod idempotency;
mod keys;
mod limits;
mod mail;
mod members;
mod moderation;
mod operation;
mod outage;
mod pages;
mod problems;
mod processes;
mod realtime;
mod sessions;
mod starting;
mod stopping;
mod throttle;
mod uploads;
