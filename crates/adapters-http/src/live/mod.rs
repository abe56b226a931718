//! What happens in chats, as it happens: over WebSocket, as server-sent events, and by long poll.
//!
//! All three bring the same frames. An event looks the same to everybody, so it is written to JSON once, however many
//! connections it goes to.

pub(crate) mod document;
mod entrance;
mod frames;
mod line;
mod render;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod sync;

pub(crate) use entrance::{Guest, Upgrade};
pub(crate) use frames::ServerFrame;
pub(crate) use line::{End, Line, Turn};
pub(crate) use render::event_json;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/ws").get(socket::connect),
        Endpoint::new("/ws/ticket").post(socket::ticket),
        Endpoint::new("/events").get(stream::events),
        Endpoint::new("/sync").get(sync::sync),
    ]
}
