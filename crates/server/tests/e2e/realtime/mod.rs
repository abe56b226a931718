//! What happens in chats, as it happens.

mod commands;
mod entrance;
mod ephemeral;
mod events;
mod nodes;
mod resume;
mod revocation;
mod stopping;
mod stream;
mod sync;

use crate::support::{Api, Person};
use serde_json::{Value, json};

/// Two people and a group of theirs.
async fn two(server: &Api) -> (Person, Person, String) {
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Two", &[&bob]).await;
    (ana, bob, chat)
}

/// What is said of each event: its name and its number.
fn outline(frames: &[Value]) -> Vec<(&str, i64)> {
    let of = |frame: &'_ Value| frame["event_seq"].as_i64().unwrap();
    frames
        .iter()
        .map(|frame| (frame["event"].as_str().unwrap(), of(frame)))
        .collect()
}

/// The texts of messages that were sent.
fn bodies(frames: &[Value]) -> Vec<&str> {
    let body = |frame: &'_ Value| frame["event"] == "message.created";
    frames
        .iter()
        .filter(|frame| body(frame))
        .map(|frame| frame["data"]["body"].as_str().unwrap())
        .collect()
}

/// A resume after those places.
fn positions(places: &[(&str, i64)]) -> Value {
    let places = places.iter().map(|(chat, seq)| ((*chat).to_owned(), json!(seq)));
    json!({"positions": places.collect::<serde_json::Map<_, _>>()})
}
