//! Messages.

use super::chats::out_of_reach;
use super::sending::{Draft, MessageForm, NewMessage};
use super::wire::{Message, SentMessage};
use crate::docs::responses::NotFound;
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Path, Query, Read, State, id, page_size_within};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::chats::AccessError;
use tertulia_domain::repository::VisibleMessages;
use tertulia_domain::{ChatId, MessageId, Window};
use utoipa::IntoParams;

/// Messages that are listed where nothing is said, and those that are listed at the most.
const DEFAULT: u16 = 100;
const MOST: u16 = 500;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/messages/{chatId}").get(list),
        Endpoint::new("/api/messages").post(send),
    ]
}

/// Which messages to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// Messages at the most, 1 to 500. More count as 500, and what is no such number as the default, 100.
    limit: Option<String>,
    /// Only those before this message.
    #[param(value_type = Option<Id>)]
    before: Option<String>,
}

impl MessageQuery {
    fn parse(&self) -> Result<VisibleMessages, Problem> {
        let size = page_size_within(MOST, self.limit.as_deref(), DEFAULT);
        let Some(before) = self.before.as_deref() else {
            return Ok(VisibleMessages::Newest(Window::page(1, size)));
        };
        let before: MessageId = id(before).map_err(|error| {
            Problem::new(Kind::Invalid, "The query is invalid; see errors.").on("before", FieldCode::Invalid, error)
        })?;
        Ok(VisibleMessages::Before(before, size))
    }
}

/// List a chat's messages
///
/// The newest of them, oldest first. They count as read from then on.
#[utoipa::path(
    get,
    path = "/api/messages/{chatId}",
    tag = "messages",
    operation_id = "list_messages",
    params(("chatId" = Id, Path, description = "The chat"), MessageQuery),
    responses((status = 200, description = "The messages", body = Vec<Message>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Path(chat): Path<ChatId>,
    Query(query): Query<MessageQuery>,
) -> Result<HttpResponse, Problem> {
    let which = query.parse()?;
    let chats = &state.services.chats;
    let mut messages = match chats.visible_messages(caller, chat, which).await {
        Ok(found) => found.items,
        Err(error) => {
            // It can be the message that is not there.
            let visible = matches!(which, VisibleMessages::Before(..)) && chats.chat(caller, chat).await.is_ok();
            let problem = Problem::from(error);
            return Err(if visible && problem.kind() == Kind::NotFound {
                problem.worded("Mensaje no encontrado")
            } else {
                out_of_reach(&state, caller, chat, problem).await
            });
        }
    };
    messages.reverse();
    if let Some(newest) = messages.last() {
        match chats.mark_read(caller, chat, newest.seq).await {
            // A service admin who looks in from outside has no read position.
            Ok(_) | Err(AccessError::ChatNotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let shown: Vec<Message<'_>> = messages.iter().map(Message::new).collect();
    Ok(respond::json(StatusCode::OK, &shown))
}

/// Send a message
///
/// A text, a file, or both. The answer is a promise: the message is stored for good.
#[utoipa::path(
    post,
    path = "/api/messages",
    tag = "messages",
    operation_id = "send_message",
    request_body(content((NewMessage = "application/json"), (MessageForm = "multipart/form-data"))),
    responses((status = 201, description = "The message", body = SentMessage), NotFound)
)]
pub(crate) async fn send(state: State, draft: Draft) -> Result<HttpResponse, Problem> {
    let sent = draft.send(&state).await?;
    Ok(respond::json(StatusCode::CREATED, &SentMessage::new(&sent.message)))
}
