//! Socket.IO (protocol 5 over Engine.IO 4, by polling and by WebSocket), for the contracts whose clients speak it.
//!
//! What all of them have is here: the way to the library, rooms, commands and errors. What is said in a contract's own
//! words and shapes is its [`Dialect`]. Each connection listens to the hub like any other; there is no second way in
//! which events get around.

mod bridge;
mod commands;
mod conversation;
mod doorway;
mod tether;

pub(crate) use bridge::{Exchange, Sockets};

use crate::HttpState;
use crate::problem::Problem;
use serde_json::Value;
use std::time::Duration;
use tertulia_domain::{Caller, ChatId, ChatOverview, Message, User};

/// Where it is, below a contract's base.
pub(crate) const PATH: &str = "/socket.io";

/// Bytes of a packet at the most.
const MAX_PACKET: usize = 64 * 1024;

/// Commands a second, how many at once, and how many may wait to be carried out.
const COMMANDS: u32 = 50;
const BURST: u32 = 200;
const WAITING: usize = 500;

/// How often the server pings, and how long it waits for the answer.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// How long a peer that says nothing is taken to be there.
const PATIENCE: Duration = Duration::from_secs(50);

/// What is different in each contract.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// The contract's name.
    const CONTRACT: &'static str;

    /// The chat, for somebody who wants to hear what happens there.
    fn enter(
        state: &HttpState,
        caller: Caller,
        chat: ChatId,
    ) -> impl Future<Output = Result<ChatOverview, Problem>> + Send;

    /// Sends a message as that command says, a JSON object.
    fn send(state: &HttpState, caller: Caller, command: &[u8])
    -> impl Future<Output = Result<Message, Problem>> + Send;

    /// What a message looks like to those who hear of it. The caller is one of them; it looks alike to all.
    fn message(
        state: &HttpState,
        caller: Caller,
        message: &Message,
    ) -> impl Future<Output = Result<Value, Problem>> + Send;

    /// What somebody is called.
    fn name(user: &User) -> Option<&str>;

    /// What went wrong, for people, as the contract's requests are told.
    fn text(problem: &Problem) -> String;
}
