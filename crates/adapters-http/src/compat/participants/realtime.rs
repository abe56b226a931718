//! Socket.IO.

use super::messages::{NewMessage, chat, store};
use super::wire::LiveMessage;
use super::words;
use crate::HttpState;
use crate::compat::socket_io::{self, Dialect, Exchange};
use crate::endpoint::Endpoint;
use crate::extract::parse_json;
use crate::problem::Problem;
use actix_web::HttpResponse;
use serde_json::Value;
use tertulia_domain::{Caller, ChatId, ChatOverview, Message, User};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(socket_io::PATH).get(open).post(push)]
}

/// Listen by Socket.IO
///
/// Protocol 5 over Engine.IO 4, by polling or as a WebSocket; the token comes as `auth.token`. The client may say
/// `join_chat`, `leave_chat`, `send_message`, `typing` and `message_seen`, and is told `new_message`, `user_typing`,
/// `messages_marked_seen`, `message_delivered` and `error`.
#[utoipa::path(
    get,
    path = "/socket.io",
    tag = "realtime",
    operation_id = "open_socket",
    security(()),
    params(
        ("EIO" = Option<String>, Query, description = "The version of Engine.IO: 4"),
        ("transport" = Option<String>, Query, description = "`polling` or `websocket`"),
        ("sid" = Option<String>, Query, description = "The session, once there is one")
    ),
    responses(
        (status = 200, description = "Packets of Engine.IO", content_type = "text/plain", body = String),
        (status = 101, description = "The connection is a WebSocket")
    )
)]
pub(crate) async fn open(exchange: Exchange) -> Result<HttpResponse, Problem> {
    exchange.answer::<Spoken>().await
}

/// Say something by Socket.IO
///
/// In a session that polls.
#[utoipa::path(
    post,
    path = "/socket.io",
    tag = "realtime",
    operation_id = "push_to_socket",
    security(()),
    params(
        ("EIO" = Option<String>, Query, description = "The version of Engine.IO: 4"),
        ("transport" = Option<String>, Query, description = "`polling` or `websocket`"),
        ("sid" = Option<String>, Query, description = "The session, once there is one")
    ),
    request_body(content = String, content_type = "text/plain", description = "Packets of Engine.IO"),
    responses((status = 200, description = "`ok`", content_type = "text/plain", body = String))
)]
pub(crate) async fn push(exchange: Exchange) -> Result<HttpResponse, Problem> {
    exchange.answer::<Spoken>().await
}

/// How this contract speaks.
struct Spoken;

impl Dialect for Spoken {
    const CONTRACT: &'static str = super::CONTRACT.name;

    async fn enter(state: &HttpState, caller: Caller, id: ChatId) -> Result<ChatOverview, Problem> {
        chat(state, caller, id, words::MESSAGES_HIDDEN).await
    }

    async fn send(state: &HttpState, caller: Caller, command: &[u8]) -> Result<Message, Problem> {
        let sent = parse_json::<NewMessage>(command)?;
        store(state, caller, sent).await.map(|(message, _)| message)
    }

    async fn message(state: &HttpState, caller: Caller, message: &Message) -> Result<Value, Problem> {
        let chat = chat(state, caller, message.chat_id, words::MESSAGES_HIDDEN).await?;
        serde_json::to_value(LiveMessage::new(message, &chat)).map_err(Problem::internal)
    }

    fn name(user: &User) -> Option<&str> {
        user.shown_name()
    }

    fn text(problem: &Problem) -> String {
        super::text(problem)
    }
}
