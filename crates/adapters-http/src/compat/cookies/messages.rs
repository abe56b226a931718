//! What is said in a chat.

use super::chats::{named, rename, told_apart};
use super::here::Here;
use super::session::Session;
use super::wire::{Done, Message, Messages, done};
use crate::HttpState;
use crate::compat::messages;
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{
    Check, Field, Form, Input, Path, Query, Read, SameSite, State, Write, page_number, page_size_within,
};
use crate::problem::{Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_domain::repository::VisibleMessages;
use tertulia_domain::{Caller, ChatId, MessageBody, MessageDraft, MessageId, Window};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/chats/{chat_id}")
            .get(list)
            .post(send)
            .put(rename)
            .delete(delete),
    ]
}

/// Messages of a page at the most, and where nothing is said.
const MOST: u16 = 500;
const DEFAULT: u16 = 100;

/// Which messages to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// The page, from 1, the newest; what makes no sense is taken for 1.
    #[param(value_type = Option<String>, default = "1")]
    page: Option<String>,
    /// Messages of a page: 1 to 500, more is taken for 500, what makes no sense for 100.
    #[param(value_type = Option<String>, default = "100")]
    limit: Option<String>,
}

/// Get a chat's messages
#[utoipa::path(
    get,
    path = "/api/chats/{chat_id}",
    tag = "messages",
    operation_id = "list_messages",
    params(("chat_id" = Id, Path, description = "The chat"), MessageQuery),
    responses((status = 200, description = "A page of them", body = Messages))
)]
pub(crate) async fn list(
    state: State,
    Session(caller, _): Session<Read>,
    Path(chat): Path<ChatId>,
    Query(query): Query<MessageQuery>,
) -> Result<HttpResponse, Problem> {
    let size = page_size_within(MOST, query.limit.as_deref(), DEFAULT);
    let window = Window::page(page_number(query.page.as_deref()), size);
    let which = VisibleMessages::Newest(window);
    let found = state.services.chats.visible_messages(caller, chat, which).await;
    let found = told_apart(&state, caller, chat, found).await?;
    let messages = found.items.iter().rev().map(Message::from).collect();
    Ok(respond::json(StatusCode::OK, &Messages { messages }))
}

/// What is to be said.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewMessage {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    content: Field<String>,
}

impl Input for NewMessage {
    type Output = MessageBody;

    fn parse(self, mut check: Check) -> Result<MessageBody, Problem> {
        let content = check.required("content", self.content, MessageBody::new);
        check.finish(content)
    }
}

/// Send a message
#[utoipa::path(
    post,
    path = "/api/chats/{chat_id}",
    tag = "messages",
    operation_id = "send_message",
    params(("chat_id" = Id, Path, description = "The chat")),
    request_body(content = NewMessage, content_type = "application/x-www-form-urlencoded"),
    responses((
        status = 201,
        description = "It is said",
        body = Done,
        headers(("Location" = String, description = "The chat, with the message as `id`"))
    ))
)]
pub(crate) async fn send(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Write>,
    here: Here,
    Path(chat_id): Path<ChatId>,
    Form(content): Form<NewMessage>,
) -> Result<HttpResponse, Problem> {
    let sent = messages::send(&state, caller, chat_id, MessageDraft::text(content), None).await;
    let sent = told_apart(&state, caller, chat_id, sent).await?;
    let mut answer = done(StatusCode::CREATED);
    here.locate(&mut answer, &format!("/api/chats/{chat_id}?id={}", sent.message.id))?;
    Ok(answer)
}

/// Which message to delete.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Deleted {
    /// The message.
    #[param(value_type = Id, required = true)]
    id: Option<String>,
}

/// Delete a message
///
/// Only its sender may.
#[utoipa::path(
    delete,
    path = "/api/chats/{chat_id}",
    tag = "messages",
    operation_id = "delete_message",
    params(("chat_id" = Id, Path, description = "The chat"), Deleted),
    responses((status = 200, description = "It is gone", body = Done))
)]
pub(crate) async fn delete(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Write>,
    Path(chat): Path<ChatId>,
    Query(query): Query<Deleted>,
) -> Result<HttpResponse, Problem> {
    let id = named("id", query.id.as_deref())?;
    let deleted = delete_own(&state, caller, chat, id).await;
    told_apart(&state, caller, chat, deleted).await?;
    Ok(done(StatusCode::OK))
}

/// Deletes a message of the caller's. Others' they may not delete here, even where the native API lets them.
async fn delete_own(state: &HttpState, caller: Caller, chat: ChatId, id: MessageId) -> Result<(), Problem> {
    let messaging = &state.services.messaging;
    let message = messaging.message(caller, chat, id).await?;
    if message.deleted_at().is_some() {
        return Err(Problem::new(Kind::NotFound, "no such message"));
    }
    if message.sender.id != caller.user_id {
        return Err(Problem::new(Kind::Forbidden, "only its sender may delete a message"));
    }
    Ok(messaging.delete(caller, chat, id).await?)
}
