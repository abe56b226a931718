//! Servers, databases and people.

mod api;
mod database;
mod form;
mod frames;
mod image;
mod line;
mod mail;
mod node;
mod person;
mod phoenix;
mod process;
mod sent_events;
mod server;
mod site;
mod socket;
mod text_socket;

pub(crate) use api::{Answer, Api};
pub(crate) use database::{Database, on_each_database};
pub(crate) use form::Form;
pub(crate) use image::{bomb, picture, size_of};
pub(crate) use line::Line;
pub(crate) use mail::{MailUrl, Maildir, token_in};
pub(crate) use node::Script;
pub(crate) use person::{PASSWORD, Person};
pub(crate) use phoenix::Phoenix;
pub(crate) use process::{Process, Started, command, run, run_with_input};
pub(crate) use sent_events::SentEvents;
pub(crate) use server::{Server, value};
pub(crate) use site::{Site, on_each_store};
pub(crate) use socket::Socket;
pub(crate) use text_socket::TextSocket;

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything may take before a test gives up: far longer than it ever takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again until the answer is there.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let limit = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < limit, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(10)).await;
    }
}
